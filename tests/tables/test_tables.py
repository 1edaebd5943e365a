"""Tables: what stands in their cells, in both languages, for whole and for incomplete studies."""

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypandoc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tables
from every_table import every_table
from facts.fact import Fact
from store.results import Results
from study.layers import components, number_of_layers
from study.settings import TrainingSettings
from synthetic_study import TRAITS, Traits, build_study
from tables.markdown import pipe_table, with_notes
from tables.rendering import render
from tables.specification import Column, Context, Row, Table, estimate, plain, spread
from text.literature import load_literature
from words.escaping import escape_markdown
from words.numbers import LETTERS, MARK, Numbers, unmark
from words.wording import LANGUAGES, MISSING, load_wording

CODE = Path(tables.__file__).parent
FEW = {"sentences": 200, "words": 300, "resamples": 60}
FULL = "full fine-tuning"


def context(study: Results, language: str = "en") -> Context:
    return Context(study, Numbers(load_wording(language)))


def shown(study: Results, specify: Callable[..., Any], *about: str, language: str = "en") -> str:
    """A table as a reader sees it."""
    at = context(study, language)
    return unmark(render(specify(at, *about), at))


def cells_of(markdown: str) -> list[list[str]]:
    """Rows of all pipe tables of a text, headers included, rules left out."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    plain_rows = [[cell.strip().replace("**", "") for cell in row] for row in rows]
    return [row for row in plain_rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]


def row_of(markdown: str, *start: str) -> list[str]:
    found = [row for row in cells_of(markdown) if tuple(row[: len(start)]) == start]
    assert len(found) == 1, (start, markdown)
    return found[0][len(start) :]


def column_of(markdown: str, title: str) -> list[str]:
    header, *rows = cells_of(markdown)
    return [row[header.index(title)] for row in rows]


@pytest.fixture(scope="module")
def study() -> Results:
    return build_study(methods=("full", "lora", "frozen", "prefix", "monolingual"), **FEW)


# ---------------------------------------------------------------------------------- the renderer


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["C", "Z"]), max_size=8),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=12)
def test_cells_survive_pandoc(rows: list[list[str]]) -> None:
    cells = [[escape_markdown(cell) for cell in row] for row in rows]
    ((specs, texts),) = parsed(pipe_table(["a", "b", "c"], cells, "lrc"))
    assert specs == ["AlignLeft", "AlignRight", "AlignCenter"]
    assert texts[1:] == [[smart(cell) for cell in row] for row in rows]


def smart(text: str) -> str:
    """What pandoc's typography cannot change is compared; the rest is in the reader's eye."""
    return re.sub(r"[\"'.–—“”‘’…-]", "", text)


def parsed(markdown: str) -> list[tuple[list[str], list[list[str]]]]:
    """Alignments and cells of each table, as pandoc reads them."""
    document = json.loads(pypandoc.convert_text(markdown, "json", format="markdown"))
    found = []
    for block in (block for block in document["blocks"] if block["t"] == "Table"):
        specs, head, bodies = block["c"][2], block["c"][3], block["c"][4]
        rows = [*head[1], *(row for body in bodies for row in body[3])]
        texts = [[smart(text_of(cell[4])) for cell in row[1]] for row in rows]
        found.append(([spec[0]["t"] for spec in specs], texts))
    return found


def text_of(node: Any) -> str:
    if isinstance(node, list):
        return "".join(text_of(part) for part in node)
    if not isinstance(node, dict):
        return ""
    if node.get("t") in ("Str", "Code", "Math"):
        return node["c"] if isinstance(node["c"], str) else node["c"][-1]
    return " " if node.get("t") in ("Space", "SoftBreak") else text_of(node.get("c", []))


def test_widths_follow_the_cells_as_a_reader_sees_them() -> None:
    marked = "[" + "x" * 30 + "]{f=0123abcdv}"
    first, second = (
        pipe_table(["a long title of four words", "b"], [["1", cell]], "lr").splitlines()[1]
        for cell in (marked, unmark(marked))
    )
    assert first == second
    left, right = first.strip("|").split("|")
    assert len(right) > 3 * len(left)
    with pytest.raises(ValueError):
        pipe_table(["a", "b"], [["1"]], "lr")


@pytest.mark.parametrize(("cells", "fixed"), [(3, False), (9, True)])
def test_marks_do_not_fix_the_widths_of_columns(cells: int, fixed: bool) -> None:
    row = ["[0.512 [0.4, 0.6]]{f=0123abcdv}"] * cells
    table = pipe_table(["x"] * cells, [row], "r")
    file = CODE.parent / "rendering" / "figures.lua"
    page = pypandoc.convert_text(
        table, "html", format="markdown", extra_args=[f"--lua-filter={file}"]
    )
    assert ("<colgroup>" in page) == fixed and page.count("data-f=") == cells


def test_equal_and_empty_notes_are_said_once() -> None:
    assert with_notes("t", ["", ""]) == "t"
    assert with_notes("t", ["one", "", "one"]).count("one") == 1


def made_up(values: dict[str, float | None], quantity: str = "score", **known: Any) -> Table:
    """A table of one value a method; those with a star are no compared methods."""
    facts = {
        name: Fact(quantity=quantity, method=name, metric="accuracy", value=value, **known)
        for name, value in values.items()
    }
    rows = [Row((n,), {"method": n}, not n.startswith("*")) for n in facts]
    column = Column("x", lambda row: facts[row["method"]], estimate(), best=True)
    return Table(["m"], rows, [column])


@pytest.mark.parametrize(
    ("values", "quantity", "bold"),
    [
        ({"a": 0.7, "b": 0.9, "*control": 0.99}, "score", "90.0"),  # never a control
        ({"a": 0.7, "b": 0.9}, "drop", "70.0"),  # less is better
        ({"a": 0.9, "b": 0.90001}, "score", None),  # looks the same
        ({"a": 0.9, "b": None, "*control": 0.1}, "score", None),  # nothing to compare
    ],
)
def test_the_best_of_the_compared_methods_is_bold(
    study: Results, values: dict[str, float | None], quantity: str, bold: str | None
) -> None:
    table = made_up(values, quantity, low=0.0, high=1.0, covers="items", seeds=3)
    text = unmark(render(table, context(study)))
    assert re.findall(r"\*\*(.*?)\*\*", text) == ([bold] if bold else [])


def test_intervals_say_what_they_cover(study: Results) -> None:
    def note(**covers: Any) -> str:
        text = unmark(render(made_up({"full": 0.5}, low=0.4, high=0.6, **covers), context(study)))
        return text.partition("table-note")[2]

    assert "over items and seeds" in note(covers="items and seeds", seeds=3)
    assert "over items alone" in note(covers="items", seeds=2)
    assert "no seeds" in note(covers="items", seeds=0)
    assert note(covers="batches") == ""
    both = [
        made_up({"full": 0.5}, low=0.4, high=0.6, covers="items and seeds", seeds=3),
        replace(made_up({"lora": 0.5}, low=0.4, high=0.6, covers="items", seeds=2), name="another"),
    ]
    assert "fewer than three seeds: LoRA." in unmark(render(both, context(study)))
    point = made_up({"full": 0.5}, low=0.5, high=0.5, covers="items", seeds=2)
    assert "[" not in unmark(render(point, context(study)))


def test_an_exact_zero_and_a_missing_value(study: Results) -> None:
    numbers = context(study).numbers
    fact = Fact(quantity="distance", metric="l2", value=0.0, sd=0.0)
    assert unmark(spread(3)(numbers, fact)) == "0"
    assert spread(3)(numbers, Fact(quantity="distance")) == MISSING
    assert unmark(plain()(numbers, Fact(quantity="score", value=-1e-9))) == "0.0"


# ------------------------------------------------------------------------------------ every table


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_parses_fits_the_page_and_shows_its_facts(
    study: Results, language: str
) -> None:
    at, texts = context(study, language), []
    for specify, about in every_table():
        text = render(specify(at, *about), at)
        assert not re.search(r"\b(nan|None)\b", text), specify
        texts.append(text)
    markdown = "\n\n".join(texts)
    found = parsed(unmark(markdown))
    assert len(found) == len(re.findall(r"^\| :?-", markdown, re.MULTILINE)) > 15
    assert max(len(specs) for specs, _ in found) <= 8
    columns = {letter: column for column, letter in LETTERS.items()}
    marks = MARK.findall(markdown)
    assert len(marks) > 500
    for text, name, letter in marks:
        fact = at.numbers.shown[name]
        assert fact in study.facts
        if columns[letter] != "interval":  # what follows from the value has no column of its own
            assert getattr(fact, columns[letter], fact.value) is not None, text


def test_every_public_table_is_in_the_report() -> None:
    named = {specify.__name__ for specify, _ in every_table()}
    assert named == set(vars(tables)) & named
    public = {n for n, f in vars(tables).items() if callable(f) and f.__module__[:6] == "tables"}
    assert public - {"render", "Context", "Table"} == named


SEEDS = (42, 43, 44)
METHODS = ("full", "lora", "frozen")
POOR: dict[str, dict[str, Any]] = {
    "one seed": {"seeds": (42,)},
    "one method": {"methods": ("full",)},
    "three languages": {"methods": ("full", "lora"), "languages": ("de", "fr", "nl")},
    "unknown method": {"methods": ("full", "lora", "novel"), "phenomena": ()},
    "prefix alone": {"methods": ("prefix",), "seeds": (1,)},
    "control alone": {"methods": ("frozen",)},
    "runs missing": {"missing": ("cola-full-seed42", "pos-lora-seed43", "pos-lora-seed44")},
    "a task missing": {"missing": tuple(f"pos-{m}-seed{s}" for m in METHODS for s in SEEDS)},
    "a method missing": {
        "missing": tuple(f"{t}-full-seed{s}" for t in ("cola", "pos") for s in SEEDS)
    },
    "everything missing": {
        "missing": tuple(
            f"{t}-{m}-seed{s}" for t in ("cola", "pos") for m in METHODS for s in SEEDS
        )
    },
}


@pytest.mark.parametrize("options", POOR.values(), ids=POOR.keys())
def test_every_table_survives(options: dict[str, Any]) -> None:
    poor = build_study(**{**FEW, **options})
    for specify, about in every_table():
        text = shown(poor, specify, *about, language="ru")
        assert text.strip() or specify is tables.experiments, specify  # none were made
        assert not re.search(r"\b(nan|None)\b", text), specify


def test_exchanged_methods_exchange_their_cells() -> None:
    names = ("full", "lora")
    straight = build_study(methods=names, **FEW)
    crossed = {"full": swap("full", "lora"), "lora": swap("lora", "full")}
    other = build_study(methods=names, traits=crossed, **FEW)
    for table in (tables.acceptability, tables.tagging):
        before, after = shown(straight, table), shown(other, table)
        assert row_of(before, FULL) == row_of(after, "LoRA") != row_of(after, FULL)
    before, after = (shown(s, tables.costs, "pos") for s in (straight, other))
    # Behind the prices of a step and the forward passes, which an adapter alone has.
    assert column_of(before, FULL)[5:] != column_of(before, "LoRA")[5:]
    assert column_of(before, FULL)[5] == column_of(after, "LoRA")[5] != MISSING
    lead = [shown(s, tables.key_numbers) for s in (straight, other)]
    gaps = [row_of(text, "MCC")[2] for text in lead]
    assert gaps[0].lstrip("+")[0] != gaps[1][0] and gaps[0][1:6] == gaps[1][1:6]


def swap(own: str, other: str) -> Traits:
    """The results of the other method under one's own adapter."""
    kept = {n: getattr(TRAITS[own], n) for n in ("adapter", "trains", "layers", "model")}
    return replace(TRAITS[other], **kept)


# ----------------------------------------------------------------------------------- single tables


def test_quality_and_costs_are_the_facts(study: Results) -> None:
    place = {"task": "cola", "method": "lora", "evaluation": "cola:validation"}
    mcc = study.facts.one("score", metric="matthews_correlation", **place)
    row = row_of(shown(study, tables.acceptability), "LoRA")
    assert row[0] == f"{mcc.value:.3f} [{mcc.low:.3f},\u00a0{mcc.high:.3f}]".replace("-", "−")
    seconds = study.facts.one("cost", task="cola", method="lora", metric="training_seconds")
    assert row[4] == load_wording("en").duration(seconds.value or 0)
    assert row_of(shown(study, tables.acceptability), "majority class")[-3:] == [MISSING] * 3


def test_key_numbers_agree_with_their_difference_and_ratio(study: Results) -> None:
    text = shown(study, tables.key_numbers)
    first, second, between = (
        float(cell.partition(" ")[0].replace("−", "-"))
        for cell in row_of(text, "accuracy in English, %")
    )
    assert first - second == pytest.approx(between, abs=0.011)
    share = [row[3] for row in cells_of(text) if row[0] == "trained parameters"]
    assert share == ["0.4%", "0.4%"]
    tasks = [n for n, row in enumerate(cells_of(text)) if row[1] == ""]
    assert [cells_of(text)[n][0] for n in tasks] == ["CoLA", "POS tagging"]


def test_costs_compare_a_step_with_the_reference(study: Results) -> None:
    text = shown(study, tables.costs, "cola")
    ratio = study.facts.one(
        "ratio", task="cola", method="lora", against="full", metric="step_seconds"
    )
    row = row_of(text, f"Step, times that of {FULL}")
    assert row[0] == "1.00" and row[1].startswith(f"{ratio.value:.2f} [")
    parts = [row_of(text, f"Memory of the {name}")[0] for name in ("weights", "gradients")]
    parts.append(row_of(text, "Memory of the optimizer state")[0])
    total = float(row_of(text, "Sum of the three")[0].partition("\u00a0")[0])
    assert sum(float(p.partition("\u00a0")[0]) for p in parts) == pytest.approx(total, abs=0.6)


def test_drift_is_measured_at_each_models_own_depth(study: Results) -> None:
    text = shown(study, tables.drift)
    assert not any("English-only" in row[0] or "prefix" in row[0] for row in cells_of(text))
    assert text.partition("table-note")[2].count("prefix") == 1
    assert row_of(text, "CoLA, LoRA", "Euclidean")[0] == "0"
    key: dict[str, Any] = {"task": "pos", "method": "full", "kind": "all"}
    layers = study.facts.where(quantity="distance", **key).distinct("layer")
    last = components(number_of_layers(layers))["last"]
    fact = study.facts.one("distance", layer=last, metric="l2", **key)
    row = row_of(text, f"POS tagging, {FULL}", "Euclidean")
    assert row[3] == f"{fact.value:.3f}\u00a0±\u00a0{fact.sd:.3f}"


def test_the_drop_and_its_causes_add_up(study: Results) -> None:
    english, german, drop = (
        float(cell.partition(" ")[0]) for cell in row_of(shown(study, tables.tagging), FULL)[:3]
    )
    assert english - german == pytest.approx(drop, abs=0.11)
    rows = cells_of(shown(study, tables.drop_causes))[1:]
    points = [float(row[1].partition(" ")[0].replace("−", "-")) for row in rows]
    assert sum(points[:-1]) == pytest.approx(points[-1], abs=0.05 * len(points))


def test_comparisons_have_a_compared_method_and_their_family(study: Results) -> None:
    text = shown(study, tables.comparisons, "cola")
    fact = study.facts.difference(
        task="cola", method="full", against="lora", evaluation="cola:validation",
        metric="matthews_correlation",
    )  # fmt: skip
    row = row_of(text, "MCC", f"{FULL} − LoRA")
    assert row[0].replace("−", "-") == f"{fact.value:+.3f}" and row[2] != MISSING
    assert "LoRA − majority class" in text and "frozen encoder − majority class" not in text
    corrected = [
        f
        for f in study.facts.where(quantity="difference", task="cola", metric=fact.metric)
        if {f.method, f.against} != {"full", "lora"} and f.p is not None
    ]
    assert f"({len(corrected)} comparisons)" in text


def test_the_setup_says_what_a_tokenizer_takes_away(study: Results) -> None:
    said = [load_wording("en").say("tables", f"tokenizer_removes_{x}") for x in ("case", "accents")]
    assert not any(text in shown(study, tables.setup) for text in said)
    runs = [
        replace(run, machine={**run.machine, "tokenizer_removes": "case,accents"})
        if run.task == "cola"
        else run
        for run in study.runs
    ]
    changed = replace(study, runs=tuple(runs))
    cola, pos = row_of(shown(changed, tables.setup), "Encoder")
    assert all(text in cola and text not in pos for text in said)


def test_fewer_epochs_than_asked_for_are_flagged(study: Results) -> None:
    assert "fewer than asked for" not in shown(study, tables.requirements)
    task = study.profile.tasks["pos"]
    short = replace(task.methods[0].training, num_train_epochs=1)
    assert isinstance(short, TrainingSettings)
    methods = (replace(task.methods[0], training=short), *task.methods[1:])
    profile = replace(
        study.profile, tasks={**study.profile.tasks, "pos": replace(task, methods=methods)}
    )
    [row] = [
        row
        for row in cells_of(shown(replace(study, profile=profile), tables.requirements))
        if row[0].startswith("Task 2: full fine-tuning and LoRA")
    ]
    assert row[2].startswith(f"{FULL} 1 ep. (fewer than asked for), LoRA 3 ep.")


def test_requirements_point_to_every_section_and_give_numbers(study: Results) -> None:
    rows = cells_of(shown(study, tables.requirements))[1:]
    assert len({row[1] for row in rows}) == 16
    assert all(row[2] != MISSING for row in rows)


def test_one_seed_and_missing_runs_are_said() -> None:
    assert "One seed" in shown(build_study(seeds=(42,), **FEW), tables.acceptability)
    whole = build_study(**FEW)
    assert "One seed" not in shown(whole, tables.acceptability)
    poor = shown(build_study(missing=("pos-lora-seed43",), **FEW), tables.missing)
    assert row_of(poor, "pos-lora-seed43") == ["not run yet"] and "1 of 18" in poor
    assert shown(whole, tables.missing).startswith("All 18 runs")


def test_new_languages_and_methods_get_tables_and_rows_of_their_own() -> None:
    study = build_study(methods=("full", "my_adapter"), languages=("de", "sv"), **FEW)
    text = shown(study, tables.tagging)
    german, swedish = (row for row in cells_of(text) if row[0] == "my\\_adapter")
    assert german[1] == swedish[1] and german[2] != swedish[2] and "**Swedish**" in text
    assert "**Swedish**" in shown(study, tables.drop_causes)


def test_the_environment_names_changed_modules_and_sources(study: Results) -> None:
    stale = {"train": ["training.loop"]}
    runs = [replace(r, machine={**r.machine, "dirty": True}, stale=stale) for r in study.runs]
    text = shown(replace(study, runs=tuple(runs)), tables.environment)
    assert row_of(text, "Modules changed since the runs") == ["train: training.loop"]
    assert "uncommitted" in text and "CoLA: cola:train" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_published_numbers_are_cited_and_other_models_marked(study: Results, language: str) -> None:
    for task in ("cola", "pos"):
        text = shown(study, tables.literature, task, language=language)
        rows = cells_of(text)[1:]
        entries = [entry for entry in load_literature() if entry.task == task]
        assert [row[-1] for row in rows] == [f"[@{entry.citation}]" for entry in entries]
        assert len(rows) == 5 and "†" in text
        assert load_wording(language).say("tables", "note_miniature") in text
    assert rows[-1][2] == rows[-1][3] == MISSING  # of a tagger trained in German we have none


def test_the_same_model_is_recognised_whatever_its_owner() -> None:
    named = replace(TRAITS["full"], model="google-bert/bert-base-uncased")
    bert = build_study(methods=("full",), traits={"full": named}, **FEW)
    text = shown(bert, tables.literature, "cola")
    covered = {row[4].partition(",")[0]: row[3] for row in cells_of(text)[1:]}
    assert "†" not in covered["bert-base-uncased"] and "†" in covered["BERT-base"]
    assert "No published number" not in text


# ------------------------------------------------------------------------------------------ texts


def texts(language: str) -> dict[str, str]:
    file = CODE.parent / "words" / "texts" / language / "tables.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def test_languages_have_the_same_keys_and_placeholders() -> None:
    english, russian = texts("en"), texts("ru")
    assert english.keys() == russian.keys()
    for key, text in english.items():
        fields = [set(re.findall(r"\{(\w+)\}", of)) for of in (text, russian[key])]
        assert fields[0] == fields[1], key


def test_no_text_is_left_unused() -> None:
    sources = [*CODE.glob("*.py"), CODE.parent / "words" / "numbers.py"]
    sources.append(CODE.parent / "text" / "literature.toml")
    source = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    words = set(re.findall(r"\"(\w+)\"", source)) | {"gpu", "resident", "case", "accents"}
    composed = r"(column|key|note|tokenizer_removes|measure|requirement|fact|settings|quantity)_"
    for key in texts("en"):
        name = re.sub(r"_in$", "", re.sub(f"^{composed}", "", key))
        assert {key, name, re.sub(r"^memory_", "", name)} & words, key


def test_russian_texts_are_russian_and_titles_begin_with_a_capital() -> None:
    for key, text in texts("ru").items():
        if key.startswith(("note_", "requirement_")):
            assert re.search("[а-яё]", text), key
        if key.startswith("column_"):
            assert not text[:1].islower() or text.startswith("p "), key

"""Tables: what stands in their cells, in both languages, for whole and for incomplete studies."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypandoc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tabulation
from store.results import Results
from synthetic_study import TRAITS, Traits, build_study
from tabulation.cells import Cells, Scale
from tabulation.markdown import Table, escape, mark_best, pipe_table, stack, with_notes
from words.wording import LANGUAGES, MISSING, NAMES, Shown, Wording, load_wording

CODE = Path(tabulation.__file__).parent
FEW = {"sentences": 200, "words": 300, "resamples": 60}
PER_TASK = (
    "tabulate_comparisons",
    "tabulate_convergence",
    "tabulate_costs",
    "tabulate_memory",
    "tabulate_prices",
)


def all_tables(study: Results, words: Wording) -> Iterator[tuple[str, Table]]:
    for name in (name for name in vars(tabulation) if name.startswith("tabulate_")):
        function = getattr(tabulation, name)
        if name in PER_TASK:
            for task in study.profile.tasks:
                yield f"{name} {task}", function(study, task, words)
        else:
            yield name, function(study, words)
    for metric in ("relative", "rms", "angle"):
        yield f"tabulate_drift {metric}", tabulation.tabulate_drift(study, words, metric)


def cells_of(markdown: str) -> list[list[str]]:
    """Rows of all pipe tables of a text, headers included, rules left out."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [
        [cell.strip().replace("**", "") for cell in row]  # the best value is bold
        for row in rows
        if not all(re.fullmatch(r" :?-+:? ", cell) for cell in row)
    ]


def row_of(markdown: str, *start: str) -> list[str]:
    found = [row for row in cells_of(markdown) if tuple(row[: len(start)]) == start]
    assert len(found) == 1, (start, markdown)
    return found[0][len(start) :]


@pytest.fixture(scope="module")
def study() -> Results:
    return build_study(methods=("full", "lora", "frozen", "prefix", "monolingual"), **FEW)


@pytest.fixture(scope="module")
def words() -> Wording:
    return load_wording("en")


# ------------------------------------------------------------------------------ the helper


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
    header = ["a", "b", "c"]
    table = pipe_table(header, [[escape(cell) for cell in row] for row in rows], "lrc")
    [parsed] = parse_tables(table)
    assert parsed.columns == 3
    assert parsed.alignments == ["AlignLeft", "AlignRight", "AlignCenter"]
    assert parsed.texts[1:] == [[smart(cell) for cell in row] for row in rows]


def smart(text: str) -> str:
    """What pandoc's typography cannot change is compared; the rest is in the reader's eye."""
    return re.sub(r"[\"'.–—“”‘’…-]", "", text)


class ParsedTable:
    def __init__(self, content: list[Any]):
        specs, head, bodies = content[2], content[3], content[4]
        self.columns = len(specs)
        self.alignments = [spec[0]["t"] for spec in specs]
        rows = [*head[1], *(row for body in bodies for row in body[3])]
        self.texts = [[smart(text_of(cell[4])) for cell in row[1]] for row in rows]


def text_of(node: Any) -> str:
    if isinstance(node, list):
        return "".join(text_of(part) for part in node)
    if not isinstance(node, dict):
        return ""
    if node.get("t") in ("Str", "Code", "Math"):
        return node["c"] if isinstance(node["c"], str) else node["c"][-1]
    return " " if node.get("t") in ("Space", "SoftBreak") else text_of(node.get("c", []))


def parse_tables(markdown: str) -> list[ParsedTable]:
    document = json.loads(pypandoc.convert_text(markdown, "json", format="markdown"))
    return [ParsedTable(block["c"]) for block in document["blocks"] if block["t"] == "Table"]


def test_a_row_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError):
        pipe_table(["a", "b"], [["1"]], "lr")


def test_widths_follow_the_cells_not_the_titles() -> None:
    table = pipe_table(["a long title of four words", "b"], [["1", "x" * 30]], "lr")
    first, second = table.splitlines()[1].strip("|").split("|")
    assert len(second) > 3 * len(first)


def test_equal_and_empty_notes_are_said_once() -> None:
    assert with_notes(Table("t"), "") == "t"
    assert with_notes(Table("t"), "one", "", "one").count("one") == 1


def test_the_best_value_is_bold_and_nothing_where_all_are_the_same() -> None:
    def shown(value: float | None, text: str) -> Shown:
        return Shown(text, value)

    rows = [["a", shown(0.9, "0.9 [0.8, 1.0]"), shown(1, "1")]]
    rows += [["b", shown(0.7, "0.7"), shown(1, "1")], ["c", shown(None, MISSING), shown(1, "1")]]
    marked = mark_best(rows, (1, 2))
    assert [row[1] for row in marked] == ["**0.9** [0.8, 1.0]", "0.7", MISSING]
    assert [row[2] for row in marked] == ["1", "1", "1"]
    assert marked[0][1].number == 0.9


def test_a_table_remembers_what_stands_in_it() -> None:
    table = with_notes(pipe_table(["x", "y"], [["a", Shown("1.5", 1.5)]], "lr"), "a note")
    assert table.records == ({"x": "a", "y": "1.5"},) and table.notes == ("a note",)
    assert table.records[0]["y"].number == 1.5
    both = stack({"German": table, "French": table}, "Language")
    assert [record["Language"] for record in both.records] == ["German", "French"]
    assert stack({"German": table}, "Language") is table


def test_the_numbers_behind_the_cells_are_those_that_are_shown(
    study: Results, words: Wording
) -> None:
    metrics = study.evidence["cola"]["methods"]["lora"]["metrics"]
    [record] = [
        record
        for record in tabulation.tabulate_quality(study, words).records
        if record["Method"] == "LoRA"
    ]
    keys = ("value", "low", "high")
    for title, metric in (("MCC", "matthews_correlation"), ("Accuracy, %", "accuracy")):
        assert record[title].number == {key: metrics[metric][key] for key in keys}


def test_every_table_has_records_for_its_rows(study: Results, words: Wording) -> None:
    tables = [table for _, table in all_tables(study, words) if table.startswith(("|", "**"))]
    assert len(tables) > 30
    for table in tables:
        parts = len(re.findall(r"^\| :?-", table, re.MULTILINE))
        assert len(table.records) == len(cells_of(table)) - parts


def test_no_number_is_written_as_minus_zero(words: Wording) -> None:
    cells = Cells(words)
    for text in (
        cells.number(-1e-9, Scale(100, 1)),
        cells.signed(-1e-9),
        cells.span((-1e-9, 0.5)),
    ):
        assert "\u2212" not in text, text


def test_a_missing_value_is_a_dash_in_every_format(words: Wording) -> None:
    cells = Cells(words)
    nothing = float("nan")
    empty = {"value": None, "low": None, "high": None}
    formats = (cells.number, cells.signed, cells.percent, cells.count, cells.duration)
    assert {form(nothing) for form in formats} == {MISSING}
    assert cells.megabytes(None) == cells.estimate(empty) == cells.p_value(None) == MISSING
    assert cells.significant(nothing) == MISSING


def test_small_numbers_keep_their_size(words: Wording) -> None:
    cells = Cells(words)
    assert cells.significant(1.234e-5) == "1.23·10^\u22125^"
    assert cells.significant(0.0) == "0"
    assert cells.megabytes(3200) == "3.2 kB"
    assert cells.p_value(0.0002) == "<\u00a00.001"


# ------------------------------------------------------------------------------ every table


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_parses_and_fits_the_page(study: Results, language: str) -> None:
    tables = dict(all_tables(study, load_wording(language)))
    assert len(tables) > 35
    parsed = parse_tables("\n\n".join(tables.values()))
    written = sum(len(re.findall(r"^\| :?-", text, re.MULTILINE)) for text in tables.values())
    assert len(parsed) == written > 30
    assert max(table.columns for table in parsed) <= 8
    for name, text in tables.items():
        rows = cells_of(text)
        assert rows or not text.startswith("|"), name
        assert "nan" not in text.lower().replace("finance", ""), name
        assert "None" not in text, name


SEEDS = (42, 43, 44)
METHODS = ("full", "lora", "frozen")
FULL = "full fine-tuning"
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
    tables = dict(all_tables(poor, load_wording("ru")))
    assert all(text.strip() for text in tables.values())
    assert all("nan" not in text and "None" not in text for text in tables.values())


def test_exchanged_methods_exchange_their_cells(words: Wording) -> None:
    names = ("full", "lora")
    straight = build_study(methods=names, **FEW)
    crossed = {
        "full": swap(TRAITS["full"], TRAITS["lora"]),
        "lora": swap(TRAITS["lora"], TRAITS["full"]),
    }
    other = build_study(methods=names, traits=crossed, **FEW)
    for table in (tabulation.tabulate_acceptability, tabulation.tabulate_quality):
        before, after = table(straight, words), table(other, words)
        assert row_of(before, FULL) == row_of(after, "LoRA") != row_of(after, FULL)
    before = tabulation.tabulate_tagging(straight, words)
    after = tabulation.tabulate_tagging(other, words)
    assert row_of(before, FULL) == row_of(after, "LoRA") != row_of(before, "LoRA")
    before = tabulation.tabulate_costs(straight, "pos", words)
    after = tabulation.tabulate_costs(other, "pos", words)
    assert row_of(before, FULL) == row_of(after, "LoRA") != row_of(before, "LoRA")


def swap(own: Traits, other: Traits) -> Traits:
    """The results of the other method under one's own adapter."""
    settings_of = ("adapter", "trains", "layers", "model")
    return Traits(**{**vars_of(other), **{name: getattr(own, name) for name in settings_of}})


def vars_of(traits: Traits) -> dict[str, Any]:
    return {name: getattr(traits, name) for name in traits.__dataclass_fields__}


# ---------------------------------------------------------------------------- values from frames


def test_quality_is_the_evidence(study: Results, words: Wording) -> None:
    metrics = study.evidence["cola"]["methods"]["lora"]["metrics"]
    row = row_of(tabulation.tabulate_quality(study, words), "LoRA")
    mcc, accuracy = metrics["matthews_correlation"], metrics["accuracy"]
    assert row[0] == "3"
    assert row[1].startswith(f"{mcc['value']:.3f} [")
    assert row[2] == f"{mcc['sd']:.3f}"
    assert row[3].startswith(f"{100 * accuracy['value']:.1f} [")
    assert f", {100 * accuracy['high']:.1f}]" in row[3]


def test_costs_are_medians(study: Results, words: Wording) -> None:
    runs = study.runs[(study.runs.task == "cola") & (study.runs.method == "frozen")]
    row = row_of(tabulation.tabulate_costs(study, "cola", words), "frozen encoder")
    assert row[0] == words.duration(runs.training_seconds.median())
    assert row[2] == words.megabytes(runs.peak_memory_bytes.median())
    assert row[3] == words.count(int(runs.trainable_parameters.median()))


def test_growth_is_shown_with_its_exponent_or_the_command_that_measures_it(
    study: Results, words: Wording
) -> None:
    first, second, *_, last = cells_of(tabulation.tabulate_growth(study, words))[-6:]
    assert first[1:] == ["256", "0.010", "1.00"] and second == ["", "512", "0.020", ""]
    assert last[1:3] == ["1 024", "0.160"] or last[1:3] == ["1\u202f024", "0.160"]
    unmeasured = replace(study, growth=study.growth.iloc[:0])
    assert "`make bench`" in tabulation.tabulate_growth(unmeasured, words)


def test_memory_adds_up(study: Results, words: Wording) -> None:
    row = row_of(tabulation.tabulate_memory(study, "pos", words), FULL)
    parts = [float(cell.split("\u00a0")[0]) for cell in row[:4]]
    assert sum(parts[:3]) == pytest.approx(parts[3], abs=0.2)


def test_drift_is_the_mean_of_the_seeds(study: Results, words: Wording) -> None:
    frame = study.drift
    own = frame[(frame.task == "pos") & (frame.method == "full") & (frame.kind == "all")]
    row = row_of(
        tabulation.tabulate_drift(study, words), "POS tagging, full fine-tuning", "Euclidean"
    )
    for cell, layer in zip(
        row,
        ("embeddings", "encoder.layer.0", "encoder.layer.2", "encoder.layer.3", "classifier"),
        strict=True,
    ):
        values = own[own.layer == layer].l2
        assert cell == f"{values.mean():.3f}\u00a0±\u00a0{values.std():.3f}"
    relative = row_of(
        tabulation.tabulate_drift(study, words, "relative"), "POS tagging, full fine-tuning"
    )
    head = own[own.layer == "classifier"].relative.mean()
    assert relative[-1].startswith(f"{100 * head:.3f}")


def test_each_model_is_measured_at_its_own_depth(study: Results, words: Wording) -> None:
    frame = study.drift
    own = frame[(frame.method == "monolingual") & (frame.task == "pos") & (frame.kind == "all")]
    assert own.layer.nunique() == 5
    row = row_of(tabulation.tabulate_drift(study, words, "l2"), "POS tagging, English-only encoder")
    assert row[3].startswith(f"{own[own.layer == 'encoder.layer.2'].l2.mean():.3f}")


def test_similarity_says_on_how_many_tokens_it_rests(study: Results, words: Wording) -> None:
    table = tabulation.tabulate_representation(study, words)
    assert f"{words.count(2000)} tokens of 120 sentences" in " ".join(table.notes)


def test_parts_set_back_show_the_loss_with_its_interval(study: Results, words: Wording) -> None:
    table = tabulation.tabulate_restoration(study, words)
    row = row_of(table, "POS tagging, LoRA", "German")
    frame = study.restoration
    own = frame[
        (frame.task == "pos") & (frame.method == "lora") & (frame.evaluation == "de_syn:test")
    ].set_index("part")
    for cell, part in zip(row, own.index, strict=True):
        assert cell.startswith(f"{100 * own['drop'][part]:.1f} [{100 * own['low'][part]:.1f}, ")
    few = build_study(methods=("full", "lora"), seeds=(42, 43), **FEW)
    [record] = [
        record
        for record in tabulation.tabulate_restoration(few, words).records
        if (record["Model"], record["Language"]) == ("CoLA, LoRA", "English")
    ]
    items = few.restoration.query("task == 'cola' and method == 'lora' and part == 'upper'")
    assert record["Upper third"].number["low"] == items.low_items.item()


def test_prices_are_ratios_to_the_first_method(study: Results, words: Wording) -> None:
    table = tabulation.tabulate_prices(study, "cola", words)
    assert row_of(table, FULL)[2].startswith("1.00")
    ratio = study.prices.query("task == 'cola' and method == 'lora'").ratio.item()
    assert row_of(table, "LoRA")[2].startswith(f"{ratio:.2f} [")


def test_an_exact_zero_is_written_as_one(study: Results, words: Wording) -> None:
    assert row_of(tabulation.tabulate_drift(study, words, "l2"), "CoLA, LoRA")[0] == "0"


def test_prefix_has_no_drift_and_the_tables_say_so(study: Results, words: Wording) -> None:
    for table in (tabulation.tabulate_drift, tabulation.tabulate_mean_distance):
        text = table(study, words)
        assert not any("prefix" in row[0] for row in cells_of(text))
        assert text.split("table-note")[1].count("prefix") == 1
    without = build_study(methods=("full", "lora"), **FEW)
    assert "merged" not in tabulation.tabulate_drift(without, words)


def test_mean_distance_is_the_mean_over_layers(study: Results, words: Wording) -> None:
    frame = study.drift
    own = frame[(frame.task == "cola") & (frame.method == "lora") & (frame.kind == "all")]
    row = row_of(tabulation.tabulate_mean_distance(study, words), "CoLA, LoRA")
    assert row[0] == str(own.layer.nunique())
    assert row[1].startswith(f"{own.groupby('seed').l2.mean().mean():.3f}")
    assert row[1] != row[2] != row[3]


def test_structure_leaves_out_matrices_without_a_change(study: Results, words: Wording) -> None:
    row = row_of(tabulation.tabulate_structure(study, words), "POS tagging, LoRA", "all layers")
    frame = study.structure
    own = frame[(frame.task == "pos") & (frame.method == "lora") & (frame["rank"] > 0)]
    assert row[:2] == ["8", "8"]
    assert row[2] == f"{own.effective_rank.mean():.1f}"


def test_the_drop_is_source_minus_target(study: Results, words: Wording) -> None:
    row = row_of(tabulation.tabulate_tagging(study, words), FULL)
    english, german, drop = (float(cell.split(" ")[0]) for cell in row[:3])
    assert english - german == pytest.approx(drop, abs=0.11)


def test_causes_add_up_to_the_drop(study: Results, words: Wording) -> None:
    rows = cells_of(tabulation.tabulate_drop_causes(study, words))[1:]
    points = [float(row[1].split(" ")[0].replace("\u2212", "-")) for row in rows]
    assert len(points) > 5
    assert sum(points[:-1]) == pytest.approx(points[-1], abs=0.05 * len(points))


def test_breakdown_adds_up_within_each_grouping(study: Results, words: Wording) -> None:
    found = study.evidence["pos"]["methods"]["full"]["transfer"]["de_syn:test"]
    table = cells_of(tabulation.tabulate_transfer_breakdown(study, words, kinds=("by_seen",)))[1:]
    points = [float(row[-1].replace("\u2212", "-")) for row in table]
    assert sum(points) == pytest.approx(100 * found["drop"]["value"], abs=0.2)


def test_confusions_are_ranked_and_limited(study: Results, words: Wording) -> None:
    rows = cells_of(tabulation.tabulate_confusions(study, words, "lora", count=4))[1:]
    points = [float(row[4]) for row in rows]
    assert len(points) == 4
    assert points == sorted(points, reverse=True)


def test_comparisons_show_effect_interval_and_corrected_p(study: Results, words: Wording) -> None:
    row = row_of(
        tabulation.tabulate_comparisons(study, "cola", words), "MCC", "full fine-tuning − LoRA"
    )
    [entry] = [
        entry
        for entry in study.evidence["cola"]["comparisons"]
        if (entry["metric"], entry["first"], entry["second"])
        == ("matthews_correlation", "full", "lora")
    ]
    assert row[0].replace("\u2212", "-") == f"{entry['effect']:+.3f}"
    assert row[1].startswith(f"[{entry['low']:.3f}".replace("-", "\u2212"))
    assert row[2] == words.number(entry["p_corrected"], 3)
    table = tabulation.tabulate_comparisons(study, "cola", words)
    assert "LoRA − majority class" in table
    assert "frozen encoder − majority class" not in table


def test_controls_without_costs_have_dashes(study: Results, words: Wording) -> None:
    row = row_of(tabulation.tabulate_acceptability(study, words), "majority class")
    assert row[-3:] == [MISSING] * 3


def test_one_seed_is_said(words: Wording) -> None:
    single = build_study(seeds=(42,), **FEW)
    quality = tabulation.tabulate_quality(single, words)
    assert row_of(quality, FULL)[2] == MISSING
    assert "One seed" in quality
    assert "One seed" not in tabulation.tabulate_quality(build_study(**FEW), words)


def test_missing_runs_are_listed(words: Wording) -> None:
    poor = build_study(missing=("pos-lora-seed43",), **FEW)
    table = tabulation.tabulate_missing(poor, words)
    assert row_of(table, "pos-lora-seed43") == ["not run yet"]
    assert "1 of 18" in table
    assert "18" in tabulation.tabulate_missing(build_study(**FEW), words)


def test_an_unknown_method_is_shown_by_its_name(words: Wording) -> None:
    study = build_study(methods=("full", "my_adapter"), **FEW)
    assert row_of(tabulation.tabulate_quality(study, words), "my\\_adapter")
    assert row_of(tabulation.tabulate_drift(study, words, "l2"), "CoLA, my\\_adapter")


def test_new_languages_get_rows_of_their_own(words: Wording) -> None:
    study = build_study(methods=("full", "lora"), languages=("de", "sv"), **FEW)
    table = tabulation.tabulate_tagging(study, words)
    german, swedish = (row for row in cells_of(table) if row[0] == "LoRA")
    assert german[1] == swedish[1] and german[2] != swedish[2] and "**Swedish**" in table
    assert "**sv**" in tabulation.tabulate_drop_causes(study, words)


def test_training_sizes_appear_when_the_runs_hold_them(study: Results, words: Wording) -> None:
    bare = study.runs.drop(columns=["train_sentences", "train_words"], errors="ignore")
    study = replace(study, runs=bare)
    assert MISSING in row_of(tabulation.tabulate_setup(study, words), "Training data")[0]
    runs = study.runs.assign(train_sentences=8551, train_words=66000)
    sized = replace(study, runs=runs)
    row = row_of(tabulation.tabulate_setup(sized, words), "Training data")
    assert words.count(8551) in row[0] and words.count(66000) in row[0]


def test_the_setup_says_what_a_tokenizer_takes_away(study: Results, words: Wording) -> None:
    said = [words.say("tables", f"tokenizer_removes_{what}") for what in ("case", "accents")]
    assert not any(text in tabulation.tabulate_setup(study, words) for text in said)
    of_cola = {"cola": "case,accents"}
    runs = study.runs.assign(tokenizer_removes=study.runs["task"].map(of_cola))
    table = tabulation.tabulate_setup(replace(study, runs=runs), words)
    cola, pos = row_of(table, Cells(words).say("column_encoder"))
    assert all(text in cola and text not in pos for text in said)


def test_environment_names_changed_modules_and_commits(study: Results, words: Wording) -> None:
    row = row_of(tabulation.tabulate_environment(study, words), "Commit of the runs")
    assert row == ["000000000000"]
    frame = study.provenance.assign(stale=[{"train": ["training.loop"]}] * len(study.provenance))
    frame["dirty"] = True
    changed = replace(study, provenance=frame)
    table = tabulation.tabulate_environment(changed, words)
    assert row_of(table, "Modules changed since the runs") == ["train: training.loop"]
    assert "uncommitted" in table


def test_requirements_point_to_every_section_and_give_numbers(
    study: Results, words: Wording
) -> None:
    rows = cells_of(tabulation.tabulate_summary_of_requirements(study, words))[1:]
    assert len({row[1] for row in rows}) == 16
    assert all(row[2] != MISSING for row in rows)
    mcc = study.evidence["cola"]["methods"]["full"]["metrics"]["matthews_correlation"]["value"]
    assert any(f"{mcc:.3f}" in row[2] for row in rows)


# ------------------------------------------------------------------------------ texts


def texts(language: str) -> dict[str, str]:
    file = CODE.parent / "words" / "texts" / language / "tables.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def test_languages_have_the_same_keys_and_placeholders() -> None:
    english, russian = texts("en"), texts("ru")
    assert english.keys() == russian.keys()
    for key, text in english.items():
        assert placeholders(text) == placeholders(russian[key]), key


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_every_key_in_the_code_has_a_text() -> None:
    known = texts("en")
    sources = [file.read_text(encoding="utf-8") for file in sorted(CODE.glob("*.py"))]
    source = "\n".join(sources)
    said = set(re.findall(r"say\(\s*\"(\w+)\"", source))
    assert len(said) > 40
    assert said <= known.keys()
    for titles in re.findall(r"titles\(([^)]*)\)", source):
        keys = re.findall(r"\"(\w+)\"", titles)
        unknown = {key for key in keys if f"column_{key}" not in known}
        assert unknown <= load_wording("en").texts[NAMES].keys()


def test_no_note_is_left_unused() -> None:
    source = "\n".join(f.read_text(encoding="utf-8") for f in sorted(CODE.glob("*.py")))
    for key in texts("en"):
        if key.startswith("note_") and key not in ("note_memory_gpu", "note_memory_resident"):
            assert key in source or key in NOTES_BY_METRIC, key


NOTES_BY_METRIC = {f"note_{metric}" for metric in ("l2", "relative", "rms", "angle")}


def test_russian_texts_are_russian() -> None:
    latin_only = [
        key
        for key, text in texts("ru").items()
        if (key.startswith(("note_", "requirement_")) and not re.search("[а-яё]", text))
    ]
    assert not latin_only

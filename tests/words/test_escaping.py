"""Values stay text: in sentences, in cells, at the beginning of a paragraph, in both languages."""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pypandoc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from every_table import every_table
from hostile import PAYLOADS, shown
from rendering.report import Report
from store.results import Missing, Results
from study.paths import project_root
from synthetic_study import Traits, build_study
from words.escaping import Markup, escape_markdown, join_markup
from words.wording import LANGUAGES

INERT = {"Str", "Space", "Para", "Plain", "Table", "BulletList"}
REFERENCES = (project_root() / "references.bib").read_text(encoding="utf-8")
REPORT = (project_root() / "report.qmd").read_text(encoding="utf-8")
OURS = set(re.findall(r"^@\w+\{([^,]+),", REFERENCES, re.MULTILINE)) | set(
    re.findall(r"(?:\{#|^#\| label: )((?:sec|fig|tbl)-[\w-]+)", REPORT, re.MULTILINE)
)
# Sections of the report and code that our own sentences name.
SECTIONS = set(re.findall(r"\{(#(?:sec|app)-[\w-]+)", REPORT))
WRITTEN = {"float32", "bfloat16", "float16", "experiments.toml"}
# Where a value is filled in, and what the reader sees.
CONTEXTS = {
    "{}": "{}",
    "A value {} in a sentence.": "A value {} in a sentence.",
    "({}), x": "({}), x",
    "- {}": "{}",
    "| a | b |\n|---|---|\n| {} | c |": "ab{}c",
}


def parse(markdown: str) -> list[Any]:
    return json.loads(pypandoc.convert_text(markdown, "json", format="markdown"))["blocks"]


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if "t" in tree:
            yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from nodes(part)


def text_of(tree: Any) -> str:
    pieces = {"Str": lambda node: node["c"], "Space": lambda _: " ", "SoftBreak": lambda _: " "}
    return "".join(pieces[n["t"]](n) for n in nodes(tree) if n["t"] in pieces)


def assert_literal(texts: list[str]) -> None:
    """Each text, in each context, is seen as it is and is nothing else."""
    cases = list(itertools.product(texts, CONTEXTS))
    filled = [context.format(escape_markdown(text)) for text, context in cases]
    blocks = parse("\n\n# boundary\n\n".join(filled))
    parts = [[]]
    for block in blocks:
        if block["t"] == "Header":
            parts.append([])
        else:
            parts[-1].append(block)
    assert len(parts) == len(cases)
    for (text, context), part in zip(cases, parts, strict=True):
        seen = CONTEXTS[context].format(shown(text))
        # Places to break an endless word are not seen.
        assert text_of(part).replace("\u200b", "") == seen.replace("\u200b", ""), (text, context)
        kinds = {n["t"] for n in nodes(part)} - {"AlignDefault", "ColWidthDefault", "ColWidth"}
        assert kinds <= INERT, (text, context, kinds)


def test_payloads_are_text_in_every_context() -> None:
    assert_literal([p for p in PAYLOADS if shown(p)])


@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1),
        min_size=20,
        max_size=20,
    )
)
@settings(max_examples=8)
def test_any_text_is_text(texts: list[str]) -> None:
    assert_literal([t for t in texts if shown(t)])


def test_an_endless_word_can_be_broken_and_others_stay() -> None:
    pieces = escape_markdown("w" * 400 + " " + "v" * 60).split("\u200b")
    assert "".join(pieces) == "w" * 400 + " " + "v" * 60
    assert max(len(piece) for piece in pieces[:-1]) == 16


def test_nothing_is_escaped_twice() -> None:
    once = escape_markdown("a_b")
    assert once == "a\\_b" and escape_markdown(once) is once
    assert join_markup("; ", ["a_b", Markup("*c*")]) == "a\\_b; *c*"
    assert escape_markdown("en-US 1.5 3.11.7+cpu (a) 12%") == "en-US 1.5 3.11.7+cpu (a) 12%"


# ------------------------------------------------------------------------------ whole reports


def hostile_study(first: int) -> Results:
    """A study in which every name, text and origin is a payload, beginning with this one."""
    turn = itertools.cycle(PAYLOADS[first:] + PAYLOADS[:first])
    adapter, control = next(turn) or "x", next(turn)
    study = build_study(
        methods=("full", "lora", adapter, control),
        seeds=(42, 43),
        traits={adapter: Traits(quality=0.6, model=next(turn)), control: Traits(trains="head")},
        phenomena=(next(turn), next(turn), next(turn)),
        name=next(turn),
        sentences=120,
        words=300,
        resamples=60,
    )
    items = study.items["cola"]["cola:validation"]
    texts = items.assign(text=[next(turn) for _ in range(len(items))], source=next(turn))
    machine = ("device", "platform", "python", "commit", "time", "device_kind", "pooler")
    runs = tuple(
        replace(
            run,
            machine={**run.machine, **{key: next(turn) for key in machine}},
            sources={item: next(turn) for item in run.sources},
            stale={next(turn): [next(turn)]},
        )
        for run in study.runs
    )
    return replace(
        study,
        profile=replace(study.profile, title=next(turn)),
        missing=(Missing(next(turn), next(turn)), Missing("cola-full-seed44", next(turn))),
        runs=runs,
        items={**study.items, "cola": {"cola:validation": texts}},
    )


def every_text(results: Results, language: str) -> Iterator[tuple[str, str]]:
    """All tables, and all sentences of the report's text."""
    report = Report(results, language)
    for specify, about in every_table():
        if (table := report.table(specify, *about)) is not None:
            yield specify.__name__, table.data
    known = {"say": report.say}
    document = (project_root() / "report.qmd").read_text(encoding="utf-8")
    pattern = re.compile(r"`\{python\} ([^`]+)`|^report\.text\((say\.[\w.]+)\)$", re.MULTILINE)
    for inline, alone in pattern.findall(document):
        yield inline or alone, eval(inline or alone, known)


def strangers(markdown: str) -> list[str]:
    """What in a text is neither words nor one of our own references."""
    found = []
    for node in nodes(parse(markdown)):
        kind, content = node["t"], node.get("c")
        if kind == "Code" and content[1] in WRITTEN:
            continue
        if kind == "Link" and content[2][0] in SECTIONS:
            continue
        if kind in ("RawInline", "RawBlock", "Math", "Image", "Link", "Code", "CodeBlock", "Note"):
            found.append(f"{kind} {content}")
        if kind == "Cite":
            found += [c["citationId"] for c in content[0] if c["citationId"] not in OURS]
        if kind in ("Strikeout", "BlockQuote", "OrderedList", "DefinitionList", "HorizontalRule"):
            found.append(kind)
        if kind in ("Div", "Span") and content[0][1] not in ([], ["table-note"]):
            found.append(f"{kind} {content[0]}")
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("first", [0, 17, 37])
def test_no_field_of_a_report_acts(first: int, language: str) -> None:
    count = 0
    for name, markdown in every_text(hostile_study(first), language):
        assert strangers(markdown) == [], name
        assert "{{<" not in markdown, f"{name}: Quarto would expand a shortcode"
        assert "\\\\\\\\" not in markdown.replace("\\\\\\\\ ", ""), f"{name}: escaped twice"
        count += 1
    assert count > 60

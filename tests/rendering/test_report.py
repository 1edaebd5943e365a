"""The report as a whole: both languages rendered from a finished tiny study."""

import json
import re
from pathlib import Path

import pytest

from rendered import Rendered
from verification.pages import read_page

ROOT = Path(__file__).parents[2]
CHUNK = re.compile(r"^#\| label: ((?:fig|tbl)-[\w-]+)$(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_both_formats_and_the_numbers_are_there(rendered: Rendered) -> None:
    pdf = (rendered.folder / f"{rendered.stem}.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-") and len(pdf) > 100_000
    numbers = json.loads((rendered.folder / "results.json").read_text(encoding="utf-8"))
    planned = {
        f"{task['name']}-{method['name']}-seed{seed}"
        for task in numbers["profile"]["tasks"].values()
        for method in task["methods"]
        for seed in method["seeds"] or task["seeds"]
    }
    names = [row["run"] for row in numbers["provenance"]["runs"]]
    assert sorted(names) == sorted(planned)
    assert any(fact["quantity"] == "difference" for fact in numbers["facts"])
    assert len(names) == 12 or numbers["profile"]["name"] != "tiny"


def test_every_number_of_a_fact_says_which(rendered: Rendered) -> None:
    """No mark is left in the text, and the page holds the facts of all marks."""
    assert "{f=" not in rendered.text
    page = read_page(rendered.page)
    assert len(page.marks) > 100 and {mark.fact for mark in page.marks} <= page.facts.keys()
    assert all(mark.column and mark.text.strip() for mark in page.marks)
    assert rendered.page.stat().st_size < 6e6  # of which Quarto's own libraries are half


def labels(source: str, experiments: bool = False) -> list[str]:
    """Labels of the chunks; the tiny study has made no experiments."""
    chunks = CHUNK.findall(source)
    return [label for label, code in chunks if experiments or "experiments" not in code]


def test_every_figure_and_table_of_the_source_is_shown(rendered: Rendered) -> None:
    shown = labels(rendered.source)
    assert len(shown) > 25
    for label in shown:
        assert f'id="{label}"' in rendered.html, label


def test_what_a_study_has_no_experiments_for_leaves_no_trace(rendered: Rendered) -> None:
    numbers = json.loads((rendered.folder / "results.json").read_text(encoding="utf-8"))
    if any(fact.get("variant") for fact in numbers["facts"]):
        pytest.skip("REPORT_DIR holds a study with experiments")
    absent = set(labels(rendered.source, experiments=True)) - set(labels(rendered.source))
    assert len(absent) == 8  # three figures and a table a task
    for label in absent:
        assert f'id="{label}"' not in rendered.html, label


def test_figures_are_kept_as_svg_and_png(rendered: Rendered) -> None:
    names = {file.stem for file in rendered.figures.glob("*.svg")}
    kept = {file.stem for file in rendered.figures.glob("*.png")} - {"example-report"}  # README's
    assert names == kept
    assert len(names) >= len([x for x in labels(rendered.source) if x[:3] == "fig"])


def test_references_are_resolved_and_values_are_plain(rendered: Rendered) -> None:
    text = rendered.text
    for trace in ("@fig-", "@tbl-", "@sec-", "?@", "{python}", "np.float64", "nan", "None", "[@"):
        assert not re.search(rf"(?<!\w){re.escape(trace)}(?!\w)", text), trace


def test_the_page_needs_no_network(rendered: Rendered) -> None:
    loaded = re.findall(
        r'(?:src|href)="(https?://[^"]+)"', re.sub(r"<a\b[^>]*>", "", rendered.html)
    )
    assert loaded == []
    assert "<script" not in rendered.html or "https://cdn" not in rendered.html


def test_the_page_speaks_its_language(rendered: Rendered) -> None:
    cyrillic = len(re.findall(r"[а-яё]", rendered.text))
    latin = len(re.findall(r"[a-z]", rendered.text))
    assert (cyrillic > latin) == (rendered.language == "ru")


def test_both_documents_hold_the_same_chunks() -> None:
    def chunks(name: str) -> list[str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        bodies = re.findall(r"^```\{python\}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        without_captions = (
            re.sub(r"^#\| \w+-(?:cap|alt): .*\n", "", b, flags=re.M) for b in bodies
        )
        return [re.sub(r'open_report\("\w+"\)', "open_report()", b) for b in without_captions]

    assert chunks("report.qmd") == chunks("report.ru.qmd") and len(chunks("report.qmd")) > 30

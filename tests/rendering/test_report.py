"""The report as a whole: both languages rendered from a finished tiny study."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rendered import Rendered

ROOT = Path(__file__).parents[2]
CHUNK_LABEL = re.compile(r"^#\| label: ((?:fig|tbl)-[\w-]+)$", re.MULTILINE)


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
    names = [run["run"] for run in numbers["runs"]]
    assert sorted(names) == sorted(planned) and numbers["evidence"]["pos"]["comparisons"]
    assert len(names) == 12 or numbers["profile"]["name"] != "tiny"


def test_every_printed_number_is_in_the_results(rendered: Rendered) -> None:
    """Numbers of prose that nobody typed stand in results.json, as they are printed.

    Those of tables are marked with their facts, which ``tests/tables`` holds against the facts.
    """
    content = json.loads((rendered.folder / "results.json").read_text(encoding="utf-8"))
    recorded = numbers_of(" ".join(printed_texts(content, rendered.language)))
    typed = numbers_of(re.sub(r"`\{python\}[^`]*`", " ", rendered.source))
    printed = [n for block in shown_blocks(rendered.html) for n in numbers_of(block)]
    assert len(set(printed) - typed) > 100
    assert set(printed) - typed - recorded == set()


def numbers_of(text: str) -> set[str]:
    """Numbers of a text without thousands' separators and with a decimal point."""
    text = re.sub(r"(?<=\d)\u202f(?=\d)", "", text)
    return set(re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d)", ".", text)))


def printed_texts(content: dict[str, Any], language: str) -> Iterator[str]:
    yield from (answer["text"] for answer in content["answers"][language].values())


def shown_blocks(page: str) -> Iterator[str]:
    """Paragraphs and items; tables, links (numbers of figures, citations) and code left out."""
    body = re.sub(r"<(script|style|svg|pre|code|a)\b.*?</\1>", " ", page, flags=re.DOTALL)
    body = re.sub(r"<(figcaption|caption)\b.*?</\1>", " ", body, flags=re.DOTALL)
    body = re.sub(r'<span class="citation".*?</span>', " ", body, flags=re.DOTALL)
    body = re.sub(r'<div id="refs".*?(?=<h1\b)', " ", body, flags=re.DOTALL)
    body = re.sub(r'<div class="table-note".*?</div>', " ", body, flags=re.DOTALL)
    for block in re.findall(r"<(p|li)\b[^>]*>(.*?)</\1>", body, flags=re.DOTALL):
        yield html.unescape(re.sub(r"<[^>]+>", " ", block[1]))


def test_every_figure_and_table_of_the_source_is_shown(rendered: Rendered) -> None:
    labels = CHUNK_LABEL.findall(rendered.source)
    assert len(labels) > 25
    for label in labels:
        assert f'id="{label}"' in rendered.html, label


def test_figures_are_kept_as_svg_and_png(rendered: Rendered) -> None:
    names = {file.stem for file in rendered.figures.glob("*.svg")}
    kept = {file.stem for file in rendered.figures.glob("*.png")} - {"example-report"}  # README's
    assert names == kept
    assert len(names) >= len([x for x in CHUNK_LABEL.findall(rendered.source) if x[:3] == "fig"])


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

"""What the project hands to Quarto: its filters, the Typst theme, the files of a project."""

import re
from pathlib import Path

import pypandoc
import pytest
import typst

from rendered import ROOT, copy_project
from waiting import run_process

RENDERING = ROOT / "code" / "rendering"
QUARTO = "quarto = { doc = { include_text = function(_, text) io.stderr:write(text) end } }\n"
MARKDOWN = """---
title: A "quoted" title
---

# Appendix A {#app-a .unnumbered}

See [the appendix](#app-a). ![](line.svg){.figure-svg fig-alt="A \\"line\\"."}

::: {.table-note}
A note.
:::

```
some code
```
"""
TABLE = """
#figure([#table(columns: 2, table.header([head], [%s]), %s)
#note[A note.]
], caption: figure.caption(position: top, [A table.]),
  kind: "quarto-float-tbl", supplement: "Table") <tbl-a>
"""


def write_typst(folder: Path) -> tuple[str, str]:
    """The Typst source of ``MARKDOWN``, and what the filter includes in its header."""
    script = folder / "filter.lua"
    filter_text = (RENDERING / "quarto.lua").read_text(encoding="utf-8")
    script.write_text(QUARTO + filter_text, encoding="utf-8")
    command = [pypandoc.get_pandoc_path(), "--to=typst", f"--lua-filter={script}"]
    done = run_process(command, input=MARKDOWN, capture_output=True, check=True)
    return done.stdout, done.stderr


def test_what_quarto_leaves_out_is_written(tmp_path: Path) -> None:
    source, header = write_typst(tmp_path)
    assert "#heading(level: 1, numbering: none)[Appendix A] <app-a>" in source
    assert '#image("line.svg", width: 100%, alt: "A \\"line\\".")' in source
    assert "#note[" in source and "A note." in source
    assert source.index("#whole-code[") < source.index("some code")
    assert header == '#set document(title: "A “quoted” title")'


def write_pages(folder: Path, content: str) -> list[str]:
    """The text of each page of what the theme makes of it, on A4."""
    pdfium = pytest.importorskip("pypdfium2", reason="needs pypdfium2 (PyPI)")
    theme = (RENDERING / "theme.typ").read_text(encoding="utf-8")
    page = '#set page(paper: "a4", margin: (x: 2.2cm, top: 2.2cm, bottom: 2cm))\n'
    (folder / "content.typ").write_text(page + theme + content, encoding="utf-8")
    document = pdfium.PdfDocument(typst.compile(str(folder / "content.typ")))
    return [page.get_textpage().get_text_range() for page in document]


def table_of(rows: int) -> str:
    return TABLE % ("", ", ".join(f"[row], [{n}]" for n in range(rows)))


@pytest.mark.parametrize(("rows", "whole"), [(8, True), (60, False)])
def test_a_short_table_floats_whole_and_a_long_one_breaks(
    tmp_path: Path, rows: int, whole: bool
) -> None:
    pages = write_pages(tmp_path, "#lorem(560)\n" + table_of(rows) + "#lorem(100)")
    found = [page.count("row") for page in pages]
    assert sum(found) == rows and (max(found) == rows) == whole


@pytest.mark.parametrize("rows", [6, 12, 40, 70])
@pytest.mark.parametrize("above", range(17, 25))
def test_no_table_of_the_appendix_leaves_a_row_or_its_note_alone(
    tmp_path: Path, rows: int, above: int
) -> None:
    """``above``: what stands on the page before the table, in centimetres."""
    before = f"#in-appendix.update(true)\n#block(height: {above}cm)[Before.]\n"
    figure = '#figure(rect(height: 4cm), kind: "quarto-float-fig", supplement: [Figure])\n'
    pages = write_pages(tmp_path, before + figure + table_of(rows))
    found = [page.count("row") for page in pages]
    assert sum(found) == rows
    first = next(number for number, count in enumerate(found) if count)
    assert found[first] >= min(rows, 4) and "A table." in pages[first]
    assert "A note." in pages[first] or found[-1] == 0
    assert rows > 12 or found[first] == rows


def test_code_is_not_divided_where_it_fits_a_page(tmp_path: Path) -> None:
    code = "#whole-code[\n```\n" + "line\n" * 20 + "```\n]"
    pages = write_pages(tmp_path, "#block(height: 23cm)[Before.]\n" + code)
    assert [page.count("line") for page in pages] == [0, 20]


def test_latex_is_refused_in_a_sentence() -> None:
    script = RENDERING / "figures.lua"
    command = [pypandoc.get_pandoc_path(), "--to=latex", f"--lua-filter={script}"]
    done = run_process(command, input="x", capture_output=True, check=False)
    assert done.returncode and "--to typst" in done.stderr and "traceback" not in done.stderr


def test_the_copy_for_quarto_holds_every_file_that_the_code_names(tmp_path: Path) -> None:
    copy_project(tmp_path / "project")
    named = {
        name
        for file in (ROOT / "code").rglob("*.py")
        for name in re.findall(r'project_root\(\) / "([\w.]+)"', file.read_text(encoding="utf-8"))
        if (ROOT / name).exists() and name not in ("cache", "figures", "_output")
    }
    assert {"CITATION.cff", "experiments.toml"} <= named
    assert [name for name in named if not (tmp_path / "project" / name).exists()] == []


@pytest.mark.parametrize("content", ["#lorem(900)", "#table(columns: 1, ..range(90).map(str))"])
def test_a_long_table_without_a_note_and_a_long_text_break(tmp_path: Path, content: str) -> None:
    """A table alone is no sequence, and a text in a table's place holds none."""
    figure = f"#figure([{content}], caption: figure.caption(position: top, [A table.]),\n"
    figure += '  kind: "quarto-float-tbl", supplement: "Table")\n'
    pages = write_pages(tmp_path, "#in-appendix.update(true)\n" + figure)
    assert len(pages) == 2 and "A table." in pages[0]

"""What the project hands to Quarto: the filter that mends its Typst source, and the Typst theme."""

import subprocess
from pathlib import Path

import pypandoc
import pytest
import typst

RENDERING = Path(__file__).parents[2] / "code" / "rendering"
QUARTO = "quarto = { doc = { include_text = function(_, text) io.stderr:write(text) end } }\n"
MARKDOWN = """---
title: A "quoted" title
---

# Appendix A {#app-a .unnumbered}

See [the appendix](#app-a). ![](line.svg){.figure-svg fig-alt="A \\"line\\"."}

::: {.table-note}
A note.
:::
"""
TABLE = """
#set page(height: 300pt)
#lorem(130)
#figure([#table(columns: 2, %s)], caption: figure.caption(position: top, [A table.]),
  kind: "quarto-float-tbl", supplement: "Table") <tbl-a>
"""


def write_typst(folder: Path) -> tuple[str, str]:
    """The Typst source of ``MARKDOWN``, and what the filter includes in its header."""
    script = folder / "filter.lua"
    filter_text = (RENDERING / "quarto.lua").read_text(encoding="utf-8")
    script.write_text(QUARTO + filter_text, encoding="utf-8")
    command = [pypandoc.get_pandoc_path(), "--to=typst", f"--lua-filter={script}"]
    done = subprocess.run(command, input=MARKDOWN, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_what_quarto_leaves_out_is_written(tmp_path: Path) -> None:
    source, header = write_typst(tmp_path)
    assert "#heading(level: 1, numbering: none)[Appendix A] <app-a>" in source
    assert '#image("line.svg", width: 100%, alt: "A \\"line\\".")' in source
    assert "#note[" in source and "A note." in source
    assert header == '#set document(title: "A “quoted” title")'


@pytest.mark.parametrize(("rows", "whole"), [(8, True), (40, False)])
def test_a_short_table_floats_whole_and_a_long_one_breaks(
    tmp_path: Path, rows: int, whole: bool
) -> None:
    pdfium = pytest.importorskip("pypdfium2", reason="needs pypdfium2 (PyPI)")
    theme = (RENDERING / "theme.typ").read_text(encoding="utf-8")
    cells = ", ".join(f"[row], [{n}]" for n in range(rows))
    (tmp_path / "table.typ").write_text(theme + TABLE % cells, encoding="utf-8")
    pages = pdfium.PdfDocument(typst.compile(str(tmp_path / "table.typ")))
    found = [page.get_textpage().get_text_range().count("row") for page in pages]
    assert sum(found) == rows and (max(found) == rows) == whole

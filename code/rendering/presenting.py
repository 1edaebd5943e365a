"""What a chunk hands to the document: a table as Markdown, a figure that is also kept as files.

Tables reach the document as Markdown only: any HTML output makes Quarto load scripts from a
network. Every figure is kept in ``figures/`` as SVG and PNG under the name of its chunk; the next
render draws only what changed.
"""

import ast
import shutil
from pathlib import Path
from typing import Any

from IPython.display import Markdown, display

from plots.deferred import Drawing
from plots.saving import save
from rendering.export import export_results as export_results  # a chunk's door to it
from rendering.shown import StoredTables as StoredTables
from rendering.shown import keep
from study.errors import StudyError
from study.paths import figures_folder, project_root


def show_table(markdown: str) -> None:
    """Shows a pipe table (or any Markdown) in the document."""
    display(Markdown(markdown))  # type: ignore[no-untyped-call]


def show_source(room: str, function: str) -> None:
    """Shows the lines of a room's function that compute, read from its file and never imported.

    Its docstring is left out: the text around says the same.

    Raises:
        StudyError: the room has no such function.
    """
    for file in sorted((project_root() / "code" / room).glob("*.py")):
        text = file.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                source = ast.get_source_segment(text, node) or ""
                if ast.get_docstring(node) is not None:
                    whole = ast.get_source_segment(text, node.body[0]) or ""
                    source = source.replace(f"    {whole}\n", "", 1)
                show_table(f"```python\n{source}\n```")
                return
    raise StudyError(f"there is no function {function!r} to show", where=f"code/{room}")


def show_figure(name: str, drawing: Drawing, folder: Path | None = None) -> None:
    """Shows a figure and copies it to ``<folder>/<name>.svg`` and ``.png``.

    It is drawn only where the stored pictures of this profile and language are out of date.
    """
    folder = folder or figures_folder()
    folder.mkdir(parents=True, exist_ok=True)

    def draw(into: Path) -> dict[str, Any]:
        save(name, drawing, into)
        return {}

    origin = f"{drawing.results.profile.name}-{drawing.language}-{name}"
    kept = keep("figure", origin, drawing.identity, draw)
    if kept is None:
        draw(folder)
    else:
        for file in (f"{name}.svg", f"{name}.png"):
            shutil.copyfile(kept.path(file), folder / file)
    content = (folder / f"{name}.svg").read_text(encoding="utf-8")
    display({"image/svg+xml": content}, raw=True)  # type: ignore[no-untyped-call]

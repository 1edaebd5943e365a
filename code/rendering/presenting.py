"""What a chunk hands to the document: a table as Markdown, a figure that is also kept as files.

Tables reach the document as Markdown only: any HTML output makes Quarto load scripts from a
network. Every figure is kept in ``figures/`` as SVG and PNG under the name of its chunk, with its
alternative text and the identity of what it shows inside; the next render draws only what changed.
"""

import ast
import os
import re
import shutil
from html import escape
from pathlib import Path
from typing import Any

from IPython.display import Markdown, display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from plots.deferred import Drawing
from plots.style import PAPER, STYLE
from rendering.export import export_results as export_results  # a chunk's door to it
from rendering.shown import StoredTables as StoredTables
from rendering.shown import keep
from study.errors import StudyError
from study.paths import figures_folder, project_root

PNG_RESOLUTION = 160  # dots an inch
_STYLE_SHEET = re.compile(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>\s*", re.DOTALL)
_INHERITED = "stroke-linejoin: round; stroke-linecap: butt"


def show_table(markdown: str) -> None:
    """Shows a pipe table (or any Markdown) in the document."""
    display(Markdown(markdown))  # type: ignore[no-untyped-call]


def show_source(room: str, function: str) -> None:
    """Shows the source of a room's function as it is now, read from its file and never imported.

    Raises:
        StudyError: the room has no such function.
    """
    for file in sorted((project_root() / "code" / room).glob("*.py")):
        text = file.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                show_table(f"```python\n{ast.get_source_segment(text, node)}\n```")
                return
    raise StudyError(f"there is no function {function!r} to show", where=f"code/{room}")


def show_figure(name: str, drawing: Drawing, folder: Path | None = None) -> None:
    """Shows a figure and copies it to ``<folder>/<name>.svg`` and ``.png``.

    It is drawn only where the stored pictures of this profile and language are out of date.
    """
    folder = folder or figures_folder()
    folder.mkdir(parents=True, exist_ok=True)

    def draw(into: Path) -> dict[str, Any]:
        _draw(name, drawing, into)
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


def _draw(name: str, drawing: Drawing, folder: Path) -> None:
    # Ticks are made when the figure is saved: that has to happen in the style, too. Without a
    # date and with fixed ids, the same figure is the same file.
    with plt.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = drawing.draw()
        _save_png(figure, folder / f"{name}.png")
        _save_svg(figure, folder / f"{name}.svg", drawing.identity)
    plt.close(figure)


def _save_png(figure: Figure, target: Path) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}")
    figure.savefig(part, dpi=PNG_RESOLUTION, format="png", facecolor=PAPER)
    part.replace(target)


def _save_svg(figure: Figure, target: Path, identity: str) -> None:
    """An SVG without paper and without matplotlib's style sheet, which would leak into a page."""
    part = target.with_name(f".{target.name}.{os.getpid()}")
    metadata = {"Date": None, "Identifier": identity, "Description": str(figure.get_label())}
    figure.savefig(part, format="svg", metadata=metadata, transparent=True)
    text = _STYLE_SHEET.sub("", part.read_text(encoding="utf-8"))
    text = text.replace("<svg ", f'<svg style="{escape(_INHERITED)}" ', 1)
    part.write_text(text, encoding="utf-8")
    part.replace(target)

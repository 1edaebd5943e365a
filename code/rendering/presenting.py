"""A figure that a chunk shows, which is also kept as files.

Every figure is kept in ``figures/`` as SVG and PNG under the name of its chunk; the next render
draws only what changed.
"""

import base64
import os
import shutil
from pathlib import Path
from typing import Any

from IPython.display import display

from plots.deferred import Drawing
from plots.saving import save
from rendering.export import export_results as export_results  # a chunk's door to it
from rendering.shown import keep
from store.entries import disk_errors
from study.paths import figures_folder


def show_figure(name: str, drawing: Drawing, folder: Path | None = None) -> None:
    """Shows a figure and copies it to ``<folder>/<name>.svg`` and ``.png``.

    It is drawn only where the stored pictures of this profile and language are out of date. A
    format that cannot have an SVG (``--to docx``; ``QUARTO_FIG_FORMAT`` says so) is shown the PNG.
    """
    folder = folder or figures_folder()

    def draw(into: Path) -> dict[str, Any]:
        save(name, drawing, into)
        return {}

    origin = f"{drawing.results.profile.name}-{drawing.language}-{name}"
    kept = keep("figure", origin, drawing.identity, draw)
    with disk_errors(folder, "FIGURES_DIR"):
        folder.mkdir(parents=True, exist_ok=True)
        if kept is None:
            draw(folder)
        else:
            for file in (f"{name}.svg", f"{name}.png"):
                shutil.copyfile(kept.path(file), folder / file)
    if os.environ.get("QUARTO_FIG_FORMAT", "svg") == "svg":
        picture = {"image/svg+xml": (folder / f"{name}.svg").read_text(encoding="utf-8")}
    else:
        png = (folder / f"{name}.png").read_bytes()
        picture = {"image/png": base64.b64encode(png).decode("ascii")}
    display(picture, raw=True)  # type: ignore[no-untyped-call]

"""What a chunk hands to the document: figures, which are kept as files too, and facts.

Every figure is kept in ``figures/`` as SVG and PNG under the name of its chunk; the next render
draws only what changed.
"""

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from IPython.display import Markdown, display

from facts.fact import Fact
from facts.files import record
from plots.deferred import Drawing
from plots.saving import save
from rendering.export import export_results as export_results  # a chunk's door to it
from store.entries import Entry, Key, Store, disk_errors
from study.errors import StudyError
from study.paths import cache_folder, figures_folder
from words.numbers import Numbers

VERSION = 1  # of a stored picture


def show_facts(numbers: Numbers) -> None:
    """Embeds the facts behind the numbers of the page; the last chunk, so that it has all."""
    display(Markdown(embed_facts(numbers.shown.values())))  # type: ignore[no-untyped-call]


def embed_facts(facts: Iterable[Fact]) -> str:
    """Facts as an inline script of JSON, id -> columns, for ``numbers.lua`` and ``page.js``."""
    records = {fact.id: {k: v for k, v in record(fact).items() if k != "id"} for fact in facts}
    text = json.dumps(records, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c")  # so that it cannot end the script that holds it
    script = f'<script type="application/json" id="shown-facts">{text}</script>'
    return f"```{{=html}}\n{script}\n```"


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
    kept = _keep(origin, drawing.identity, draw)
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


def _keep(name: str, identity: str, draw: Callable[[Path], dict[str, Any]]) -> Entry | None:
    """The stored picture, made if it is missing; None where the cache cannot be written."""
    try:
        key = Key("figure", name, VERSION, {"identity": identity})
        return Store(cache_folder()).produce(key, draw)
    except StudyError:
        return None

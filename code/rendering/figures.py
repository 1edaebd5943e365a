"""A figure of the document: drawn where its stored pictures are out of date, and kept as files."""

import base64
import functools
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.display import display
from matplotlib.figure import Figure

from facts.fact import COLUMNS
from plots.saving import save
from store.entries import Key, Store, canonical_json, disk_errors
from store.ledger import digest_of
from store.provenance import module_digests, modules_behind, package_versions
from store.results import Results
from study.errors import StudyError
from study.paths import cache_folder, figures_folder
from words.wording import Wording

VERSION = 1
LIBRARIES = ("matplotlib", "numpy", "pandas", "seaborn")


def show_figure(
    name: str,
    plot: Callable[..., Figure],
    results: Results,
    words: Wording,
    *about: str,
    folder: Path | None = None,
) -> None:
    """Shows a figure and copies it to ``<folder>/<name>.svg`` and ``.png``.

    ``about`` is what the plot takes beside results and words, such as the name of a task.

    It is drawn only where the stored pictures of this profile and language are out of date. A cache
    that cannot be written costs time, never the figure. A format that cannot have an SVG
    (``--to docx``; ``QUARTO_FIG_FORMAT`` says so) is shown the PNG.
    """
    folder = folder or figures_folder()

    def draw(into: Path) -> dict[str, Any]:
        save(name, lambda: plot(results, words, *about), into)
        return {}

    origin = f"{results.profile.name}-{words.language}-{name}"
    identity = {"identity": identify(plot, results, words, *about)}
    try:
        kept = Store(cache_folder()).produce(Key("figure", origin, VERSION, identity), draw)
    except StudyError:
        kept = None
    with disk_errors(folder, "FIGURES_DIR"):
        folder.mkdir(parents=True, exist_ok=True)
        if kept is None:
            draw(folder)
        else:
            for file in (f"{name}.svg", f"{name}.png"):
                # Another render, or the kernel of a killed one, may read it at this moment.
                part = folder / f".{file}.{os.getpid()}"
                shutil.copyfile(kept.path(file), part)
                part.replace(folder / file)
    if os.environ.get("QUARTO_FIG_FORMAT", "svg") == "svg":
        picture = {"image/svg+xml": (folder / f"{name}.svg").read_text(encoding="utf-8")}
    else:
        png = (folder / f"{name}.png").read_bytes()
        picture = {"image/png": base64.b64encode(png).decode("ascii")}
    display(picture, raw=True)  # type: ignore[no-untyped-call]


def identify(plot: Callable[..., Figure], results: Results, words: Wording, *about: str) -> str:
    """The hash of everything that decides a picture: facts, settings, words, code and libraries."""
    versions = package_versions()
    return _hash(
        [
            _hash_facts(results),
            digest_of(results.profile),
            words.language,
            words.texts,
            plot.__qualname__,
            about,
            module_digests(code_behind(plot)),
            {name: versions[name] for name in LIBRARIES},
        ]
    )


def code_behind(plot: Callable[..., Figure]) -> list[str]:
    """Our own modules that decide how a figure looks, read from their imports."""
    starts = (plot.__module__, "plots.saving", "store.results")
    return sorted({module for start in starts for module in modules_behind(start)})


@functools.lru_cache(maxsize=2)
def _hash_facts(results: Results) -> str:
    return _hash([[getattr(fact, column) for column in COLUMNS] for fact in results.facts])


def _hash(content: Any) -> str:
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()

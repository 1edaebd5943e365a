"""A figure as files: an SVG for the documents, small enough to stand inside a page, and a PNG."""

import hashlib
import os
import re
from collections.abc import Callable
from html import escape
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from plots.style import PAPER, report_style

PNG_RESOLUTION = 160  # dots an inch
_STYLE_SHEET = re.compile(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>\s*", re.DOTALL)
_INHERITED = "stroke-linejoin: round; stroke-linecap: butt"
_TAG = re.compile(r"<[^>]+>")
_COORDINATES = re.compile(r"(?<!scale\()\b(\d+\.\d\d)\d+(?=[ \"\n)])")
_CLIP = re.compile(r"(?<=url\(#)p[0-9a-f]{10}(?=\))")
_MARKER = re.compile(r'(<path id="m[0-9a-f]{10}"[^>]*?) style="[^"]*"')
_WEIGHTS = {None: "g", "Bold": "b", "Oblique": "o", "BoldOblique": "p"}
_GLYPH = re.compile(r"DejaVuSans(?:-(\w+))?-(?=[0-9a-f]+\")")


def save(name: str, plot: Callable[[], Figure], folder: Path) -> None:
    """Draws a figure in the report's style and writes ``<name>.svg`` and ``<name>.png``."""
    # Ticks are made when the figure is saved: that has to happen in the style, too. Without a
    # date and with fixed ids, the same figure is the same file.
    with report_style(**{"svg.hashsalt": name}):
        figure = plot()
        target = folder / f"{name}.png"
        part = target.with_name(f".{target.name}.{os.getpid()}")
        figure.savefig(part, dpi=PNG_RESOLUTION, format="png", facecolor=PAPER)
        part.replace(target)
        _save_svg(figure, folder / f"{name}.svg")
    plt.close(figure)


def _save_svg(figure: Figure, target: Path) -> None:
    """An SVG without paper and without matplotlib's style sheet, which would leak into a page."""
    part = target.with_name(f".{target.name}.{os.getpid()}")
    said = {"Description": str(figure.get_label())}
    metadata = {**dict.fromkeys(("Date", "Creator", "Format", "Type")), **said}
    figure.savefig(part, format="svg", metadata=metadata, transparent=True)
    text = _STYLE_SHEET.sub("", part.read_text(encoding="utf-8"))
    text = text.replace("<svg ", f'<svg style="{escape(_INHERITED)}" ', 1)
    part.write_text(compact(text, target.stem), encoding="utf-8")
    part.replace(target)


def compact(svg: str, name: str) -> str:
    """The same picture in fewer bytes: every figure stands inside the page.

    Without comments, indentation and names that nothing refers to; coordinates to a hundredth of a
    point. Names of glyphs and the picture's own are short, since pandoc puts the latter before each
    name inside a page.
    """
    svg = re.sub(r"\n\s+", "\n", re.sub(r"\s*<!--.*?-->", "", svg, flags=re.DOTALL))
    svg = _TAG.sub(lambda tag: _COORDINATES.sub(r"\1", tag[0]), svg)  # not in what is said
    svg = _MARKER.sub(r"\1", svg)  # each use has the colours: a style sheet reaches these alone
    svg = _GLYPH.sub(lambda found: _WEIGHTS[found[1]], svg)
    used = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in used else "", svg)
    own = hashlib.sha256(name.encode()).hexdigest()[:4]
    # matplotlib names a clip path by a hash over all digits of its place: more than is drawn.
    for number, clip in enumerate(dict.fromkeys(_CLIP.findall(svg))):
        svg = svg.replace(clip, f"c{number}{own}")
    return svg.replace("<svg ", f'<svg id="s{own}" ', 1)

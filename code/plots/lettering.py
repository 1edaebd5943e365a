"""The words around a figure: legend, notes, and labels cut to what a figure can hold."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.lines import Line2D

from plots.context import Context
from plots.style import BAND_ALPHA, FAINT, INK, SMALL, WIDTH

LONGEST = 26  # letters of a name from a corpus: a longer one is cut, or it would fill the figure
Look = Literal["lines", "marks", "both"]  # of a method in a legend
HANDLE = 0.46  # inches: what a legend's entry needs beside its letters
SHARED: dict[str, tuple[str, dict[str, Any]]] = {  # label of an artist -> key of its text, look
    "_items": ("items", {"lw": 2.4}),
    "_items and seeds": ("items_and_seeds", {"lw": 1.1}),
    "_one seed": ("one_seed", {"color": INK, "ls": "", "marker": "o", "ms": 1.8}),
    "_margin": ("margin", {"alpha": BAND_ALPHA * 1.6, "lw": 6}),
    "_seed": ("band", {"alpha": BAND_ALPHA * 1.6, "lw": 6}),
    "_train": ("training_loss", {"lw": 0.7}),
    "_best": ("best_step", {"ls": "", "marker": "o", "ms": 7}),
    "_end": ("schedule_end", {"lw": 0.9, "ls": (0, (2, 2))}),
    "_own rate": ("own_rate", {"ls": "", "marker": "o", "ms": 9, "mfc": "none"}),
    "_best rate": ("best_rate", {"ls": "", "marker": "*", "ms": 9}),
    "_comparison": ("the_comparison", {"ls": "", "marker": "o", "ms": 9, "mfc": "none"}),
    "_as compared": ("as_compared", {"ls": "", "marker": "o", "ms": 2}),
    "_rank": ("rank_limit", {"lw": 1, "ls": ":"}),
}
"""What figures share and explain once, in the order of the legend."""


def finish(
    context: Context,
    figure: Figure,
    handles: Sequence[Any],
    notes: Iterable[str],
    said: Iterable[str],
) -> Figure:
    """The figure with its legend, notes under all axes and alternative text; none that is empty.

    The legend has the entries given, and one for everything of ``SHARED`` that was drawn.
    """
    artists = [artist for ax in figure.axes for artist in ax.get_children()]
    drawn = {str(artist.get_label()) for artist in artists}
    shared = {key: look for label, (key, look) in SHARED.items() if label in drawn}
    entries = [*handles, *(shared_handle(context, key, **look) for key, look in shared.items())]
    if entries:
        widths = [HANDLE + text_width(handle.get_label()) for handle in entries]
        columns = next(n for n in range(len(entries), 0, -1) if n == 1 or _fits(widths, n))
        figure.legend(handles=entries, loc="outside upper center", ncols=columns)
    if note := _join(notes):
        lines = wrap_text(note, WIDTH - 0.15)
        figure.supxlabel(lines, x=0.01, ha="left", fontsize=SMALL, color=FAINT)
    figure.set_label(_join(said))
    return figure


def _join(sentences: Iterable[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def method_handles(context: Context, methods: Iterable[str], look: Look) -> list[Any]:
    """Legend entries of methods, as they look in the figure."""
    handles = []
    for method in dict.fromkeys(methods):
        style = context.styles[method]
        line = "" if look == "marks" else style.linestyle
        marker = "" if look == "lines" else style.marker
        name = context.name(method)
        handles.append(Line2D([], [], color=style.color, ls=line, marker=marker, label=name))
    return handles


def shared_handle(context: Context, key: str, **look: Any) -> Line2D:
    """Legend entry of a line or mark that all methods have: grey unless it looks otherwise."""
    grey = {"color": FAINT, "solid_capstyle": "butt"}
    return Line2D([], [], **{**grey, **look}, label=context.say(key))


def _fits(widths: Sequence[float], columns: int) -> bool:
    # matplotlib fills a legend column by column, the first columns one entry longer.
    parts = [part for part in np.array_split(np.array(widths), columns) if len(part)]
    return sum(float(part.max()) for part in parts) <= WIDTH


def wrap_text(text: str, width: float) -> str:
    """A small text in lines of at most so many inches; a longer word has a line of its own."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and text_width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def text_width(text: str) -> float:
    """Inches that a small text takes in the figures' font."""
    font = get_font(findfont("DejaVu Sans"))
    font.set_size(SMALL, 72)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0]) / 64 / 72


def wrap_label(text: str, characters: int) -> str:
    """A label of an axis in lines of so many characters."""
    return textwrap.fill(text, characters)


def shorten(text: str) -> str:
    """A name that a corpus may have made arbitrarily long, cut to what a figure can hold."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

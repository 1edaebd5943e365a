"""What all figures share: a grid of axes, ticks of a unit, lines over seeds, estimates.

Nothing here knows what it draws. Visible words come from ``words/texts/<language>/plots.toml``.
"""

import math
import string
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    Formatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)
from numpy.typing import NDArray

from facts.fact import Fact
from facts.quantities import Unit, unit_of
from plots.context import Context
from plots.lettering import wrap_label
from plots.style import BAND_ALPHA, FAINT, GRID, INK, MAX_HEIGHT, SMALL, WIDTH, MethodStyle
from words.wording import Wording

INTERVALS = {"items": 2.4, "items and seeds": 1.1, "seeds": 1.1}  # what it covers -> width of line
MOST_DIGITS = 6  # of the label of a tick
DIFFERENCE = MethodStyle(INK, "D", "-")


def new_grid(rows: int, columns: int, height: float, **options: Any) -> tuple[Figure, NDArray[Any]]:
    """A figure of the text's width with axes (rows, columns), no higher than a page."""
    size = (WIDTH, min(height, MAX_HEIGHT))
    return plt.subplots(rows, columns, figsize=size, squeeze=False, **options)


def new_mosaic(
    places: Sequence[Sequence[str]], height: float, **options: Any
) -> tuple[Figure, dict[str, Axes]]:
    """As ``new_grid``, with named axes, each where its name stands in the rows of ``places``."""
    size = (WIDTH, min(height, MAX_HEIGHT))
    return plt.subplot_mosaic(places, figsize=size, **options)  # type: ignore[call-overload,no-any-return]


def nothing_to_show(words: Wording) -> Figure:
    """A figure that says so: where no run that it would show has finished."""
    figure, axes = new_grid(1, 1, 0.8)
    axes[0, 0].set_axis_off()
    text = words.say("plots", "nothing")
    axes[0, 0].text(0.5, 0.5, text, ha="center", va="center", color=FAINT)
    figure.set_label(text)
    return figure


def add_letters(axes: Iterable[Axes]) -> None:
    """Panel letters before the titles, in the order given: ``a`` for the first."""
    for letter, ax in zip(string.ascii_lowercase, axes, strict=False):
        ax.set_title(f"{letter}  {ax.get_title(loc='left')}")


def set_title(ax: Axes, text: str, characters: int) -> None:
    """A plain title in lines of so many characters."""
    ax.set_title(wrap_label(text, characters), fontweight="normal")


def hide_unused(axes: NDArray[Any], used: int) -> None:
    """Takes the axes after the first ``used`` out of the picture."""
    for ax in axes.flat[used:]:
        ax.set_axis_off()


# ------------------------------------------------------------------------------------------ axes


def set_unit(axis: Axis, unit: Unit, context: Context, spaces: int = 6) -> None:
    """Ticks of a linear axis, with at most so many spaces between them.

    Each label says exactly where its tick stands; counts stand at whole numbers.
    """
    steps = [1, 2, 2.5, 5, 10]
    axis.set_major_locator(MaxNLocator(nbins=spaces, integer=unit is Unit.COUNT, steps=steps))
    axis.set_major_formatter(_Ticks(unit, context))


def set_logarithmic(ax: Axes, unit: Unit, context: Context, subs: Sequence[float] = (1,)) -> None:
    """A logarithmic y axis with ticks at these multiples of powers of ten, written out."""
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=subs, numticks=8))
    ax.yaxis.set_minor_formatter(NullFormatter())
    label = _Ticks(unit, context)
    ax.yaxis.set_major_formatter(lambda value, _: label(value))


def set_logarithmic_x(
    ax: Axes, unit: Unit, context: Context, places: Sequence[float] | None = None
) -> None:
    """A logarithmic x axis with ticks at these places, as a rule at powers of ten, written out."""
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(places) if places else LogLocator(numticks=8))
    ax.xaxis.set_minor_locator(NullLocator())
    label = _Ticks(unit, context)
    ax.xaxis.set_major_formatter(lambda value, _: label(value))


class _Ticks(Formatter):
    """Ticks in a unit, all with as many digits as the one that needs most."""

    def __init__(self, unit: Unit, context: Context):
        self._unit, self._context = unit, context

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Iterable[float]) -> list[str]:
        ticks = [float(value) for value in values]
        scale = 100 if self._unit in (Unit.PERCENT, Unit.POINTS) else 1
        digits = max((_digits(scale * tick) for tick in ticks), default=0)
        return [self._context.number(tick, self._unit, digits) for tick in ticks]


def _digits(number: float) -> int:
    """How many digits after the point a number has, up to rounding of its last bits."""
    fits = (n for n in range(MOST_DIGITS) if math.isclose(round(number, n), number, abs_tol=1e-9))
    return next(fits, MOST_DIGITS)


def fraction_axis(ax: Axes, context: Context) -> None:
    """An x axis from 0 to 100 %: an interval may go beyond, what it measures cannot."""
    ax.set_xlim(-0.04, 1.04)
    set_unit(ax.xaxis, Unit.PERCENT, context)
    ax.set_xticks([0, 0.5, 1])


def draw_grid(ax: Axes, axis: str) -> None:
    """Faint lines across one axis, ``x`` or ``y``."""
    ax.grid(axis=axis, color=GRID, linewidth=0.6)  # type: ignore[arg-type]


def name_rows(ax: Axes, labels: Sequence[str], characters: int = 18) -> None:
    """Names the rows 0, 1, .. of a horizontal chart, the first on top."""
    lines = [wrap_label(label, characters) for label in labels]
    ax.set_yticks(range(len(labels)), lines, linespacing=1.0)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    draw_grid(ax, "x")


# ----------------------------------------------------------------------------------------- marks


def draw_seeds(ax: Axes, runs: pd.DataFrame, style: MethodStyle) -> "pd.Series[float]":
    """Mean over seeds (columns) by x (rows) as a line, each seed thin, the range as a band."""
    mean = runs.mean(axis=1)
    if runs.shape[1] > 1:
        low, high = runs.min(axis=1), runs.max(axis=1)
        ax.fill_between(runs.index, low, high, color=style.color, alpha=BAND_ALPHA, lw=0)
        for seed in runs:
            ax.plot(runs.index, runs[seed], color=style.color, lw=0.5, alpha=0.6, label="_seed")
    ax.plot(mean.index, mean, color=style.color, ls=style.linestyle, zorder=3, label="_mean")
    return mean


def draw_range(ax: Axes, x: Any, values: NDArray[Any], style: MethodStyle, **look: Any) -> None:
    """Mean, least and greatest run (N, 3) at N places: a line with marks, and a band."""
    if (values[:, 1] != values[:, 2]).any():
        band: dict[str, Any] = {"color": style.color, "alpha": BAND_ALPHA, "lw": 0}
        ax.fill_between(x, values[:, 1], values[:, 2], label="_seed", **band)
    plain = {"color": style.color, "marker": style.marker, "ls": style.linestyle, "ms": 4}
    ax.plot(x, values[:, 0], **{**plain, "label": "_mean", **look})


def draw_estimate(ax: Axes, row: float, fact: Fact, style: MethodStyle, context: Context) -> None:
    """A fact as a mark, with its interval as a line and its single runs as dots."""
    if fact.value is None:
        return

    def draw(values: Sequence[float], **look: Any) -> None:
        ax.plot(values, [row] * len(values), **look)

    color, seeds = style.color, context.of_seeds(fact)
    if fact.low is not None and fact.high is not None:
        span: dict[str, Any] = {"lw": INTERVALS[fact.covers], "label": f"_{fact.covers}"}
        draw([fact.low, fact.high], color=color, solid_capstyle="butt", zorder=3, **span)
    if len(seeds) > 1:
        draw(seeds, ls="", marker="o", color=INK, ms=1.3, zorder=5, label="_one seed")
    draw([fact.value], ls="", marker=style.marker, color=color, ms=5, zorder=4, label="_estimate")


def write_above(
    ax: Axes,
    x: float,
    row: float,
    text: str,
    ha: Literal["left", "center", "right"] = "center",
    shift: float = 0,
) -> None:
    """A value above its mark, shifted by so many points: beside it, it would meet a neighbour."""
    look: dict[str, Any] = {"textcoords": "offset points", "va": "bottom", "fontsize": SMALL}
    ax.annotate(text, (x, row), (shift, 4), ha=ha, **look)


def draw_differences(ax: Axes, context: Context, rows: Sequence[tuple[str, Fact]]) -> None:
    """Paired differences of two methods, a row each: zero as a line, the margin shaded."""
    name_rows(ax, [label for label, _ in rows])
    ax.axvline(0, color=FAINT, lw=0.8, label="_zero")
    for row, (_, fact) in enumerate(rows):
        draw_estimate(ax, row, fact, DIFFERENCE, context)
        if fact.value is not None:
            text = context.write(fact, signed=True, bare=True)
            write_above(ax, fact.value, row, text)
    first = rows[0][1]
    margin = context.tasks[first.task].margins.of(first.metric)
    if margin is not None:
        ax.axvspan(-margin, margin, color=FAINT, alpha=BAND_ALPHA, lw=0, label="_margin")
    ax.margins(x=0.12)
    set_unit(ax.xaxis, unit_of(first), context)
    ax.set_xlabel(context.say("minus", first=context.name(first.method)))


def spread_positions(count: int, width: float) -> NDArray[np.floating[Any]]:
    """Offsets of so many marks that share a row of a chart, around 0, ``width`` in all."""
    return np.zeros(1) if count == 1 else (np.arange(count) / (count - 1) - 0.5) * width

"""What all figures share: a dressed grid of axes, localised ticks, bands, intervals, legend, notes.

Nothing here knows what it draws. Visible words come from ``words/texts/<language>/plots.toml``;
files are written by ``presenting``.
"""

import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    NullLocator,
    PercentFormatter,
    ScalarFormatter,
)
from numpy.typing import NDArray

from plots.style import (
    BAND_ALPHA,
    FAINT,
    GRID,
    INK,
    MAX_HEIGHT,
    SMALL,
    WIDTH,
    MethodStyle,
    method_styles,
)
from store.results import Results
from words.wording import DECIMAL_COMMA, NO_BREAK_SPACE, Wording

Side = Literal["left", "center", "right"]  # of a text that stands where it is written
REACH = 4.0  # see visible_interval
IN_PERCENT = (
    *("accuracy", "macro_f1", "weighted_f1", "f1", "f1_unacceptable", "drop"),
    *("relative", "top8_share"),
)


def new_grid(rows: int, columns: int, height: float, **options: Any) -> tuple[Figure, NDArray[Any]]:
    """A figure of the text's width with axes (rows, columns).

    Args:
        rows: of axes.
        columns: of axes.
        height: inches wanted; no more than a page has.
        options: for ``plt.subplots``.
    """
    size = (WIDTH, min(height, MAX_HEIGHT))
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **options)
    _dress(axes.flat)
    return figure, axes


def new_mosaic(
    places: Sequence[Sequence[str]], height: float, **options: Any
) -> tuple[Figure, dict[str, Axes]]:
    """As ``new_grid``, with named axes, each where its name stands in the rows of ``places``."""
    size = (WIDTH, min(height, MAX_HEIGHT))
    figure, axes = plt.subplot_mosaic(places, figsize=size, **options)  # type: ignore[call-overload]
    _dress(axes.values())
    return figure, axes


def _dress(axes: Iterable[Axes]) -> None:
    """Ticks are made when the figure is drawn, outside the style: their look is set here."""
    for ax in axes:
        ax.tick_params(labelsize=SMALL, length=2.5, width=0.7, color=FAINT, labelcolor=INK)


def nothing_to_show(words: Wording) -> Figure:
    """A figure that says so: where no run that it would show has finished."""
    figure, axes = new_grid(1, 1, 0.8)
    axes[0, 0].set_axis_off()
    text = words.say("plots", "nothing")
    axes[0, 0].text(0.5, 0.5, text, ha="center", va="center", color=FAINT)
    return figure


def add_letters(axes: Iterable[Axes]) -> None:
    """Panel letters before the titles, in the order given: ``a`` for the first."""
    for letter, ax in zip(string.ascii_lowercase, axes, strict=False):
        ax.set_title(f"{letter}  {ax.get_title(loc='left')}")


def hide_unused(axes: NDArray[Any], used: int) -> None:
    """Takes the axes after the first ``used`` out of the picture."""
    for ax in axes.flat[used:]:
        ax.set_axis_off()


def styles_of(results: Results) -> Mapping[str, MethodStyle]:
    """Style by method, the same for all figures of a study."""
    methods = [m.name for task in results.profile.tasks.values() for m in task.methods]
    controls = [
        name
        for evidence in results.evidence.values()
        for name, entry in evidence.get("methods", {}).items()
        if entry["control"]
    ]
    return method_styles(methods, controls)


# ------------------------------------------------------------------------------------------ axes


def number_axis(axis: Axis, words: Wording) -> None:
    """Ticks with the decimal sign of the language."""
    axis.set_major_formatter(_NumberFormatter(words))


def percent_axis(axis: Axis, words: Wording) -> None:
    """Ticks of fractions as per cent, with as many digits as the range needs."""
    axis.set_major_formatter(_PercentFormatter(words))


def metric_axis(axis: Axis, metric: str, words: Wording) -> None:
    """Ticks of a metric: per cent, or plain numbers."""
    (percent_axis if metric in IN_PERCENT else number_axis)(axis, words)


def logarithmic_axis(axis: Axis, words: Wording) -> None:
    """Ticks at powers of ten, written out: a formula's markup would not be read as one."""
    axis.set_major_locator(LogLocator(numticks=6))
    axis.set_major_formatter(FuncFormatter(lambda x, _: localise(f"{x:g}", words)))
    axis.set_minor_locator(NullLocator())


def accuracy_axis(ax: Axes, axis: str, words: Wording) -> None:
    """An axis from 0 to 100 %: an interval may go beyond, what it measures cannot."""
    ax.set(**{f"{axis}lim": (-0.04, 1.04)})
    percent_axis(ax.xaxis if axis == "x" else ax.yaxis, words)


def draw_grid(ax: Axes, axis: str) -> None:
    """Faint lines across one axis, ``x`` or ``y``."""
    ax.grid(axis=axis, color=GRID, linewidth=0.6)  # type: ignore[arg-type]


def horizontal_groups(ax: Axes, labels: Sequence[str]) -> None:
    """Names the rows 0, 1, .. of a horizontal chart, the first on top."""
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    draw_grid(ax, "x")


class _NumberFormatter(ScalarFormatter):
    def __init__(self, words: Wording):
        super().__init__(useOffset=False)
        self._words = words

    def __call__(self, x: float, pos: int | None = None) -> str:
        return localise(super().__call__(x, pos), self._words)


class _PercentFormatter(PercentFormatter):
    def __init__(self, words: Wording):
        super().__init__(xmax=1)
        self._words = words

    def format_pct(self, x: float, display_range: float) -> str:
        text = super().format_pct(x, display_range).replace(".0%", "%").replace("-", "\u2212")
        if self._words.language in DECIMAL_COMMA:
            text = text.replace("%", f"{NO_BREAK_SPACE}%")
        return localise(text, self._words)


def localise(text: str, words: Wording) -> str:
    """A number without thousands' separators, with the decimal sign of the language."""
    return text.replace(".", ",") if words.language in DECIMAL_COMMA else text


# ----------------------------------------------------------------------------------------- marks


def draw_seeds(
    ax: Axes, curves: pd.DataFrame, style: MethodStyle, marker_size: float = 0
) -> pd.Series:
    """Mean over seeds as a line, each seed as a thin one, the range between seeds as a band.

    Args:
        ax: where to draw.
        curves: one row per x (the index), one column per seed.
        style: of the method.
        marker_size: points of the marks on the mean; 0 for a line alone.

    Returns:
        The mean over seeds by x.
    """
    mean = curves.mean(axis=1)
    if curves.shape[1] > 1:
        low, high = curves.min(axis=1), curves.max(axis=1)
        ax.fill_between(curves.index, low, high, color=style.color, alpha=BAND_ALPHA, lw=0)
        for seed in curves:
            ax.plot(curves.index, curves[seed], color=style.color, lw=0.5, alpha=0.6)
    ax.plot(mean.index, mean, color=style.color, ls=style.linestyle, zorder=3)
    if marker_size:
        marks: dict[str, Any] = {"ls": "", "marker": style.marker, "ms": marker_size, "zorder": 4}
        ax.plot(mean.index, mean, color=style.color, **marks)
    return mean


def draw_estimate(
    ax: Axes,
    position: float,
    estimate: Mapping[str, Any],
    style: MethodStyle,
    *,
    upright: bool = False,
) -> None:
    """An ESTIMATE (see ``evidence``): mark, seeds, interval over items, over items and seeds.

    The interval of two or three seeds can be wider than everything else in the figure: what goes
    beyond ``visible_interval`` is cut, with an arrowhead at the end.

    Args:
        ax: where to draw.
        position: on the axis of the groups.
        estimate: nothing is drawn if its value is None.
        style: of the method.
        upright: values run along y; else along x.
    """
    if estimate["value"] is None:
        return

    def draw(values: Sequence[float], **look: Any) -> None:
        place = [position] * len(values)
        ax.plot(*(place, values) if upright else (values, place), **{"color": style.color, **look})

    span: dict[str, Any] = {"solid_capstyle": "butt", "zorder": 3, "label": "_interval"}
    if (ends := visible_interval(estimate)) is not None:
        draw(ends, lw=0.9, **span)
        for end, marker in zip(ends, "v^" if upright else "<>", strict=True):
            if end not in (estimate["low"], estimate["high"]):
                draw([end], ls="", marker=marker, ms=3.2, zorder=3)
    if estimate["low_items"] is not None:
        draw([estimate["low_items"], estimate["high_items"]], lw=2.4, **span)
    if len(estimate["per_seed"]) > 1:
        draw(estimate["per_seed"], ls="", marker="o", color=INK, ms=1.3, zorder=5)
    draw([estimate["value"]], ls="", marker=style.marker, ms=5, zorder=4)


def visible_interval(estimate: Mapping[str, Any]) -> tuple[float, float] | None:
    """What is drawn of the interval over items and seeds; None where there is none.

    At most ``REACH`` times as far from the value as the farthest seed or end of the interval over
    items.
    """
    if estimate["low"] is None:
        return None
    value = estimate["value"]
    others = [*estimate["per_seed"], estimate["low_items"], estimate["high_items"]]
    reach = REACH * max(abs(other - value) for other in others if other is not None)
    return max(estimate["low"], value - reach), min(estimate["high"], value + reach)


def write_above(
    ax: Axes, x: float, row: float, text: str, ha: Side = "center", shift: float = 0
) -> None:
    """A value above its mark, shifted by so many points: beside it, it would meet a neighbour."""
    look: dict[str, Any] = {"textcoords": "offset points", "va": "bottom", "fontsize": SMALL}
    ax.annotate(text, (x, row), (shift, 4), ha=ha, **look)


def spread_positions(count: int, width: float) -> NDArray[np.floating[Any]]:
    """Offsets of so many marks that share a row of a chart, around 0, ``width`` in all."""
    return np.zeros(1) if count == 1 else (np.arange(count) / (count - 1) - 0.5) * width

"""Figures of what training costs: time and peak memory by method, memory by its parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from plots import drawing, lettering
from plots.deferred import deferred
from plots.style import INK, PAPER, SMALL
from store.frames import select
from store.results import Results
from words.wording import Wording

MEMORY_PARTS = ("parameters", "gradients", "optimizer")
MEMORY_COLORS = ("#3b4a5a", "#8296ab", "#c9d3de")  # from dark to light
MEASURED: dict[str, Any] = {"fc": PAPER, "ec": INK, "hatch": "////", "lw": 0.7}


@dataclass(frozen=True)
class Cost:
    """A column of the runs that a figure shows beside quality, and how a value of it is written."""

    column: str
    show: Callable[[Wording, float], str]


COSTS = (
    Cost("training_seconds", lambda words, value: words.duration(value)),
    Cost("peak_memory_bytes", lambda words, value: words.megabytes(value)),
)


def draw_cost(
    ax: Axes,
    results: Results,
    task: str,
    words: Wording,
    cost: Cost,
    methods: Sequence[str],
) -> list[tuple[str, str]]:
    """One cost of every method: the median as a bar from 0, the seeds as dots.

    Returns:
        Name and value of the methods that have one: controls that are computed cost nothing.
    """
    styles, runs = drawing.styles_of(results), select(results.runs, task=task)
    medians = runs.groupby("method")[cost.column].median().astype(float)
    reference, pairs = next(m for m in methods if m in medians), []
    for row, method in enumerate(methods):
        if method not in medians:
            continue
        value = medians[method]
        ax.barh(row, value, height=0.16, color=styles[method].color, label=f"_{method}")
        seeds = select(runs, method=method)[cost.column]
        if len(seeds) > 1:
            ax.plot(seeds, [row] * len(seeds), ls="", marker="o", color=INK, ms=1.8)
        text = cost.show(words, value)
        if method != reference and medians[reference]:
            ratio = words.number(value / medians[reference], 2)
            text = words.say("plots", "with_ratio", value=text, ratio=ratio)
        drawing.write_above(ax, 0, row, text, ha="left")
        pairs.append((words.name(method), text))
    ax.set_xlim(0, 1.15 * max(runs[cost.column].max(), 1e-9))
    ax.set_xticks([])
    ax.spines[["bottom"]].set_visible(False)
    title = lettering.wrap_label(words.say("plots", f"cost_{cost.column}"), 13)
    ax.set_title(title, fontweight="normal", fontsize=SMALL)
    return pairs


def ratio_note(results: Results, task: str, words: Wording) -> str:
    """What the ratios of ``draw_cost`` refer to; empty where nothing has run."""
    methods = results.methods(task)
    if not methods:
        return ""
    return words.say("plots", "relative_note", method=words.name(methods[0]))


# ---------------------------------------------------------------------------------------- memory


@deferred
def plot_memory(results: Results, task: str, words: Wording) -> Figure:
    """Bytes of parameters, gradients and optimizer state, computed, beside the measured peak."""
    methods = results.methods(task)
    if not methods:
        return drawing.nothing_to_show(words)
    figure, axes = drawing.new_grid(1, 1, 0.9 + 0.5 * len(methods))
    ax = axes[0, 0]
    pairs = draw_memory(ax, results, task, words)
    ax.set_xlabel(words.say("plots", "megabytes"))
    drawing.number_axis(ax.xaxis, words)
    parts = zip(MEMORY_PARTS, MEMORY_COLORS, strict=True)
    handles = [
        Patch(color=color, label=words.say("plots", f"memory_{part}")) for part, color in parts
    ]
    handles.append(Patch(**MEASURED, label=words.say("plots", "memory_peak")))
    kinds = sorted(select(results.runs, task=task)["memory_kind"].unique())
    notes = (words.say("plots", f"memory_note_{kind}") for kind in kinds)
    lettering.finish(
        figure, handles, notes, [lettering.sentence(words, words.say("plots", "alt_memory"), pairs)]
    )
    return figure


def draw_memory(ax: Axes, results: Results, task: str, words: Wording) -> list[tuple[str, str]]:
    """Two bars a method: computed parts stacked, and under them the measured peak (medians).

    Returns:
        Name of each method and its two sums, as text.
    """
    methods = results.methods(task)
    columns = [*(f"memory_{part}_bytes" for part in MEMORY_PARTS), "peak_memory_bytes"]
    runs = select(results.runs, task=task)
    medians = runs.groupby("method")[columns].median().astype(float) / 1e6
    drawing.horizontal_groups(ax, [words.name(method) for method in methods])
    drawing.draw_grid(ax, "x")
    pairs = []
    for row, method in enumerate(methods):
        *parts, peak = medians.loc[method].tolist()
        left = 0.0
        for value, color in zip(parts, MEMORY_COLORS, strict=True):
            ax.barh(row - 0.19, value, left=left, height=0.34, color=color)
            left += value
        ax.barh(row + 0.19, peak, height=0.34, **MEASURED)
        sums = (words.number(left, 0), words.number(peak, 0))
        for text, total, place in zip(sums, (left, peak), (row - 0.19, row + 0.19), strict=True):
            end, offset = (total, place), "offset points"
            ax.annotate(text, end, (4, 0), textcoords=offset, va="center", fontsize=SMALL)
        pairs.append((words.name(method), " / ".join(sums)))
    ax.margins(x=0.1)
    return pairs

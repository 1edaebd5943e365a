"""Figures of what training costs: time and peak memory by method, memory by its parts."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from plots import drawing, lettering
from plots.deferred import deferred
from plots.style import INK, PAPER, SMALL
from store.frames import select
from store.results import Results, needs
from words.wording import Wording

MEMORY_COLORS = {"parameters": "#3b4a5a", "gradients": "#8296ab", "optimizer": "#c9d3de"}
MEASURED: dict[str, Any] = {"fc": PAPER, "ec": INK, "hatch": "////", "lw": 0.7}


COSTS = {"training_seconds": Wording.duration, "peak_memory_bytes": Wording.megabytes}
"""Columns of the runs that a figure shows beside quality, and how a value of them is written."""


def draw_cost(
    ax: Axes, results: Results, task: str, words: Wording, column: str, methods: Sequence[str]
) -> str:
    """One of ``COSTS`` of every method: the median as a bar from 0, the seeds as dots.

    Returns:
        The values in a sentence; controls that are computed cost nothing.
    """
    styles, runs = drawing.styles_of(results), select(results.runs, task=task)
    medians = runs.groupby("method")[column].median().astype(float)
    pairs: list[tuple[str, str]] = []
    rows = {method: row for row, method in enumerate(methods) if method in medians}
    reference = medians[next(iter(rows))]
    for method, row in rows.items():
        ax.barh(row, medians[method], height=0.16, color=styles[method].color, label=f"_{method}")
        seeds = select(runs, method=method)[column]
        if len(seeds) > 1:
            ax.plot(seeds, [row] * len(seeds), ls="", marker="o", color=INK, ms=1.8)
        text: str = COSTS[column](words, medians[method])
        if pairs and reference:
            ratio = words.number(medians[method] / reference, 2)
            text = words.say("plots", "with_ratio", value=text, ratio=ratio)
        drawing.write_above(ax, 0, row, text, ha="left")
        pairs.append((words.name(method), text))
    ax.set_xlim(0, 1.15 * max(runs[column].max(), 1e-9))
    ax.set_xticks([])
    ax.spines[["bottom"]].set_visible(False)
    title = words.say("plots", f"cost_{column}")
    ax.set_title(lettering.wrap_label(title, 13), fontweight="normal", fontsize=SMALL)
    return lettering.sentence(words, title, pairs)


# ---------------------------------------------------------------------------------------- memory


@deferred
@needs("runs", drawing.nothing_to_show)
def plot_memory(results: Results, task: str, words: Wording) -> Figure:
    """Bytes of parameters, gradients and optimizer state, computed, beside the measured peak."""
    figure, axes = drawing.new_grid(1, 1, 0.9 + 0.5 * len(results.methods(task)))
    said = draw_memory(axes[0, 0], results, task, words)
    handles = [
        Patch(color=color, label=words.say("plots", f"memory_{part}"))
        for part, color in MEMORY_COLORS.items()
    ]
    handles.append(Patch(**MEASURED, label=words.say("plots", "memory_peak")))
    kinds = sorted(select(results.runs, task=task)["memory_kind"].unique())
    notes = (words.say("plots", f"memory_note_{kind}") for kind in kinds)
    return lettering.finish(figure, handles, notes, [said])


def draw_memory(ax: Axes, results: Results, task: str, words: Wording) -> str:
    """Two bars a method: computed parts stacked, and under them the measured peak (medians).

    Returns:
        The two sums of each method, in a sentence.
    """
    methods, runs = results.methods(task), select(results.runs, task=task)
    columns = [*(f"memory_{part}_bytes" for part in MEMORY_COLORS), "peak_memory_bytes"]
    medians = runs.groupby("method")[columns].median().astype(float) / 1e6
    drawing.horizontal_groups(ax, [words.name(method) for method in methods])
    pairs = []
    for row, method in enumerate(methods):
        *parts, peak = medians.loc[method].tolist()
        left = 0.0
        for value, color in zip(parts, MEMORY_COLORS.values(), strict=True):
            ax.barh(row - 0.19, value, left=left, height=0.34, color=color)
            left += value
        ax.barh(row + 0.19, peak, height=0.34, **MEASURED)
        look: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": SMALL}
        for total, place in ((left, row - 0.19), (peak, row + 0.19)):
            ax.annotate(words.number(total, 0), (total, place), (4, 0), **look)
        pairs.append((words.name(method), f"{words.number(left, 0)} / {words.number(peak, 0)}"))
    ax.margins(x=0.1)
    ax.set_xlabel(words.say("plots", "megabytes"))
    drawing.number_axis(ax.xaxis, words)
    return lettering.sentence(words, words.say("plots", "alt_memory"), pairs)

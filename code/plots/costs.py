"""Figures of what training costs: time, memory, parameters, and the bytes to be kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from plots.drawing import (
    add_legend,
    add_note,
    horizontal_groups,
    in_style,
    new_grid,
    nothing_to_show,
    number_axis,
    styles_of,
)
from plots.style import INK, SMALL
from store.frames import select
from store.results import Results
from words.wording import Wording

MEMORY_PARTS = ("parameters", "gradients", "optimizer")
MEMORY_COLORS = ("#3b4a5a", "#8296ab", "#c9d3de")  # from dark to light
MEASURED: dict[str, Any] = {"fc": "white", "ec": INK, "hatch": "////", "lw": 0.7}


@dataclass(frozen=True)
class _Cost:
    column: str
    logarithmic: bool
    show: Callable[[Wording, float], str]


_COSTS = (
    _Cost("training_seconds", False, lambda words, value: words.duration(value)),
    _Cost("peak_memory_bytes", False, lambda words, value: words.megabytes(value)),
    _Cost("trainable_parameters", True, lambda words, value: words.count(round(value))),
    _Cost("kept_bytes", True, lambda words, value: _bytes(words, value)),
)


@in_style
def plot_costs(results: Results, task: str, words: Wording) -> Figure:
    """Training time, peak memory, trainable parameters and kept bytes, medians over seeds.

    The label gives the value and its ratio to the first method's. Sizes that differ by orders of
    magnitude stand on a logarithmic scale, as points.
    """
    methods = results.methods(task)
    if not methods:
        return nothing_to_show(words)
    figure, axes = new_grid(2, 2, 1.1 + 0.5 * len(methods))
    for ax, cost in zip(axes.flat, _COSTS, strict=True):
        draw_cost(ax, results, task, words, cost)
        ax.set_title(words.say("plots", f"cost_{cost.column}"))
    for row in axes:
        row[1].tick_params(labelleft=False)
    ratio = words.say("plots", "relative_note", method=words.name(methods[0]))
    add_note(figure, ratio, words.say("plots", "log_note"))
    return figure


def draw_cost(ax: Axes, results: Results, task: str, words: Wording, cost: _Cost) -> None:
    """One cost of every method as a bar, or as a point on a logarithmic scale."""
    methods, styles = results.methods(task), styles_of(results)
    runs = select(results.runs, task=task)
    medians = runs.groupby("method")[cost.column].median().astype(float)
    horizontal_groups(ax, [words.name(method) for method in methods])
    low, high = medians.min(), medians.max()
    # Room for the label on the right, as a share of the axis.
    ax.set_xlim(
        *((low / 4, high * (high / low * 4) ** 0.75) if cost.logarithmic else (0, 1.75 * high))
    )
    ax.set_xscale("log" if cost.logarithmic else "linear")
    for row, method in enumerate(methods):
        value, style = medians[method], styles[method]
        if cost.logarithmic:
            ax.plot([value], [row], ls="", marker=style.marker, color=style.color, ms=6)
        else:
            ax.barh(row, value, height=0.6, color=style.color)
            seeds = select(runs, method=method)[cost.column]
            if len(seeds) > 1:
                ax.plot(seeds, [row] * len(seeds), ls="", marker="o", color=INK, ms=1.8)
        text = _with_ratio(words, cost.show(words, value), value / medians[methods[0]], row == 0)
        ax.annotate(
            text,
            (value, row),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL - 0.5,
        )
    ax.tick_params(axis="x", labelbottom=False, length=0, which="both")
    ax.spines["bottom"].set_visible(False)
    ax.grid(False)


def _with_ratio(words: Wording, text: str, ratio: float, is_first: bool) -> str:
    if is_first:
        return text
    digits = 2 if ratio >= 0.095 else 5 if ratio < 0.00095 else 4
    return f"{text} (×{words.number(ratio, digits)})"


def _bytes(words: Wording, value: float) -> str:
    return (
        words.megabytes(value)
        if value >= 1e5
        else words.say("plots", "kilobytes", value=words.number(value / 1e3, 1))
    )


# ---------------------------------------------------------------------------------------- memory


@in_style
def plot_memory(results: Results, task: str, words: Wording) -> Figure:
    """Bytes of parameters, gradients and optimizer state, computed, beside the measured peak."""
    methods = results.methods(task)
    if not methods:
        return nothing_to_show(words)
    figure, axes = new_grid(1, 1, 0.9 + 0.55 * len(methods))
    ax = axes[0, 0]
    draw_memory(ax, results, task, words)
    ax.set_xlabel(words.say("plots", "megabytes"))
    number_axis(ax.xaxis, words)
    parts = zip(MEMORY_PARTS, MEMORY_COLORS, strict=True)
    handles = [
        Patch(color=color, label=words.say("plots", f"memory_{part}")) for part, color in parts
    ]
    measured = Patch(**MEASURED, label=words.say("plots", "memory_peak"))
    add_legend(figure, [*handles, measured])
    kinds = select(results.runs, task=task)["memory_kind"].unique()
    add_note(figure, *(words.say("plots", f"memory_note_{kind}") for kind in sorted(kinds)))
    return figure


def draw_memory(ax: Axes, results: Results, task: str, words: Wording) -> None:
    """Two bars a method: computed parts stacked, and under them the measured peak (medians)."""
    methods = results.methods(task)
    columns = [*(f"memory_{part}_bytes" for part in MEMORY_PARTS), "peak_memory_bytes"]
    runs = select(results.runs, task=task)
    medians = runs.groupby("method")[columns].median().astype(float) / 1e6
    horizontal_groups(ax, [words.name(method) for method in methods])
    for row, method in enumerate(methods):
        values = medians.loc[method]
        _stack(ax, row - 0.19, values[columns[:-1]].tolist())
        ax.barh(
            row + 0.19,
            values["peak_memory_bytes"],
            height=0.34,
            fc="white",
            ec=INK,
            hatch="////",
            lw=0.7,
        )
        for shift, total in (
            (-0.19, values[columns[:-1]].sum()),
            (0.19, values["peak_memory_bytes"]),
        ):
            ax.annotate(
                words.number(total, 0),
                (total, row + shift),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL - 0.5,
            )
    ax.margins(x=0.1)


def _stack(ax: Axes, row: float, values: Sequence[float]) -> None:
    left = 0.0
    for value, color in zip(values, MEMORY_COLORS, strict=True):
        ax.barh(row, value, left=left, height=0.34, color=color)
        left += value

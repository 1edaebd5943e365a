"""Figures of training: learning curves by step and by time, costs, and where the memory goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from drawing import (
    add_legend,
    add_note,
    band_handle,
    draw_grid,
    draw_seeds,
    hide_unused,
    horizontal_groups,
    in_style,
    method_handles,
    new_grid,
    nothing_to_show,
    number_axis,
    percent_axis,
    styles_of,
)
from results import Study
from style import FAINT, GRID, INK, SMALL, MethodStyle
from wording import Wording

LOSS = "loss"
IN_PERCENT = ("accuracy", "macro_f1", "weighted_f1", "f1", "f1_unacceptable")
MEMORY_PARTS = ("parameters", "gradients", "optimizer")
MEMORY_COLORS = ("#3b4a5a", "#8296ab", "#c9d3de")  # from dark to light


# ------------------------------------------------------------------------------- learning curves


@in_style
def plot_learning_curves(study: Study, task: str, words: Wording) -> Figure:
    """Training loss, validation loss and validation metrics by step, all methods on shared axes.

    The step with the best mean over seeds is marked: lowest validation loss, highest metric.
    """
    panels = [("train", LOSS), *_validation_panels(study, task)]
    if len(panels) < 2:
        return nothing_to_show(words)
    rows = (len(panels) + 1) // 2
    figure, axes = new_grid(rows, 2, 1.9 * rows + 0.5, sharex=True)
    _share_loss_axis(axes.flat[0], axes.flat[1])
    for ax, (split, metric) in zip(axes.flat, panels, strict=False):
        draw_curves(ax, study, task, split, metric)
        _title_panel(ax, words, split, metric)
        _draw_epochs(ax, study, task)
    hide_unused(axes, len(panels))
    for ax in axes[-1]:
        ax.set_xlabel(words.say("plots", "step"))
    add_legend(figure, _curve_handles(study, task, words))
    return figure


@in_style
def plot_learning_curves_by_time(study: Study, task: str, words: Wording) -> Figure:
    """The validation curves against seconds of training alone (mean over seeds at each step)."""
    panels = _validation_panels(study, task)
    if not panels:
        return nothing_to_show(words)
    figure, axes = new_grid(1, len(panels), 2.5)
    seconds, unit = _time_unit(float(study.curves.loc[study.curves.task == task, "seconds"].max()))
    for ax, (split, metric) in zip(axes.flat, panels, strict=True):
        draw_curves_by_time(ax, study, task, split, metric, seconds)
        _title_panel(ax, words, split, metric)
        ax.set_xlabel(words.say("plots", f"training_{unit}"))
        number_axis(ax.xaxis, words)
    add_legend(figure, _curve_handles(study, task, words))
    return figure


def draw_curves(ax: Axes, study: Study, task: str, split: str, metric: str) -> None:
    """One curve by step for every method of a task, with its best step on a validation curve."""
    styles = styles_of(study)
    for method in study.methods(task):
        curves = select_curves(study, task, method, split, metric, "value")
        if not curves.empty:
            mean = draw_seeds(ax, curves, styles[method])
            if split == "validation":
                _mark_best(ax, mean, mean.index, metric, styles[method])


def draw_curves_by_time(
    ax: Axes, study: Study, task: str, split: str, metric: str, unit: float
) -> None:
    """As ``draw_curves``, against training time in units of so many seconds."""
    styles = styles_of(study)
    for method in study.methods(task):
        curves = select_curves(study, task, method, split, metric, "value")
        if not curves.empty:
            seconds = select_curves(study, task, method, split, metric, "seconds").mean(axis=1)
            curves.index = pd.Index(seconds / unit)
            mean = draw_seeds(ax, curves, styles[method])
            _mark_best(ax, mean, mean.index, metric, styles[method])


def select_curves(
    study: Study, task: str, method: str, split: str, metric: str, column: str
) -> pd.DataFrame:
    """A column of ``Study.curves``: one row a step, one column a seed; steps that all seeds have."""
    rows = study.curves
    rows = rows[(rows.task == task) & (rows.method == method)]
    rows = rows[(rows.split == split) & (rows.metric == metric)]
    return rows.pivot(index="step", columns="seed", values=column).dropna()


def _validation_panels(study: Study, task: str) -> list[tuple[str, str]]:
    rows = study.curves[(study.curves.task == task) & (study.curves.split == "validation")]
    metrics = [metric for metric in dict.fromkeys(rows.metric) if metric != LOSS]
    return [("validation", metric) for metric in (LOSS, *metrics)] if len(rows) else []


def _title_panel(ax: Axes, words: Wording, split: str, metric: str) -> None:
    title = words.say(
        "plots", "curve", metric=words.name("plots", metric), split=words.name("plots", split)
    )
    ax.set_title(title[:1].upper() + title[1:])
    draw_grid(ax, "y")
    (percent_axis if metric in IN_PERCENT else number_axis)(ax.yaxis, words)


def _mark_best(ax: Axes, mean: pd.Series, x: pd.Index, metric: str, style: MethodStyle) -> None:
    best = int(np.argmin(mean) if metric == LOSS else np.argmax(mean))
    ax.plot(
        [x[best]],
        [mean.iloc[best]],
        ls="",
        marker=style.marker,
        mfc=style.color,
        mec="white",
        mew=0.8,
        ms=7,
        zorder=6,
        label="_best",
    )


def _share_loss_axis(train: Axes, validation: Axes) -> None:
    validation.sharey(train)


def _draw_epochs(ax: Axes, study: Study, task: str) -> None:
    """Ends of the epochs as faint lines, where all runs have the same number of steps."""
    runs = study.runs[study.runs.task == task]
    epochs = {study.profile.tasks[task].method(m).training.num_train_epochs for m in runs.method}
    if runs.steps.nunique() == 1 and len(epochs) == 1:
        steps, count = runs.steps.iloc[0], epochs.pop()
        for epoch in range(1, count):
            ax.axvline(steps * epoch / count, color=GRID, lw=0.9, zorder=0, label="_epoch")


def _curve_handles(study: Study, task: str, words: Wording) -> list[Any]:
    handles = method_handles(study, words, study.methods(task), lines=True)
    if (study.runs[study.runs.task == task].groupby("method").seed.nunique() > 1).any():
        handles.append(band_handle(words))
    best = words.say("plots", "best_step")
    handles.append(Line2D([], [], color=FAINT, ls="", marker="o", mec="white", ms=7, label=best))
    return handles


def _time_unit(longest: float) -> tuple[float, str]:
    if longest < 300:
        return 1.0, "seconds"
    return (60.0, "minutes") if longest < 3 * 3600 else (3600.0, "hours")


# ----------------------------------------------------------------------------------------- costs


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
def plot_costs(study: Study, task: str, words: Wording) -> Figure:
    """Training time, peak memory, trainable parameters and kept bytes, medians over seeds.

    The label gives the value and its ratio to the first method's. Sizes that differ by orders of
    magnitude stand on a logarithmic scale, as points.
    """
    methods = study.methods(task)
    if not methods:
        return nothing_to_show(words)
    figure, axes = new_grid(2, 2, 1.1 + 0.5 * len(methods))
    for ax, cost in zip(axes.flat, _COSTS, strict=True):
        draw_cost(ax, study, task, words, cost)
        ax.set_title(words.say("plots", cost.column))
    for row in axes:
        row[1].tick_params(labelleft=False)
    ratio = words.say("plots", "relative_note", method=words.name("plots", methods[0]))
    add_note(figure, ratio, words.say("plots", "log_note"))
    return figure


def draw_cost(ax: Axes, study: Study, task: str, words: Wording, cost: _Cost) -> None:
    """One cost of every method as a bar, or as a point on a logarithmic scale."""
    methods, styles = study.methods(task), styles_of(study)
    runs = study.runs[study.runs.task == task]
    medians = runs.groupby("method")[cost.column].median().astype(float)
    horizontal_groups(ax, [words.name("plots", method) for method in methods])
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
            seeds = runs.loc[runs.method == method, cost.column]
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
def plot_memory(study: Study, task: str, words: Wording) -> Figure:
    """Bytes of parameters, gradients and optimizer state, computed, beside the measured peak."""
    methods = study.methods(task)
    if not methods:
        return nothing_to_show(words)
    figure, axes = new_grid(1, 1, 0.9 + 0.55 * len(methods))
    ax = axes[0, 0]
    draw_memory(ax, study, task, words)
    ax.set_xlabel(words.say("plots", "megabytes"))
    number_axis(ax.xaxis, words)
    parts = zip(MEMORY_PARTS, MEMORY_COLORS, strict=True)
    handles = [
        Patch(color=color, label=words.say("plots", f"memory_{part}")) for part, color in parts
    ]
    measured = Patch(fc="white", ec=INK, hatch="////", label=words.say("plots", "memory_peak"))
    add_legend(figure, [*handles, measured])
    kinds = study.runs.loc[study.runs.task == task, "memory_kind"].unique()
    add_note(figure, *(words.say("plots", f"memory_note_{kind}") for kind in sorted(kinds)))
    return figure


def draw_memory(ax: Axes, study: Study, task: str, words: Wording) -> None:
    """Two bars a method: computed parts stacked, and under them the measured peak (medians)."""
    methods = study.methods(task)
    columns = [*(f"memory_{part}_bytes" for part in MEMORY_PARTS), "peak_memory_bytes"]
    runs = study.runs[study.runs.task == task]
    medians = runs.groupby("method")[columns].median().astype(float) / 1e6
    horizontal_groups(ax, [words.name("plots", method) for method in methods])
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

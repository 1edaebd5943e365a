"""Figures of convergence: learning curves by step and by training time."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plots.drawing import (
    add_legend,
    add_note,
    band_handle,
    capitalise,
    draw_grid,
    draw_seeds,
    hide_unused,
    in_style,
    method_handles,
    new_grid,
    nothing_to_show,
    number_axis,
    percent_axis,
    styles_of,
)
from plots.style import FAINT, GRID, MethodStyle
from store.frames import select
from store.results import Results
from words.wording import Wording

LOSS = "loss"
IN_PERCENT = ("accuracy", "macro_f1", "weighted_f1", "f1", "f1_unacceptable")
MEMORY_PARTS = ("parameters", "gradients", "optimizer")
MEMORY_COLORS = ("#3b4a5a", "#8296ab", "#c9d3de")  # from dark to light


# ------------------------------------------------------------------------------- learning curves


@in_style
def plot_learning_curves(results: Results, task: str, words: Wording) -> Figure:
    """Training loss, validation loss and validation metrics by step, all methods on shared axes.

    The step with the best mean over seeds is marked: lowest validation loss, highest metric.
    """
    panels = [("train", LOSS), *_validation_panels(results, task)]
    if len(panels) < 2:
        return nothing_to_show(words)
    rows = (len(panels) + 1) // 2
    figure, axes = new_grid(rows, 2, 1.9 * rows + 0.5, sharex=True)
    axes.flat[1].sharey(axes.flat[0])  # the gap between the two losses can be seen
    for ax, (split, metric) in zip(axes.flat, panels, strict=False):
        draw_curves(ax, results, task, split, metric)
        _title_panel(ax, words, split, metric)
        _draw_epochs(ax, results, task)
    hide_unused(axes, len(panels))
    for ax in axes[-1]:
        ax.set_xlabel(words.say("plots", "step"))
    add_legend(figure, _curve_handles(results, task, words))
    return figure


@in_style
def plot_learning_curves_by_time(results: Results, task: str, words: Wording) -> Figure:
    """The validation curves against seconds of training alone (mean over seeds at each step)."""
    panels = _validation_panels(results, task)
    if not panels:
        return nothing_to_show(words)
    figure, axes = new_grid(1, len(panels), 2.5)
    seconds, unit = _time_unit(float(select(results.curves, task=task)["seconds"].max()))
    for ax, (split, metric) in zip(axes.flat, panels, strict=True):
        draw_curves_by_time(ax, results, task, split, metric, seconds)
        _dress_panel(ax, words, metric)
        ax.set_title(capitalise(words.name(metric)))
        ax.set_xlabel(words.say("plots", f"training_{unit}"))
        number_axis(ax.xaxis, words)
    add_legend(figure, _curve_handles(results, task, words))
    add_note(figure, words.say("plots", "by_time_note"))
    return figure


def draw_curves(ax: Axes, results: Results, task: str, split: str, metric: str) -> None:
    """One curve by step for every method of a task, with its best step on a validation curve."""
    styles = styles_of(results)
    for method in results.methods(task):
        curves = select_curves(results, task, method, split, metric, "value")
        if not curves.empty:
            mean = draw_seeds(ax, curves, styles[method])
            if split == "validation":
                _mark_best(ax, mean, mean.index, metric, styles[method])


def draw_curves_by_time(
    ax: Axes, results: Results, task: str, split: str, metric: str, unit: float
) -> None:
    """As ``draw_curves``, against training time in units of so many seconds."""
    styles = styles_of(results)
    for method in results.methods(task):
        curves = select_curves(results, task, method, split, metric, "value")
        if not curves.empty:
            seconds = select_curves(results, task, method, split, metric, "seconds").mean(axis=1)
            curves.index = pd.Index(seconds / unit)
            mean = draw_seeds(ax, curves, styles[method])
            _mark_best(ax, mean, mean.index, metric, styles[method])


def select_curves(
    results: Results, task: str, method: str, split: str, metric: str, column: str
) -> pd.DataFrame:
    """A column of ``Study.curves``: one row a step, one column a seed; shared steps only."""
    rows = select(results.curves, task=task, method=method, split=split, metric=metric)
    return rows.pivot(index="step", columns="seed", values=column).dropna()


def _validation_panels(results: Results, task: str) -> list[tuple[str, str]]:
    rows = select(results.curves, task=task, split="validation")
    metrics = [metric for metric in dict.fromkeys(rows.metric) if metric != LOSS]
    return [("validation", metric) for metric in (LOSS, *metrics)] if len(rows) else []


def _title_panel(ax: Axes, words: Wording, split: str, metric: str) -> None:
    title = words.say("plots", "curve", metric=words.name(metric), split=words.name(split))
    ax.set_title(capitalise(title))
    _dress_panel(ax, words, metric)


def _dress_panel(ax: Axes, words: Wording, metric: str) -> None:
    draw_grid(ax, "y")
    (percent_axis if metric in IN_PERCENT else number_axis)(ax.yaxis, words)


def _mark_best(ax: Axes, mean: pd.Series, x: pd.Index, metric: str, style: MethodStyle) -> None:
    best = int(np.argmin(mean) if metric == LOSS else np.argmax(mean))
    ax.plot(
        [x[best]],
        [mean.iloc[best]],
        ls="",
        marker=style.marker,
        color=style.color,
        mec="white",
        mew=0.8,
        ms=7,
        zorder=6,
        label="_best",
    )


def _draw_epochs(ax: Axes, results: Results, task: str) -> None:
    """Ends of the epochs as faint lines, where all runs have the same number of steps."""
    runs = select(results.runs, task=task)
    epochs = {results.profile.tasks[task].method(m).training.num_train_epochs for m in runs.method}
    if runs.steps.nunique() == 1 and len(epochs) == 1:
        steps, count = runs.steps.iloc[0], epochs.pop()
        for epoch in range(1, count):
            ax.axvline(steps * epoch / count, color=GRID, lw=0.9, zorder=0, label="_epoch")


def _curve_handles(results: Results, task: str, words: Wording) -> list[Any]:
    handles = method_handles(results, words, results.methods(task), "lines")
    if (select(results.runs, task=task).groupby("method").seed.nunique() > 1).any():
        handles.append(band_handle(words))
    best = words.say("plots", "best_step")
    handles.append(Line2D([], [], color=FAINT, ls="", marker="o", mec="white", ms=7, label=best))
    return handles


def _time_unit(longest: float) -> tuple[float, str]:
    if longest < 300:
        return 1.0, "seconds"
    return (60.0, "minutes") if longest < 3 * 3600 else (3600.0, "hours")

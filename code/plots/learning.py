"""Figures of convergence: learning curves of both tasks by step and by training time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from plots import drawing, lettering
from plots.deferred import deferred
from plots.style import GRID, PAPER, MethodStyle
from store.frames import select
from store.results import Results
from words.wording import Wording

Curves = dict[str, pd.DataFrame]  # method -> one row a step, one column a seed
LOSS = "loss"
METRICS_SHOWN = 2  # beside the loss


# ------------------------------------------------------------------------------- learning curves


@deferred
def plot_learning_curves(results: Results, words: Wording) -> Figure:
    """Losses and validation metrics by step, a row a task, all methods on shared axes.

    Training loss (thin) and validation loss share a panel, so that the gap between them can be
    seen. The step with the best mean over seeds is marked: lowest validation loss, highest metric.
    """
    tasks = [task for task in results.profile.tasks if _metrics(results, task)]
    if not tasks:
        return drawing.nothing_to_show(words)
    height = 0.75 + 1.75 * len(tasks)
    figure, axes = drawing.new_grid(len(tasks), 1 + METRICS_SHOWN, height, sharex="row")
    said = [words.say("plots", "alt_curves")]
    for row, task in zip(axes, tasks, strict=True):
        metrics = _metrics(results, task)
        for ax, metric in zip(row, metrics, strict=False):
            curves = curves_by_step(results, task, metric)
            said.append(draw_curves(ax, results, task, metric, words, curves))
            _draw_epochs(ax, results, task)
            ax.set_title(lettering.capitalise(words.name(metric)), fontweight="normal")
        drawing.hide_unused(row, len(metrics))
        row[0].set_ylabel(words.name(task), fontweight="bold")
    for ax in axes[-1]:
        ax.set_xlabel(words.say("plots", "step"))
    drawing.add_letters(ax for ax in axes.flat if ax.axison)
    thin = lettering.shared_handle(words, "training_loss", lw=0.7)
    return lettering.finish(figure, _curve_handles(results, tasks, words, thin), [], said)


@deferred
def plot_learning_curves_by_time(results: Results, words: Wording) -> Figure:
    """The first metric of each task against seconds of training alone (means at each step)."""
    tasks = [task for task in results.profile.tasks if _metrics(results, task)]
    if not tasks:
        return drawing.nothing_to_show(words)
    figure, axes = drawing.new_grid(1, len(tasks), 2.5)
    said = [words.say("plots", "alt_curves_time")]
    for ax, task in zip(axes.flat, tasks, strict=True):
        metric = _metrics(results, task)[1]
        seconds, unit = _time_unit(float(select(results.curves, task=task)["seconds"].max()))
        curves = curves_by_time(results, task, metric, seconds)
        said.append(draw_curves(ax, results, task, metric, words, curves))
        ax.set_title(_panel_title(words, task, metric))
        ax.set_xlabel(words.say("plots", f"training_{unit}"))
        drawing.number_axis(ax.xaxis, words)
    drawing.add_letters(axes.flat)
    note = words.say("plots", "by_time_note")
    return lettering.finish(figure, _curve_handles(results, tasks, words), [note], said)


def draw_curves(
    ax: Axes, results: Results, task: str, metric: str, words: Wording, curves: Curves
) -> str:
    """The validation curves of a task by method, each with its best step marked.

    The training loss is a thin line under the validation loss.

    Returns:
        The best and last mean of each method, in a sentence.
    """
    styles, pairs = drawing.styles_of(results), []
    for method, of_seeds in curves.items():
        if metric == LOSS:
            training = select_curves(results, task, method, "train", LOSS, "value").mean(axis=1)
            color = styles[method].color
            ax.plot(training.index, training, color=color, lw=0.7, alpha=0.55, label="_train")
        if not of_seeds.empty:
            pairs.append(_draw_curve(ax, of_seeds, metric, styles[method], words, method))
    drawing.draw_grid(ax, "y")
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4))
    drawing.metric_axis(ax.yaxis, metric, words)
    return lettering.sentence(words, _panel_title(words, task, metric), pairs)


def curves_by_step(results: Results, task: str, metric: str) -> Curves:
    """Validation curves by step."""
    methods = results.methods(task)
    return {m: select_curves(results, task, m, "validation", metric, "value") for m in methods}


def curves_by_time(results: Results, task: str, metric: str, unit: float) -> Curves:
    """Validation curves by the mean training time at each step, in units of so many seconds."""
    found = curves_by_step(results, task, metric)
    for method, curves in found.items():
        seconds = select_curves(results, task, method, "validation", metric, "seconds")
        curves.index = pd.Index(seconds.mean(axis=1) / unit)
    return found


def select_curves(
    results: Results, task: str, method: str, split: str, metric: str, column: str
) -> pd.DataFrame:
    """A column of ``Results.curves``: one row a step, one column a seed; shared steps only."""
    rows = select(results.curves, task=task, method=method, split=split, metric=metric)
    return rows.pivot(index="step", columns="seed", values=column).dropna()


def _metrics(results: Results, task: str) -> list[str]:
    """Loss and the metrics of a task's validation curves; empty without curves."""
    rows = select(results.curves, task=task, split="validation")
    metrics = [metric for metric in dict.fromkeys(rows.metric) if metric != LOSS]
    return [LOSS, *metrics[:METRICS_SHOWN]] if metrics else []


def _panel_title(words: Wording, task: str, metric: str) -> str:
    return words.say("plots", "panel", task=words.name(task), what=words.name(metric))


def _draw_curve(
    ax: Axes, curves: pd.DataFrame, metric: str, style: MethodStyle, words: Wording, method: str
) -> tuple[str, str]:
    mean = drawing.draw_seeds(ax, curves, style)
    best = int(np.argmin(mean) if metric == LOSS else np.argmax(mean))
    look: dict[str, Any] = {"marker": style.marker, "mec": PAPER, "mew": 0.8, "ms": 7, "zorder": 6}
    x, y = [mean.index[best]], [mean.iloc[best]]
    ax.plot(x, y, ls="", color=style.color, label="_best", **look)
    values = [lettering.show_value(words, metric, float(mean.iloc[place])) for place in (best, -1)]
    return words.name(method), " / ".join(values)


def _draw_epochs(ax: Axes, results: Results, task: str) -> None:
    """Ends of the epochs as faint lines, where all runs have the same number of steps."""
    runs = select(results.runs, task=task)
    epochs = {results.profile.tasks[task].method(m).training.num_train_epochs for m in runs.method}
    if runs.steps.nunique() == 1 and len(epochs) == 1:
        steps, count = runs.steps.iloc[0], epochs.pop()
        for epoch in range(1, count):
            ax.axvline(steps * epoch / count, color=GRID, lw=0.9, zorder=0, label="_epoch")


def _curve_handles(
    results: Results, tasks: Sequence[str], words: Wording, *thin: Line2D
) -> list[Any]:
    models = [(task, method) for task in tasks for method in results.methods(task)]
    mark = lettering.shared_handle(words, "best_step", ls="", marker="o", mec=PAPER, ms=7)
    return [*lettering.model_handles(results, words, models, "lines", results.runs, *thin), mark]


def _time_unit(longest: float) -> tuple[float, str]:
    if longest < 300:
        return 1.0, "seconds"
    return (60.0, "minutes") if longest < 3 * 3600 else (3600.0, "hours")

"""The figure of convergence: learning curves of both tasks by epoch and step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facts.quantities import Unit
from plots import drawing, lettering
from plots.context import Context, by_seed, unit
from plots.style import FAINT, PAPER
from store.results import Results
from words.escaping import capitalise
from words.wording import Wording

LOSS = "loss"
METRICS_SHOWN = 2  # beside the loss
ERRORS_FROM = 0.9  # fractions that reach it are shown as errors: their end would be hidden


# ------------------------------------------------------------------------------- learning curves


def plot_learning_curves(results: Results, words: Wording) -> Figure:
    """Losses and validation metrics by epoch and step, a row a task, all methods on shared axes.

    Training loss (thin) and validation loss share a panel, so that the gap between them can be
    seen. The best point of the mean over seeds is marked, and the end of the learning rate's
    schedule. A metric that comes close to 100 % is shown as errors on a logarithmic axis.
    """
    context = Context(results, words)
    tasks = [task for task in context.tasks if _metrics(context, task)]
    if not tasks:
        return drawing.nothing_to_show(words)
    height = 0.75 + 1.95 * len(tasks)
    figure, axes = drawing.new_grid(len(tasks), 1 + METRICS_SHOWN, height, sharex="row")
    said = [context.say("alt_curves")]
    for row, task in zip(axes, tasks, strict=True):
        metrics = _metrics(context, task)
        for ax, metric in zip(row, metrics, strict=False):
            said.append(draw_curves(ax, context, task, metric))
            _name_epochs(ax, context, task)
        drawing.hide_unused(row, len(metrics))
        row[0].set_ylabel(words.name(task), fontweight="bold")
    drawing.add_letters(ax for ax in axes.flat if ax.axison)
    handles = lettering.method_handles(context, _methods(context, tasks), "lines")
    return lettering.finish(context, figure, handles, [], said)


def draw_curves(ax: Axes, context: Context, task: str, metric: str) -> str:
    """The validation curves of a task by method, each with its best point marked.

    The training loss is a thin line below. Returns best and last mean in a sentence.
    """
    methods, pairs = context.results.methods(task), []
    curves = {m: select_curve(context, task, m, "validation", metric) for m in methods}
    curves = {method: runs for method, runs in curves.items() if len(runs)}
    best = max((float(runs.mean(axis=1).max()) for runs in curves.values()), default=0.0)
    of_unit = unit("curve", metric)
    errors = of_unit is Unit.PERCENT and best >= ERRORS_FROM
    for method, runs in curves.items():
        style = context.styles[method]
        if metric == LOSS:
            training = select_curve(context, task, method, "train", LOSS).mean(axis=1)
            look: dict[str, Any] = {"color": style.color, "lw": 0.7, "alpha": 0.55}
            ax.plot(training.index, training, label="_train", **look)
        means = runs.mean(axis=1)
        place = int(np.argmin(means) if metric == LOSS else np.argmax(means))
        digits = 1 if of_unit is Unit.PERCENT else 3
        texts = [context.number(float(means.iloc[at]), of_unit, digits) for at in (place, -1)]
        pairs.append((context.name(method), " / ".join(texts)))
        shown = 1 - runs if errors else runs
        mean = drawing.draw_seeds(ax, shown[(shown > 0).all(axis=1)] if errors else shown, style)
        if shown.index[place] in mean.index:
            mark: dict[str, Any] = {"marker": style.marker, "mec": PAPER, "mew": 0.8, "ms": 7}
            point = ([shown.index[place]], [mean[shown.index[place]]])
            ax.plot(*point, ls="", color=style.color, zorder=6, label="_best", **mark)
    if errors:
        drawing.set_logarithmic(ax, Unit.PERCENT, context, subs=(1, 2, 5))
    else:
        drawing.set_unit(ax.yaxis, of_unit, context)
    drawing.draw_grid(ax, "y")
    name = context.name(metric)
    drawing.set_title(ax, context.say("errors", metric=name) if errors else capitalise(name), 20)
    return context.sentence(context.say("panel", task=context.name(task), what=name), pairs)


def select_curve(context: Context, task: str, method: str, split: str, metric: str) -> pd.DataFrame:
    """A curve: a row a step that all seeds share, at its mean epoch; a column a seed."""
    where: Any = {"task": task, "method": method, "split": split, "metric": metric}
    facts = context.facts.where(quantity="curve", **where)
    runs = by_seed(facts, "step").dropna()
    places = pd.Series([fact.epoch for fact in facts], dtype=float)
    mean = places.groupby([fact.step for fact in facts]).mean()
    runs.index = pd.Index(mean.loc[runs.index], dtype=float)
    return runs


def _metrics(context: Context, task: str) -> list[str]:
    """Loss and the metrics of a task's validation curves; empty without curves."""
    facts = context.facts.where(quantity="curve", task=task, split="validation")
    metrics = [metric for metric in facts.distinct("metric") if metric != LOSS]
    return [LOSS, *metrics[:METRICS_SHOWN]] if metrics else []


def _methods(context: Context, tasks: Sequence[str]) -> list[str]:
    return [method for task in tasks for method in context.results.methods(task)]


def _name_epochs(ax: Axes, context: Context, task: str) -> None:
    """Epochs along x, and under them steps where all methods take as many an epoch.

    The end of each method's schedule is a line.
    """
    settings = context.tasks[task]
    ends = {settings.method(m).training.num_train_epochs for m in context.results.methods(task)}
    for end in ends:
        ax.axvline(end, color=FAINT, lw=0.9, ls=(0, (2, 2)), zorder=0, label="_end")
    drawing.set_unit(ax.xaxis, Unit.PLAIN, context, spaces=4)
    points = context.facts.where(quantity="curve", task=task)
    lengths = {round(f.step / f.epoch, 3) for f in points if f.step and f.epoch}
    ax.set_xlabel(context.say("epoch" if len(lengths) != 1 else "epoch_and_step"))
    if len(lengths) == 1:
        length = lengths.pop()
        functions: Any = (lambda x: x * length, lambda x: x / length)
        steps = ax.secondary_xaxis(-0.16, functions=functions)
        steps.tick_params(length=0)
        steps.spines["bottom"].set_visible(False)
        drawing.set_unit(steps.xaxis, Unit.COUNT, context, spaces=5)
        ax.xaxis.labelpad = 16

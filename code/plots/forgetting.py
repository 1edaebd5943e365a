"""The figure of what is learned against what is forgotten of the pretraining."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evidence.forgetting import METRIC
from facts.fact import BASE, Fact
from plots import drawing, lettering
from plots.context import Context, known, unit
from plots.style import BAND_ALPHA, FAINT
from store.results import Results
from words.escaping import capitalise
from words.wording import Wording

Place = tuple[str, str]  # task, evaluated set
COLUMNS = 3  # panels beside each other


def plot_forgetting(results: Results, words: Wording) -> Figure:
    """Quality against loss added to the pretraining task, a dot a seed, a panel an evaluated set.

    A line is the quality of an encoder that stays as it is: what lies above it was gained.
    """
    context = Context(results, words)
    added = known(context.facts.where(quantity="forgetting", against=BASE, seed=None))
    places: list[Place] = list(dict.fromkeys((fact.task, fact.evaluation) for fact in added))
    if not places:
        return drawing.nothing_to_show(words)
    rows = math.ceil(len(places) / COLUMNS)
    figure, axes = drawing.new_grid(rows, min(COLUMNS, len(places)), 0.6 + 2.4 * rows)
    said = [context.say("alt_forgetting")]
    for ax, place in zip(axes.flat, places, strict=False):
        own = [fact for fact in added if (fact.task, fact.evaluation) == place]
        language = context.language(place[1])
        draw_gains(ax, context, own)
        ax.set_title(f"{words.name(place[0])}\n{language}")
        pairs = [(words.name(fact.method), context.write_estimate(fact)) for fact in own]
        said.append(
            context.sentence(context.say("panel", task=words.name(place[0]), what=language), pairs)
        )
    drawing.hide_unused(axes, len(places))
    drawing.add_letters(axes.flat[: len(places)])
    handles = lettering.method_handles(context, (fact.method for fact in added), "marks")
    unmoved = [n for task, _ in places if (n := results.roles(task).control)]
    handles += lettering.method_handles(context, unmoved, "lines")
    return lettering.finish(context, figure, handles, [context.say("forgetting_note")], said)


def draw_gains(ax: Axes, context: Context, added: list[Fact]) -> None:
    """A dot a seed for the methods of one evaluated set, beside zero, margin and control."""
    task, evaluation = added[0].task, added[0].evaluation
    settings = context.tasks[task]
    metric = settings.metric
    where: Any = {"task": task, "evaluation": evaluation, "metric": metric}
    ax.axvline(0, color=FAINT, lw=0.8, label="_zero")
    margin = settings.margins.masked_loss
    ax.axvspan(-margin, margin, color=FAINT, alpha=BAND_ALPHA, lw=0, label="_margin")
    control = context.results.roles(task).control
    level = context.facts.one("score", method=control or "", **where)
    if level.value is not None:
        style = context.styles[level.method]
        ax.axhline(level.value, color=style.color, ls=style.linestyle, lw=1.2, label="_control")
    lost = context.facts.where(
        quantity="forgetting", task=task, against=BASE, evaluation=evaluation
    )
    for fact in added:
        style, dots = context.styles[fact.method], []
        for run in known(lost.where(method=fact.method)):
            score = context.facts.one("score", method=run.method, seed=run.seed, **where)
            dots += [(run.value, score.value)] if run.seed is not None and score.known else []
        look: dict[str, Any] = {"color": style.color, "marker": style.marker, "ls": "", "ms": 5}
        ax.plot(*np.array(dots).reshape(-1, 2).T, **look, alpha=0.8, label="_run")
    ax.margins(0.12)
    ax.set_xlabel(lettering.wrap_label(context.say("forgetting_axis"), 26))
    ax.set_ylabel(capitalise(context.name(metric)))
    drawing.set_unit(ax.xaxis, unit("forgetting", METRIC), context, spaces=4)
    drawing.set_unit(ax.yaxis, unit("score", metric), context)
    drawing.draw_grid(ax, "y")

"""Figures of the shape of the update and of what becomes of the hidden states, by layer."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from facts.quantities import Unit, unit_of
from facts.table import Facts
from plots import drawing, lettering
from plots.context import Context, by_seed, known, ranges, unit
from plots.drift import Tuned, group_by_task, left_out, model_label, tuned_models
from plots.style import FAINT, PAPER
from store.results import Results
from study.layers import layer_number
from words.wording import Wording

STRUCTURE = ("effective_rank", "top8_share", "intruders")
ROUNDING = -6  # power of ten: 1 - CKA below it is rounding of float32 hidden states
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LANGUAGE_LINES: tuple[Any, ...] = ("-", "--", ":", (0, (5, 1, 1, 1)))


# ------------------------------------------------------------------------------------- structure


def plot_update_structure(results: Results, words: Wording) -> Figure:
    """Effective rank, share in the top 8 directions and intruder dimensions by layer; a row a task.

    Means over the matrices of a layer that changed.
    """
    context = Context(results, words)
    models = tuned_models(context, "spectrum")
    if not models:
        return drawing.nothing_to_show(words)
    groups = group_by_task(models)
    height = 1.7 * len(groups) + 1.1
    figure, axes = drawing.new_grid(len(groups), len(STRUCTURE), height, sharex="row")
    said = [context.say("alt_structure")]
    for row, of_task in zip(axes, groups, strict=True):
        for model in of_task:
            means = []
            for ax, measure in zip(row, STRUCTURE, strict=True):
                values = select_structure(context, model, measure)
                if len(values):
                    of_layer = values.agg(["mean", "min", "max"], axis=1).to_numpy()
                    style = context.styles[model[1]]
                    drawing.draw_range(ax, values.index, of_layer, style, ms=3.5)
                    digits = 0 if measure == "top8_share" else 1
                    mean = float(values.to_numpy().mean())
                    text = context.number(mean, unit("spectrum", measure), digits)
                    means.append((context.say(measure), text))
            said.append(context.sentence(model_label(context, model), means))
        for ax, measure in zip(row, STRUCTURE, strict=True):
            drawing.set_title(ax, context.say(measure), 18)
            drawing.draw_grid(ax, "y")
        _scale_structure(row, context, of_task)
        row[0].set_ylabel(words.name(of_task[0][0]))
    for ax in axes[-1]:
        ax.set_xlabel(context.say("layer"))
    drawing.add_letters(axes.flat)
    handles = lettering.method_handles(context, (m for _, m in models), "both")
    notes = [context.say("structure_note"), left_out(context, models)]
    return lettering.finish(context, figure, handles, notes, said)


def select_structure(context: Context, model: Tuned, measure: str) -> pd.DataFrame:
    """Mean over the changed matrices: one row an encoder layer (its number), one column a seed."""
    where: Any = {"task": model[0], "method": model[1]}
    ranks = context.facts.where(quantity="spectrum", metric="rank", **where)
    changed = {(f.seed, f.layer, f.kind) for f in ranks if f.value}
    layers = []
    for layer in ranks.distinct("layer"):
        facts = context.facts.where(quantity="spectrum", metric=measure, layer=layer, **where)
        own = Facts(f for f in facts if (f.seed, f.layer, f.kind) in changed)
        layers.append(by_seed(own, "kind").mean().rename(layer_number(layer)))
    return pd.DataFrame(layers).dropna(how="all").sort_index()


def _scale_structure(row: Sequence[Axes], context: Context, models: Sequence[Tuned]) -> None:
    """Ranks on a logarithmic scale with the adapters' limits; shares up to 1; counts from 0."""
    for rank in {_adapter_rank(context, model) for model in models} - {None}:
        row[0].axhline(rank, color=FAINT, ls=":", lw=1, label="_rank")  # type: ignore[arg-type]
    drawing.set_logarithmic(row[0], Unit.PLAIN, context, subs=(1, 2, 5))
    row[1].set_ylim(0, 1.05)
    row[2].set_ylim(0, max(1.0, row[2].get_ylim()[1]))
    for ax, of_unit in zip(row[1:], (Unit.PERCENT, Unit.PLAIN), strict=True):
        drawing.set_unit(ax.yaxis, of_unit, context)
    for ax in row:
        drawing.set_unit(ax.xaxis, Unit.COUNT, context, spaces=7)


def _adapter_rank(context: Context, model: Tuned) -> int | None:
    adapter = context.tasks[model[0]].method(model[1]).adapter
    return adapter.options.get("r") if adapter and adapter.peft_type == "LORA" else None


# -------------------------------------------------------------------------------- representation


def plot_representation(results: Results, words: Wording) -> Figure:
    """1 - CKA between base and tuned hidden states by layer: colour is the method, line the set."""
    context = Context(results, words)
    models = tuned_models(context, "similarity")
    if not models:
        return drawing.nothing_to_show(words)
    groups = group_by_task(models)
    figure, axes = drawing.new_grid(1, len(groups), 3.2, sharey=True)
    said = [context.say("alt_representation")]
    for ax, of_task in zip(axes.flat, groups, strict=True):
        said += [draw_representation(ax, context, model) for model in of_task]
        drawing.set_logarithmic(ax, Unit.PLAIN, context)
        ax.set_title(words.name(of_task[0][0]))
        ax.set_xlabel(lettering.wrap_label(context.say("representation_layer"), 26))
        drawing.set_unit(ax.xaxis, Unit.COUNT, context, spaces=7)
        drawing.draw_grid(ax, "y")
    axes[0, 0].set_ylabel(context.say("representation_axis"))
    drawing.add_letters(axes.flat)
    facts = context.facts.where(quantity="similarity")
    several = max((_evaluations(context, task) for task, _ in models), key=len)
    lines = [
        Line2D([], [], color=FAINT, ls=line, lw=1.3, label=context.language(evaluation))
        for evaluation, line in zip(several, itertools.cycle(LANGUAGE_LINES), strict=False)
    ]
    handles = lettering.method_handles(context, (m for _, m in models), "marks")
    sample = words.span(fact.n for fact in facts if fact.n is not None)
    notes = [context.say("representation_sample", tokens=sample)]
    if any(1 - value <= 10.0**ROUNDING for value in facts.values()):
        floor = f"10{str(ROUNDING).translate(SUPERSCRIPT)}"
        notes.append(context.say("representation_note", floor=floor))
    notes.append(left_out(context, models))
    return lettering.finish(context, figure, [*handles, *lines], notes, said)


def _evaluations(context: Context, task: str) -> list[str]:
    return context.facts.where(quantity="similarity", task=task).distinct("evaluation")


def draw_representation(ax: Axes, context: Context, model: Tuned) -> str:
    """A line a language, the range of the seeds as a band; returns the last layer in a sentence."""
    style, pairs = context.styles[model[1]], []
    for number, evaluation in enumerate(_evaluations(context, model[0])):
        where: Any = {"task": model[0], "method": model[1], "evaluation": evaluation}
        facts = known(context.facts.where(quantity="similarity", seed=None, **where))
        if not facts:
            continue
        values = 1 - ranges(facts)
        layers = np.array([int(fact.layer) for fact in facts])
        last = context.number(float(values[-1, 0]), unit_of(facts[-1]), 3)
        pairs.append((context.language(evaluation), last))
        above = (values > 10.0**ROUNDING).all(axis=1)
        look: dict[str, Any] = {"ls": LANGUAGE_LINES[number % len(LANGUAGE_LINES)], "lw": 1.3}
        look |= {"mfc": PAPER if number else style.color, "ms": 3.5}
        drawing.draw_range(ax, layers[above], values[above], style, **look)
    return context.sentence(model_label(context, model), pairs)

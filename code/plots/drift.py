"""Figures of what training does to the weights, layer by layer, and what tuned models share.

A tuned model is a task and a method. Layers stand from input to output.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from facts.fact import Fact
from facts.quantities import Unit
from plots import drawing, lettering
from plots.context import Context, known, ranges, unit
from plots.style import INK, PAPER, SEQUENTIAL, UNCHANGED
from store.results import Results
from study.layers import (
    BIAS,
    HEAD,
    NORM,
    OTHER,
    POOLER,
    components,
    layer_number,
    number_of_layers,
    sort_layers,
)
from words.wording import Wording

Tuned = tuple[str, str]  # task, method
APART = (OTHER, POOLER, HEAD)  # no part of the depth, or with a scale of their own
ALL_NAMED = 12  # layers that can all be named under a panel
ABSOLUTE, RELATIVE = "l2", "relative"


# ------------------------------------------------------------------------------------ comparison


def plot_drift(results: Results, words: Wording) -> Figure:
    """Distance of every layer from its original weights, a column a task.

    Above the Euclidean distance by layer, as bars; below the distance in units of the layer's norm
    by depth, so that encoders with different numbers of layers compare, with pooler and head apart.
    """
    context = Context(results, words)
    models = tuned_models(context, "distance")
    if not models:
        return drawing.nothing_to_show(words)
    tasks = dict.fromkeys(task for task, _ in models)
    rows = [[], []]  # type: ignore[var-annotated]
    for task in tasks:
        rows[0] += [f"bars {task}", f"bars {task}"]
        rows[1] += [f"depth {task}", f"apart {task}"]
    ratios = {"width_ratios": [4, 1.2] * len(tasks), "height_ratios": [1, 1.15]}
    figure, axes = drawing.new_mosaic(rows, 4.6, **ratios)
    unchanged: list[Tuned] = []
    for task in tasks:
        methods = [method for of, method in models if of == task]
        moving = [method for method in results.moving_methods(task) if method in methods]
        draw_bars(axes[f"bars {task}"], context, task, moving)
        panels = axes[f"depth {task}"], axes[f"apart {task}"]
        for method, shift in zip(methods, drawing.spread_positions(len(methods), 0.5), strict=True):
            whole = draw_depths(*panels, context, (task, method), shift)
            unchanged += [] if whole else [(task, method)]
        for ax in panels:
            ax.set_ylim(0, max(1e-9, 1.08 * ax.dataLim.ymax) if ax.has_data() else 1)
            drawing.set_unit(ax.yaxis, unit("distance", RELATIVE), context)
            drawing.draw_grid(ax, "y")
        axes[f"bars {task}"].set_title(words.name(task))
        panels[0].set_title(words.name(task))
    first = next(iter(tasks))
    for row, metric in (("bars", ABSOLUTE), ("depth", RELATIVE)):
        axes[f"{row} {first}"].set_ylabel(lettering.wrap_label(words.name(metric), 14))
    drawing.add_letters(axes[f"{row} {task}"] for row in ("bars", "depth") for task in tasks)
    apart = dict.fromkeys(
        layer for task in tasks for layer in layers_of(context, task) if layer in APART
    )
    notes = [context.say("drift_note")]
    notes += [context.say("apart_note", parts=", ".join(map(words.name, apart)))] if apart else []
    named = _list_models(context, unchanged)
    notes += [context.say("unchanged_note", models=named)] if named else []
    notes.append(left_out(context, models))
    handles = lettering.method_handles(context, (m for _, m in models), "both")
    return lettering.finish(context, figure, handles, notes, say_layers(context, models))


def draw_bars(ax: Axes, context: Context, task: str, methods: Sequence[str]) -> None:
    """Euclidean distance as bars by layer, a colour a method, with the range of the seeds."""
    order = layers_of(context, task)
    width = 0.8 / max(1, len(methods))
    for number, method in enumerate(methods):
        facts = known(distance(context, (task, method), layer, ABSOLUTE) for layer in order)
        places = [order.index(f.layer) + (number - (len(methods) - 1) / 2) * width for f in facts]
        heights = [fact.value or 0.0 for fact in facts]
        ax.bar(places, heights, width, color=context.styles[method].color, label=f"_{method}")
        for place, fact in zip(places, facts, strict=True):
            if fact.seeds > 1:
                ax.vlines(place, fact.low, fact.high, color=INK, lw=0.9)  # type: ignore[arg-type]
    _name_layers(ax, context, order)
    ax.set_xlabel(context.say("layer"))
    drawing.draw_grid(ax, "y")
    drawing.set_unit(ax.yaxis, unit("distance", ABSOLUTE), context)


def draw_depths(ax: Axes, apart: Axes, context: Context, model: Tuned, shift: float) -> bool:
    """Relative distance by depth, 0 the embeddings and 1 the last layer; pooler and head apart.

    Returns whether every layer changed: those that did not have no point.
    """
    order, style = layers_of(context, model[0]), context.styles[model[1]]
    facts = known(distance(context, model, layer, RELATIVE) for layer in order)
    changed = [fact for fact in facts if fact.value]
    depth = number_of_layers(fact.layer for fact in facts) or 1
    inner = [fact for fact in changed if fact.layer not in APART]
    places = [(-1 if (n := layer_number(fact.layer)) is None else n) + 1 for fact in inner]
    if inner:
        drawing.draw_range(ax, np.array(places) / depth, ranges(inner), style)
    rest = [layer for layer in order if layer in APART]
    for fact in (fact for fact in changed if fact.layer in APART):
        place = rest.index(fact.layer) + shift
        drawing.draw_range(apart, [place], ranges([fact]), style)
        apart.vlines(place, fact.low, fact.high, color=style.color, lw=0.9)  # type: ignore[arg-type]
    ax.set_xlim(-0.06, 1.06)
    drawing.set_unit(ax.xaxis, Unit.PLAIN, context, spaces=3)
    ax.set_xlabel(context.say("depth"))
    _name_layers(apart, context, rest)
    return len(changed) == len(facts)


def _name_layers(ax: Axes, context: Context, order: Sequence[str]) -> None:
    """Layers along x, the assignment's five components in bold; of many layers, these alone."""
    layers = number_of_layers(order)
    bold = set(components(layers).values()) if layers else {HEAD}
    shown = [n for n, layer in enumerate(order) if layers <= ALL_NAMED or layer in bold]
    labels = [name_layer(context, order[n]) for n in shown]
    ax.set_xticks(shown, labels)
    for text, n in zip(ax.get_xticklabels(), shown, strict=True):
        text.set_fontweight("bold" if order[n] in bold else "normal")
        text.set_rotation(90 if layer_number(order[n]) is None else 0)
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.6, len(order) - 0.4)


# ---------------------------------------------------------------------------------------- models


def tuned_models(context: Context, quantity: str) -> list[Tuned]:
    """Models with facts of a quantity, in the settings' order."""
    present = {(fact.task, fact.method) for fact in context.facts.where(quantity=quantity)}
    every = ((task, m) for task in context.tasks for m in context.results.methods(task))
    return [model for model in every if model in present]


def group_by_task(models: Sequence[Tuned]) -> list[list[Tuned]]:
    """The models in groups of one task."""
    tasks = dict.fromkeys(task for task, _ in models)
    return [[model for model in models if model[0] == task] for task in tasks]


def distance(context: Context, model: Tuned, layer: str, metric: str, kind: str = "all") -> Fact:
    """A distance of a layer, or of a kind of matrix in it, over seeds."""
    where: Any = {"task": model[0], "method": model[1], "layer": layer, "kind": kind}
    return context.facts.one("distance", metric=metric, **where)


def layers_of(context: Context, task: str) -> list[str]:
    """The layers that any model of a task has, from input to output."""
    facts = context.facts.where(quantity="distance", task=task, kind="all")
    return sort_layers(layer for layer in facts.distinct("layer") if layer != "all")


def name_layer(context: Context, layer: str) -> str:
    """Short name of a layer under an axis: its number, or a word."""
    number = layer_number(layer)
    if number is not None:
        return str(number)
    short = context.words.has("plots", f"layer_{layer}")
    return context.say(f"layer_{layer}") if short else context.name(layer)


def model_label(context: Context, model: Tuned) -> str:
    """``CoLA: LoRA``."""
    task, method = (context.name(name) for name in model)
    return context.say("model", task=task, method=method)


def _list_models(context: Context, models: Iterable[Tuned]) -> str:
    return "; ".join(model_label(context, model) for model in models)


def left_out(context: Context, shown: Sequence[Tuned]) -> str:
    """Says which finished models a figure of the encoder cannot show, and why."""
    finished = [
        ((task, m.name), m) for task in context.tasks for m in context.results.settings(task)
    ]
    fixed = [model for model, m in finished if m.mergeable and not m.moves_encoder]
    hidden = {
        "only_head_note": [model for model in fixed if model not in shown],
        "not_mergeable_note": [model for model, m in finished if not m.mergeable],
    }
    notes = {key: _list_models(context, models) for key, models in hidden.items() if models}
    return " ".join(context.say(key, models=models) for key, models in notes.items())


def say_layers(context: Context, models: Sequence[Tuned]) -> list[str]:
    """Euclidean distance of every layer that changed, a sentence a model."""
    said = [context.say("alt_drift")]
    for model in models:
        facts = (
            distance(context, model, layer, ABSOLUTE) for layer in layers_of(context, model[0])
        )
        changed = [fact for fact in facts if fact.value]
        pairs = [(name_layer(context, f.layer), context.write(f, digits=2)) for f in changed]
        said.append(context.sentence(model_label(context, model), pairs))
    return said


# --------------------------------------------------------------------------------------- heatmap


def plot_drift_heatmap(results: Results, words: Wording) -> Figure:
    """Relative change by layer and kind of matrix, a panel a model, on one logarithmic scale."""
    context = Context(results, words)
    moving = {task: context.results.moving_methods(task) for task in context.tasks}
    models = [(task, m) for task, m in tuned_models(context, "distance") if m in moving[task]]
    if not models:
        return drawing.nothing_to_show(words)
    tables = {model: select_cells(context, model) for model in models}
    values = np.concatenate([table.to_numpy().ravel() for table in tables.values()])
    positive = values[values > 0]
    low, high = (float(positive.min()), float(positive.max())) if len(positive) else (0.1, 1.0)
    norm = LogNorm(low, high if high > low else 10 * low)
    groups = group_by_task(models)
    columns = max(len(of_task) for of_task in groups)
    heights = [max(len(tables[model]) for model in of_task) for of_task in groups]
    height = 2.0 + sum(0.45 + 0.15 * n for n in heights)
    figure, axes = drawing.new_grid(len(groups), columns, height, height_ratios=heights)
    for row, of_task in zip(axes, groups, strict=True):
        for ax, model in zip(row, of_task, strict=False):
            draw_heatmap(ax, context, tables[model], norm)
            ax.set_title(lettering.wrap_label(words.name(model[1]), 19))
        row[0].set_ylabel(context.say("task_layer", task=words.name(of_task[0][0])))
        drawing.hide_unused(row, len(of_task))
    for number, ax in np.ndenumerate(axes):
        if any(len(of_task) > number[1] for of_task in groups[number[0] + 1 :]):
            ax.set_xticklabels([])  # the panel below has them
    bar = figure.colorbar(ScalarMappable(norm, SEQUENTIAL), ax=axes, fraction=0.03, aspect=40)
    bar.set_label(words.name(RELATIVE))
    drawing.set_logarithmic(bar.ax, Unit.PERCENT, context)
    grey = any((table == 0).to_numpy().any() for table in tables.values())
    handles = [Patch(color=UNCHANGED, label=context.say("zero_cell"))] * grey
    said = _say_cells(context, tables)
    return lettering.finish(context, figure, handles, [left_out(context, models)], said)


def select_cells(context: Context, model: Tuned) -> pd.DataFrame:
    """Mean over seeds: one row an encoder layer (its number), one column a kind of matrix."""
    where: Any = {"task": model[0], "method": model[1], "metric": RELATIVE, "seed": None}
    facts = known(context.facts.where(quantity="distance", **where))
    inner = [f for f in facts if layer_number(f.layer) is not None and f.kind != "all"]
    rows = [(layer_number(f.layer), f.kind, f.value) for f in inner]
    frame = pd.DataFrame(rows, columns=["layer", "kind", "value"]).dropna()
    table = frame.pivot(index="layer", columns="kind", values="value").astype(float)
    table.index = table.index.astype(int)
    kinds = dict.fromkeys(f.kind for f in inner)  # in the order of the model
    return table.reindex(columns=sorted(kinds, key=(NORM, BIAS).__contains__))


def draw_heatmap(ax: Axes, context: Context, table: pd.DataFrame, norm: LogNorm) -> None:
    """Cells of ``select_cells``, the last layer on top; what has not changed is grey."""
    import seaborn

    seaborn.heatmap(
        table.iloc[::-1],
        ax=ax,
        mask=~(table.iloc[::-1] > 0),
        norm=norm,
        cmap=SEQUENTIAL,
        linewidths=0.6,
        linecolor=PAPER,
        cbar=False,
        yticklabels=1 if len(table) <= ALL_NAMED else 2,
    )
    labels = [context.name(kind) for kind in table.columns]
    ax.set_xticks(np.arange(len(labels)) + 0.5, labels, rotation=90)
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(length=0)
    ax.set(xlabel="", ylabel="")


def _say_cells(context: Context, tables: dict[Tuned, pd.DataFrame]) -> list[str]:
    """Smallest and largest mean change of a kind, a sentence a model."""
    said = [context.say("alt_heatmap")]
    for model, table in tables.items():
        means = table.mean().sort_values()
        means = means[means > 0]
        pairs = [
            (context.name(str(kind)), context.number(means[kind], Unit.PERCENT, 1))
            for kind in dict.fromkeys([*means.index[-1:], *means.index[:1]])
        ]
        said.append(context.sentence(model_label(context, model), pairs))
    return said

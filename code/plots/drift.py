"""Figures of what training does to the weights, layer by layer.

Layers stand from input to output; an encoder with fewer layers than another ends earlier, and both
have their head on the right.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from plots import drawing, lettering
from plots.deferred import deferred
from plots.models import (
    Model,
    by_task,
    left_out,
    list_models,
    model_label,
    models_of,
    moving_models,
    name_layer,
    name_layers,
    select_layers,
)
from plots.style import INK, PAPER, SEQUENTIAL, SMALL
from store.frames import select
from store.results import Results, needs
from study.architecture import (
    HEAD,
    MATRIX_KINDS,
    POOLER,
    layer_number,
    number_of_layers,
    sort_layers,
)
from words.wording import Wording

DIGITS = 2  # of a distance in an alternative text
HEATMAP_KINDS = (*MATRIX_KINDS, "layer_norm", "bias")
APART = (POOLER, HEAD)  # new or retrained parts, whose relative change has a scale of its own
UNCHANGED = "#d9d9d9"


# ------------------------------------------------------------------------------------- histogram


@deferred
def plot_drift_histogram(results: Results, words: Wording, metric: str = "l2") -> Figure:
    """Distance of every layer from its original weights, methods side by side on one scale.

    Bars: mean over seeds; lines: their range. The assignment's five components have bold names.
    """
    models = moving_models(results)
    if not models:
        return drawing.nothing_to_show(words)
    groups, styles = by_task(models), drawing.styles_of(results)
    figure, axes = drawing.new_grid(1, len(groups), 2.7, sharey=True)
    for ax, of_task in zip(axes.flat, groups, strict=True):
        draw_histogram(ax, results, words, of_task, metric)
        ax.set_title(words.name(of_task[0][0]))
    axes[0, 0].set_ylabel(lettering.wrap_label(words.name(metric), 22))
    drawing.add_letters(axes.flat)
    methods = dict.fromkeys(method for _, method in models)
    handles = [Patch(color=styles[m].color, label=words.name(m)) for m in methods]
    notes = [words.say("plots", "histogram_note"), left_out(results, words, models)]
    return lettering.finish(figure, handles, notes, _say_layers(results, words, models, metric))


def draw_histogram(
    ax: Axes, results: Results, words: Wording, models: Sequence[Model], metric: str
) -> None:
    """Bars by layer, a colour a method, with the range of the seeds as a line."""
    import seaborn

    styles = drawing.styles_of(results)
    values = {model[1]: select_layers(results, model, metric).stack() for model in models}
    rows = pd.concat(values, names=["method"]).rename("value").reset_index()
    order, methods = sort_layers(rows.layer), list(values)
    seaborn.barplot(
        rows,
        x="layer",
        y="value",
        hue="method",
        order=order,
        hue_order=methods,
        palette=[styles[method].color for method in methods],
        saturation=1,
        errorbar=("pi", 100),
        err_kws={"color": INK, "linewidth": 0.9},
        legend=False,
        ax=ax,
    )
    name_layers(ax, words, order, number_of_layers(order))
    ax.set(xlabel=words.say("plots", "layer"), ylabel="")
    drawing.draw_grid(ax, "y")
    drawing.number_axis(ax.yaxis, words)


def _say_layers(
    results: Results, words: Wording, models: Sequence[Model], metric: str
) -> Iterator[str]:
    """Mean over seeds of every layer that changed, a sentence a model."""
    yield words.say("plots", "alt_drift")
    for model in models:
        means = select_layers(results, model, metric).mean(axis=1)
        pairs = [
            (name_layer(words, str(layer)), lettering.show_value(words, metric, value, DIGITS))
            for layer, value in means[means > 0].items()
        ]
        yield lettering.sentence(words, model_label(words, model), pairs)


# ------------------------------------------------------------------------------------ comparison


@deferred
@needs("drift", drawing.nothing_to_show)
def plot_drift_comparison(results: Results, words: Wording, metric: str = "relative") -> Figure:
    """All methods by layer on a linear axis, the range over seeds as a band; the head apart."""
    models = models_of(results, "drift")
    groups = by_task(models)
    figure, axes = drawing.new_grid(1, 2 * len(groups), 2.7, width_ratios=[4, 1.1] * len(groups))
    inner, outer = axes[0, 0::2], axes[0, 1::2]
    unchanged: list[Model] = []
    for ax, apart, of_task in zip(inner, outer, groups, strict=True):
        for model, shift in zip(of_task, drawing.spread_positions(len(of_task), 0.5), strict=True):
            unchanged += draw_layers(ax, apart, results, words, model, metric, shift)
        ax.set_title(words.name(of_task[0][0]))
        ax.set_xlabel(words.say("plots", "layer"))
    for panels in (inner, outer):
        _share_scale(panels, words, metric)
    axes[0, 0].set_ylabel(lettering.wrap_label(words.name(metric), 22))
    drawing.add_letters(inner)
    named = list_models(words, unchanged)
    notes = [words.say("plots", "apart_note")]
    notes += [words.say("plots", "unchanged_note", models=named)] if named else []
    notes.append(left_out(results, words, models))
    handles = lettering.model_handles(results, words, models, "both", results.drift)
    return lettering.finish(figure, handles, notes, _say_layers(results, words, models, metric))


def draw_layers(
    ax: Axes, apart: Axes, results: Results, words: Wording, model: Model, metric: str, shift: float
) -> list[Model]:
    """A line over the layers that changed; pooler and head as points on axes of their own.

    Returns:
        The model, if some of its layers are left out because they have not changed.
    """
    values, style = select_layers(results, model, metric), drawing.styles_of(results)[model[1]]
    every = sort_layers(select(results.drift, task=model[0])["layer"])
    order = [layer for layer in every if layer not in APART]
    rest = [layer for layer in every if layer in APART]
    changed = values[(values > 0).all(axis=1)]
    line = changed[changed.index.isin(order)]
    if len(line):
        drawing.draw_seeds(ax, line.rename(index=order.index), style, marker_size=4.5)
    for layer in changed.index.intersection(rest, sort=False):
        place, of_seeds = rest.index(layer) + shift, changed.loc[layer]
        apart.plot([place] * 2, [of_seeds.min(), of_seeds.max()], color=style.color, lw=0.9)
        apart.plot([place], [of_seeds.mean()], ls="", marker=style.marker, color=style.color)
    for panel, layers in ((ax, order), (apart, rest)):
        name_layers(panel, words, layers, number_of_layers(every))
    return [model] if len(changed) < len(values) else []


def _share_scale(panels: NDArray[Any], words: Wording, metric: str) -> None:
    """One linear scale from 0 for all of these."""
    top = max(ax.dataLim.ymax for ax in panels)
    for ax in panels:
        ax.set_ylim(0, 1.08 * top if np.isfinite(top) and top > 0 else 1)
        drawing.metric_axis(ax.yaxis, metric, words)
        drawing.draw_grid(ax, "y")


# --------------------------------------------------------------------------------------- heatmap


@deferred
def plot_drift_heatmap(results: Results, words: Wording, metric: str = "relative") -> Figure:
    """Change by layer and kind of matrix, a panel a model, all on one logarithmic scale."""
    models = moving_models(results)
    if not models:
        return drawing.nothing_to_show(words)
    tables = {model: select_cells(results, model, metric) for model in models}
    norm = _common_norm(tables.values())
    groups = by_task(models)
    columns = max(len(of_task) for of_task in groups)
    heights = [max(len(tables[model]) for model in of_task) for of_task in groups]
    height = 2.0 + sum(0.45 + 0.15 * n for n in heights)
    figure, axes = drawing.new_grid(len(groups), columns, height, height_ratios=heights)
    for row, of_task in zip(axes, groups, strict=True):
        for ax, model in zip(row, of_task, strict=False):
            draw_heatmap(ax, tables[model], norm, words)
            ax.set_title(lettering.wrap_label(words.name(model[1]), lettering.NARROW_CHARACTERS))
        task = words.name(of_task[0][0])
        row[0].set_ylabel(words.say("plots", "task_layer", task=task))
        drawing.hide_unused(row, len(of_task))
    for ax in axes[:-1].flat:
        ax.set_xticklabels([])
    bar = figure.colorbar(ScalarMappable(norm, SEQUENTIAL), ax=axes, fraction=0.03, aspect=40)
    bar.set_label(words.name(metric), fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    drawing.logarithmic_axis(bar.ax.yaxis, words)
    grey = any((table == 0).to_numpy().any() for table in tables.values())
    handles = [Patch(color=UNCHANGED, label=words.say("plots", "zero_cell"))] if grey else []
    notes = [left_out(results, words, models)]
    return lettering.finish(figure, handles, notes, _say_cells(words, tables, metric))


def select_cells(results: Results, model: Model, metric: str) -> pd.DataFrame:
    """Mean over seeds: one row an encoder layer (its number), one column a kind of matrix."""
    rows = select(results.drift, task=model[0], method=model[1])
    numbers = rows.layer.map(layer_number)
    rows = rows.assign(number=numbers)[numbers.notna() & rows.kind.isin(HEATMAP_KINDS)]
    cells = rows.astype({"number": int, metric: float})
    table = cells.pivot_table(index="number", columns="kind", values=metric, aggfunc="mean")
    return table.reindex(columns=[kind for kind in HEATMAP_KINDS if kind in table])


def draw_heatmap(ax: Axes, table: pd.DataFrame, norm: LogNorm, words: Wording) -> None:
    """Cells of ``select_cells``, the last layer on top; what has not changed is grey."""
    import seaborn

    ax.set_facecolor(UNCHANGED)
    seaborn.heatmap(
        table.iloc[::-1],
        ax=ax,
        mask=~(table.iloc[::-1] > 0),
        norm=norm,
        cmap=SEQUENTIAL,
        linewidths=0.6,
        linecolor=PAPER,
        cbar=False,
        yticklabels=1 if len(table) <= 12 else 2,
    )
    labels = [words.name(kind) for kind in table.columns]
    ax.set_xticks(np.arange(len(labels)) + 0.5, labels, rotation=90)
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(length=0, labelsize=SMALL)
    ax.set(xlabel="", ylabel="")


def _say_cells(words: Wording, tables: dict[Model, pd.DataFrame], metric: str) -> Iterator[str]:
    """Smallest and largest mean change of a kind, a sentence a model."""
    yield words.say("plots", "alt_heatmap")
    for model, table in tables.items():
        means = table.mean().sort_values()
        means = means[means > 0]
        pairs = [
            (words.name(str(kind)), lettering.show_value(words, metric, means[kind], DIGITS))
            for kind in dict.fromkeys([*means.index[-1:], *means.index[:1]])
        ]
        yield lettering.sentence(words, model_label(words, model), pairs)


def _common_norm(tables: Iterable[pd.DataFrame]) -> LogNorm:
    values = np.concatenate([table.to_numpy().ravel() for table in tables])
    positive = values[values > 0]
    low, high = (float(positive.min()), float(positive.max())) if len(positive) else (0.1, 1.0)
    return LogNorm(low, high if high > low else 10 * low)

"""Figures of what training does to the weights and to the representations, layer by layer.

A model is a task and a method. Layers stand from input to output; an encoder with fewer layers
than another ends earlier, and both have their head on the right.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from plots.drawing import (
    add_legend,
    add_note,
    band_handle,
    draw_grid,
    draw_seeds,
    hide_unused,
    in_style,
    method_handles,
    narrow_title,
    new_grid,
    nothing_to_show,
    number_axis,
    percent_axis,
    spread_positions,
    styles_of,
)
from plots.style import FAINT, INK, SEQUENTIAL, SMALL, lighten
from store.frames import select
from store.results import Results
from study.architecture import (
    HEAD,
    MATRIX_KINDS,
    POOLER,
    components,
    layer_number,
    number_of_layers,
    sort_layers,
)
from study.settings import LoraSettings
from words.wording import Wording

ABREAST = 2  # panels side by side
METRICS = ("l2", "relative", "rms")
HEATMAP_KINDS = (*MATRIX_KINDS, "layer_norm", "bias")
STRUCTURE = ("effective_rank", "top8_share", "intruders")
ROUNDING = -6  # power of ten: 1 - CKA below it is rounding of float32 hidden states
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
UNCHANGED = "#d9d9d9"

Model = tuple[str, str]  # task, method


# ------------------------------------------------------------------------------------- histogram


@in_style
def plot_drift_histogram(results: Results, words: Wording, metric: str = "l2") -> Figure:
    """Distance of every layer from its original weights, a panel a model; bars: mean over seeds.

    The assignment's five components are the dark bars. Every panel has its own scale; one scale for
    all is in ``plot_drift_comparison``.

    Args:
        results: the results.
        words: the language.
        metric: one of ``METRICS``.
    """
    models = [model for model in _models(results, "drift") if _moves_encoder(results, model)]
    if not models:
        return nothing_to_show(words)
    rows = [chunk for of_task in _by_task(models) for chunk in _chunks(of_task, ABREAST)]
    figure, axes = new_grid(len(rows), ABREAST, 0.9 + 1.65 * len(rows))
    for row_axes, row in zip(axes, rows, strict=True):
        for ax, model in zip(row_axes, row, strict=False):
            draw_histogram(ax, results, words, model, metric)
            ax.set_title(_model_label(words, model))
        hide_unused(row_axes, len(row))
    figure.supylabel(words.name(metric), fontsize=SMALL + 1)
    add_legend(figure, _histogram_handles(results, words, models))
    add_note(figure, _left_out(results, words, models))
    return figure


def draw_histogram(ax: Axes, results: Results, words: Wording, model: Model, metric: str) -> None:
    """Bars by layer with the range of the seeds as a line; the five components in full colour."""
    values = select_layers(results, model, metric)
    order = list(values.index)
    named = set(components(number_of_layers(order)).values())
    color = styles_of(results)[model[1]].color
    for place, layer in enumerate(order):
        of_seeds = values.loc[layer]
        shade = color if layer in named else lighten(color)
        ax.bar(place, of_seeds.mean(), width=0.8, color=shade)
        if len(of_seeds) > 1:
            ax.plot([place] * 2, [of_seeds.min(), of_seeds.max()], color=INK, lw=1, label="_range")
    _name_layers(ax, words, order)
    draw_grid(ax, "y")
    number_axis(ax.yaxis, words)


def select_layers(results: Results, model: Model, metric: str, kind: str = "all") -> pd.DataFrame:
    """A distance of a model: one row a layer, from input to output, one column a seed."""
    rows = select(results.drift, task=model[0], method=model[1], kind=kind)
    values = rows.pivot(index="layer", columns="seed", values=metric).astype(float)
    return values.reindex([layer for layer in sort_layers(rows.layer) if layer in values.index])


def _histogram_handles(results: Results, words: Wording, models: Sequence[Model]) -> list[Any]:
    handles: list[Any] = [
        Patch(color=FAINT, label=words.say("plots", "components")),
        Patch(color=lighten(FAINT), label=words.say("plots", "other_layers")),
    ]
    if any(select_layers(results, model, "l2").shape[1] > 1 for model in models):
        handles.append(Line2D([], [], color=INK, lw=1, label=words.say("plots", "seed_range")))
    return handles


# --------------------------------------------------------------------------------------- heatmap


@in_style
def plot_drift_heatmap(results: Results, words: Wording, metric: str = "relative") -> Figure:
    """Change by layer and kind of matrix, a panel a model, all on one logarithmic scale.

    Args:
        results: the results.
        words: the language.
        metric: one of ``METRICS``.
    """
    models = [model for model in _models(results, "drift") if _moves_encoder(results, model)]
    if not models:
        return nothing_to_show(words)
    tables = {model: select_cells(results, model, metric) for model in models}
    norm = _common_norm(tables.values())
    groups = _by_task(models)
    columns = min(3, max(len(of_task) for of_task in groups))
    rows = [chunk for of_task in groups for chunk in _chunks(of_task, columns)]
    heights = [max(len(tables[model]) for model in row) for row in rows]
    height = 2.2 + sum(0.5 + 0.15 * n for n in heights)
    figure, axes = new_grid(len(rows), columns, height, height_ratios=heights)
    for row_axes, row in zip(axes, rows, strict=True):
        for ax, model in zip(row_axes, row, strict=False):
            mesh = draw_heatmap(ax, tables[model], norm)
            narrow_title(ax, words.name(model[1]))
        task = words.name(row[0][0])
        row_axes[0].set_ylabel(words.say("plots", "task_layer", task=task))
        hide_unused(row_axes, len(row))
    _name_lowest_columns(axes, [len(row) for row in rows], words)
    bar = figure.colorbar(mesh, ax=axes, fraction=0.03, aspect=40, pad=0.02)
    bar.set_label(words.name(metric), fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    if any((table == 0).to_numpy().any() for table in tables.values()):
        add_legend(figure, [Patch(color=UNCHANGED, label=words.say("plots", "zero_cell"))])
    add_note(figure, _left_out(results, words, models))
    return figure


def select_cells(results: Results, model: Model, metric: str) -> pd.DataFrame:
    """Mean over seeds: one row an encoder layer (its number), one column a kind of matrix."""
    rows = select(results.drift, task=model[0], method=model[1])
    numbers = rows.layer.map(layer_number)
    rows = rows.assign(number=numbers)[numbers.notna() & rows.kind.isin(HEATMAP_KINDS)]
    cells = rows.astype({"number": int, metric: float})
    table = cells.pivot_table(index="number", columns="kind", values=metric, aggfunc="mean")
    return table.reindex(columns=[kind for kind in HEATMAP_KINDS if kind in table])


def draw_heatmap(ax: Axes, table: pd.DataFrame, norm: LogNorm) -> QuadMesh:
    """Cells of ``select_cells``, the last layer on top; what has not changed is grey."""
    values = np.ma.masked_where(~(table.to_numpy() > 0), table.to_numpy())
    ax.set_facecolor(UNCHANGED)
    mesh = ax.pcolormesh(values, norm=norm, cmap=SEQUENTIAL, edgecolors="white", linewidth=0.6)
    step = 1 if len(table) <= 12 else 2
    ax.set_yticks(np.arange(0, len(table), step) + 0.5, [str(n) for n in table.index[::step]])
    ax.set_xticks(np.arange(table.shape[1]) + 0.5, [""] * table.shape[1])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return mesh


def _name_lowest_columns(axes: Any, used: Sequence[int], words: Wording) -> None:
    for column in range(axes.shape[1]):
        rows = [row for row, count in enumerate(used) if count > column]
        if rows:
            ax = axes[max(rows), column]
            labels = [words.name(kind) for kind in HEATMAP_KINDS[: len(ax.get_xticks())]]
            ax.set_xticklabels(labels, rotation=40, ha="right", rotation_mode="anchor")


def _common_norm(tables: Iterable[pd.DataFrame]) -> LogNorm:
    values = np.concatenate([table.to_numpy().ravel() for table in tables])
    positive = values[values > 0]
    low, high = (float(positive.min()), float(positive.max())) if len(positive) else (0.1, 1.0)
    return LogNorm(low, high if high > low else 10 * low)


# ------------------------------------------------------------------------------------ comparison


@in_style
def plot_drift_comparison(results: Results, words: Wording, metric: str = "relative") -> Figure:
    """All methods on one logarithmic scale by layer, with the range over seeds as a band.

    Args:
        results: the results.
        words: the language.
        metric: one of ``METRICS``.
    """
    models = _models(results, "drift")
    if not models:
        return nothing_to_show(words)
    groups = _by_task(models)
    figure, axes = new_grid(1, len(groups), 3.1, sharey=True)
    unchanged = []
    for ax, of_task in zip(axes.flat, groups, strict=True):
        order = sort_layers(select(results.drift, task=of_task[0][0])["layer"])
        for model, shift in zip(of_task, spread_positions(len(of_task), 0.5), strict=True):
            unchanged += draw_layers(ax, results, model, metric, order, shift)
        _name_layers(ax, words, order)
        ax.set_yscale("log")
        draw_grid(ax, "y")
        ax.set_title(words.name(of_task[0][0]))
    axes[0, 0].set_ylabel(words.name(metric))
    add_legend(figure, _line_handles(results, words, models))
    note = _list_models(words, unchanged)
    add_note(
        figure,
        words.say("plots", "unchanged_note", models=note) if note else "",
        _not_measured(results, words),
    )
    return figure


def draw_layers(
    ax: Axes, results: Results, model: Model, metric: str, order: Sequence[str], shift: float
) -> list[Model]:
    """A line over the layers that changed; pooler and head stand apart, shifted not to overlap.

    Returns:
        The model, if some of its layers are left out because they have not changed.
    """
    values, style = select_layers(results, model, metric), styles_of(results)[model[1]]
    changed = values[(values > 0).all(axis=1)]
    apart = [layer for layer in changed.index if layer in (POOLER, HEAD)]
    inner = changed.drop(index=apart)
    inner = inner.set_axis(pd.Index([order.index(layer) for layer in inner.index]), axis=0)
    if len(inner):
        mean = draw_seeds(ax, inner, style)
        ax.plot(mean.index, mean, ls="", marker=style.marker, color=style.color, zorder=4)
    for layer in apart:
        place, of_seeds = order.index(layer) + shift, changed.loc[layer]
        ax.plot([place] * 2, [of_seeds.min(), of_seeds.max()], color=style.color, lw=0.9)
        ax.plot([place], [of_seeds.mean()], ls="", marker=style.marker, color=style.color)
    return [model] if len(changed) < len(values) else []


# ------------------------------------------------------------------------------------- structure


@in_style
def plot_update_structure(results: Results, words: Wording) -> Figure:
    """Effective rank, share in the top 8 directions and intruder dimensions by layer; a row a task.

    Means over the matrices of a layer that changed.
    """
    models = _models(results, "structure")
    if not models:
        return nothing_to_show(words)
    groups = _by_task(models)
    figure, axes = new_grid(len(groups), len(STRUCTURE), 1.7 * len(groups) + 1.1, sharex="row")
    for row, of_task in zip(axes, groups, strict=True):
        for ax, measure in zip(row, STRUCTURE, strict=True):
            for model in of_task:
                draw_structure(ax, results, model, measure)
            ax.set_title(words.say("plots", measure), fontweight="normal", fontsize=SMALL)
            draw_grid(ax, "y")
            (percent_axis if measure == "top8_share" else number_axis)(ax.yaxis, words)
        _scale_structure(row, results, of_task)
        row[0].set_ylabel(words.name(of_task[0][0]))
    for ax in axes[-1]:
        ax.set_xlabel(words.say("plots", "layer"))
    handles = _line_handles(results, words, models)
    if any(_adapter_rank(results, model) for model in models):
        rank = words.say("plots", "rank_limit")
        handles.append(Line2D([], [], color=FAINT, ls=":", lw=1, label=rank))
    add_legend(figure, handles)
    add_note(figure, words.say("plots", "structure_note"), _left_out(results, words, models))
    return figure


def draw_structure(ax: Axes, results: Results, model: Model, measure: str) -> None:
    """One measure by layer, the range of the seeds as a band."""
    values = select_structure(results, model, measure)
    if len(values):
        style = styles_of(results)[model[1]]
        mean = draw_seeds(ax, values, style)
        ax.plot(mean.index, mean, ls="", marker=style.marker, color=style.color, ms=3.5, zorder=4)


def select_structure(results: Results, model: Model, measure: str) -> pd.DataFrame:
    """Mean over the changed matrices: one row an encoder layer (its number), one column a seed."""
    rows = select(results.structure, task=model[0], method=model[1])
    rows = rows[rows["rank"] > 0]
    rows = rows.assign(number=rows.layer.map(layer_number)).astype({measure: float})
    return rows.pivot_table(index="number", columns="seed", values=measure, aggfunc="mean")


def _scale_structure(row: Sequence[Axes], results: Results, models: Sequence[Model]) -> None:
    """Ranks on a logarithmic scale with the adapters' limits; shares up to 1; counts from 0."""
    row[0].set_yscale("log")
    row[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    row[0].yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    row[0].yaxis.set_minor_locator(NullLocator())
    for rank in {_adapter_rank(results, model) for model in models} - {None}:
        row[0].axhline(rank, color=FAINT, ls=":", lw=1, label="_rank")  # type: ignore[arg-type]
    row[1].set_ylim(0, 1.05)
    row[2].set_ylim(0, max(1.0, row[2].get_ylim()[1]))
    for ax in row:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))


def _adapter_rank(results: Results, model: Model) -> int | None:
    adapter = results.profile.tasks[model[0]].method(model[1]).adapter
    return adapter.r if isinstance(adapter, LoraSettings) else None


# -------------------------------------------------------------------------------- representation


@in_style
def plot_representation(results: Results, words: Wording) -> Figure:
    """1 - CKA between base and tuned hidden states by layer: colour is the method, line the set."""
    models = _models(results, "representation")
    if not models:
        return nothing_to_show(words)
    groups = _by_task(models)
    figure, axes = new_grid(1, len(groups), 3.2, sharey=True)
    for ax, of_task in zip(axes.flat, groups, strict=True):
        for model in of_task:
            draw_representation(ax, results, model)
        ax.set_yscale("log")
        ax.set_title(words.name(of_task[0][0]))
        ax.set_xlabel(words.say("plots", "representation_layer"), fontsize=SMALL)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
        draw_grid(ax, "y")
    axes[0, 0].set_ylabel(words.say("plots", "representation_axis"))
    add_legend(figure, _representation_handles(results, words, models))
    add_note(figure, _rounding_note(results, words), _left_out(results, words, models))
    return figure


def draw_representation(ax: Axes, results: Results, model: Model) -> None:
    """A line a language; the range of the seeds as a band."""
    style = styles_of(results)[model[1]]
    for number, evaluation in enumerate(results.evaluations(model[0])):
        values = select_representation(results, model, evaluation)
        values = values[(values > 10.0**ROUNDING).all(axis=1)]
        mean = values.mean(axis=1)
        if len(mean):
            label = f"_{model[1]} {evaluation}"
            line = LANGUAGE_LINES[number % len(LANGUAGE_LINES)]
            fill = style.color if number == 0 else "white"
            marks: dict[str, Any] = {"marker": style.marker, "ms": 3.5, "mfc": fill}
            ax.plot(mean.index, mean, color=style.color, ls=line, lw=1.3, label=label, **marks)
            low, high = values.min(axis=1), values.max(axis=1)
            if values.shape[1] > 1:
                ax.fill_between(mean.index, low, high, color=style.color, alpha=0.15, lw=0)


LANGUAGE_LINES: tuple[Any, ...] = ("-", "--", ":", (0, (5, 1, 1, 1)))


def select_representation(results: Results, model: Model, evaluation: str) -> pd.DataFrame:
    """1 - CKA: one row a layer (0: the embeddings' output), one column a seed."""
    rows = select(results.representation, task=model[0], method=model[1], evaluation=evaluation)
    return 1 - rows.pivot(index="layer", columns="seed", values="cka").astype(float)


def _rounding_note(results: Results, words: Wording) -> str:
    if (1 - results.representation.cka.astype(float) > 10.0**ROUNDING).all():
        return ""
    floor = f"10{str(ROUNDING).translate(SUPERSCRIPT)}"
    return words.say("plots", "representation_note", floor=floor)


def _representation_handles(results: Results, words: Wording, models: Sequence[Model]) -> list[Any]:
    methods = dict.fromkeys(method for _, method in models)
    handles = method_handles(results, words, methods, "marks")
    rows = results.representation
    languages = max(
        (list(dict.fromkeys(select(rows, task=task)["language"])) for task, _ in models),
        key=len,
    )
    for number, language in enumerate(languages):
        line = LANGUAGE_LINES[number % len(LANGUAGE_LINES)]
        handles.append(Line2D([], [], color=FAINT, ls=line, lw=1.3, label=words.name(language)))
    several = results.representation.seed.nunique() > 1
    return [*handles, band_handle(words)] if several else handles


# ------------------------------------------------------------------------------ layers and models


def _models(results: Results, frame: str) -> list[Model]:
    """Models with rows in a frame, in the settings' order."""
    rows = getattr(results, frame)
    present = set(zip(rows.task, rows.method, strict=True))
    return [(t, m) for t in results.profile.tasks for m in results.methods(t) if (t, m) in present]


def _moves_encoder(results: Results, model: Model) -> bool:
    return results.profile.tasks[model[0]].method(model[1]).moves_encoder


def _by_task(models: Sequence[Model]) -> list[list[Model]]:
    tasks = dict.fromkeys(task for task, _ in models)
    return [[model for model in models if model[0] == task] for task in tasks]


def _chunks(models: Sequence[Model], size: int) -> list[list[Model]]:
    return [list(models[n : n + size]) for n in range(0, len(models), size)]


def _name_layers(ax: Axes, words: Wording, order: Sequence[str]) -> None:
    labels = []
    for layer in order:
        number = layer_number(layer)
        named = words.has("plots", f"layer_{layer}")
        labels.append(words.say("plots", f"layer_{layer}") if named else words.name(layer))
        if number is not None:
            labels[-1] = str(number)
    ax.set_xticks(range(len(order)), labels, fontsize=SMALL - 0.5)
    for text, layer in zip(ax.get_xticklabels(), order, strict=True):
        if layer_number(layer) is None:
            text.set_rotation(90)
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.6, len(order) - 0.4)


def _model_label(words: Wording, model: Model) -> str:
    task, method = (words.name(name) for name in model)
    return words.say("plots", "model", task=task, method=method)


def _line_handles(results: Results, words: Wording, models: Sequence[Model]) -> list[Any]:
    methods = dict.fromkeys(method for _, method in models)
    handles = method_handles(results, words, methods, "both")
    several = results.drift.seed.nunique() > 1
    return [*handles, band_handle(words)] if several else handles


def _list_models(words: Wording, models: Iterable[Model]) -> str:
    return "; ".join(_model_label(words, model) for model in models)


def _left_out(results: Results, words: Wording, shown: Sequence[Model]) -> str:
    """Says which finished models a figure of the encoder cannot show, and why."""
    head_only = [
        (task, method)
        for task in results.profile.tasks
        for method in results.methods(task)
        if (task, method) not in shown
        and results.profile.tasks[task].method(method).mergeable
        and not _moves_encoder(results, (task, method))
    ]
    text = words.say("plots", "only_head_note", models=_list_models(words, head_only))
    return " ".join(
        part for part in (text if head_only else "", _not_measured(results, words)) if part
    )


def _not_measured(results: Results, words: Wording) -> str:
    """Says which finished models have no weights that could be compared with the base model's."""
    models = [
        (task, method)
        for task in results.profile.tasks
        for method in results.methods(task)
        if not results.profile.tasks[task].method(method).mergeable
    ]
    return (
        words.say("plots", "not_mergeable_note", models=_list_models(words, models))
        if models
        else ""
    )

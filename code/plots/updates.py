"""Figures of the shape of the update and of what becomes of the hidden states, by layer."""

import itertools
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from plots import drawing, lettering
from plots.deferred import deferred
from plots.models import Model, by_task, left_out, model_label, models_of
from plots.style import FAINT, PAPER
from store.frames import select
from store.results import Results, needs
from study.architecture import layer_number
from study.settings import LoraSettings, language_of
from words.wording import Wording

STRUCTURE = ("effective_rank", "top8_share", "intruders")
ROUNDING = -6  # power of ten: 1 - CKA below it is rounding of float32 hidden states
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LANGUAGE_LINES: tuple[Any, ...] = ("-", "--", ":", (0, (5, 1, 1, 1)))


# ------------------------------------------------------------------------------------- structure


@deferred
@needs("structure", drawing.nothing_to_show)
def plot_update_structure(results: Results, words: Wording) -> Figure:
    """Effective rank, share in the top 8 directions and intruder dimensions by layer; a row a task.

    Means over the matrices of a layer that changed.
    """
    models = models_of(results, "structure")
    groups = by_task(models)
    height = 1.7 * len(groups) + 1.1
    figure, axes = drawing.new_grid(len(groups), len(STRUCTURE), height, sharex="row")
    for row, of_task in zip(axes, groups, strict=True):
        for ax, measure in zip(row, STRUCTURE, strict=True):
            for model in of_task:
                values = select_structure(results, model, measure)
                if len(values):
                    style = drawing.styles_of(results)[model[1]]
                    drawing.draw_seeds(ax, values, style, marker_size=3.5)
            ax.set_title(lettering.wrap_label(words.say("plots", measure), 18), fontweight="normal")
            drawing.draw_grid(ax, "y")
            drawing.metric_axis(ax.yaxis, measure, words)
        _scale_structure(row, results, of_task)
        row[0].set_ylabel(words.name(of_task[0][0]))
    for ax in axes[-1]:
        ax.set_xlabel(words.say("plots", "layer"))
    handles = lettering.model_handles(results, words, models, "both", results.structure)
    if any(_adapter_rank(results, model) for model in models):
        handles.append(lettering.shared_handle(words, "rank_limit", ls=":", lw=1))
    drawing.add_letters(axes.flat)
    notes = [words.say("plots", "structure_note"), left_out(results, words, models)]
    said = (_say_structure(results, words, model) for model in models)
    return lettering.finish(figure, handles, notes, [words.say("plots", "alt_structure"), *said])


def _say_structure(results: Results, words: Wording, model: Model) -> str:
    """Means over the layers."""
    means = [float(select_structure(results, model, m).to_numpy().mean()) for m in STRUCTURE]
    texts = (words.number(means[0], 1), words.percent(means[1], 0), words.number(means[2], 1))
    names = (words.say("plots", measure) for measure in STRUCTURE)
    return lettering.sentence(words, model_label(words, model), zip(names, texts, strict=True))


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


@deferred
@needs("representation", drawing.nothing_to_show)
def plot_representation(results: Results, words: Wording) -> Figure:
    """1 - CKA between base and tuned hidden states by layer: colour is the method, line the set."""
    models = models_of(results, "representation")
    groups = by_task(models)
    figure, axes = drawing.new_grid(1, len(groups), 3.2, sharey=True)
    for ax, of_task in zip(axes.flat, groups, strict=True):
        for model in of_task:
            draw_representation(ax, results, model)
        ax.set_yscale("log")
        drawing.logarithmic_axis(ax.yaxis, words)
        ax.set_title(words.name(of_task[0][0]))
        ax.set_xlabel(lettering.wrap_label(words.say("plots", "representation_layer"), 26))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
        drawing.draw_grid(ax, "y")
    axes[0, 0].set_ylabel(words.say("plots", "representation_axis"))
    drawing.add_letters(axes.flat)
    several = max((_languages(results, task) for task, _ in models), key=len)
    lines = [
        Line2D([], [], color=FAINT, ls=line, lw=1.3, label=words.name(language))
        for language, line in zip(several, itertools.cycle(LANGUAGE_LINES), strict=False)
    ]
    frame = results.representation
    handles = lettering.model_handles(results, words, models, "marks", frame, *lines)
    spans = {name: words.span(frame[name]) for name in ("tokens", "sentences")}
    sample = words.say("plots", "representation_sample", **spans)
    notes = [sample, _rounding_note(results, words), left_out(results, words, models)]
    said = [words.say("plots", "alt_representation")]
    said += [_say_representation(results, words, model) for model in models]
    return lettering.finish(figure, handles, notes, said)


def _languages(results: Results, task: str) -> list[str]:
    return list(dict.fromkeys(select(results.representation, task=task)["language"]))


def _say_representation(results: Results, words: Wording, model: Model) -> str:
    """1 - CKA of the last layer in each language."""
    found = {e: select_representation(results, model, e) for e in results.evaluations(model[0])}
    pairs = [
        (words.name(language_of(evaluation)), words.number(values.mean(axis=1).iloc[-1], 3))
        for evaluation, values in found.items()
        if len(values)
    ]
    return lettering.sentence(words, model_label(words, model), pairs)


def draw_representation(ax: Axes, results: Results, model: Model) -> None:
    """A line a language; the range of the seeds as a band."""
    style = drawing.styles_of(results)[model[1]]
    for number, evaluation in enumerate(results.evaluations(model[0])):
        values = select_representation(results, model, evaluation)
        values = values[(values > 10.0**ROUNDING).all(axis=1)]
        if len(values):
            mean, low, high = values.mean(axis=1), values.min(axis=1), values.max(axis=1)
            line = LANGUAGE_LINES[number % len(LANGUAGE_LINES)]
            marks: dict[str, Any] = {"marker": style.marker, "ms": 3.5}
            marks |= {"mfc": PAPER} if number else {}
            label = f"_{model[1]} {evaluation}"
            ax.plot(mean.index, mean, color=style.color, label=label, ls=line, lw=1.3, **marks)
            if values.shape[1] > 1:
                ax.fill_between(mean.index, low, high, color=style.color, alpha=0.15, lw=0)


def select_representation(results: Results, model: Model, evaluation: str) -> pd.DataFrame:
    """1 - CKA: one row a layer (0: the embeddings' output), one column a seed."""
    rows = select(results.representation, task=model[0], method=model[1], evaluation=evaluation)
    return 1 - rows.pivot(index="layer", columns="seed", values="cka").astype(float)


def _rounding_note(results: Results, words: Wording) -> str:
    if (1 - results.representation.cka.astype(float) > 10.0**ROUNDING).all():
        return ""
    floor = f"10{str(ROUNDING).translate(SUPERSCRIPT)}"
    return words.say("plots", "representation_note", floor=floor)

"""Figures of CoLA: quality beside cost, MCC by threshold, accuracy on parts of the set."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from evidence.schema import AcceptabilityMethod, Estimate, ItemGroup, Threshold
from plots import drawing, lettering
from plots.costs import COSTS, draw_cost, ratio_note
from plots.deferred import deferred
from plots.models import task_of_kind
from plots.style import BAND_ALPHA, FAINT, PAPER, SMALL
from store.results import Results
from words.wording import Wording

SHOWN = ("matthews_correlation", "accuracy", "macro_f1")
LEAST_RANGE = 0.25  # of an axis of quality
KINDS = ("by_domain", "by_length", "by_label", "by_phenomenon")


# --------------------------------------------------------------------------------------- quality


@deferred
def plot_quality_and_cost(results: Results, task: str, words: Wording) -> Figure:
    """Metrics of every method and control with intervals and seeds; time and memory beside them."""
    evidence = results.evidence.get(task)
    if not evidence:
        return drawing.nothing_to_show(words)
    methods = list(evidence["methods"])
    height = 1.15 + 0.34 * len(methods)
    ratios = [1.0] * len(SHOWN) + [1.6] * len(COSTS)
    figure, axes = drawing.new_grid(1, len(ratios), height, sharey=True, width_ratios=ratios)
    drawing.horizontal_groups(
        axes[0, 0], [lettering.wrap_label(words.name(m), 16) for m in methods]
    )
    shown: list[Estimate] = []
    said = [words.say("plots", "alt_quality", task=words.name(task))]
    for ax, metric in zip(axes[0], SHOWN, strict=False):
        estimates = results.estimates(task, results.evaluations(task)[0], metric)
        draw_quality(ax, results, words, methods, estimates, metric)
        shown += estimates.values()
        pairs = [
            (words.name(m), lettering.show_estimate(words, metric, e)) for m, e in estimates.items()
        ]
        said.append(lettering.sentence(words, words.name(metric), pairs))
    for ax, cost in zip(axes[0, len(SHOWN) :], COSTS, strict=True):
        pairs = draw_cost(ax, results, task, words, cost, methods)
        said.append(lettering.sentence(words, words.say("plots", f"cost_{cost.column}"), pairs))
    drawing.add_letters(axes[0])
    notes = [ratio_note(results, task, words), lettering.cut_note(words, shown)]
    lettering.finish(figure, lettering.estimate_handles(words, shown), notes, said)
    return figure


def draw_quality(
    ax: Axes,
    results: Results,
    words: Wording,
    methods: Sequence[str],
    estimates: Mapping[str, Estimate],
    metric: str,
) -> None:
    """Estimates of one metric, a row a method, with the values above them."""
    styles = drawing.styles_of(results)
    drawing.draw_grid(ax, "x")
    (drawing.number_axis if metric == "matthews_correlation" else drawing.percent_axis)(
        ax.xaxis, words
    )
    known = {
        row: (estimates[method], styles[method], value)
        for row, method in enumerate(methods)
        if method in estimates and (value := estimates[method]["value"]) is not None
    }
    for row, (estimate, style, _) in known.items():
        drawing.draw_estimate(ax, row, estimate, style, upright=False)
    low, high = ax.dataLim.intervalx
    wider = max(0.0, LEAST_RANGE - (high - low)) / 2  # a narrow axis would exaggerate differences
    low, high = low - wider - 0.06, high + wider + 0.06
    ax.set_xlim(low, high)
    ax.locator_params(axis="x", nbins=1)
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    ax.set_xticks([ticks[0], ticks[-1]] if len(ticks) > 1 else ticks)  # more would touch
    for row, (_, _, value) in known.items():
        beside_edge = value < low + (high - low) / 3  # the names of the rows stand there
        text = lettering.show_value(words, metric, value)
        drawing.write_above(ax, value, row, text, "left" if beside_edge else "center")
    title = lettering.wrap_label(lettering.capitalise(words.name(metric)), 11)
    ax.set_title(title, fontweight="normal", fontsize=SMALL)


# ------------------------------------------------------------------------------------- threshold


@deferred
def plot_threshold(results: Results, words: Wording) -> Figure:
    """MCC on CoLA by the threshold on the probability of "acceptable".

    The best threshold is chosen on the items that it is scored on: its MCC is an upper bound.
    """
    task = task_of_kind(results, "sequence")
    entries = _trained(results, task)
    curves = {name: entry["threshold"] for name, entry in entries.items() if entry["threshold"]}
    if not curves:
        return drawing.nothing_to_show(words)
    figure, axes = drawing.new_grid(1, 1, 3.2)
    ax = axes[0, 0]
    draw_threshold(ax, results, curves)
    ax.set(xlabel=words.say("plots", "threshold"), ylabel=words.name("matthews_correlation"))
    drawing.number_axis(ax.xaxis, words)
    drawing.number_axis(ax.yaxis, words)
    values = {m: (curve["argmax"], curve["upper_bound"]) for m, curve in curves.items()}
    pairs = [
        (words.name(method), " / ".join(words.number(value, 3) for value in both))
        for method, both in values.items()
    ]
    said = lettering.sentence(words, words.say("plots", "alt_threshold"), pairs)
    lettering.finish(figure, _threshold_handles(results, words, curves), [], [said])
    return figure


def draw_threshold(ax: Axes, results: Results, curves: Mapping[str, Threshold]) -> None:
    """A curve a method with its MCC at 0.5 (filled) and its upper bound (hollow)."""
    styles = drawing.styles_of(results)
    drawing.draw_grid(ax, "y")
    ax.axvline(0.5, color=FAINT, lw=0.8, ls=":", label="_argmax")
    for method, curve in curves.items():
        style = styles[method]
        x, mcc = (np.array(curve[name]) for name in ("thresholds", "matthews_correlation"))
        ax.plot(x, mcc, color=style.color, ls=style.linestyle, lw=1.3, label=f"_{method}")
        if curve["sd"] is not None:
            sd = np.array(curve["sd"])
            ax.fill_between(x, mcc - sd, mcc + sd, color=style.color, alpha=BAND_ALPHA, lw=0)
        ax.plot([0.5], [curve["argmax"]], ls="", marker=style.marker, color=style.color, ms=6)
        best = float(np.mean(curve["best_thresholds"]))
        hollow: dict[str, Any] = {"mfc": PAPER, "mec": style.color, "mew": 1.4}
        ax.plot([best], [curve["upper_bound"]], ls="", ms=6, marker=style.marker, **hollow)


def _threshold_handles(
    results: Results, words: Wording, curves: Mapping[str, Threshold]
) -> list[Any]:
    handles = lettering.method_handles(results, words, curves, "lines")
    if any(curve["sd"] is not None for curve in curves.values()):
        band = words.say("plots", "threshold_band")
        handles.append(Line2D([], [], color=FAINT, alpha=0.35, lw=6, label=band))
    marks: dict[str, Any] = {"color": FAINT, "ls": "", "marker": "o", "ms": 6}
    handles.append(Line2D([], [], **marks, label=words.say("plots", "threshold_argmax")))
    bound = words.say("plots", "threshold_bound")
    handles.append(Line2D([], [], **marks, mfc="white", mew=1.4, label=bound))
    return handles


# ---------------------------------------------------------------------------------------- errors


@deferred
def plot_acceptability_errors(results: Results, words: Wording) -> Figure:
    """Accuracy on CoLA by source, sentence length, label and, where named, phenomenon."""
    task = task_of_kind(results, "sequence")
    entries = _trained(results, task)
    panels = {kind: groups for kind in KINDS if len(groups := _groups(entries, kind)) > 1}
    if not panels:
        return drawing.nothing_to_show(words)
    figure, places = _lay_out(panels)
    shown = []
    for kind, ax in places.items():
        draw_groups(ax, results, words, entries, kind, panels[kind])
        ax.set_title(words.say("plots", kind))
        shown += [row["accuracy"] for entry in entries.values() for row in entry["groups"][kind]]
    handles = lettering.method_handles(results, words, entries, "marks")
    notes = [words.say("plots", "group_note"), lettering.cut_note(words, shown)]
    said = [
        _say_groups(words, kind, method, entry["groups"][kind])
        for kind in places
        for method, entry in entries.items()
    ]
    lettering.finish(figure, handles + lettering.estimate_handles(words, shown), notes, said)
    return figure


def _say_groups(words: Wording, kind: str, method: str, rows: Sequence[ItemGroup]) -> str:
    what = f"{words.say('plots', kind)}, {words.name(method)}"
    found = {row["group"]: row["accuracy"]["value"] for row in rows if row["items"]}
    pairs = [(words.name(g), words.percent(value)) for g, value in found.items()]
    return lettering.sentence(words, what, pairs)


def draw_groups(
    ax: Axes,
    results: Results,
    words: Wording,
    entries: Mapping[str, AcceptabilityMethod],
    kind: str,
    groups: Sequence[tuple[str, int]],
) -> None:
    """Accuracy of every method on every group, a row a group."""
    styles = drawing.styles_of(results)
    labels = []
    for group, count in groups:
        name = lettering.shorten(words.name(group))
        labels.append(words.say("plots", "group", group=name, count=words.count(count)))
    drawing.horizontal_groups(ax, labels)
    drawing.accuracy_axis(ax, "x", words)
    offsets = drawing.spread_positions(len(entries), 0.6)
    for offset, (method, entry) in zip(offsets, entries.items(), strict=True):
        rows = {row["group"]: row["accuracy"] for row in entry["groups"][kind]}
        for place, (group, _) in enumerate(groups):
            drawing.draw_estimate(ax, place + offset, rows[group], styles[method], upright=False)


def _lay_out(panels: Mapping[str, Sequence[Any]]) -> tuple[Figure, dict[str, Axes]]:
    """Short panels under each other; phenomena, which may be many, in a column of their own."""
    short = {kind: len(groups) for kind, groups in panels.items() if kind != "by_phenomenon"}
    rows = max(len(short), 1)
    columns = 2 if "by_phenomenon" in panels and short else 1
    tall = len(panels.get("by_phenomenon", ()))
    height = max(1.2 + 0.45 * len(short) + 0.34 * sum(short.values()), 1.2 + 0.3 * tall)
    ratios = list(short.values()) or [1]
    figure, axes = drawing.new_grid(rows, columns, height, sharex=True, height_ratios=ratios)
    places = dict(zip(short, axes[:, 0], strict=False))
    if "by_phenomenon" in panels:
        places["by_phenomenon"] = _merge_column(list(axes[:, -1]))
    drawing.hide_unused(axes, rows * columns)
    for ax in places.values():
        ax.tick_params(labelbottom=True)
    return figure, places


def _merge_column(column: Sequence[Axes]) -> Axes:
    """One axes in the place of a column of them."""
    first = column[0]
    grid = first.get_gridspec()
    place = first.get_subplotspec()
    assert grid is not None and place is not None
    number = place.colspan.start
    for ax in column[1:]:
        ax.remove()
    first.set_subplotspec(grid[:, number])
    return first


def _groups(entries: Mapping[str, AcceptabilityMethod], kind: str) -> list[tuple[str, int]]:
    """Groups with items, and how many they hold; the same for all methods."""
    first = next(iter(entries.values()), None)
    rows = first["groups"][kind] if first else []
    return [(row["group"], row["items"]) for row in rows if row["items"]]


def _trained(results: Results, task: str) -> dict[str, AcceptabilityMethod]:
    """Evidence of the methods that are no controls."""
    known = results.acceptability(task)["methods"] if task in results.evidence else {}
    return {name: entry for name, entry in known.items() if not entry["control"]}

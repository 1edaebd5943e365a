"""Figures of CoLA: quality beside cost, MCC by threshold, accuracy on parts of the set."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evidence.schema import AcceptabilityMethod, Estimate, ItemGroup, Threshold
from plots import drawing, lettering
from plots.costs import COSTS, draw_cost
from plots.deferred import deferred
from plots.style import BAND_ALPHA, FAINT, PAPER, SMALL
from store.results import Results, needs
from words.wording import Wording

TASK = "cola"
SHOWN = ("matthews_correlation", "accuracy", "macro_f1")
LEAST_RANGE = 0.25  # of an axis of quality
KINDS = ("by_domain", "by_length", "by_label", "by_phenomenon")


# --------------------------------------------------------------------------------------- quality


@deferred
@needs("evidence", drawing.nothing_to_show)
def plot_quality_and_cost(results: Results, task: str, words: Wording) -> Figure:
    """Metrics of every method and control with intervals and seeds; time and memory beside them."""
    methods = list(results.evidence[task]["methods"])
    height = 1.15 + 0.34 * len(methods)
    ratios = [1.0] * len(SHOWN) + [1.6] * len(COSTS)
    figure, axes = drawing.new_grid(1, len(ratios), height, sharey=True, width_ratios=ratios)
    names = [lettering.wrap_label(words.name(m), 16) for m in methods]
    drawing.horizontal_groups(axes[0, 0], names)
    shown: list[Estimate] = []
    said = [words.say("plots", "alt_quality", task=words.name(task))]
    for ax, metric in zip(axes[0], SHOWN, strict=False):
        estimates = results.estimates(task, results.evaluations(task)[0], metric)
        draw_quality(ax, results, task, words, metric)
        shown += estimates.values()
        said.append(lettering.say_estimates(words, words.name(metric), metric, estimates))
    for ax, column in zip(axes[0, len(SHOWN) :], COSTS, strict=True):
        said.append(draw_cost(ax, results, task, words, column, methods))
    drawing.add_letters(axes[0])
    first = words.name(results.methods(task)[0])  # what the ratios of the costs refer to
    ratios_note = words.say("plots", "relative_note", method=first)
    notes = [ratios_note, lettering.cut_note(words, shown)]
    return lettering.finish(figure, lettering.estimate_handles(words, shown), notes, said)


def draw_quality(ax: Axes, results: Results, task: str, words: Wording, metric: str) -> None:
    """Estimates of one metric, a row a method of the evidence, with the values above them."""
    estimates = results.estimates(task, results.evaluations(task)[0], metric)
    styles = drawing.styles_of(results)
    drawing.draw_grid(ax, "x")
    drawing.metric_axis(ax.xaxis, metric, words)
    known: dict[int, float] = {}
    for row, method in enumerate(results.evidence[task]["methods"]):
        if method in estimates and (value := estimates[method]["value"]) is not None:
            drawing.draw_estimate(ax, row, estimates[method], styles[method])
            known[row] = value
    low, high = ax.dataLim.intervalx if known else (0.0, 0.0)  # a metric may be undefined
    wider = max(0.0, LEAST_RANGE - (high - low)) / 2  # a narrow axis would exaggerate differences
    low, high = low - wider - 0.06, high + wider + 0.06
    ax.set_xlim(low, high)
    ax.locator_params(axis="x", nbins=1)
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    ax.set_xticks([ticks[0], ticks[-1]] if len(ticks) > 1 else ticks)  # more would touch
    for row, value in known.items():
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
    entries = _trained(results)
    curves = {name: entry["threshold"] for name, entry in entries.items() if entry["threshold"]}
    if not curves:
        return drawing.nothing_to_show(words)
    figure, axes = drawing.new_grid(1, 1, 3.2)
    ax = axes[0, 0]
    draw_threshold(ax, results, curves)
    ax.set(xlabel=words.say("plots", "threshold"), ylabel=words.name("matthews_correlation"))
    drawing.number_axis(ax.xaxis, words)
    drawing.number_axis(ax.yaxis, words)
    pairs = [
        (words.name(m), " / ".join(words.number(c[end], 3) for end in ("argmax", "upper_bound")))
        for m, c in curves.items()
    ]
    said = lettering.sentence(words, words.say("plots", "alt_threshold"), pairs)
    return lettering.finish(figure, _threshold_handles(results, words, curves), [], [said])


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
        handles.append(lettering.shared_handle(words, "threshold_band", alpha=0.35, lw=6))
    mark: dict[str, Any] = {"ls": "", "marker": "o", "ms": 6}
    filled = lettering.shared_handle(words, "threshold_argmax", **mark)
    hollow = lettering.shared_handle(words, "threshold_bound", **mark, mfc="white", mew=1.4)
    return [*handles, filled, hollow]


# ---------------------------------------------------------------------------------------- errors


@deferred
def plot_acceptability_errors(results: Results, words: Wording) -> Figure:
    """Accuracy on CoLA by source, sentence length, label and, where named, phenomenon."""
    entries = _trained(results)
    panels = {kind: len(groups) for kind in KINDS if len(groups := _groups(entries, kind)) > 1}
    if not panels:
        return drawing.nothing_to_show(words)
    figure, axes = _lay_out(panels)
    shown = []
    for kind in panels:
        draw_groups(axes[kind], results, words, kind)
        shown += [row["accuracy"] for entry in entries.values() for row in entry["groups"][kind]]
    handles = lettering.method_handles(results, words, entries, "marks")
    notes = [words.say("plots", "group_note"), lettering.cut_note(words, shown)]
    said = [
        _say_groups(words, kind, method, entry["groups"][kind])
        for kind in panels
        for method, entry in entries.items()
    ]
    return lettering.finish(figure, handles + lettering.estimate_handles(words, shown), notes, said)


def _say_groups(words: Wording, kind: str, method: str, rows: Sequence[ItemGroup]) -> str:
    what = f"{words.say('plots', kind)}, {words.name(method)}"
    found = {row["group"]: row["accuracy"]["value"] for row in rows if row["items"]}
    pairs = [(words.name(g), words.percent(value)) for g, value in found.items()]
    return lettering.sentence(words, what, pairs)


def draw_groups(ax: Axes, results: Results, words: Wording, kind: str) -> None:
    """Accuracy of every method on every group of a kind, a row a group."""
    styles, entries = drawing.styles_of(results), _trained(results)
    groups, labels = _groups(entries, kind), []
    for group, count in groups.items():
        name = lettering.shorten(words.name(group))
        labels.append(words.say("plots", "group", group=name, count=words.count(count)))
    drawing.horizontal_groups(ax, labels)
    drawing.accuracy_axis(ax, "x", words)
    ax.set_title(words.say("plots", kind))
    offsets = drawing.spread_positions(len(entries), 0.6)
    for offset, (method, entry) in zip(offsets, entries.items(), strict=True):
        rows = {row["group"]: row["accuracy"] for row in entry["groups"][kind]}
        for place, group in enumerate(groups):
            drawing.draw_estimate(ax, place + offset, rows[group], styles[method])


def _lay_out(panels: Mapping[str, int]) -> tuple[Figure, dict[str, Axes]]:
    """Axes for kinds of so many groups, one under another; phenomena, often many, beside them."""
    short = {kind: rows for kind, rows in panels.items() if kind != "by_phenomenon"}
    beside = [kind for kind in panels if kind not in short]
    tall = panels.get("by_phenomenon", 0)
    height = max(1.2 + 0.45 * len(short) + 0.34 * sum(short.values()), 1.2 + 0.3 * tall)
    places, ratios = [[kind, *beside] for kind in short] or [beside], [*short.values()] or [1]
    figure, axes = drawing.new_mosaic(places, height, sharex=True, height_ratios=ratios)
    for ax in axes.values():
        ax.tick_params(labelbottom=True)
    return figure, axes


def _groups(entries: Mapping[str, AcceptabilityMethod], kind: str) -> dict[str, int]:
    """Groups with items, and how many they hold; the same for all methods."""
    rows = next((entry["groups"][kind] for entry in entries.values()), [])
    return {row["group"]: row["items"] for row in rows if row["items"]}


def _trained(results: Results) -> dict[str, AcceptabilityMethod]:
    """Evidence of the methods that are no controls."""
    known = results.acceptability(TASK)["methods"] if results.has("evidence", TASK) else {}
    return {name: entry for name, entry in known.items() if not entry["control"]}

"""Figures of CoLA: quality beside cost, MCC by threshold, accuracy on parts of the set."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from evidence.schema import AcceptabilityMethod
from plots.costs import COSTS, draw_cost, ratio_note
from plots.deferred import deferred
from plots.drawing import (
    accuracy_axis,
    add_letters,
    draw_estimate,
    draw_grid,
    hide_unused,
    horizontal_groups,
    new_grid,
    nothing_to_show,
    number_axis,
    percent_axis,
    spread_positions,
    styles_of,
    write_above,
)
from plots.lettering import (
    add_legend,
    add_note,
    capitalise,
    cut_note,
    describe,
    estimate_handles,
    method_handles,
    sentence,
    shorten,
    show_estimate,
    show_value,
    wrap_label,
)
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
        return nothing_to_show(words)
    methods = list(evidence["methods"])
    height = 1.15 + 0.34 * len(methods)
    ratios = [1.0] * len(SHOWN) + [1.6] * len(COSTS)
    figure, axes = new_grid(1, len(ratios), height, sharey=True, width_ratios=ratios)
    horizontal_groups(axes[0, 0], [wrap_label(words.name(m), 16) for m in methods])
    shown: list[Mapping[str, Any]] = []
    said = [words.say("plots", "alt_quality", task=words.name(task))]
    for ax, metric in zip(axes[0], SHOWN, strict=False):
        estimates = select_estimates(evidence, metric)
        draw_quality(ax, results, words, methods, estimates, metric)
        shown += estimates.values()
        pairs = [(words.name(m), show_estimate(words, metric, e)) for m, e in estimates.items()]
        said.append(sentence(words, words.name(metric), pairs))
    for ax, cost in zip(axes[0, len(SHOWN) :], COSTS, strict=True):
        pairs = draw_cost(ax, results, task, words, cost, methods)
        said.append(sentence(words, words.say("plots", f"cost_{cost.column}"), pairs))
    add_letters(axes[0])
    add_legend(figure, estimate_handles(words, shown))
    add_note(figure, ratio_note(results, task, words), cut_note(words, shown))
    describe(figure, *said)
    return figure


def select_estimates(evidence: Mapping[str, Any], metric: str) -> dict[str, Mapping[str, Any]]:
    """ESTIMATE of a metric by method."""
    return {method: entry["metrics"][metric] for method, entry in evidence["methods"].items()}


def draw_quality(
    ax: Axes,
    results: Results,
    words: Wording,
    methods: Sequence[str],
    estimates: Mapping[str, Mapping[str, Any]],
    metric: str,
) -> None:
    """Estimates of one metric, a row a method, with the values above them."""
    styles = styles_of(results)
    draw_grid(ax, "x")
    (number_axis if metric == "matthews_correlation" else percent_axis)(ax.xaxis, words)
    for row, method in enumerate(methods):
        if method in estimates and estimates[method]["value"] is not None:
            draw_estimate(ax, row, estimates[method], styles[method], upright=False)
            write_above(
                ax,
                estimates[method]["value"],
                row,
                show_value(words, metric, estimates[method]["value"]),
            )
    low, high = ax.dataLim.intervalx
    wider = max(0.0, LEAST_RANGE - (high - low)) / 2  # a narrow axis would exaggerate differences
    ax.set_xlim(low - wider - 0.06, high + wider + 0.06)
    ax.locator_params(axis="x", nbins=1)
    title = wrap_label(capitalise(words.name(metric)), 11)
    ax.set_title(title, fontweight="normal", fontsize=SMALL)


# ------------------------------------------------------------------------------------- threshold


@deferred
def plot_threshold(results: Results, words: Wording) -> Figure:
    """MCC on CoLA by the threshold on the probability of "acceptable".

    The best threshold is chosen on the items that it is scored on: its MCC is an upper bound.
    """
    task = _acceptability_task(results)
    entries = _trained(results, task)
    curves = {name: entry["threshold"] for name, entry in entries.items() if entry["threshold"]}
    if not curves:
        return nothing_to_show(words)
    figure, axes = new_grid(1, 1, 3.2)
    draw_threshold(axes[0, 0], results, curves)
    axes[0, 0].set_xlabel(words.say("plots", "threshold"))
    axes[0, 0].set_ylabel(words.name("matthews_correlation"))
    number_axis(axes[0, 0].xaxis, words)
    number_axis(axes[0, 0].yaxis, words)
    add_legend(figure, _threshold_handles(results, words, curves))
    pairs = [
        (
            words.name(method),
            f"{words.number(curve['argmax'], 3)} / {words.number(curve['upper_bound'], 3)}",
        )
        for method, curve in curves.items()
    ]
    describe(figure, sentence(words, words.say("plots", "alt_threshold"), pairs))
    return figure


def draw_threshold(ax: Axes, results: Results, curves: Mapping[str, Mapping[str, Any]]) -> None:
    """A curve a method with its MCC at 0.5 (filled) and its upper bound (hollow)."""
    styles = styles_of(results)
    draw_grid(ax, "y")
    ax.axvline(0.5, color=FAINT, lw=0.8, ls=":", label="_argmax")
    for method, curve in curves.items():
        style, x, mcc = (
            styles[method],
            np.array(curve["thresholds"]),
            np.array(curve["matthews_correlation"]),
        )
        ax.plot(x, mcc, color=style.color, ls=style.linestyle, lw=1.3, label=f"_{method}")
        if curve["sd"] is not None:
            sd = np.array(curve["sd"])
            ax.fill_between(x, mcc - sd, mcc + sd, color=style.color, alpha=BAND_ALPHA, lw=0)
        ax.plot([0.5], [curve["argmax"]], ls="", marker=style.marker, color=style.color, ms=6)
        best = float(np.mean(curve["best_thresholds"]))
        hollow: dict[str, Any] = {
            "marker": style.marker,
            "mfc": PAPER,
            "mec": style.color,
            "mew": 1.4,
        }
        ax.plot([best], [curve["upper_bound"]], ls="", ms=6, **hollow)


def _threshold_handles(results: Results, words: Wording, curves: Mapping[str, Any]) -> list[Any]:
    handles = method_handles(results, words, curves, "lines")
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
    task = _acceptability_task(results)
    entries = _trained(results, task)
    panels = {kind: groups for kind in KINDS if len(groups := _groups(entries, kind)) > 1}
    if not panels:
        return nothing_to_show(words)
    figure, places = _lay_out(panels)
    shown = []
    for kind, ax in places.items():
        draw_groups(ax, results, words, entries, kind, panels[kind])
        ax.set_title(words.say("plots", kind))
        shown += [row["accuracy"] for entry in entries.values() for row in entry["groups"][kind]]
    handles = method_handles(results, words, entries, "marks")
    add_legend(figure, [*handles, *estimate_handles(words, shown)])
    add_note(figure, words.say("plots", "group_note"), cut_note(words, shown))
    describe(
        figure,
        *(
            _say_groups(words, kind, method, entry["groups"][kind])
            for kind in places
            for method, entry in entries.items()
        ),
    )
    return figure


def _say_groups(words: Wording, kind: str, method: str, rows: Sequence[Mapping[str, Any]]) -> str:
    what = f"{words.say('plots', kind)}, {words.name(method)}"
    pairs = [
        (words.name(row["group"]), show_value(words, "accuracy", row["accuracy"]["value"]))
        for row in rows
        if row["items"]
    ]
    return sentence(words, what, pairs)


def draw_groups(
    ax: Axes,
    results: Results,
    words: Wording,
    entries: Mapping[str, Any],
    kind: str,
    groups: Sequence[tuple[str, int]],
) -> None:
    """Accuracy of every method on every group, a row a group."""
    styles = styles_of(results)
    labels = [
        words.say("plots", "group", group=shorten(words.name(group)), count=words.count(count))
        for group, count in groups
    ]
    horizontal_groups(ax, labels)
    accuracy_axis(ax, "x", words)
    offsets = spread_positions(len(entries), 0.6)
    for offset, (method, entry) in zip(offsets, entries.items(), strict=True):
        rows = {row["group"]: row["accuracy"] for row in entry["groups"][kind]}
        for place, (group, _) in enumerate(groups):
            draw_estimate(ax, place + offset, rows[group], styles[method], upright=False)


def _lay_out(panels: Mapping[str, Sequence[Any]]) -> tuple[Figure, dict[str, Axes]]:
    """Short panels under each other; phenomena, which may be many, in a column of their own."""
    short = {kind: len(groups) for kind, groups in panels.items() if kind != "by_phenomenon"}
    rows = max(len(short), 1)
    columns = 2 if "by_phenomenon" in panels and short else 1
    tall = len(panels.get("by_phenomenon", ()))
    height = max(1.2 + 0.45 * len(short) + 0.34 * sum(short.values()), 1.2 + 0.3 * tall)
    ratios = list(short.values()) or [1]
    figure, axes = new_grid(rows, columns, height, sharex=True, height_ratios=ratios)
    places = dict(zip(short, axes[:, 0], strict=False))
    if "by_phenomenon" in panels:
        places["by_phenomenon"] = _merge_column(list(axes[:, -1]))
    hide_unused(axes, rows * columns)
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


def _groups(entries: Mapping[str, Any], kind: str) -> list[tuple[str, int]]:
    """Groups with items, and how many they hold; the same for all methods."""
    for entry in entries.values():
        return [(row["group"], row["items"]) for row in entry["groups"][kind] if row["items"]]
    return []


def _trained(results: Results, task: str) -> dict[str, AcceptabilityMethod]:
    """Evidence of the methods that are no controls."""
    known = results.acceptability(task)["methods"] if task in results.evidence else {}
    return {name: entry for name, entry in known.items() if not entry["control"]}


def _acceptability_task(results: Results) -> str:
    return next((t.name for t in results.profile.tasks.values() if t.kind == "sequence"), "")

"""The main figure of tagging: accuracy in each language, the drop, and its kinds of confusion."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from plots.deferred import deferred
from plots.drawing import (
    add_letters,
    draw_estimate,
    horizontal_groups,
    new_grid,
    nothing_to_show,
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
    show_estimate,
    wrap_label,
)
from plots.style import FAINT, PAPER
from plots.transfer import find_language, tagging_evidence, transferred
from store.results import Results
from words.wording import Wording

KINDS_SHOWN = 6  # kinds of confusion, besides all other errors
REMAINING = "remaining"


@deferred
def plot_tagging(results: Results, words: Wording) -> Figure:
    """Accuracy in source and target, the drop between them and where it comes from; a row a target.

    Kinds of confusion are shown for the compared methods only: a control that loses everything
    would crush the rest.
    """
    evidence = tagging_evidence(results)
    targets = [t for t in evidence.get("targets", ()) if transferred(evidence, t)]
    if not targets:
        return nothing_to_show(words)
    rows = max(len(evidence["methods"]), KINDS_SHOWN + 1)
    figure, axes = new_grid(
        len(targets), 3, 0.8 + len(targets) * (0.45 + 0.29 * rows), width_ratios=[1.15, 0.85, 1.25]
    )
    shown: list[Mapping[str, Any]] = []
    said = [words.say("plots", "alt_tagging")]
    for row, target in zip(axes, targets, strict=True):
        shown += draw_accuracies(row[0], results, words, target)
        shown += draw_drops(row[1], results, words, target)
        shown += draw_causes(row[2], results, words, target)
        said += _say_target(results, words, target)
        _title(row, words, find_language(evidence, target), len(targets) > 1)
    add_letters(axes.flat)
    add_legend(figure, _handles(results, words, evidence, shown))
    notes = [words.say("plots", "cause_note"), *_unexplained(results, words, targets)]
    add_note(figure, *notes, cut_note(words, shown))
    describe(figure, *said)
    return figure


def draw_accuracies(
    ax: Axes, results: Results, words: Wording, target: str
) -> list[Mapping[str, Any]]:
    """Accuracy of every method in the source (hollow) and the target (filled), joined by a line.

    Returns:
        The ESTIMATES drawn.
    """
    evidence, styles = tagging_evidence(results), styles_of(results)
    methods, drawn = list(evidence["methods"]), []
    horizontal_groups(ax, [wrap_label(words.name(m), 16) for m in methods])
    percent_axis(ax.xaxis, words)
    for row, method in enumerate(methods):
        ends = [
            entry["metrics"]["accuracy"]
            for name in (evidence["source"], target)
            if (entry := evidence["methods"][method]["evaluations"].get(name))
        ]
        values, style = [end["value"] for end in ends], styles[method]
        ax.plot(values, [row] * len(ends), color=style.color, lw=1, alpha=0.5, label="_drop")
        for number, (value, estimate) in enumerate(zip(values, ends, strict=True)):
            draw_estimate(ax, row, estimate, style, upright=False)
            if number == 0:
                hollow: dict[str, Any] = {"marker": style.marker, "mfc": PAPER, "mec": style.color}
                ax.plot([value], [row], ls="", ms=5, zorder=6, label="_source", **hollow)
            # The larger value stands right of its mark and the smaller left: they never meet.
            right = value == max(values) and (number == 0 or values[0] != value)
            text, side = words.number(100 * value, 1), 1 if right else -1
            write_above(ax, value, row, text, "left" if right else "right", side)
        drawn += ends
    ax.margins(x=0.45)
    ticks = MaxNLocator(nbins=3).tick_values(*ax.get_xlim())
    ax.set_xticks([tick for tick in ticks if ax.get_xlim()[0] <= tick <= 1])
    return drawn


def draw_drops(ax: Axes, results: Results, words: Wording, target: str) -> list[Mapping[str, Any]]:
    """The drop of every method in percentage points, in the rows of ``draw_accuracies``."""
    evidence, styles = tagging_evidence(results), styles_of(results)
    methods, drawn = list(evidence["methods"]), []
    horizontal_groups(ax, [""] * len(methods))
    for row, method in enumerate(methods):
        entry = evidence["methods"][method]["transfer"].get(target)
        if entry is not None and entry["drop"]["value"] is not None:
            draw_estimate(ax, row, entry["drop"], styles[method], upright=False)
            write_above(
                ax, entry["drop"]["value"], row, words.number(100 * entry["drop"]["value"], 1)
            )
            drawn.append(entry["drop"])
    _points_axis(ax, words)
    ax.margins(x=0.2)
    return drawn


def draw_causes(ax: Axes, results: Results, words: Wording, target: str) -> list[Mapping[str, Any]]:
    """Points of the largest kinds of confusion of the first method, and of all other errors.

    Returns:
        The ESTIMATES drawn.
    """
    evidence, styles = tagging_evidence(results), styles_of(results)
    methods = [
        m for m in results.main_methods(_task(results)) if m in transferred(evidence, target)
    ]
    causes = largest_causes(evidence, target, methods)
    horizontal_groups(ax, [wrap_label(words.name(cause), 22) for cause in causes])
    ax.axvline(0, color=FAINT, lw=0.8, label="_zero")
    drawn = []
    for offset, method in zip(spread_positions(len(methods), 0.4), methods, strict=True):
        points = _points_by_cause(evidence, target, method)
        for row, cause in enumerate(causes):
            draw_estimate(ax, row + offset, points[cause], styles[method], upright=False)
            drawn.append(points[cause])
    _points_axis(ax, words)
    return drawn


def largest_causes(evidence: Mapping[str, Any], target: str, methods: Sequence[str]) -> list[str]:
    """The kinds that cost the first method most points, largest first, then all other errors."""
    if not methods:
        return []
    ranked = [row["cause"] for row in evidence["methods"][methods[0]]["transfer"][target]["causes"]]
    named = [cause for cause in ranked if cause != REMAINING][:KINDS_SHOWN]
    return [*named, *(cause for cause in ranked if cause == REMAINING)]


def _unexplained(results: Results, words: Wording, targets: Sequence[str]) -> list[str]:
    """Says where the kinds explain less than half of the first method's drop."""
    evidence = tagging_evidence(results)
    for target in targets:
        method = transferred(evidence, target)[0]
        for row in evidence["methods"][method]["transfer"][target]["causes"]:
            if row["cause"] == REMAINING and row["share"] is not None and row["share"] > 0.5:
                share = words.percent(row["share"], 0)
                return [words.say("plots", "cause_failed_note", share=share)]
    return []


def _points_by_cause(evidence: Mapping[str, Any], target: str, method: str) -> dict[str, Any]:
    rows = evidence["methods"][method]["transfer"][target]["causes"]
    return {row["cause"]: row["points"] for row in rows}


def _points_axis(ax: Axes, words: Wording) -> None:
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(100 * value, 0)))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4))
    ax.set_xlabel(wrap_label(words.say("plots", "cause_axis"), 12))


def _title(row: Sequence[Axes], words: Wording, language: str, several: bool) -> None:
    name = capitalise(words.name(language))
    heads = (words.name("accuracy"), words.name("drop"), words.say("plots", "cause_total"))
    for ax, head in zip(row, heads, strict=True):
        title = capitalise(head)
        text = f"{title}: {name}" if several and ax is row[0] else title
        ax.set_title(wrap_label(text, 14), fontweight="normal")


def _handles(
    results: Results,
    words: Wording,
    evidence: Mapping[str, Any],
    shown: Sequence[Mapping[str, Any]],
) -> list[Any]:
    marks: dict[str, Any] = {"color": FAINT, "ls": "", "marker": "o", "ms": 5}
    source = words.name(find_language(evidence, evidence["source"]))
    languages = [words.name(find_language(evidence, t)) for t in evidence["targets"]]
    compared = method_handles(results, words, results.main_methods(_task(results)), "marks")
    return [
        *compared,
        Line2D([], [], **marks, mfc=PAPER, label=words.say("plots", "source", language=source)),
        Line2D([], [], **marks, label=words.say("plots", "target", language=", ".join(languages))),
        *estimate_handles(words, shown),
    ]


def _say_target(results: Results, words: Wording, target: str) -> list[str]:
    evidence = tagging_evidence(results)
    said = []
    for name in (evidence["source"], target):
        pairs = [
            (
                words.name(m),
                show_estimate(words, "accuracy", e["evaluations"][name]["metrics"]["accuracy"]),
            )
            for m, e in evidence["methods"].items()
            if name in e["evaluations"]
        ]
        what = words.say(
            "plots",
            "panel",
            task=words.name("accuracy"),
            what=words.name(find_language(evidence, name)),
        )
        said.append(sentence(words, what, pairs))
    methods = [
        m for m in results.main_methods(_task(results)) if m in transferred(evidence, target)
    ]
    for method in methods:
        points = _points_by_cause(evidence, target, method)
        pairs = [
            (words.name(c), words.points(points[c]["value"]))
            for c in largest_causes(evidence, target, methods)
        ]
        said.append(
            sentence(words, words.say("plots", "alt_causes", method=words.name(method)), pairs)
        )
    return said


def _task(results: Results) -> str:
    return next((t.name for t in results.profile.tasks.values() if t.kind == "token"), "")

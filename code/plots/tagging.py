"""The main figure of tagging: accuracy in each language, the drop, and its kinds of confusion."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from evidence.schema import Estimate, TaggingEvidence
from evidence.transfer import REMAINING
from plots import drawing, lettering
from plots.deferred import deferred
from plots.style import FAINT, PAPER
from plots.transfer import TASK, find_language, language_handles, targets_of
from store.results import Results
from words.wording import Wording

KINDS_SHOWN = 6  # kinds of confusion, besides all other errors


@deferred
def plot_tagging(results: Results, words: Wording) -> Figure:
    """Accuracy in source and target, the drop between them and where it comes from; a row a target.

    Kinds of confusion are shown for the compared methods only: a control that loses everything
    would crush the rest.
    """
    targets = targets_of(results)
    if not targets:
        return drawing.nothing_to_show(words)
    evidence = results.tagging(TASK)
    main, rows = results.main_methods(TASK), max(len(evidence["methods"]), KINDS_SHOWN + 1)
    height = 0.8 + len(targets) * (0.45 + 0.34 * rows)
    figure, axes = drawing.new_grid(len(targets), 3, height, width_ratios=[1.15, 0.85, 1.25])
    shown: list[Estimate] = []
    said = [words.say("plots", "alt_tagging")]
    for row, (target, methods) in zip(axes, targets.items(), strict=True):
        compared = [m for m in main if m in methods]
        shown += draw_accuracies(row[0], results, words, target)
        shown += draw_drops(row[1], results, words, target)
        shown += draw_causes(row[2], results, words, target, compared)
        said += _say_target(results, words, target, compared)
        language = lettering.capitalise(find_language(words, evidence, target))
        heads = [words.name("accuracy"), words.name("drop"), words.say("plots", "cause_total")]
        titles = [lettering.capitalise(head) for head in heads]
        titles[0] += f": {language}" if len(targets) > 1 else ""
        for ax, title in zip(row, titles, strict=True):
            ax.set_title(lettering.wrap_label(title, 14), fontweight="normal")
    drawing.add_letters(axes.flat)
    handles = lettering.method_handles(results, words, main, "marks")
    handles += language_handles(words, evidence, 5) + lettering.estimate_handles(words, shown)
    notes = [words.say("plots", "cause_note"), _unexplained(evidence, words, targets)]
    return lettering.finish(figure, handles, [*notes, lettering.cut_note(words, shown)], said)


def draw_accuracies(ax: Axes, results: Results, words: Wording, target: str) -> list[Estimate]:
    """Accuracy of every method in the source (hollow) and the target (filled), joined by a line.

    Returns, as the two functions below, what was drawn.
    """
    evidence, styles, drawn = results.tagging(TASK), drawing.styles_of(results), []
    names = [lettering.wrap_label(words.name(method), 16) for method in evidence["methods"]]
    drawing.horizontal_groups(ax, names)
    drawing.percent_axis(ax.xaxis, words)
    for row, (method, of_method) in enumerate(evidence["methods"].items()):
        ends = [
            entry["metrics"]["accuracy"]
            for name in (evidence["source"], target)
            if (entry := of_method["evaluations"].get(name))
        ]
        values, style = [end["value"] or 0.0 for end in ends], styles[method]
        ax.plot(values, [row] * len(ends), color=style.color, lw=1, alpha=0.5, label="_drop")
        for number, (value, estimate) in enumerate(zip(values, ends, strict=True)):
            drawing.draw_estimate(ax, row, estimate, style)
            if number == 0:
                hollow: dict[str, Any] = {"marker": style.marker, "mfc": PAPER, "mec": style.color}
                ax.plot([value], [row], ls="", ms=5, zorder=6, label="_source", **hollow)
            # The larger value stands right of its mark and the smaller left: they never meet.
            right = value == max(values) and (number == 0 or values[0] != value)
            text, side = words.number(100 * value, 1), 1 if right else -1
            drawing.write_above(ax, value, row, text, "left" if right else "right", side)
        drawn += ends
    ax.margins(x=0.45)
    ticks = MaxNLocator(nbins=3).tick_values(*ax.get_xlim())
    ax.set_xticks([tick for tick in ticks if ax.get_xlim()[0] <= tick <= 1])
    return drawn


def draw_drops(ax: Axes, results: Results, words: Wording, target: str) -> list[Estimate]:
    """The drop of every method in percentage points, in the rows of ``draw_accuracies``."""
    evidence, styles, drawn = results.tagging(TASK), drawing.styles_of(results), []
    drawing.horizontal_groups(ax, [""] * len(evidence["methods"]))
    for row, (method, of_method) in enumerate(evidence["methods"].items()):
        entry = of_method["transfer"].get(target)
        if entry is not None and (value := entry["drop"]["value"]) is not None:
            drawing.draw_estimate(ax, row, entry["drop"], styles[method])
            drawing.write_above(ax, value, row, words.number(100 * value, 1))
            drawn.append(entry["drop"])
    _points_axis(ax, words)
    ax.margins(x=0.2)
    return drawn


def draw_causes(
    ax: Axes, results: Results, words: Wording, target: str, methods: Sequence[str]
) -> list[Estimate]:
    """Points of the largest kinds of confusion of the first method, and of all other errors."""
    evidence, styles, drawn = results.tagging(TASK), drawing.styles_of(results), []
    causes = largest_causes(evidence, target, methods)
    drawing.horizontal_groups(ax, [lettering.wrap_label(words.name(cause), 22) for cause in causes])
    ax.axvline(0, color=FAINT, lw=0.8, label="_zero")
    for offset, method in zip(drawing.spread_positions(len(methods), 0.4), methods, strict=True):
        points = _points_by_cause(evidence, target, method)
        for row, cause in enumerate(causes):
            drawing.draw_estimate(ax, row + offset, points[cause], styles[method])
            drawn.append(points[cause])
    _points_axis(ax, words)
    return drawn


def largest_causes(evidence: TaggingEvidence, target: str, methods: Sequence[str]) -> list[str]:
    """The kinds that cost the first method most points, largest first, then all other errors."""
    ranked = list(_points_by_cause(evidence, target, methods[0])) if methods else []
    named = [cause for cause in ranked if cause != REMAINING][:KINDS_SHOWN]
    return [*named, *(cause for cause in ranked if cause == REMAINING)]


def _points_by_cause(evidence: TaggingEvidence, target: str, method: str) -> dict[str, Estimate]:
    rows = evidence["methods"][method]["transfer"][target]["causes"]
    return {row["cause"]: row["points"] for row in rows}


def _unexplained(
    evidence: TaggingEvidence, words: Wording, targets: Mapping[str, Sequence[str]]
) -> str:
    """Says where the kinds explain less than half of the first method's drop."""
    for target, methods in targets.items():
        for row in evidence["methods"][methods[0]]["transfer"][target]["causes"]:
            if row["cause"] == REMAINING and row["share"] is not None and row["share"] > 0.5:
                share = words.percent(row["share"], 0)
                return words.say("plots", "cause_failed_note", share=share)
    return ""


def _points_axis(ax: Axes, words: Wording) -> None:
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(100 * value, 0)))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4))
    ax.set_xlabel(lettering.wrap_label(words.say("plots", "cause_axis"), 12))


def _say_target(
    results: Results, words: Wording, target: str, compared: Sequence[str]
) -> Iterator[str]:
    evidence = results.tagging(TASK)
    for name in (evidence["source"], target):
        names = {"task": words.name("accuracy"), "what": find_language(words, evidence, name)}
        what = words.say("plots", "panel", **names)
        estimates = results.estimates(TASK, name, "accuracy")
        yield lettering.say_estimates(words, what, "accuracy", estimates)
    causes = largest_causes(evidence, target, compared)
    for method in compared:
        points = _points_by_cause(evidence, target, method)
        pairs = [(words.name(c), words.points(points[c]["value"])) for c in causes]
        what = words.say("plots", "alt_causes", method=words.name(method))
        yield lettering.sentence(words, what, pairs)

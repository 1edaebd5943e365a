"""Figures of CoLA: quality with the paired difference, accuracy on parts of the set."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facts.fact import Fact
from facts.quantities import Unit, unit_of
from plots import drawing, lettering
from plots.context import WHOLE, Context, known, pairs_of, unit
from store.results import Results
from words.escaping import capitalise
from words.wording import Wording

TASK = "cola"
SHOWN = ("matthews_correlation", "accuracy")
LEAST_RANGE = 0.25  # of an axis of quality: a narrow one would exaggerate differences
GROUPINGS = ("by_domain", "by_length", "by_label", "by_phenomenon")


# --------------------------------------------------------------------------------------- quality


def plot_quality(results: Results, words: Wording, task: str = TASK) -> Figure:
    """Two metrics of every method and control, and under each the paired differences.

    A difference is of two compared methods on the same items and seeds, with its interval, zero,
    and the margin below which it would not matter.
    """
    context = Context(results, words)
    validation = context.tasks[task].validation
    methods = context.methods(task, validation, SHOWN[0])
    if not methods:
        return drawing.nothing_to_show(words)
    where: Any = {"task": task, "evaluation": validation}
    pairs = pairs_of([m for m in results.main_methods(task) if m in methods])
    rows, ratios = [[*SHOWN]], [len(methods)]
    if pairs:
        rows, ratios = [[*SHOWN], [f"{m} difference" for m in SHOWN]], [len(methods), len(pairs)]
    height = 0.5 + 0.34 * sum(ratios) + 0.6 * len(rows)
    figure, axes = drawing.new_mosaic(rows, height, height_ratios=[n + 0.4 for n in ratios])
    said = [context.say("alt_quality", task=words.name(task))]
    for metric in SHOWN:
        name = capitalise(words.name(metric))
        facts = context.facts.where(quantity="score", metric=metric, **where, **WHOLE)
        draw_quality(axes[metric], context, methods, facts)
        axes[metric].set_title(name, fontweight="normal")
        said.append(context.say_estimates(name, facts))
        if pairs:
            differences = _differences(context, pairs, {**where, "metric": metric})
            drawing.draw_differences(axes[f"{metric} difference"], context, differences)
            points = unit("difference", metric) is Unit.POINTS
            key = "difference_points" if points else "difference"
            title = context.say(key, metric=words.name(metric))
            axes[f"{metric} difference"].set_title(title, fontweight="normal")
            spoken = [(label, context.write_estimate(fact)) for label, fact in differences]
            said.append(context.sentence(title, spoken))
    for ax in (axes[name] for row in rows for name in row[1:]):
        ax.tick_params(labelleft=False)
    drawing.add_letters(axes[name] for row in rows for name in row)
    return lettering.finish(context, figure, [], [], said)


def _differences(
    context: Context, pairs: Sequence[tuple[str, str]], where: Mapping[str, Any]
) -> list[tuple[str, Fact]]:
    return [
        (context.name(second), context.facts.difference(method=first, against=second, **where))
        for first, second in pairs
    ]


def draw_quality(ax: Axes, context: Context, methods: Sequence[str], facts: Sequence[Fact]) -> None:
    """Estimates of one metric, a row a method, with the values above them."""
    drawing.name_rows(ax, [context.name(method) for method in methods])
    for fact in facts:
        if fact.value is not None:
            row = methods.index(fact.method)
            drawing.draw_estimate(ax, row, fact, context.styles[fact.method], context)
            drawing.write_above(ax, fact.value, row, context.write(fact))
    low, high = ax.dataLim.intervalx if known(facts) else (0.0, 0.0)  # a metric may be undefined
    wider = max(0.0, LEAST_RANGE - (high - low)) / 2 + 0.1 * max(high - low, LEAST_RANGE)
    ax.set_xlim(low - wider, high + wider)
    drawing.set_unit(ax.xaxis, unit_of(facts[0]), context, spaces=5)


# ---------------------------------------------------------------------------------------- errors


def plot_acceptability_errors(results: Results, words: Wording, task: str = TASK) -> Figure:
    """Accuracy on CoLA by source, sentence length, label and, where named, phenomenon."""
    context = Context(results, words)
    validation = context.tasks[task].validation
    every = {grouping: context.groups(task, validation, grouping) for grouping in GROUPINGS}
    panels = {grouping: groups for grouping, groups in every.items() if len(groups) > 1}
    if not panels:
        return drawing.nothing_to_show(words)
    methods = context.trained(task, validation)
    figure, axes = _lay_out({grouping: len(groups) for grouping, groups in panels.items()})
    said = [
        draw_groups(axes[grouping], context, methods, groups) for grouping, groups in panels.items()
    ]
    handles = lettering.method_handles(context, methods, "marks")
    return lettering.finish(context, figure, handles, [context.say("group_note")], said)


def draw_groups(ax: Axes, context: Context, methods: Sequence[str], groups: Sequence[Fact]) -> str:
    """Accuracy of every method by group, a row a group; returns the values in sentences."""
    labels, title = [], context.say(groups[0].grouping)
    for fact in groups:
        name = lettering.shorten(context.name(fact.group))
        labels.append(context.say("group", group=name, count=context.write(fact, column="n")))
    drawing.name_rows(ax, labels, characters=30)
    drawing.fraction_axis(ax, context)
    ax.set_title(title)
    said = []
    for offset, method in zip(drawing.spread_positions(len(methods), 0.5), methods, strict=True):
        where: Any = {"method": method, "grouping": groups[0].grouping, "metric": "accuracy"}
        where |= {"task": groups[0].task, "evaluation": groups[0].evaluation}
        facts = [context.facts.one("score", group=of.group, **where) for of in groups]
        for row, fact in enumerate(facts):
            drawing.draw_estimate(ax, row + offset, fact, context.styles[method], context)
        values = [(context.name(fact.group), context.write(fact)) for fact in known(facts)]
        said.append(context.sentence(f"{title}, {context.name(method)}", values))
    return " ".join(said)


def _lay_out(panels: Mapping[str, int]) -> tuple[Figure, dict[str, Axes]]:
    """Axes for groupings of so many groups, one under another; phenomena, often many, beside."""
    short = {grouping: rows for grouping, rows in panels.items() if grouping != "by_phenomenon"}
    beside = [grouping for grouping in panels if grouping not in short]
    tall = panels.get("by_phenomenon", 0)
    height = max(1.0 + 0.45 * len(short) + 0.3 * sum(short.values()), 1.2 + 0.3 * tall)
    places, ratios = [[grouping, *beside] for grouping in short] or [beside], [*short.values()]
    figure, axes = drawing.new_mosaic(places, height, height_ratios=ratios or [1])
    return figure, axes

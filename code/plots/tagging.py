"""The main figure of tagging: accuracy in each language, the drop, and what it consists of."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facts.fact import Fact
from facts.quantities import Unit
from plots import drawing, lettering
from plots.context import WHOLE, Context, known, pairs_of
from plots.style import FAINT, PAPER
from plots.transfer import TASK, language_handles, targets_of
from store.results import Results
from words.escaping import capitalise
from words.wording import Wording

TITLES = {"accuracy": 20, "drop": 12, "difference": 40, "causes": 14}  # characters of a line
CAUSES_SHOWN = 6  # kinds of confusion, besides all other errors
REMAINING = "remaining"


def plot_tagging(results: Results, words: Wording, task: str = TASK) -> Figure:
    """Accuracy in source and target, the drop, paired differences and kinds of confusion.

    Kinds and differences are shown for the compared methods only: a control that loses everything
    would crush the rest.
    """
    context = Context(results, words)
    targets = targets_of(context, task)
    if not targets:
        return drawing.nothing_to_show(words)
    source = context.tasks[task].validation
    methods = context.methods(task, source, "accuracy")
    main = [m for m in results.main_methods(task) if m in methods]
    several = 3 * len(pairs_of(main))
    places, ratios = [], []
    for target in targets:
        places.append([f"{part} {target}" for part in ("accuracy", "drop", "causes")])
        ratios.append(max(len(methods), CAUSES_SHOWN + 1 - several))
        if several:
            places.append([f"{part} {target}" for part in ("difference", "difference", "causes")])
            ratios.append(several)
    height = 1.0 + 0.34 * sum(ratios) + 0.75 * len(ratios)
    widths = {"width_ratios": [1.15, 0.8, 1.15], "height_ratios": ratios}
    figure, axes = drawing.new_mosaic(places, height, **widths)
    said = [context.say("alt_tagging")]
    for target in targets:
        panels = {name.split(" ")[0]: ax for name, ax in axes.items() if name.endswith(target)}
        language = f": {context.language(target)}" if len(targets) > 1 else ""
        where: Any = {"task": task, "evaluation": target}
        said += draw_accuracies(panels["accuracy"], context, methods, source, target)
        draw_drops(panels["drop"], context, methods, where)
        said += draw_causes(panels["causes"], context, main, where)
        titles = {"accuracy": words.name("accuracy") + language, "drop": words.name("drop")}
        titles["causes"] = context.say("cause_total")
        if several:
            rows = list_differences(context, main, source, target)
            drawing.draw_differences(panels["difference"], context, rows)
            titles["difference"] = context.say("difference_points", metric=words.name("accuracy"))
            spoken = [(label, context.write_estimate(fact)) for label, fact in rows]
            said.append(context.sentence(titles["difference"], spoken))
        for name, title in titles.items():
            drawing.set_title(panels[name], capitalise(title), TITLES[name])
    drawing.add_letters(axes.values())
    handles = language_handles(context, source, targets, 5)
    return lettering.finish(context, figure, handles, [context.say("cause_note")], said)


def draw_accuracies(
    ax: Axes, context: Context, methods: Sequence[str], source: str, target: str
) -> list[str]:
    """Accuracy of every method in source (hollow) and target (filled); returns it in sentences."""
    drawing.name_rows(ax, [context.name(method) for method in methods])
    said = []
    for evaluation in (source, target):
        where: Any = {"evaluation": evaluation, "metric": "accuracy", "method": methods, **WHOLE}
        facts = known(context.facts.where(quantity="score", task=TASK, **where))
        what = context.say(
            "panel", task=context.name("accuracy"), what=context.language(evaluation)
        )
        said.append(context.say_estimates(what, facts))
    for row, method in enumerate(methods):
        ends = known(
            context.facts.one("score", task=TASK, method=method, evaluation=e, metric="accuracy")
            for e in (source, target)
        )
        values, style = [end.value or 0.0 for end in ends], context.styles[method]
        ax.plot(values, [row] * len(ends), color=style.color, lw=1, alpha=0.5, label="_drop")
        for value, fact in zip(values, ends, strict=True):
            drawing.draw_estimate(ax, row, fact, style, context)
            if fact.evaluation == source:
                hollow: dict[str, Any] = {"marker": style.marker, "mfc": PAPER, "mec": style.color}
                ax.plot([value], [row], ls="", ms=5, zorder=6, label="_source", **hollow)
            # The larger value stands right of its mark and the smaller left: they never meet.
            right = value == max(values) and (fact is ends[0] or values[0] != value)
            text, side = context.write(fact, bare=True), 1 if right else -1
            drawing.write_above(ax, value, row, text, "left" if right else "right", side)
    ax.margins(x=0.4)
    drawing.set_unit(ax.xaxis, Unit.PERCENT, context, spaces=3)
    low, high = ax.get_xlim()
    ax.set_xticks([tick for tick in ax.get_xticks() if low <= tick <= min(high, 1)])
    ax.set_xlim(low, high)
    return said


def draw_drops(ax: Axes, context: Context, methods: Sequence[str], where: Any) -> None:
    """The drop of every method in percentage points, in the rows of ``draw_accuracies``."""
    drawing.name_rows(ax, [""] * len(methods))
    for row, method in enumerate(methods):
        fact = context.facts.one("drop", method=method, metric="accuracy", **where)
        drawing.draw_estimate(ax, row, fact, context.styles[method], context)
        if fact.value is not None:
            drawing.write_above(ax, fact.value, row, context.write(fact, bare=True))
    _points_axis(ax, context)
    ax.margins(x=0.25)


def list_differences(
    context: Context, main: Sequence[str], source: str, target: str
) -> list[tuple[str, Fact]]:
    """The first method against each other: accuracy in both languages, and drop."""
    rows = []
    for first, second in pairs_of(main):
        pair: Any = {"task": TASK, "method": first, "against": second}
        for evaluation, metric in ((source, "accuracy"), (target, "accuracy"), (target, "drop")):
            language = context.language(evaluation)
            what = context.name(metric) if metric == "drop" else language
            label = context.say("panel", task=context.name(second), what=what)
            fact = context.facts.difference(**pair, evaluation=evaluation, metric=metric)
            rows.append((capitalise(label), fact))
    return rows


def draw_causes(ax: Axes, context: Context, methods: Sequence[str], where: Any) -> list[str]:
    """Points of the largest kinds of confusion, and of all others; returns them in sentences."""
    causes = largest_causes(context, methods, where)
    drawing.name_rows(ax, [context.name(cause) for cause in causes], characters=22)
    ax.axvline(0, color=FAINT, lw=0.8, label="_zero")
    said = []
    for offset, method in zip(drawing.spread_positions(len(methods), 0.4), methods, strict=True):
        facts = [context.facts.one("contribution", method=method, cause=c, **where) for c in causes]
        for row, fact in enumerate(facts):
            drawing.draw_estimate(ax, row + offset, fact, context.styles[method], context)
        pairs = [(context.name(f.cause), context.write(f, signed=True, bare=True)) for f in facts]
        what = context.say("alt_causes", method=context.name(method))
        said.append(context.sentence(what, pairs))
    _points_axis(ax, context)
    return said


def largest_causes(context: Context, methods: Sequence[str], where: Any) -> list[str]:
    """The kinds that cost the first method most points, largest first, then all other errors."""
    facts = context.facts.where(quantity="contribution", method=methods[:1], seed=None, **where)
    found = {fact.cause: fact.value or 0.0 for fact in facts if fact.cause}
    ranked = sorted(found, key=lambda cause: -found[cause])
    named = [cause for cause in ranked if cause != REMAINING][:CAUSES_SHOWN]
    return [*named, *(cause for cause in ranked if cause == REMAINING)]


def _points_axis(ax: Axes, context: Context) -> None:
    ax.set_xlabel(context.say("points"))
    drawing.set_unit(ax.xaxis, Unit.POINTS, context, spaces=5)

"""Figures of the experiments: quality by rate, all specifications in order, quality by data."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evidence.experiments import BEST
from facts.fact import Fact
from facts.quantities import Unit, unit_of
from plots import drawing, lettering
from plots.context import Context, known, unit
from plots.style import FAINT, INK, PAPER, SMALL, MethodStyle
from store.results import Results
from study.settings import Variant
from words.escaping import capitalise
from words.numbers import Numbers
from words.variants import write_value
from words.wording import Wording

TASK = "cola"
RATE, SHARE = "learning_rate", "train_share"
PUBLISHED = 10  # times the rate of full fine-tuning: Schulman et al. (2025)
MAIN = ""  # the comparison among the specifications


# ----------------------------------------------------------------------------------------- rates


def plot_rates(results: Results, words: Wording, task: str = TASK) -> Figure:
    """Quality by learning rate, where it selects and where it reports, a line a method."""
    context = Context(results, words)
    settings = context.tasks[task]
    tries, metric = settings.experiments.tries, settings.metric
    if not tried(results, task):
        return drawing.nothing_to_show(words)
    held_out = next(iter(tries.values()))[0].held_out
    places = {"selecting": held_out, "reporting": settings.validation}
    figure, axes = drawing.new_grid(1, 2, 3.1, sharey=True)
    said = [context.say("alt_rates", task=words.name(task))]
    for ax, (title, address) in zip(axes[0], places.items(), strict=True):
        for method, variants in tries.items():
            where: Any = {"task": task, "metric": metric, "method": method, "evaluation": address}
            own = [context.facts.one("score", variant=v.name, **where) for v in variants]
            _draw_rates(ax, context, variants, own)
            spoken = [
                (write_value(Numbers(words), RATE, _rate(variant)), context.write_estimate(fact))
                for variant, fact in zip(variants, own, strict=True)
                if fact.known
            ]
            said.append(context.sentence(f"{context.say(title)}, {context.name(method)}", spoken))
        drawing.set_logarithmic_x(ax, Unit.PLAIN, context)
        ax.margins(x=0.1)
        drawing.set_unit(ax.yaxis, unit("score", metric), context)
        drawing.draw_grid(ax, "y")
        ax.set_xlabel(context.say("learning_rate"))
        ax.set_title(context.say(title), fontweight="normal")
    axes[0, 0].set_ylabel(capitalise(context.name(metric)))
    drawing.add_letters(axes[0])
    handles = lettering.method_handles(context, list(tries), "both")
    return lettering.finish(context, figure, handles, [_ratio_note(context, task)], said)


def tried(results: Results, task: str) -> list[Fact]:
    """Scores of the tries of a task."""
    settings = results.profile.tasks[task]
    names = [variant.name for own in settings.experiments.tries.values() for variant in own]
    metric = settings.metric
    return known(
        results.facts.where(quantity="score", task=task, metric=metric, seed=None, variant=names)
    )


def _draw_rates(
    ax: Axes, context: Context, variants: Sequence[Variant], facts: Sequence[Fact]
) -> None:
    """One method's scores by rate; its own rate has a ring, the best one a star."""
    method = variants[0].method.name
    style = context.styles[method]
    points = [(_rate(v), v, f) for v, f in zip(variants, facts, strict=True) if f.known]
    points.sort(key=lambda point: point[0])
    draw_line(ax, context, [(rate, fact) for rate, _, fact in points], style)
    best = context.facts.one(
        "setting", task=facts[0].task, method=method, variant=BEST, metric=RATE
    )
    for rate, variant, fact in points:
        mark: dict[str, Any] = {"ls": "", "color": style.color, "zorder": 6}
        if variant.own_rate:
            ax.plot(
                [rate],
                [fact.value or 0.0],
                marker="o",
                ms=11,
                mfc="none",
                label="_own rate",
                **mark,
            )
        if rate == best.value:
            look: dict[str, Any] = {
                "marker": "*",
                "ms": 11,
                "mec": PAPER,
                "mew": 0.7,
                "label": "_best rate",
            }
            ax.plot([rate], [fact.value or 0.0], **mark, **look)


def _ratio_note(context: Context, task: str) -> str:
    """How many times apart the best rates lie, beside what is published."""
    ratios = context.facts.where(quantity="ratio", task=task, variant=BEST, metric=RATE)
    listed = "; ".join(
        context.say(
            "ratio_of", method=context.name(fact.method), ratio=context.write_estimate(fact)
        )
        for fact in ratios
    )
    return context.say("ratio_note", listed=listed, published=PUBLISHED) if listed else ""


def draw_line(
    ax: Axes, context: Context, points: Sequence[tuple[float, Fact]], style: MethodStyle
) -> None:
    """Estimates along x as a line with marks, their intervals, and their single runs as dots."""
    for x, fact in points:
        if fact.low is not None and fact.high is not None:
            look: dict[str, Any] = {"color": style.color, "solid_capstyle": "butt", "zorder": 3}
            width = drawing.INTERVALS[fact.covers]
            ax.plot([x, x], [fact.low, fact.high], lw=width, label=f"_{fact.covers}", **look)
        seeds = context.of_seeds(fact)
        if len(seeds) > 1:
            look = {"ls": "", "marker": "o", "color": INK, "ms": 1.3, "zorder": 5}
            ax.plot([x] * len(seeds), seeds, label="_one seed", **look)
    line: dict[str, Any] = {"color": style.color, "marker": style.marker, "ls": style.linestyle}
    ax.plot([x for x, _ in points], [f.value or 0.0 for _, f in points], label="_estimate", **line)


def _rate(variant: Variant) -> float:
    return variant.method.training.learning_rate


# -------------------------------------------------------------------------------- specifications


def plot_specifications(results: Results, words: Wording, task: str = TASK) -> Figure:
    """The differences of the two methods under all specifications, and what each one was."""
    context = Context(results, words)
    shown = specified(results, task)
    if not shown:
        return drawing.nothing_to_show(words)
    shown.sort(key=lambda fact: fact.value or 0.0)
    changes = [_changes(context, fact) for fact in shown]
    rows = list(dict.fromkeys(name for own in changes for name in own))
    height = 2.4 + 0.25 * len(rows)
    places = [["differences"], ["choices"]]
    figure, axes = drawing.new_mosaic(
        places, height + 0.5, height_ratios=[2.0, 0.25 * len(rows)], sharex=True
    )
    _draw_in_order(axes["differences"], context, shown)
    _draw_choices(axes["choices"], context, rows, changes)
    said = [context.say("alt_specifications", task=words.name(task))]
    said += [
        context.sentence(_spell(context, own), [("", context.write_estimate(fact))])
        for fact, own in zip(shown, changes, strict=True)
    ]
    handles = lettering.method_handles(context, [fact.against for fact in shown], "marks")
    return lettering.finish(context, figure, handles, [context.say("specification_note")], said)


def specified(results: Results, task: str) -> list[Fact]:
    """The differences of the compared methods, that of the comparison among them.

    Empty where no specification was run.
    """
    settings = results.profile.tasks[task]
    reference = settings.roles.reference or ""
    facts = results.facts.where(
        quantity="difference", task=task, method=reference, metric=settings.metric,
        evaluation=settings.validation, variant=[MAIN, BEST, *settings.experiments.specifications],
    )  # fmt: skip
    adapters = [settings.roles.adapter, *settings.experiments.tries]
    shown = [f for f in known(facts) if f.against in adapters and f.against != reference]
    return shown if any(fact.variant != MAIN for fact in shown) else []


def _changes(context: Context, fact: Fact) -> Mapping[str, str]:
    """Setting -> value, of what differs from the comparison in a specification."""
    if fact.variant == MAIN:
        return {}
    if fact.variant == BEST:
        return {RATE: context.say("best_short")}
    variants = context.tasks[fact.task].experiments.specifications[fact.variant]
    return {
        name: str(len(value))
        if isinstance(value, tuple)
        else write_value(Numbers(context.words), name, value)
        for name, value in variants[0].changes
    }


def _spell(context: Context, changes: Mapping[str, str]) -> str:
    named = [f"{_setting(context, name)} {value}" for name, value in changes.items()]
    return ", ".join(named) or context.words.say("changes", "comparison")


def _setting(context: Context, name: str) -> str:
    key = f"setting_{name}"
    return context.words.say("changes", key) if context.words.has("changes", key) else name


def _draw_in_order(ax: Axes, context: Context, facts: Sequence[Fact]) -> None:
    """Differences with their intervals from the least to the greatest, zero and the margin."""
    first = facts[0]
    margin = context.tasks[first.task].margins.of(first.metric)
    ax.axhline(0, color=FAINT, lw=0.8, label="_zero")
    if margin is not None:
        look: dict[str, Any] = {"color": FAINT, "alpha": drawing.BAND_ALPHA, "lw": 0}
        ax.axhspan(-margin, margin, label="_margin", **look)
    for place, fact in enumerate(facts):
        style = context.styles[fact.against]
        draw_line(ax, context, [(place, fact)], style)
        if fact.variant == MAIN:
            ring: dict[str, Any] = {"mfc": "none", "mec": INK, "ms": 11, "marker": "o", "ls": ""}
            ax.plot([place], [fact.value or 0.0], label="_comparison", zorder=6, **ring)
    drawing.set_unit(ax.yaxis, unit_of(first), context)
    drawing.draw_grid(ax, "y")
    ax.tick_params(axis="x", length=0, labelbottom=False)
    points = unit_of(first) is Unit.POINTS
    key = "difference_points" if points else "difference"
    ax.set_title(context.say(key, metric=context.name(first.metric)), fontweight="normal")
    ax.set_ylabel(context.say("minus_adapter", first=context.name(first.method)))


def _draw_choices(
    ax: Axes, context: Context, rows: Sequence[str], changes: Sequence[Mapping[str, str]]
) -> None:
    """What each specification was: a column each, a row a setting; dots: as compared."""
    drawing.name_rows(ax, [_setting(context, name) for name in rows], 22)
    for place, own in enumerate(changes):
        for row, name in enumerate(rows):
            if name in own:
                ax.text(place, row, own[name], ha="center", va="center", fontsize=SMALL, color=INK)
            else:
                ax.plot([place], [row], marker="o", ms=2, color=FAINT, ls="", label="_as compared")
    ax.set_xlim(-0.7, len(changes) - 0.3)
    ax.set_xticks([])
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)


# ------------------------------------------------------------------------------------------ data


def plot_shares(results: Results, words: Wording, task: str = TASK) -> Figure:
    """Quality by the share of the training sentences, a line a method, all of them at the end."""
    context = Context(results, words)
    metric = context.tasks[task].metric
    lines = shared(results, task)
    if not lines:
        return drawing.nothing_to_show(words)
    figure, axes = drawing.new_grid(1, 1, 2.9)
    ax, said = axes[0, 0], [context.say("alt_shares", task=words.name(task))]
    for number, (method, points) in enumerate(lines.items()):
        shift = 1 + 0.02 * (number - (len(lines) - 1) / 2)  # intervals beside one another
        draw_line(ax, context, [(share * shift, f) for share, f in points], context.styles[method])
        numbers = Numbers(words)
        spoken = [(write_value(numbers, SHARE, s), context.write_estimate(f)) for s, f in points]
        said.append(context.sentence(context.name(method), spoken))
    places = sorted({share for points in lines.values() for share, _ in points})
    drawing.set_logarithmic_x(ax, Unit.PERCENT, context, places)
    drawing.set_unit(ax.yaxis, unit("score", metric), context)
    drawing.draw_grid(ax, "y")
    ax.set_xlabel(context.say("train_share"))
    ax.set_ylabel(capitalise(context.name(metric)))
    handles = lettering.method_handles(context, lines, "both")
    return lettering.finish(context, figure, handles, [], said)


def shared(results: Results, task: str) -> dict[str, list[tuple[float, Fact]]]:
    """Method -> shares of the training sentences with the scores there, of several shares."""
    settings = results.profile.tasks[task]
    shares = {
        name: float(dict(variants[0].changes)[SHARE])  # type: ignore[arg-type]
        for name, variants in settings.experiments.specifications.items()
        if [key for key, _ in variants[0].changes] == [SHARE]
    } | {MAIN: 1.0}
    where: Any = {"task": task, "metric": settings.metric, "evaluation": settings.validation}
    lines = {
        method: [
            (share, fact)
            for name, share in sorted(shares.items(), key=lambda item: item[1])
            if (fact := results.facts.one("score", method=method, variant=name, **where)).known
        ]
        for method in results.main_methods(task)
    }
    return {method: points for method, points in lines.items() if len(points) > 1}


BEHIND: Mapping[Callable[..., Figure], Callable[[Results, str], Collection[Any]]] = (
    MappingProxyType({plot_rates: tried, plot_specifications: specified, plot_shares: shared})
)
"""Figure -> what it shows of a task; it is left out of a report where that is empty."""

"""Figures of the transfer to another language: tags and confusions."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from facts.quantities import Unit
from plots import drawing, lettering
from plots.context import Context, known
from plots.style import FAINT, GRID, INK, PAPER, SMALL
from store.results import Results
from words.escaping import capitalise
from words.wording import Wording

TASK = "pos"
ABREAST = 4  # panels side by side
# From nothing to blue, so that the page shows through on light and dark paper.
CONFUSION_COLORS = LinearSegmentedColormap.from_list("confusion", ["#2171b500", "#2171b5"])
SHOWN_CONFUSION = 0.05  # share of a row from which a confusion is written out


def targets_of(context: Context, task: str) -> dict[str, list[str]]:
    """Target -> the trained methods that are transferred to it; without targets of none."""
    settings, found = context.tasks[task], {}
    for target in settings.evaluations[1:]:
        drops = context.facts.where(
            quantity="drop", task=task, evaluation=target, tag="", seed=None
        )
        having = set(drops.distinct("method"))
        found[target] = [m for m in context.results.methods(task) if m in having]
    return {target: methods for target, methods in found.items() if methods}


def language_handles(
    context: Context, source: str, targets: Iterable[str], size: float
) -> list[Line2D]:
    """Legend entries of the hollow marks of the source and the filled ones of the targets."""
    marks: dict[str, Any] = {"color": FAINT, "ls": "", "marker": "o", "ms": size}
    names = ", ".join(context.language(target) for target in targets)
    hollow = context.say("source", language=context.language(source))
    filled = context.say("target", language=names)
    return [Line2D([], [], **marks, mfc=PAPER, label=hollow), Line2D([], [], **marks, label=filled)]


# ------------------------------------------------------------------------------------------ tags


def plot_tag_transfer(results: Results, words: Wording, task: str = TASK) -> Figure:
    """Accuracy on the words of each tag in source (hollow) and target (filled), method by method.

    Tags stand in the order of the first method's drop.
    """
    context = Context(results, words)
    targets = targets_of(context, task)
    if not targets:
        return drawing.nothing_to_show(words)
    source, most = context.tasks[task].validation, max(map(len, targets.values()))
    columns = math.ceil(most / math.ceil(most / ABREAST))
    rows = [
        (target, methods[n : n + columns])
        for target, methods in targets.items()
        for n in range(0, len(methods), columns)
    ]
    orders = {target: order_of_tags(context, task, target) for target in targets}
    height = 0.7 + len(rows) * (0.6 + 0.16 * max(map(len, orders.values())))
    figure, axes = drawing.new_grid(len(rows), columns, height)
    said = [context.say("alt_tags")]
    for row, (target, methods) in zip(axes, rows, strict=True):
        for ax, method in zip(row, methods, strict=False):
            said.append(draw_tags(ax, context, orders[target], method, (source, target)))
            ax.set_title(lettering.wrap_label(words.name(method), 16))
        drawing.hide_unused(row, len(methods))
        for ax in row[1 : len(methods)]:
            ax.tick_params(labelleft=False)
        if len(targets) > 1:
            row[0].set_ylabel(capitalise(context.language(target)))
    handles = language_handles(context, source, targets, 4.5)
    return lettering.finish(context, figure, handles, [context.say("tag_note")], said)


def draw_tags(
    ax: Axes, context: Context, tags: Sequence[str], method: str, ends: tuple[str, str]
) -> str:
    """Two points a tag, joined, or one where a set lacks the tag; both accuracies in a sentence."""
    color = context.styles[method].color
    drawing.name_rows(ax, [lettering.shorten(tag) for tag in tags], characters=30)
    drawing.fraction_axis(ax, context)
    pairs = []
    marks: dict[str, Any] = {"ls": "", "marker": "o", "ms": 4.5, "mew": 1.1, "zorder": 4}
    for row, tag in enumerate(tags):
        where: Any = {"task": TASK, "method": method, "metric": "accuracy", "tag": tag}
        facts = [context.facts.one("score", evaluation=end, **where) for end in ends]
        shown = known(facts)
        pairs.append((tag, " → ".join(context.write(fact, digits=0) for fact in facts)))
        values = [fact.value or 0.0 for fact in shown]
        ax.plot(values, [row] * len(values), color=color, lw=1.2, alpha=0.7, label=f"_{tag}")
        for fact, value in zip(shown, values, strict=True):
            fill, name = (PAPER, "_source") if fact.evaluation == ends[0] else (color, "_target")
            ax.plot([value], [row], color=color, mfc=fill, label=name, **marks)
    return context.sentence(context.name(method), pairs)


def order_of_tags(context: Context, task: str, target: str) -> list[str]:
    """Tags that source or target have, by the drop of the first method, largest first.

    A tag without a drop, because one of the sets lacks it, comes last.
    """
    method = targets_of(context, task)[target][0]
    where: Any = {"task": task, "method": method, "metric": "accuracy", "seed": None}
    ends = (context.tasks[task].validation, target)
    scores = context.facts.where(quantity="score", evaluation=ends, **where)
    tags = dict.fromkeys(fact.tag for fact in scores if fact.tag and fact.n)
    drops = context.facts.where(quantity="drop", evaluation=target, tag=[*tags], **where)
    found = {fact.tag: fact.value for fact in drops if fact.value is not None}
    return sorted(tags, key=lambda tag: -found.get(tag, -math.inf))


# ------------------------------------------------------------------------------------- confusion


def plot_confusion(results: Results, words: Wording, task: str = TASK) -> Figure:
    """What the words of each gold tag are taken for in the target: the first two methods."""
    context = Context(results, words)
    targets = targets_of(context, task)
    if not targets:
        return drawing.nothing_to_show(words)
    columns = min(2, max(map(len, targets.values())))
    height = (3.6 if columns == 2 else 6) * len(targets) + 0.4
    figure, axes = drawing.new_grid(len(targets), columns, height)
    said = [context.say("alt_confusion")]
    for row, (target, methods) in zip(axes, targets.items(), strict=True):
        for ax, method in zip(row, methods, strict=False):
            shares = count_confusions(context, task, target, method)
            draw_confusion(ax, context, shares)
            said.append(_say_confusions(context, method, shares))
            ax.set_title(words.name(method))
            ax.set_xlabel(context.say("confusion_axis"))
        drawing.hide_unused(row, len(methods))
        gold, language = context.say("confusion_gold"), context.language(target)
        row[0].set_ylabel(f"{gold} ({language})")
    scale = ScalarMappable(PowerNorm(0.5, 0, 1), CONFUSION_COLORS)
    bar = figure.colorbar(scale, ax=axes, orientation="horizontal", fraction=0.03, aspect=50)
    bar.set_label(context.say("confusion_bar"))
    drawing.set_unit(bar.ax.xaxis, Unit.PERCENT, context)
    return lettering.finish(context, figure, [], [context.say("confusion_note")], said)


def count_confusions(context: Context, task: str, target: str, method: str) -> pd.DataFrame:
    """Shares of the words of each gold tag (rows) that were given each tag (columns).

    Tags that neither occur nor are given are left out; the row of a tag without words is empty.
    """
    where: Any = {"task": task, "evaluation": target, "method": method}
    facts = context.facts.where(quantity="confusion", **where)
    tags = sorted({tag for fact in facts for tag in (fact.tag, fact.predicted)})
    counts = pd.DataFrame(0.0, index=tags, columns=tags)
    for fact in facts:
        counts.loc[fact.tag, fact.predicted] = fact.value
    return counts.div(counts.sum(axis=1).replace(0.0, np.nan), axis=0)


def _say_confusions(context: Context, method: str, shares: pd.DataFrame) -> str:
    """The five largest shares off the diagonal."""
    ranked = shares.stack().sort_values(ascending=False, kind="stable")
    pairs = [
        (f"{gold} → {predicted}", context.number(share, Unit.PERCENT, 0))
        for (gold, predicted), share in ranked.items()
        if gold != predicted and share > 0
    ]
    return context.sentence(context.name(method), pairs[:5])


def draw_confusion(ax: Axes, context: Context, shares: pd.DataFrame) -> None:
    """The matrix of ``count_confusions``, with the larger confusions written out in per cent."""
    import seaborn

    names = [lettering.shorten(tag) for tag in shares.columns]
    written = (shares >= SHOWN_CONFUSION) & ~np.eye(len(names), dtype=bool)
    # The square root shows the confusions, which are small, beside the diagonal.
    seaborn.heatmap(
        shares,
        ax=ax,
        norm=PowerNorm(0.5, 0, 1),
        cmap=CONFUSION_COLORS,
        annot=shares.map(lambda share: context.number(share, Unit.POINTS, 0)).where(written, ""),
        fmt="",
        annot_kws={"fontsize": SMALL, "parse_math": False, "color": INK},
        linewidths=0.4,
        linecolor=GRID,
        cbar=False,
        xticklabels=names,
        yticklabels=names,
    )
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0)

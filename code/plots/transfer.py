"""Figures of the transfer to another language: tags, kinds of words, confusions."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from evidence.schema import DropGroup, Estimate, TaggingEvidence, WordGroup
from plots import drawing, lettering
from plots.deferred import deferred
from plots.style import CELL_PAPER, FAINT, GRID, PAPER, SMALL
from store.results import Results, needs
from words.wording import Wording

TASK = "pos"
ABREAST = 3  # panels side by side
KINDS = ("by_seen", "by_pieces", "by_length")
CONFUSION_COLORS = "Blues"
SHOWN_CONFUSION = 0.05  # share of a row from which a confusion is written out


# ------------------------------------------------------------------------------------------ tags


@deferred
def plot_tag_transfer(results: Results, words: Wording) -> Figure:
    """Accuracy on the words of each tag in source (hollow) and target (filled), method by method.

    Tags stand in the order of the first method's drop.
    """
    targets = targets_of(results)
    if not targets:
        return drawing.nothing_to_show(words)
    evidence = results.tagging(TASK)
    columns = min(ABREAST, max(map(len, targets.values())))
    rows = [
        (target, methods[n : n + columns])
        for target, methods in targets.items()
        for n in range(0, len(methods), columns)
    ]
    tags = max(len(order_of_tags(evidence, target)) for target in targets)
    height = 0.7 + len(rows) * (0.6 + 0.15 * tags)
    figure, axes = drawing.new_grid(len(rows), columns, height, sharex=True)
    said = [words.say("plots", "alt_tags")]
    for row, (target, methods) in zip(axes, rows, strict=True):
        for ax, method in zip(row, methods, strict=False):
            said.append(draw_tags(ax, results, words, target, method))
            ax.set_title(lettering.wrap_label(words.name(method), lettering.NARROW_CHARACTERS))
        drawing.hide_unused(row, len(methods))
        for ax in row[1 : len(methods)]:
            ax.tick_params(labelleft=False)
        if len(targets) > 1:
            row[0].set_ylabel(lettering.capitalise(find_language(words, evidence, target)))
    for column in range(columns):  # tick labels under the lowest axes that are used
        lowest = max(n for n, (_, methods) in enumerate(rows) if len(methods) > column)
        axes[lowest, column].tick_params(labelbottom=True)
    handles = language_handles(words, evidence, 4.5)
    return lettering.finish(figure, handles, [words.say("plots", "tag_note")], said)


def draw_tags(ax: Axes, results: Results, words: Wording, target: str, method: str) -> str:
    """Two points a tag, joined; a tag that one of the sets lacks has one point.

    Returns:
        Both accuracies by tag, in a sentence.
    """
    evidence, color = results.tagging(TASK), drawing.styles_of(results)[method].color
    order, entries = order_of_tags(evidence, target), _by_tag(evidence, target, method)
    drawing.horizontal_groups(ax, [lettering.shorten(tag) for tag in order])
    drawing.accuracy_axis(ax, "x", words)
    pairs = []
    marks: dict[str, Any] = {"ls": "", "marker": "o", "ms": 4.5, "mew": 1.1, "zorder": 4}
    ends = [(entries[tag]["source_accuracy"], entries[tag]["target_accuracy"]) for tag in order]
    accuracies = np.array(ends, dtype=float).reshape(-1, 2)  # None is NaN, which is not drawn
    for row, (tag, values) in enumerate(zip(order, ends, strict=True)):
        pairs.append((tag, " → ".join(words.percent(value, 0) for value in values)))
        if None not in values:
            line = accuracies[row]
            ax.plot(line, [row, row], color=color, lw=1.2, alpha=0.7, label=f"_{tag}")
    for x, fill, name in zip(accuracies.T, (PAPER, color), ("_source", "_target"), strict=True):
        ax.plot(x, range(len(order)), color=color, mfc=fill, label=name, **marks)
    return lettering.sentence(words, words.name(method), pairs)


def _by_tag(evidence: TaggingEvidence, target: str, method: str) -> dict[str, DropGroup]:
    rows = evidence["methods"][method]["transfer"][target]["groups"]["by_tag"]
    return {row["group"]: row for row in rows}


def order_of_tags(evidence: TaggingEvidence, target: str) -> list[str]:
    """Tags that source or target have, by the drop of the first method, largest first.

    A tag without a drop, because one of the sets lacks it, comes last.
    """
    rows = _by_tag(evidence, target, transferred(evidence, target)[0]).values()
    drops = {
        row["group"]: -np.inf if row["drop"]["value"] is None else row["drop"]["value"]
        for row in rows
        if row["source_words"] or row["target_words"]
    }
    return sorted(drops, key=drops.__getitem__)[::-1]


# ------------------------------------------------------------------------------------- breakdown


@deferred
@needs("evidence", drawing.nothing_to_show, TASK)
def plot_transfer_breakdown(results: Results, words: Wording) -> Figure:
    """Accuracy by known word form, word pieces and sentence length; a row an evaluated set."""
    evidence = results.tagging(TASK)
    names = [n for n in evidence["evaluations"] if transferred(evidence, n, "evaluations")]
    height, options = 1.9 * len(names) + 0.8, {"sharey": True, "width_ratios": [1, 1, 1.15]}
    figure, axes = drawing.new_grid(len(names), len(KINDS), height, **options)
    shown: list[Estimate] = []
    methods: list[str] = []
    said = [words.say("plots", "alt_breakdown")]
    for row, name in zip(axes, names, strict=True):
        methods = max(methods, transferred(evidence, name, "evaluations"), key=len)
        for ax, kind in zip(row, KINDS, strict=True):
            shown += draw_breakdown(ax, results, words, name, kind)
            ax.set_title(words.say("plots", f"words_{kind}"), fontweight="normal", fontsize=SMALL)
        label = lettering.evaluation_label(words, name, evidence["evaluations"][name]["language"])
        language, bracket, corpus = label.partition(" (")
        corpus = lettering.wrap_label(f"({corpus}", 19) if bracket else ""
        row[0].set_ylabel(f"{language}\n{corpus}".strip(), fontsize=SMALL)
        said.append(_say_breakdown(words, evidence, name, label))
    handles = lettering.method_handles(results, words, methods, "marks")
    handles += lettering.estimate_handles(words, shown)
    notes = [words.say("plots", "share_note"), lettering.cut_note(words, shown)]
    return lettering.finish(figure, handles, notes, said)


def _say_breakdown(words: Wording, evidence: TaggingEvidence, name: str, label: str) -> str:
    """Accuracy of the first method on known and unknown forms."""
    method = transferred(evidence, name, "evaluations")[0]
    rows = _occurring(evidence, name, method, "by_seen")
    pairs = [(words.name(row["group"]), words.percent(row["accuracy"]["value"])) for row in rows]
    return lettering.sentence(words, f"{label}, {words.name(method)}", pairs)


def _occurring(evidence: TaggingEvidence, name: str, method: str, kind: str) -> list[WordGroup]:
    """The groups of a set that have words, as a method does on them."""
    rows = evidence["methods"][method]["evaluations"][name]["groups"][kind]
    return [row for row in rows if row["words"]]


def draw_breakdown(
    ax: Axes, results: Results, words: Wording, evaluation: str, kind: str
) -> list[Estimate]:
    """Accuracy of each method on each group of words, groups along x; returns what was drawn."""
    evidence, styles = results.tagging(TASK), drawing.styles_of(results)
    methods = transferred(evidence, evaluation, "evaluations")
    labels = {}
    for row in _occurring(evidence, evaluation, methods[0], kind):
        group, share = words.name(row["group"]), words.percent(row["share"], 0)
        group = lettering.wrap_label(group, 10)
        labels[row["group"]] = words.say("plots", "group_share", group=group, share=share)
    ax.set_xticks(range(len(labels)), list(labels.values()), fontsize=SMALL)
    ax.set_xlim(-0.5, len(labels) - 0.5)
    ax.tick_params(axis="x", length=0)
    drawing.accuracy_axis(ax, "y", words)
    drawing.draw_grid(ax, "y")
    drawn = []
    for offset, method in zip(drawing.spread_positions(len(methods), 0.5), methods, strict=True):
        rows = evidence["methods"][method]["evaluations"][evaluation]["groups"][kind]
        entries = {row["group"]: row["accuracy"] for row in rows}
        for place, group in enumerate(labels):
            drawing.draw_estimate(ax, place + offset, entries[group], styles[method], upright=True)
            drawn.append(entries[group])
    return drawn


# ------------------------------------------------------------------------------------- confusion


@deferred
def plot_confusion(results: Results, words: Wording) -> Figure:
    """What the words of each gold tag are taken for in the target: the first two methods."""
    targets = targets_of(results)
    if not targets:
        return drawing.nothing_to_show(words)
    evidence = results.tagging(TASK)
    columns = min(2, max(map(len, targets.values())))
    height = (3.6 if columns == 2 else 6) * len(targets) + 0.4
    figure, axes = drawing.new_grid(len(targets), columns, height)
    said = [words.say("plots", "alt_confusion")]
    for row, (target, methods) in zip(axes, targets.items(), strict=True):
        for ax, method in zip(row, methods, strict=False):
            table = np.array(evidence["methods"][method]["evaluations"][target]["confusion"])
            shares = draw_confusion(ax, table, evidence["tags"], words)
            said.append(_say_confusions(words, method, shares))
            ax.set_title(words.name(method))
            ax.set_xlabel(words.say("plots", "confusion_axis"), fontsize=SMALL)
        drawing.hide_unused(row, len(methods))
        gold, language = (
            words.say("plots", "confusion_gold"),
            find_language(words, evidence, target),
        )
        row[0].set_ylabel(f"{gold} ({language})", fontsize=SMALL)
    scale = ScalarMappable(PowerNorm(0.5, 0, 1), CONFUSION_COLORS)
    bar = figure.colorbar(scale, ax=axes, orientation="horizontal", fraction=0.03, aspect=50)
    bar.set_label(words.say("plots", "confusion_bar"), fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    drawing.percent_axis(bar.ax.xaxis, words)
    return lettering.finish(figure, [], [words.say("plots", "confusion_note")], said)


def _say_confusions(words: Wording, method: str, shares: pd.DataFrame) -> str:
    """The five largest shares off the diagonal."""
    ranked = shares.stack().sort_values(ascending=False, kind="stable")
    pairs = [
        (f"{gold} → {predicted}", words.percent(share, 0))
        for (gold, predicted), share in ranked.items()
        if gold != predicted and share > 0
    ]
    return lettering.sentence(words, words.name(method), pairs[:5])


def draw_confusion(
    ax: Axes, table: NDArray[np.floating[Any]], tags: Sequence[str], words: Wording
) -> pd.DataFrame:
    """A matrix (T, T) of word counts, gold in rows, as shares of its rows; returns the shares.

    Tags that neither occur nor are predicted are left out; a row without words stays empty.
    """
    import seaborn

    used = np.flatnonzero(table.sum(axis=0) + table.sum(axis=1))
    names = [lettering.shorten(tags[int(n)]) for n in used]
    counts = pd.DataFrame(table[np.ix_(used, used)], index=names, columns=names)
    shares = counts.div(table.sum(axis=1)[used], axis=0)
    written = (shares >= SHOWN_CONFUSION) & ~np.eye(len(names), dtype=bool)
    # The square root shows the confusions, which are small, beside the diagonal.
    seaborn.heatmap(
        shares,
        ax=ax,
        norm=PowerNorm(0.5, 0, 1),
        cmap=CONFUSION_COLORS,
        annot=shares.map(lambda share: words.number(100 * share, 0)).where(written, ""),
        fmt="",
        annot_kws={"fontsize": SMALL, "parse_math": False},
        linewidths=0.4,
        linecolor=GRID,
        cbar=False,
        xticklabels=True,
        yticklabels=True,
    )
    for text in ax.texts:
        if to_hex(text.get_color()) == PAPER:
            text.set_color(CELL_PAPER)
    ax.tick_params(length=0, labelsize=SMALL)
    return shares


# --------------------------------------------------------------------------------------- evidence


def transferred(
    evidence: TaggingEvidence, name: str, part: Literal["transfer", "evaluations"] = "transfer"
) -> list[str]:
    """Trained methods with an entry for a target (``transfer``) or a set (``evaluations``)."""
    entries = evidence["methods"].items()
    return [method for method, entry in entries if not entry["control"] and name in entry[part]]


def targets_of(results: Results) -> dict[str, list[str]]:
    """Target -> the trained methods that are transferred to it; without targets of none."""
    if not results.has("evidence", TASK):
        return {}
    evidence = results.tagging(TASK)
    return {t: methods for t in evidence["targets"] if (methods := transferred(evidence, t))}


def find_language(words: Wording, evidence: TaggingEvidence, evaluation: str) -> str:
    """The language of an evaluated set."""
    return words.name(evidence["evaluations"][evaluation]["language"])


def language_handles(words: Wording, evidence: TaggingEvidence, size: float) -> list[Line2D]:
    """Legend entries of the hollow marks of the source and the filled ones of the targets."""
    marks: dict[str, Any] = {"color": FAINT, "ls": "", "marker": "o", "ms": size}
    source = find_language(words, evidence, evidence["source"])
    targets = ", ".join(find_language(words, evidence, t) for t in evidence["targets"])
    return [
        Line2D([], [], **marks, mfc=PAPER, label=words.say("plots", "source", language=source)),
        Line2D([], [], **marks, label=words.say("plots", "target", language=targets)),
    ]

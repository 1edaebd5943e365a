"""Figures of the transfer to another language: tags, kinds of words, confusions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from plots.deferred import deferred
from plots.drawing import (
    accuracy_axis,
    draw_estimate,
    draw_grid,
    hide_unused,
    horizontal_groups,
    new_grid,
    nothing_to_show,
    percent_axis,
    spread_positions,
    styles_of,
)
from plots.lettering import (
    add_legend,
    add_note,
    capitalise,
    cut_note,
    describe,
    estimate_handles,
    evaluation_label,
    method_handles,
    narrow_title,
    sentence,
    shorten,
    show_value,
)
from plots.style import CELL_PAPER, FAINT, GRID, PAPER, SMALL
from store.results import Results
from words.wording import Wording

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
    evidence = tagging_evidence(results)
    panels = [
        (target, m) for target in evidence.get("targets", ()) for m in transferred(evidence, target)
    ]
    if not panels:
        return nothing_to_show(words)
    columns = min(ABREAST, max(len(transferred(evidence, t)) for t in evidence["targets"]))
    grouped = [_in_rows([p for p in panels if p[0] == t], columns) for t in evidence["targets"]]
    rows = [row for of_target in grouped for row in of_target]
    tags = max(len(order_of_tags(evidence, target)) for target, _ in panels)
    figure, axes = new_grid(len(rows), columns, 0.7 + len(rows) * (0.6 + 0.15 * tags), sharex=True)
    for row_axes, row in zip(axes, rows, strict=True):
        for ax, (target, method) in zip(row_axes, row, strict=False):
            draw_tags(ax, results, words, target, method)
            narrow_title(ax, words.name(method))
        hide_unused(row_axes, len(row))
        for ax in row_axes[1 : len(row)]:
            ax.tick_params(labelleft=False)
        if len(grouped) > 1:
            language = words.name(find_language(evidence, row[0][0]))
            row_axes[0].set_ylabel(capitalise(language))
    _label_lowest(axes, [len(row) for row in rows])
    add_legend(figure, _tag_handles(words, evidence))
    add_note(figure, words.say("plots", "tag_note"))
    describe(
        figure,
        words.say("plots", "alt_tags"),
        *(_say_tags(words, evidence, target, method) for target, method in panels),
    )
    return figure


def _say_tags(words: Wording, evidence: Mapping[str, Any], target: str, method: str) -> str:
    """Accuracy in source and target by tag, in the order of the figure."""
    groups = evidence["methods"][method]["transfer"][target]["groups"]
    rows = {e["group"]: e for e in groups["by_tag"]}
    pairs = []
    for tag in order_of_tags(evidence, target):
        ends = (rows[tag]["source_accuracy"], rows[tag]["target_accuracy"])
        pairs.append((tag, " → ".join(words.percent(end, 0) for end in ends)))
    return sentence(words, words.name(method), pairs)


def _label_lowest(axes: NDArray[Any], used: Sequence[int]) -> None:
    """Tick labels under the lowest used axes of every column."""
    for column in range(axes.shape[1]):
        lowest = max(row for row, count in enumerate(used) if count > column)
        axes[lowest, column].tick_params(labelbottom=True)


def draw_tags(ax: Axes, results: Results, words: Wording, target: str, method: str) -> None:
    """Two points a tag, joined; a tag that one of the sets lacks has one point."""
    evidence, style = tagging_evidence(results), styles_of(results)[method]
    order = order_of_tags(evidence, target)
    groups = evidence["methods"][method]["transfer"][target]["groups"]
    entries = {e["group"]: e for e in groups["by_tag"]}
    horizontal_groups(ax, [shorten(tag) for tag in order])
    accuracy_axis(ax, "x", words)
    for row, tag in enumerate(order):
        ends = [entries[tag]["source_accuracy"], entries[tag]["target_accuracy"]]
        if None not in ends:
            ax.plot(ends, [row, row], color=style.color, lw=1.2, alpha=0.7, label=f"_{tag}")
    for column, fill, name in (
        ("source_accuracy", PAPER, "_source"),
        ("target_accuracy", style.color, "_target"),
    ):
        known = [
            (entries[t][column], n) for n, t in enumerate(order) if entries[t][column] is not None
        ]
        x, y = [a for a, _ in known], [n for _, n in known]
        ax.plot(
            x,
            y,
            ls="",
            marker="o",
            ms=4.5,
            color=style.color,
            mfc=fill,
            mew=1.1,
            label=name,
            zorder=4,
        )


def order_of_tags(evidence: Mapping[str, Any], target: str) -> list[str]:
    """Tags that source or target have, by the drop of the first method, largest first."""
    first = evidence["methods"][transferred(evidence, target)[0]]
    rows = first["transfer"][target]["groups"]["by_tag"]
    present = [row for row in rows if row["source_words"] or row["target_words"]]
    # A tag without a drop, because one of the sets lacks it, comes last.
    present.sort(key=lambda row: -np.inf if row["drop"]["value"] is None else row["drop"]["value"])
    return [row["group"] for row in reversed(present)]


def _tag_handles(words: Wording, evidence: Mapping[str, Any]) -> list[Any]:
    languages = [find_language(evidence, target) for target in evidence["targets"]]
    source = words.name(find_language(evidence, evidence["source"]))
    targets = ", ".join(words.name(language) for language in languages)
    marks: dict[str, Any] = {"color": FAINT, "ls": "", "marker": "o", "ms": 4.5}
    return [
        Line2D([], [], **marks, mfc=PAPER, label=words.say("plots", "source", language=source)),
        Line2D([], [], **marks, label=words.say("plots", "target", language=targets)),
    ]


def _in_rows(panels: Sequence[tuple[str, str]], columns: int) -> list[list[tuple[str, str]]]:
    return [list(panels[n : n + columns]) for n in range(0, len(panels), columns)]


# ------------------------------------------------------------------------------------- breakdown


@deferred
def plot_transfer_breakdown(results: Results, words: Wording) -> Figure:
    """Accuracy by known word form, word pieces and sentence length; a row an evaluated set."""
    evidence = tagging_evidence(results)
    names = [n for n in evidence.get("evaluations", {}) if transferred(evidence, n, "evaluations")]
    if not names:
        return nothing_to_show(words)
    figure, axes = new_grid(
        len(names), len(KINDS), 1.9 * len(names) + 0.8, sharey=True, width_ratios=[0.7, 1, 1.25]
    )
    shown: list[dict[str, Any]] = []
    methods: list[str] = []
    for row, name in zip(axes, names, strict=True):
        methods = max(methods, transferred(evidence, name, "evaluations"), key=len)
        for ax, kind in zip(row, KINDS, strict=True):
            shown += draw_breakdown(ax, results, words, name, kind)
            ax.set_title(words.say("plots", f"words_{kind}"), fontweight="normal", fontsize=SMALL)
        label = evaluation_label(words, name, find_language(evidence, name))
        row[0].set_ylabel(label.replace(" (", "\n(", 1), fontsize=SMALL)
    handles = method_handles(results, words, methods, "marks")
    add_legend(figure, [*handles, *estimate_handles(words, shown)])
    add_note(figure, words.say("plots", "share_note"), cut_note(words, shown))
    describe(
        figure,
        words.say("plots", "alt_breakdown"),
        *(_say_breakdown(words, evidence, name) for name in names),
    )
    return figure


def _say_breakdown(words: Wording, evidence: Mapping[str, Any], name: str) -> str:
    """Accuracy of the first method on known and unknown forms."""
    method = transferred(evidence, name, "evaluations")[0]
    rows = evidence["methods"][method]["evaluations"][name]["groups"]["by_seen"]
    pairs = [
        (words.name(r["group"]), show_value(words, "accuracy", r["accuracy"]["value"]))
        for r in rows
        if r["words"]
    ]
    label = evaluation_label(words, name, find_language(evidence, name))
    return sentence(words, f"{label}, {words.name(method)}", pairs)


def draw_breakdown(
    ax: Axes, results: Results, words: Wording, evaluation: str, kind: str
) -> list[dict[str, Any]]:
    """Accuracy of each method on each group of words, groups along x.

    Returns:
        The ESTIMATES drawn.
    """
    evidence, styles = tagging_evidence(results), styles_of(results)
    methods = transferred(evidence, evaluation, "evaluations")
    rows = evidence["methods"][methods[0]]["evaluations"][evaluation]["groups"][kind]
    shown = [row["group"] for row in rows if row["words"]]
    labels = [_group_label(words, row) for row in rows if row["words"]]
    ax.set_xticks(range(len(shown)), labels, fontsize=SMALL)
    ax.set_xlim(-0.5, len(shown) - 0.5)
    ax.tick_params(axis="x", length=0)
    accuracy_axis(ax, "y", words)
    draw_grid(ax, "y")
    drawn = []
    for offset, method in zip(spread_positions(len(methods), 0.5), methods, strict=True):
        entries = {
            row["group"]: row["accuracy"]
            for row in evidence["methods"][method]["evaluations"][evaluation]["groups"][kind]
        }
        for place, group in enumerate(shown):
            draw_estimate(ax, place + offset, entries[group], styles[method], upright=True)
            drawn.append(entries[group])
    return drawn


def _group_label(words: Wording, row: Mapping[str, Any]) -> str:
    group, share = words.name(row["group"]), words.percent(row["share"], 0)
    return words.say("plots", "group_share", group=group, share=share)


# ------------------------------------------------------------------------------------- confusion


@deferred
def plot_confusion(results: Results, words: Wording) -> Figure:
    """What the words of each gold tag are taken for in the target: the first two methods."""
    evidence = tagging_evidence(results)
    targets = [t for t in evidence.get("targets", ()) if transferred(evidence, t)]
    if not targets:
        return nothing_to_show(words)
    columns = max(min(2, len(transferred(evidence, target))) for target in targets)
    figure, axes = new_grid(
        len(targets), columns, (3.6 if columns == 2 else 6) * len(targets) + 0.4
    )
    said = []
    for row, target in zip(axes, targets, strict=True):
        methods = transferred(evidence, target)[:columns]
        for ax, method in zip(row, methods, strict=False):
            table = np.array(evidence["methods"][method]["evaluations"][target]["confusion"])
            shares = draw_confusion(ax, table, evidence["tags"], words)
            said.append(_say_confusions(words, method, shares))
            ax.set_title(words.name(method))
            ax.set_xlabel(words.say("plots", "confusion_axis"), fontsize=SMALL)
        hide_unused(row, len(methods))
        gold = words.say("plots", "confusion_gold")
        language = words.name(find_language(evidence, target))
        row[0].set_ylabel(f"{gold} ({language})", fontsize=SMALL)
    scale = ScalarMappable(PowerNorm(0.5, 0, 1), CONFUSION_COLORS)
    bar = figure.colorbar(scale, ax=axes, orientation="horizontal", fraction=0.03, aspect=50)
    bar.set_label(words.say("plots", "confusion_bar"), fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    percent_axis(bar.ax.xaxis, words)
    add_note(figure, words.say("plots", "confusion_note"))
    describe(figure, words.say("plots", "alt_confusion"), *said)
    return figure


def _say_confusions(words: Wording, method: str, shares: pd.DataFrame) -> str:
    """The five largest shares off the diagonal."""
    cells = [
        (share, f"{gold} → {predicted}")
        for gold, row in shares.to_dict("index").items()
        for predicted, share in row.items()
        if gold != predicted and share > 0
    ]
    largest = sorted(cells, key=lambda cell: -cell[0])[:5]
    pairs = [(name, words.percent(share, 0)) for share, name in largest]
    return sentence(words, words.name(method), pairs)


def draw_confusion(
    ax: Axes, table: NDArray[np.floating[Any]], tags: Sequence[str], words: Wording
) -> pd.DataFrame:
    """A matrix (T, T) of word counts, gold in rows, as shares of its rows.

    Tags that neither occur nor are predicted are left out; a row without words stays empty.

    Returns:
        The shares, gold tags in the index.
    """
    used = np.flatnonzero(table.sum(axis=0) + table.sum(axis=1))
    counts = table[np.ix_(used, used)]
    totals = table.sum(axis=1)[used]
    cells = np.full(counts.shape, np.nan)
    np.divide(counts, totals[:, None], out=cells, where=totals[:, None] > 0)
    names = [shorten(tags[int(n)]) for n in used]
    shares = pd.DataFrame(cells, index=names, columns=names)
    written = (cells >= SHOWN_CONFUSION) & ~np.eye(len(names), dtype=bool)
    numbers = [
        [words.number(100 * x, 0) if w else "" for x, w in zip(*row, strict=True)]
        for row in zip(cells.tolist(), written.tolist(), strict=True)
    ]
    # The square root shows the confusions, which are small, beside the diagonal.
    seaborn.heatmap(
        shares,
        ax=ax,
        norm=PowerNorm(0.5, 0, 1),
        cmap=CONFUSION_COLORS,
        annot=np.array(numbers),
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


def tagging_evidence(results: Results) -> Mapping[str, Any]:
    """Evidence of the tagging task; empty where nothing of it has finished."""
    found: Mapping[str, Any] = results.evidence.get(_task(results)) or {}
    return found


def _task(results: Results) -> str:
    return next((t.name for t in results.profile.tasks.values() if t.kind == "token"), "")


def transferred(evidence: Mapping[str, Any], name: str, part: str = "transfer") -> list[str]:
    """Trained methods with an entry for a target (``transfer``) or a set (``evaluations``)."""
    entries = evidence["methods"].items()
    return [method for method, entry in entries if not entry["control"] and name in entry[part]]


def find_language(evidence: Mapping[str, Any], evaluation: str) -> str:
    """Code of the language of an evaluated set."""
    return str(evidence["evaluations"][evaluation]["language"])

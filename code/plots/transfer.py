"""Figures of the transfer to another language: tags, causes, kinds of words, confusions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from plots.drawing import (
    add_legend,
    add_note,
    capitalise,
    cut_note,
    draw_estimate,
    draw_grid,
    estimate_handles,
    evaluation_label,
    hide_unused,
    horizontal_groups,
    in_style,
    method_handles,
    narrow_title,
    new_grid,
    nothing_to_show,
    percent_axis,
    spread_positions,
    styles_of,
)
from plots.style import FAINT, INK, SMALL
from store.results import Results
from words.wording import Wording

ABREAST = 3  # panels side by side
KINDS = ("by_seen", "by_pieces", "by_length")
SHOWN_CONFUSION = 0.05  # share of a row from which a confusion is written out


# ------------------------------------------------------------------------------------------ tags


@in_style
def plot_tag_transfer(results: Results, words: Wording) -> Figure:
    """Accuracy on the words of each tag in source (hollow) and target (filled), method by method.

    Tags stand in the order of the first method's drop.
    """
    evidence = _evidence(results)
    panels = [
        (target, m) for target in evidence.get("targets", ()) for m in _methods(evidence, target)
    ]
    if not panels:
        return nothing_to_show(words)
    columns = min(ABREAST, max(len(_methods(evidence, t)) for t in evidence["targets"]))
    grouped = [_in_rows([p for p in panels if p[0] == t], columns) for t in evidence["targets"]]
    rows = [row for of_target in grouped for row in of_target]
    tags = max(len(order_of_tags(evidence, target)) for target, _ in panels)
    figure, axes = new_grid(len(rows), columns, 0.7 + len(rows) * (0.6 + 0.155 * tags), sharex=True)
    for row_axes, row in zip(axes, rows, strict=True):
        for ax, (target, method) in zip(row_axes, row, strict=False):
            draw_tags(ax, results, words, target, method)
            narrow_title(ax, words.name(method))
        hide_unused(row_axes, len(row))
        for ax in row_axes[1 : len(row)]:
            ax.tick_params(labelleft=False)
        if len(grouped) > 1:
            language = words.name(_language(evidence, row[0][0]))
            row_axes[0].set_ylabel(capitalise(language))
    _label_lowest(axes, [len(row) for row in rows])
    add_legend(figure, _tag_handles(words, evidence))
    add_note(figure, words.say("plots", "tag_note"))
    return figure


def _label_lowest(axes: NDArray[Any], used: Sequence[int]) -> None:
    """Tick labels under the lowest used axes of every column."""
    for column in range(axes.shape[1]):
        lowest = max(row for row, count in enumerate(used) if count > column)
        axes[lowest, column].tick_params(labelbottom=True)


def draw_tags(ax: Axes, results: Results, words: Wording, target: str, method: str) -> None:
    """Two points a tag, joined; a tag that one of the sets lacks has one point."""
    evidence, style = _evidence(results), styles_of(results)[method]
    order = order_of_tags(evidence, target)
    entries = {e["group"]: e for e in evidence["methods"][method]["transfer"][target]["by_tag"]}
    horizontal_groups(ax, order)
    percent_axis(ax.xaxis, words)
    ax.set_xlim(-0.04, 1.04)
    for row, tag in enumerate(order):
        ends = [entries[tag]["source_accuracy"], entries[tag]["target_accuracy"]]
        if None not in ends:
            ax.plot(ends, [row, row], color=style.color, lw=1.2, alpha=0.7, label=f"_{tag}")
    for column, fill, name in (
        ("source_accuracy", "white", "_source"),
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
    rows = evidence["methods"][_methods(evidence, target)[0]]["transfer"][target]["by_tag"]
    present = [row for row in rows if row["source_words"] or row["target_words"]]
    # A tag without a drop, because one of the sets lacks it, comes last.
    present.sort(key=lambda row: -np.inf if row["drop"]["value"] is None else row["drop"]["value"])
    return [row["group"] for row in reversed(present)]


def _tag_handles(words: Wording, evidence: Mapping[str, Any]) -> list[Any]:
    languages = [_language(evidence, target) for target in evidence["targets"]]
    source = words.name(_language(evidence, evidence["source"]))
    targets = ", ".join(words.name(language) for language in languages)
    marks: dict[str, Any] = {"color": FAINT, "ls": "", "marker": "o", "ms": 4.5}
    return [
        Line2D([], [], **marks, mfc="white", label=words.say("plots", "source", language=source)),
        Line2D([], [], **marks, label=words.say("plots", "target", language=targets)),
    ]


def _in_rows(panels: Sequence[tuple[str, str]], columns: int) -> list[list[tuple[str, str]]]:
    return [list(panels[n : n + columns]) for n in range(0, len(panels), columns)]


# ---------------------------------------------------------------------------------------- causes


@in_style
def plot_drop_causes(results: Results, words: Wording) -> Figure:
    """Causes of the drop in percentage points with intervals, and the whole that they add up to."""
    evidence = _evidence(results)
    targets = [t for t in evidence.get("targets", ()) if _compared(results, t)]
    if not targets:
        return nothing_to_show(words)
    methods = max((_compared(results, target) for target in targets), key=len)
    rows = 1 + len(evidence["methods"][methods[0]]["transfer"][targets[0]]["causes"])
    height = len(targets) * (0.5 + rows * (0.12 + 0.06 * len(methods))) + 0.9
    figure, axes = new_grid(len(targets), 1, height, sharex=True)
    shown = []
    for ax, target in zip(axes[:, 0], targets, strict=True):
        shown += draw_causes(ax, results, words, target)
        ax.set_title(evaluation_label(words, target, _language(evidence, target)))
    axes[-1, 0].set_xlabel(words.say("plots", "cause_axis"))
    handles = method_handles(results, words, methods, "marks")
    add_legend(figure, [*handles, *estimate_handles(words, shown)])
    add_note(figure, words.say("plots", "cause_note"), cut_note(words, shown))
    return figure


def draw_causes(ax: Axes, results: Results, words: Wording, target: str) -> list[dict[str, Any]]:
    """A row a cause, in the order of the first method, and the whole drop below a line.

    Returns:
        The ESTIMATES drawn.
    """
    evidence, styles = _evidence(results), styles_of(results)
    methods = _compared(results, target)
    causes = [row["cause"] for row in evidence["methods"][methods[0]]["transfer"][target]["causes"]]
    names = [words.name(cause) for cause in causes]
    horizontal_groups(ax, [*names, words.say("plots", "cause_total")])
    ax.axhline(len(causes) - 0.5, color=FAINT, lw=0.8, label="_total")
    ax.axvline(0, color=FAINT, lw=0.8, label="_zero")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(100 * value, 0)))
    drawn = []
    for offset, method in zip(spread_positions(len(methods), 0.56), methods, strict=True):
        entry = evidence["methods"][method]["transfer"][target]
        points = {row["cause"]: row["points"] for row in entry["causes"]}
        estimates = [*(points[cause] for cause in causes), entry["drop"]]
        for row, estimate in enumerate(estimates):
            draw_estimate(ax, row + offset, estimate, styles[method], upright=False)
        drawn += estimates
    return drawn


# ------------------------------------------------------------------------------------- breakdown


@in_style
def plot_transfer_breakdown(results: Results, words: Wording) -> Figure:
    """Accuracy by known word form, word pieces and sentence length; a row an evaluated set."""
    evidence = _evidence(results)
    names = [n for n in evidence.get("evaluations", {}) if _methods(evidence, n, "evaluations")]
    if not names:
        return nothing_to_show(words)
    figure, axes = new_grid(
        len(names), len(KINDS), 1.9 * len(names) + 0.8, sharey=True, width_ratios=[0.7, 1, 1.25]
    )
    shown: list[dict[str, Any]] = []
    methods: list[str] = []
    for row, name in zip(axes, names, strict=True):
        methods = max(methods, _methods(evidence, name, "evaluations"), key=len)
        for ax, kind in zip(row, KINDS, strict=True):
            shown += draw_breakdown(ax, results, words, name, kind)
            ax.set_title(words.say("plots", f"words_{kind}"), fontweight="normal", fontsize=SMALL)
        label = evaluation_label(words, name, _language(evidence, name))
        row[0].set_ylabel(label.replace(" (", "\n(", 1), fontsize=SMALL)
    handles = method_handles(results, words, methods, "marks")
    add_legend(figure, [*handles, *estimate_handles(words, shown)])
    add_note(figure, words.say("plots", "share_note"), cut_note(words, shown))
    return figure


def draw_breakdown(
    ax: Axes, results: Results, words: Wording, evaluation: str, kind: str
) -> list[dict[str, Any]]:
    """Accuracy of each method on each group of words, groups along x.

    Returns:
        The ESTIMATES drawn.
    """
    evidence, styles = _evidence(results), styles_of(results)
    methods = _methods(evidence, evaluation, "evaluations")
    rows = evidence["methods"][methods[0]]["evaluations"][evaluation][kind]
    shown = [row["group"] for row in rows if row["words"]]
    labels = [_group_label(words, row) for row in rows if row["words"]]
    ax.set_xticks(range(len(shown)), labels, fontsize=SMALL - 1)
    ax.set_xlim(-0.5, len(shown) - 0.5)
    ax.tick_params(axis="x", length=0)
    percent_axis(ax.yaxis, words)
    draw_grid(ax, "y")
    drawn = []
    for offset, method in zip(spread_positions(len(methods), 0.5), methods, strict=True):
        entries = {
            row["group"]: row["accuracy"]
            for row in evidence["methods"][method]["evaluations"][evaluation][kind]
        }
        for place, group in enumerate(shown):
            draw_estimate(ax, place + offset, entries[group], styles[method], upright=True)
            drawn.append(entries[group])
    return drawn


def _group_label(words: Wording, row: Mapping[str, Any]) -> str:
    group, share = words.name(row["group"]), words.percent(row["share"], 0)
    return words.say("plots", "group_share", group=group, share=share)


# ------------------------------------------------------------------------------------- confusion


@in_style
def plot_confusion(results: Results, words: Wording) -> Figure:
    """What the words of each gold tag are taken for in the target: the first two methods."""
    evidence = _evidence(results)
    targets = [t for t in evidence.get("targets", ()) if _methods(evidence, t)]
    if not targets:
        return nothing_to_show(words)
    columns = max(min(2, len(_methods(evidence, target))) for target in targets)
    figure, axes = new_grid(
        len(targets), columns, (3.6 if columns == 2 else 6) * len(targets) + 0.4
    )
    image = None
    for row, target in zip(axes, targets, strict=True):
        methods = _methods(evidence, target)[:columns]
        for ax, method in zip(row, methods, strict=False):
            table = np.array(evidence["methods"][method]["evaluations"][target]["confusion"])
            image = draw_confusion(ax, table, evidence["tags"], words)
            ax.set_title(words.name(method))
            ax.set_xlabel(words.say("plots", "confusion_axis"), fontsize=SMALL)
        hide_unused(row, len(methods))
        gold = words.say("plots", "confusion_gold")
        language = words.name(_language(evidence, target))
        row[0].set_ylabel(f"{gold} ({language})", fontsize=SMALL)
    assert image is not None
    bar = figure.colorbar(image, ax=axes, orientation="horizontal", fraction=0.03, aspect=50)
    bar.set_label(words.say("plots", "confusion_bar"), fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    percent_axis(bar.ax.xaxis, words)
    add_note(figure, words.say("plots", "confusion_note"))
    return figure


def draw_confusion(
    ax: Axes, table: NDArray[np.floating[Any]], tags: Sequence[str], words: Wording
) -> AxesImage:
    """A matrix (T, T) of word counts, gold in rows, as shares of its rows.

    Tags that neither occur nor are predicted are left out; a row without words stays empty.
    """
    used = np.flatnonzero(table.sum(axis=0) + table.sum(axis=1))
    counts = table[np.ix_(used, used)]
    totals = table.sum(axis=1)[used]
    shares = np.full(counts.shape, np.nan)
    np.divide(counts, totals[:, None], out=shares, where=totals[:, None] > 0)
    # The square root shows the confusions, which are small, beside the diagonal.
    image = ax.imshow(shares, norm=PowerNorm(0.5, 0, 1), cmap=colormaps["Blues"], aspect="auto")
    names = [tags[int(n)] for n in used]
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize=6.5)
    ax.set_yticks(range(len(names)), names, fontsize=6.5)
    ax.tick_params(length=0)
    for row, column in zip(*np.nonzero(shares >= SHOWN_CONFUSION), strict=True):
        if row != column:
            share = shares[row, column]
            color = "white" if share > 0.4 else INK
            text = words.number(100 * float(share), 0)
            ax.text(column, row, text, ha="center", va="center", fontsize=5.5, color=color)
    return image


# --------------------------------------------------------------------------------------- evidence


def _evidence(results: Results) -> dict[str, Any]:
    """Evidence of the tagging task; empty where nothing of it has finished."""
    return results.evidence.get(_task(results), {})


def _task(results: Results) -> str:
    return next((t.name for t in results.profile.tasks.values() if t.kind == "token"), "")


def _methods(evidence: Mapping[str, Any], name: str, part: str = "transfer") -> list[str]:
    """Trained methods with an entry for a target (``transfer``) or a set (``evaluations``)."""
    entries = evidence["methods"].items()
    return [method for method, entry in entries if not entry["control"] and name in entry[part]]


def _compared(results: Results, target: str) -> list[str]:
    """The main methods with an entry for a target: a control that loses all would hide them."""
    known = _methods(_evidence(results), target)
    return [method for method in results.main_methods(_task(results)) if method in known]


def _language(evidence: Mapping[str, Any], evaluation: str) -> str:
    return str(evidence["evaluations"][evaluation]["language"])

"""Tables of quality: CoLA and tagging by method, by tag and metric, and the paired comparisons.

Bold is the best value of a column; what is more than chance, the comparisons say.
"""

from collections.abc import Sequence

from evidence.outcomes import decisive_interval
from evidence.schema import Comparison, Estimate, TaggingEvidence
from store.results import Results
from tabulation.cells import (
    PERCENT,
    PLAIN,
    Cells,
    interval_note,
    needs_evidence,
    nothing,
    scale_of,
    seeds_note,
)
from tabulation.costs import show_costs
from tabulation.markdown import Table, escape, mark_best, pipe_table, stack, with_notes
from words.wording import Wording

QUALITY = ("matthews_correlation", "accuracy", "f1", "f1_unacceptable")
TAGGING = ("accuracy", "macro_f1")
COLUMNS = 8  # more do not fit a page


@needs_evidence("cola")
def tabulate_acceptability(results: Results, words: Wording) -> Table:
    """The main table: quality, time, trained parameters and memory of every method and control."""
    cells, summary = Cells(words), results.acceptability("cola")
    header = cells.titles("method", *QUALITY, "time", "trainable", "peak_memory")
    rows = []
    for method, entry in summary["methods"].items():
        quality = [cells.value(entry["metrics"][name], scale_of(name)) for name in QUALITY[1:]]
        mcc = cells.estimate(entry["metrics"]["matthews_correlation"])
        costs = show_costs(results, "cola", method, cells)
        rows.append([cells.name(method), mcc, *quality, *costs])
    notes = [cells.say("note_median_costs"), cells.say("note_best"), interval_note(cells, summary)]
    return cells.table(header, mark_best(rows, (1, 2, 3, 4)), "lr", *notes)


@needs_evidence("cola")
def tabulate_quality(results: Results, words: Wording) -> Table:
    """Quality alone, every metric with its interval, and the spread of MCC over seeds."""
    cells, summary = Cells(words), results.acceptability("cola")
    header = cells.titles("method", "seeds_count", "matthews_correlation", "sd", *QUALITY[1:])
    rows = []
    for method, entry in summary["methods"].items():
        seeds = cells.count(len(entry["seeds"]) or None)
        mcc, *others = (cells.estimate(entry["metrics"][m], scale_of(m)) for m in QUALITY)
        spread = cells.number(entry["metrics"]["matthews_correlation"]["sd"])
        rows.append([cells.name(method), seeds, mcc, spread, *others])
    notes = [interval_note(cells, summary), cells.say("note_best")]
    notes.append(seeds_note(results, cells, "cola"))
    return cells.table(header, mark_best(rows, (2, 4, 5, 6)), "lr", *notes)


@needs_evidence("pos")
def tabulate_tagging(results: Results, words: Wording) -> Table:
    """The main table: every method and control in both languages, with the drop between them.

    A table for each target language, where there are several; without any, quality alone.
    """
    cells, summary = Cells(words), results.tagging("pos")
    source, tables, drop = summary["source"], {}, cells.say("column_drop")
    for target in summary["targets"] or [source]:
        places = dict.fromkeys((source, target))
        names = {place: cells.evaluation(results, "pos", place) for place in places}
        found: dict[str, dict[str, Estimate]] = {}
        for metric in TAGGING:
            for place, name in names.items():
                title = cells.say(f"column_{metric}_in", language=name)
                found[title] = results.estimates("pos", place, metric)
            if metric == "accuracy" and target != source:
                found[drop] = _drops(summary, target)
        rows = [
            [
                cells.name(method),
                *(cells.estimate(of.get(method), PERCENT) for of in found.values()),
            ]
            for method in summary["methods"]
        ]
        better = [n for n, title in enumerate(found, 1) if title != drop]
        header = [cells.say("column_method"), *found]
        tables[names[target]] = pipe_table(header, mark_best(rows, better), "lr")
    notes = [cells.say("note_drop"), cells.say("note_best"), interval_note(cells, summary)]
    notes.append(seeds_note(results, cells, "pos"))
    return with_notes(stack(tables, cells.say("column_evaluation")), *notes)


def _drops(summary: TaggingEvidence, target: str) -> dict[str, Estimate]:
    entries = summary["methods"].items()
    return {m: of["transfer"][target]["drop"] for m, of in entries if target in of["transfer"]}


@needs_evidence("pos")
def tabulate_tags(results: Results, words: Wording) -> Table:
    """F1 of every tag in every language for the main methods; several tables if one is too wide."""
    cells, summary = Cells(words), results.tagging("pos")
    methods = results.main_methods("pos")
    if not methods:
        return nothing(words)
    sets = list(summary["evaluations"])
    groups = [sets] if 1 + len(sets) * (1 + len(methods)) <= COLUMNS else [[name] for name in sets]
    tables = {
        cells.evaluation(results, "pos", group[0]): _tag_table(results, cells, group, methods)
        for group in groups
    }
    return with_notes(stack(tables, cells.say("column_evaluation")), cells.say("note_tags"))


def _tag_table(
    results: Results, cells: Cells, sets: Sequence[str], methods: Sequence[str]
) -> Table:
    summary = results.tagging("pos")
    columns: dict[str, list[str]] = {cells.say("column_tag"): list(map(escape, summary["tags"]))}
    for name in sets:
        language = cells.evaluation(results, "pos", name)
        support = summary["evaluations"][name]["support"].values()
        columns[cells.say("column_words_of", language=language)] = list(map(cells.count, support))
        for method in methods:
            found = summary["methods"][method]["evaluations"].get(name)
            f1s = [row["f1"] for row in found["per_tag"]] if found else [None] * len(support)
            title = cells.say("column_f1_of", language=language, method=cells.name(method))
            columns[title] = [cells.value(f1, PERCENT) for f1 in f1s]
    return pipe_table(list(columns), zip(*columns.values(), strict=True), "lr")


@needs_evidence("pos")
def tabulate_seqeval_trap(results: Results, words: Wording) -> Table:
    """Two small computed cases where seqeval's F1 misleads on tags without IOB prefixes."""
    cells, summary = Cells(words), results.tagging("pos")
    header = cells.titles("words", "gold", "predicted", "accuracy", "seqeval_f1")
    rows = [
        [
            escape(" ".join(case["words"])),
            escape(" ".join(case["gold"])),
            escape(" ".join(case["predicted"])),
            cells.percent(case["accuracy"]),
            cells.percent(case["seqeval_f1"]),
        ]
        for case in summary["seqeval_trap"].values()
    ]
    return cells.table(header, rows, "lllrr", cells.say("note_seqeval"))


@needs_evidence("pos")
def tabulate_seqeval(results: Results, words: Wording) -> Table:
    """The figure of seqeval on our predictions beside accuracy and macro-F1."""
    cells, summary = Cells(words), results.tagging("pos")
    names = ("accuracy", "macro_f1", "seqeval_f1")
    header = cells.titles("method", "evaluation", *names)
    rows = [
        [
            cells.name(method),
            cells.evaluation(results, "pos", evaluation),
            *(cells.value(found["metrics"][name], PERCENT) for name in names),
        ]
        for method, entry in summary["methods"].items()
        for evaluation, found in entry["evaluations"].items()
    ]
    return cells.table(header, rows, "llr", cells.say("note_seqeval_figures"))


def tabulate_comparisons(results: Results, task: str, words: Wording) -> Table:
    """Differences of pairs with at least one main method: effect, interval, corrected p value.

    Of the first metric of the comparisons, and of the drop.
    """
    cells, rows = Cells(words), results.comparisons(task)
    wanted = [*(row["metric"] for row in rows[:1]), "drop"]
    main = set(results.main_methods(task))
    chosen = [r for r in rows if r["metric"] in wanted and {r["first"], r["second"]} & main]
    header = cells.titles("evaluation", "metric", "pair", "effect", "interval", "p_corrected")
    first = 0 if len({row["evaluation"] for row in chosen}) > 1 else 1
    shown = [_comparison_row(results, task, row, cells)[first:] for row in chosen]
    sizes = sorted({row["family"] for row in chosen if row["family"] and not row["primary"]})
    notes = [cells.say("note_comparisons", family="–".join(map(str, sizes)))]
    if any(row["covers"] == "items" and row["effect"] is not None for row in chosen):
        notes.append(cells.say("note_items_only"))
    if any(row["effect"] is None for row in chosen):
        notes.append(cells.say("note_no_common_seed"))
    return cells.table(header[first:], shown, "lllrrr"[first:], *notes)


def _comparison_row(results: Results, task: str, row: Comparison, cells: Cells) -> list[str]:
    scale = scale_of(row["metric"])
    unit = "unit_plain" if scale == PLAIN else "unit_points"
    return [
        cells.evaluation(results, task, row["evaluation"]),
        cells.say(unit, metric=cells.name(row["metric"])),
        cells.say("pair", first=cells.name(row["first"]), second=cells.name(row["second"])),
        cells.signed(row["effect"], scale),
        cells.span(decisive_interval(row), scale),
        cells.p_value(row["p_corrected"]),
    ]

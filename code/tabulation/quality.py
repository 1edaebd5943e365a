"""Tables of quality: CoLA and tagging by method, by tag and metric, and the paired comparisons.

Bold is the best value of a column; what is more than chance, the comparisons say.
"""

from collections.abc import Sequence

from evidence.outcomes import decisive_interval
from evidence.schema import Comparison, TaggingMethod
from store.frames import select
from store.results import Results, needs
from tabulation.cells import (
    PERCENT,
    PLAIN,
    Cells,
    interval_note,
    median_of,
    needs_evidence,
    nothing,
    scale_of,
    seeds_note,
)
from tabulation.markdown import Table, escape, mark_best, pipe_table, stack, with_notes
from words.wording import MISSING, Wording

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
        rows.append([cells.name(method), mcc, *quality, *_costs(results, method, cells)])
    notes = [
        cells.say("note_median_costs"),
        cells.say("note_best"),
        interval_note(cells, summary),
    ]
    return cells.table(header, mark_best(rows, (1, 2, 3, 4)), "lr", *notes)


def _costs(results: Results, method: str, cells: Cells) -> list[str]:
    runs = select(results.runs, task="cola", method=method)
    if runs.empty:
        return [MISSING] * 3
    return [
        cells.duration(median_of(runs["training_seconds"])),
        cells.count(median_of(runs["trainable_parameters"])),
        cells.megabytes(median_of(runs["peak_memory_bytes"])),
    ]


@needs_evidence("cola")
def tabulate_quality(results: Results, words: Wording) -> Table:
    """Quality alone, every metric with its interval, and the spread of MCC over seeds."""
    cells, summary = Cells(words), results.acceptability("cola")
    header = cells.titles("method", "seeds_count", "matthews_correlation", "sd", *QUALITY[1:])
    rows = []
    for method, entry in summary["methods"].items():
        metrics = entry["metrics"]
        rows.append(
            [
                cells.name(method),
                cells.count(len(entry["seeds"]) or None),
                cells.estimate(metrics["matthews_correlation"]),
                cells.number(metrics["matthews_correlation"]["sd"]),
                *(cells.estimate(metrics[name], scale_of(name)) for name in QUALITY[1:]),
            ]
        )
    rows = mark_best(rows, (2, 4, 5, 6))
    notes = [interval_note(cells, summary), cells.say("note_best")]
    return cells.table(header, rows, "lr", *notes, seeds_note(results, cells, "cola"))


@needs_evidence("pos")
def tabulate_tagging(results: Results, words: Wording) -> Table:
    """The main table: every method and control in both languages, with the drop between them.

    A table for each target language, where there are several; without any, quality alone.
    """
    cells, summary = Cells(words), results.tagging("pos")
    source = summary["source"]
    targets = summary["targets"] or [source]
    tables = {
        cells.evaluation(results, "pos", target): _tagging_table(results, cells, source, target)
        for target in targets
    }
    notes = [
        cells.say("note_drop"),
        cells.say("note_best"),
        interval_note(cells, summary),
        seeds_note(results, cells, "pos"),
    ]
    return with_notes(stack(tables, cells.say("column_evaluation")), *notes)


def _tagging_table(results: Results, cells: Cells, source: str, target: str) -> Table:
    header = cells.titles("method")
    for metric in TAGGING:
        for place in dict.fromkeys((source, target)):
            language = cells.evaluation(results, "pos", place)
            header += cells.titles(f"{metric}_in", language=language)
        header += cells.titles("drop") if metric == "accuracy" and target != source else []
    rows = [
        [cells.name(method), *_tagging_cells(entry, cells, source, target)]
        for method, entry in results.tagging("pos")["methods"].items()
    ]
    drop = 3 if target != source else None
    better = [column for column in range(1, len(header)) if column != drop]
    return pipe_table(header, mark_best(rows, better), "lr")


def _tagging_cells(entry: TaggingMethod, cells: Cells, source: str, target: str) -> list[str]:
    row: list[str] = []
    for metric in TAGGING:
        for place in dict.fromkeys((source, target)):
            found = entry["evaluations"].get(place)
            row.append(cells.estimate(found["metrics"][metric] if found else None, PERCENT))
        if metric == "accuracy" and target != source:
            moved = entry["transfer"].get(target)
            row.append(cells.estimate(moved["drop"] if moved else None, PERCENT))
    return row


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
    header = cells.titles("tag")
    for name in sets:
        language = cells.evaluation(results, "pos", name)
        header.append(cells.say("column_words_of", language=language))
        header += [
            cells.say("column_f1_of", language=language, method=cells.name(m)) for m in methods
        ]
    rows = []
    for index, tag in enumerate(summary["tags"]):
        row: list[str] = [escape(tag)]
        for name in sets:
            row.append(cells.count(summary["evaluations"][name]["support"][tag]))
            row += [_tag_f1(summary["methods"][m], name, index, cells) for m in methods]
        rows.append(row)
    return pipe_table(header, rows, "lr")


def _tag_f1(entry: TaggingMethod, evaluation: str, index: int, cells: Cells) -> str:
    found = entry["evaluations"].get(evaluation)
    return cells.value(found["per_tag"][index]["f1"], PERCENT) if found else MISSING


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


@needs("evidence", nothing)
def tabulate_comparisons(
    results: Results, task: str, words: Wording, metrics: Sequence[str] | None = None
) -> Table:
    """Differences between methods: effect, interval and corrected p value.

    Shown are the pairs with at least one main method.

    Args:
        results: the results.
        task: ``cola`` or ``pos``.
        words: the language.
        metrics: which metrics of the comparisons; without, the first one and the drop.
    """
    cells = Cells(words)
    chosen = _chosen_comparisons(results, task, metrics)
    header = cells.titles("evaluation", "metric", "pair", "effect", "interval", "p_corrected")
    several = len({row["evaluation"] for row in chosen}) > 1
    columns = slice(None) if several else slice(1, None)
    rows = [_comparison_row(results, task, row, cells)[columns] for row in chosen]
    notes = [
        cells.say("note_comparisons", family=_families(chosen)),
        _comparison_note(cells, chosen),
    ]
    align = "lllrrr" if several else "llrrr"
    return cells.table(header[columns], rows, align, *notes)


def _chosen_comparisons(
    results: Results, task: str, metrics: Sequence[str] | None
) -> list[Comparison]:
    rows = results.comparisons(task)
    wanted = metrics or list(dict.fromkeys([*(row["metric"] for row in rows[:1]), "drop"]))
    main = set(results.main_methods(task))
    return [row for row in rows if row["metric"] in wanted and {row["first"], row["second"]} & main]


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


def _families(rows: Sequence[Comparison]) -> str:
    sizes = {row["family"] for row in rows if row["family"] and not row["primary"]}
    return "–".join(str(size) for size in sorted(sizes))


def _comparison_note(cells: Cells, rows: Sequence[Comparison]) -> str:
    notes = []
    if any(row["covers"] == "items" and row["effect"] is not None for row in rows):
        notes.append(cells.say("note_items_only"))
    if any(row["effect"] is None for row in rows):
        notes.append(cells.say("note_no_common_seed"))
    return " ".join(notes)

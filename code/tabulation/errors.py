"""Tables on the errors of Task 1 (CoLA): by kind of sentence, by seed, by threshold."""

from evidence.schema import AcceptabilityEvidence, AlwaysWrong
from store.results import Results
from tabulation.cells import (
    PERCENT,
    PLAIN,
    Cells,
    Scale,
    needs_evidence,
    trained_methods,
)
from tabulation.markdown import Table, escape
from words.wording import MISSING, Wording

TASK = "cola"
THRESHOLD = Scale(1, 2)


@needs_evidence(TASK)
def tabulate_threshold(results: Results, words: Wording) -> Table:
    """What the threshold 0.5 leaves on the table: an upper bound, as the note says."""
    cells, summary = Cells(words), results.acceptability(TASK)
    header = cells.titles("method", "argmax", "mcc_bound", "gain", "best_threshold")
    rows = []
    for method in trained_methods(summary):
        entry = summary["methods"][method]["threshold"]
        assert entry is not None, "only controls have no probabilities"
        best = sorted({cells.number(t, THRESHOLD) for t in entry["best_thresholds"]})
        shown = best[0] if len(best) == 1 else f"{best[0]}–{best[-1]}"
        values = [cells.number(v) for v in (entry["argmax"], entry["upper_bound"], entry["gain"])]
        rows.append([cells.name(method), *values, shown])
    return cells.table(header, rows, "lr", cells.say("note_threshold"))


@needs_evidence(TASK)
def tabulate_acceptability_errors(results: Results, words: Wording) -> Table:
    """Accuracy by domain, length and label, and MCC where both labels occur."""
    cells, summary = Cells(words), results.acceptability(TASK)
    methods, main = trained_methods(summary)[:4], results.main_methods(TASK)[:2]
    header = cells.titles("group", "sentences")
    header += [cells.say("column_accuracy_of", method=cells.name(m)) for m in methods]
    header += [cells.say("column_mcc_of", method=cells.name(m)) for m in main]
    rows = []
    for kind in ("by_domain", "by_length", "by_label"):
        entries = {m: summary["methods"][m]["groups"][kind] for m in methods}
        for number, group in enumerate(entries[methods[0]]):
            found = {m: entries[m][number] for m in methods}
            rows.append(
                [
                    _group(kind, group["group"], cells),
                    cells.count(group["items"]),
                    *(cells.value(found[m]["accuracy"], PERCENT) for m in methods),
                    *(cells.value(found[m]["matthews_correlation"], PLAIN) for m in main),
                ]
            )
    rows += _agreement_rows(summary, methods, len(main), cells)
    return cells.table(header, rows, "lr", cells.say("note_errors"))


def _group(kind: str, group: str, cells: Cells) -> str:
    name = cells.name(group)
    return cells.say("group_words", group=name) if kind == "by_length" else name


def _agreement_rows(
    summary: AcceptabilityEvidence, methods: list[str], empty: int, cells: Cells
) -> list[list[str]]:
    found = [summary["methods"][method]["agreement"] for method in methods]
    if any(entry is None for entry in found):
        return []
    shares = [cells.value(entry, PERCENT) for entry in found]
    title = cells.say("group_agreement")
    return [[title, cells.count(summary["items"]), *shares, *[MISSING] * empty]]


@needs_evidence(TASK)
def tabulate_always_wrong(results: Results, words: Wording) -> Table:
    """Sentences that every seed gets wrong, beside the number expected of independent errors."""
    cells, summary = Cells(words), results.acceptability(TASK)
    header = cells.titles("method", "seeds_count", "always_wrong", "share", "expected")
    methods = trained_methods(summary)
    rows = []
    for method in methods:
        entry = summary["methods"][method]
        rows.append(
            _wrong_row(cells.name(method), len(entry["seeds"]), entry["always_wrong"], cells)
        )
    seeds = sum(len(summary["methods"][method]["seeds"]) for method in methods)
    rows.append(_wrong_row(cells.say("all_methods"), seeds, summary["always_wrong"], cells))
    return cells.table(header, rows, "lr", cells.say("note_always_wrong"))


def _wrong_row(name: str, seeds: int, entry: AlwaysWrong, cells: Cells) -> list[str]:
    expected = cells.number(entry["expected"], Scale(1, 1))
    share = cells.number(entry["share"], PERCENT)
    return [name, cells.count(seeds), cells.count(entry["count"]), share, expected]


@needs_evidence(TASK)
def tabulate_wrong_examples(results: Results, words: Wording, count: int = 8) -> Table:
    """The first sentences that every seed of every method gets wrong."""
    cells, summary = Cells(words), results.acceptability(TASK)
    items = results.items[TASK][summary["evaluation"]]
    chosen = items.iloc[summary["always_wrong"]["indices"][:count]]
    header = cells.titles("sentence", "label", "origin")
    rows = [
        [
            escape(row.text),
            cells.say("label_acceptable" if row.label else "label_unacceptable"),
            cells.name(row.phenomenon or row.source),
        ]
        for row in chosen.itertuples()
    ]
    return cells.table(header, rows, "lll", empty="no_examples")

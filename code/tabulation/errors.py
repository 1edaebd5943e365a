"""Tables on the errors of Task 1 (CoLA): by kind of sentence, by seed, by threshold."""

from store.results import Results
from tabulation.cells import PERCENT, Cells, Scale, needs_evidence, trained_methods
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
        if entry is None:
            rows.append([cells.name(method), *[MISSING] * (len(header) - 1)])
            continue
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
        of_methods = [summary["methods"][m]["groups"][kind] for m in methods]
        for found in zip(*of_methods, strict=True):
            own, name = dict(zip(methods, found, strict=True)), cells.name(found[0]["group"])
            title = cells.say("group_words", group=name) if kind == "by_length" else name
            accuracies = [cells.value(group["accuracy"], PERCENT) for group in found]
            mccs = [cells.value(own[m]["matthews_correlation"]) for m in main]
            rows.append([title, cells.count(found[0]["items"]), *accuracies, *mccs])
    agreement = [summary["methods"][method]["agreement"] for method in methods]
    if None not in agreement:
        shares = [cells.value(entry, PERCENT) for entry in agreement]
        row = [cells.say("group_agreement"), cells.count(summary["items"]), *shares]
        rows.append([*row, *[MISSING] * len(main)])
    return cells.table(header, rows, "lr", cells.say("note_errors"))


@needs_evidence(TASK)
def tabulate_always_wrong(results: Results, words: Wording) -> Table:
    """Sentences that every seed gets wrong, beside the number expected of independent errors."""
    cells, summary = Cells(words), results.acceptability(TASK)
    header = cells.titles("method", "seeds_count", "always_wrong", "share", "expected")
    trained = {name: summary["methods"][name] for name in trained_methods(summary)}
    found = [(cells.name(n), len(e["seeds"]), e["always_wrong"]) for n, e in trained.items()]
    every = sum(seeds for _, seeds, _ in found)
    found.append((cells.say("all_methods"), every, summary["always_wrong"]))
    rows = [
        [
            name,
            cells.count(seeds),
            cells.count(wrong["count"]),
            cells.number(wrong["share"], PERCENT),
            cells.number(wrong["expected"], Scale(1, 1)),
        ]
        for name, seeds, wrong in found
    ]
    return cells.table(header, rows, "lr", cells.say("note_always_wrong"))


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

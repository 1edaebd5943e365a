"""Tables on where the accuracy of tagging is lost between the languages (Task 2).

Points are percentage points of accuracy: what a row contributes to the drop from the language of
training to the other. Tables about one method are about the first main one unless another is named.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from evidence.outcomes import decisive_interval
from evidence.schema import DropGroup, Estimate, Transfer
from store.results import Results
from tabulation.cells import PERCENT, Cells, interval_note, nothing
from tabulation.markdown import Table, escape, pipe_table, stack, with_notes
from words.wording import MISSING, Wording

TASK = "pos"
BREAKDOWNS = ("by_seen", "by_pieces", "by_length")


def tabulate_drop_causes(results: Results, words: Wording) -> Table:
    """How many points of the drop each kind of confusion accounts for, for the main methods."""
    cells = Cells(words)
    methods = _with_transfer(results, results.main_methods(TASK))[:3]
    if not methods:
        return nothing(words)
    tables = {}
    for target, entries in _transfers(results, methods):
        causes = [row["cause"] for row in entries[0]["causes"]]
        columns = {cells.say("column_cause"): [*map(cells.name, causes), cells.say("whole_drop")]}
        for method, entry in zip(map(cells.name, methods), entries, strict=True):
            own, drop = {row["cause"]: row for row in entry["causes"]}, entry["drop"]
            points = [*(own[cause]["points"] for cause in causes), drop]
            shares = [*(own[cause]["share"] for cause in causes), 1.0]
            columns[cells.say("column_points_of", method=method)] = [
                cells.estimate(point, PERCENT) for point in points
            ]
            columns[cells.say("column_share_of", method=method)] = [
                _share(share, drop, cells) for share in shares
            ]
        rows = zip(*columns.values(), strict=True)
        tables[cells.evaluation(results, TASK, target)] = pipe_table(list(columns), rows, "lr")
    notes = [cells.say("note_causes"), interval_note(cells, results.tagging(TASK))]
    return with_notes(stack(tables, cells.say("column_evaluation")), *notes)


def _share(share: float | None, drop: Estimate, cells: Cells) -> str:
    """A share of the drop, where the drop can be told from none at all."""
    low, _ = decisive_interval(drop)
    return MISSING if low is not None and low <= 0 else cells.percent(share, 0)


def tabulate_confusions(
    results: Results, words: Wording, method: str | None = None, count: int = 10
) -> Table:
    """The confusions that cost most points, as rates of all words in both languages."""

    def rows(entry: Transfer, cells: Cells) -> list[list[str]]:
        return [
            [
                escape(cell["gold"]),
                escape(cell["predicted"]),
                cells.percent(cell["source_rate"], 2),
                cells.percent(cell["target_rate"], 2),
                cells.signed(cell["points"], PERCENT),
                _share(cell["share"], entry["drop"], cells),
            ]
            for cell in entry["cells"][:count]
        ]

    titles = ("gold", "predicted", "rate_of", "points", "share_of_drop")
    return _of_one_method(results, words, method, titles, rows, "llr", "note_confusions", count)


def _of_one_method(
    results: Results,
    words: Wording,
    method: str | None,
    titles: Sequence[str],
    rows: Callable[[Transfer, Cells], list[list[str]]],
    align: str,
    note: str,
    count: int | None = None,
) -> Table:
    """Tables on the transfer of a method, a table a target.

    A title on ``_of`` or ``_in`` stands for two columns, of the two languages.
    """
    cells = Cells(words)
    methods = _with_transfer(results, [method] if method else results.main_methods(TASK)[:1])
    if not methods:
        return nothing(words)
    tables = {}
    for target, (entry,) in _transfers(results, methods):
        pair = [cells.evaluation(results, TASK, e) for e in (results.evaluations(TASK)[0], target)]
        header = []
        for title in titles:
            two = pair if title.endswith(("_of", "_in")) else [""]
            header += [cells.titles(title, language=name)[0] for name in two]
        tables[pair[1]] = pipe_table(header, rows(entry, cells), align)
    said = cells.say(note, count=count, method=cells.name(methods[0]))
    return with_notes(stack(tables, cells.say("column_evaluation")), said)


def tabulate_transfer_breakdown(
    results: Results, words: Wording, method: str | None = None, kinds: Sequence[str] = BREAKDOWNS
) -> Table:
    """Accuracy in both languages by kind of word, and each group's points of the drop.

    ``kinds`` are groupings of the words: ``by_tag`` or some of ``BREAKDOWNS``.
    """

    def rows(entry: Transfer, cells: Cells) -> list[list[str]]:
        return [
            _drop_row(kind, row, cells)
            for kind in kinds
            for row in entry["groups"][kind]
            if row["source_words"] or row["target_words"]
        ]

    titles = ("group", "words_of", "accuracy_in", "drop", "points")
    return _of_one_method(results, words, method, titles, rows, "lr", "note_breakdown")


def tabulate_tag_drop(results: Results, words: Wording, method: str | None = None) -> Table:
    """Accuracy of every tag in both languages, and its points of the drop."""
    return tabulate_transfer_breakdown(results, words, method, ("by_tag",))


def _drop_row(kind: str, row: DropGroup, cells: Cells) -> list[str]:
    numbered = {"by_pieces": "group_pieces", "by_length": "group_length"}
    name = cells.name(row["group"])
    return [
        cells.say(numbered[kind], group=name) if kind in numbered else name,
        cells.count(row["source_words"]),
        cells.count(row["target_words"]),
        cells.percent(row["source_accuracy"]),
        cells.percent(row["target_accuracy"]),
        cells.estimate(row["drop"], PERCENT),
        cells.signed(row["points"], PERCENT),
    ]


def _with_transfer(results: Results, methods: Iterable[str]) -> list[str]:
    """Those of the methods whose predictions cover the source and a target."""
    found = results.tagging(TASK)["methods"] if results.has("evidence", TASK) else {}
    return [method for method in methods if method in found and found[method]["transfer"]]


def _transfers(results: Results, methods: Sequence[str]) -> Iterator[tuple[str, list[Transfer]]]:
    """Targets for which every one of the methods has predictions, and what became of them."""
    summary = results.tagging(TASK)
    found = [summary["methods"][method]["transfer"] for method in methods]
    for target in summary["targets"]:
        if all(target in entry for entry in found):
            yield target, [entry[target] for entry in found]

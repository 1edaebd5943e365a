"""Tables on where the accuracy of tagging is lost between the languages (Task 2).

Points are percentage points of accuracy: what a row contributes to the drop from the language of
training to the other. Tables about one method are about the first main one unless another is named.
"""

from collections.abc import Iterable, Mapping, Sequence

from evidence.outcomes import decisive_interval
from evidence.schema import DropGroup, Estimate, TaggingEvidence, Transfer
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
    summary = results.tagging(TASK)
    header = cells.titles("cause")
    for method in methods:
        header.append(cells.say("column_points_of", method=cells.name(method)))
        header.append(cells.say("column_share_of", method=cells.name(method)))
    tables = {}
    for target in _targets(summary, methods):
        found = {m: summary["methods"][m]["transfer"][target] for m in methods}
        order = [row["cause"] for row in found[methods[0]]["causes"]]
        rows = [[cells.name(cause), *_cause_cells(found, cause, cells)] for cause in order]
        total = [cells.say("whole_drop")]
        for method in methods:
            drop = found[method]["drop"]
            total += [cells.estimate(drop, PERCENT), _share(1.0, drop, cells)]
        tables[_title(results, cells, target)] = pipe_table(header, [*rows, total], "lr")
    notes = [cells.say("note_causes"), interval_note(cells, summary)]
    return with_notes(stack(tables, cells.say("column_evaluation")), *notes)


def _cause_cells(found: Mapping[str, Transfer], cause: str, cells: Cells) -> list[str]:
    row = []
    for entry in found.values():
        own = next(candidate for candidate in entry["causes"] if candidate["cause"] == cause)
        share = _share(own["share"], entry["drop"], cells)
        row += [cells.estimate(own["points"], PERCENT), share]
    return row


def _share(share: float | None, drop: Estimate, cells: Cells) -> str:
    """A share of the drop, where the drop can be told from none at all."""
    low, _ = decisive_interval(drop)
    return MISSING if low is not None and low <= 0 else cells.percent(share, 0)


def tabulate_confusions(
    results: Results, words: Wording, method: str | None = None, count: int = 10
) -> Table:
    """The confusions that cost most points, as rates of all words in both languages."""
    cells = Cells(words)
    methods = _with_transfer(results, [method] if method else results.main_methods(TASK)[:1])
    if not methods:
        return nothing(words)
    summary = results.tagging(TASK)
    tables = {}
    for target in _targets(summary, methods):
        entry = summary["methods"][methods[0]]["transfer"][target]
        header = cells.titles("gold", "predicted")
        header += [
            cells.say("column_rate_of", language=name) for name in _pair(results, cells, target)
        ]
        header += cells.titles("points", "share_of_drop")
        rows = [
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
        tables[_title(results, cells, target)] = pipe_table(header, rows, "llr")
    note = cells.say("note_confusions", count=count, method=cells.name(methods[0]))
    return with_notes(stack(tables, cells.say("column_evaluation")), note)


def tabulate_transfer_breakdown(
    results: Results,
    words: Wording,
    method: str | None = None,
    kinds: Sequence[str] = BREAKDOWNS,
) -> Table:
    """Accuracy in both languages by kind of word, and each group's points of the drop.

    Args:
        results: the results.
        words: the language of the table.
        method: the method shown.
        kinds: which groupings of the words: ``by_tag`` or some of ``BREAKDOWNS``.
    """
    cells = Cells(words)
    methods = _with_transfer(results, [method] if method else results.main_methods(TASK)[:1])
    if not methods:
        return nothing(words)
    summary = results.tagging(TASK)
    tables = {}
    for target in _targets(summary, methods):
        pair = _pair(results, cells, target)
        header = cells.titles("group")
        header += [cells.say("column_words_of", language=language) for language in pair]
        header += [cells.say("column_accuracy_in", language=language) for language in pair]
        header += cells.titles("drop", "points")
        entry = summary["methods"][methods[0]]["transfer"][target]
        rows = [
            _drop_row(kind, row, cells)
            for kind in kinds
            for row in entry["groups"][kind]
            if _occurs(row)
        ]
        tables[_title(results, cells, target)] = pipe_table(header, rows, "lr")
    note = cells.say("note_breakdown", method=cells.name(methods[0]))
    return with_notes(stack(tables, cells.say("column_evaluation")), note)


def tabulate_tag_drop(results: Results, words: Wording, method: str | None = None) -> Table:
    """Accuracy of every tag in both languages, and its points of the drop."""
    return tabulate_transfer_breakdown(results, words, method, ("by_tag",))


def _occurs(row: DropGroup) -> bool:
    return bool(row["source_words"] or row["target_words"])


def _drop_row(kind: str, row: DropGroup, cells: Cells) -> list[str]:
    group = row["group"]
    numbered = {"by_pieces": "group_pieces", "by_length": "group_length"}
    name = cells.name(group)
    title = cells.say(numbered[kind], group=name) if kind in numbered else name
    return [
        title,
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


def _targets(summary: TaggingEvidence, methods: Sequence[str]) -> list[str]:
    """Targets for which every one of the methods has predictions."""
    found = [summary["methods"][method]["transfer"] for method in methods]
    return [target for target in summary["targets"] if all(target in entry for entry in found)]


def _pair(results: Results, cells: Cells, target: str) -> list[str]:
    source = results.evaluations(TASK)[0]
    return [cells.evaluation(results, TASK, name) for name in (source, target)]


def _title(results: Results, cells: Cells, target: str) -> str:
    return cells.evaluation(results, TASK, target)

"""Tables on where the accuracy of tagging is lost between the languages (Task 2).

Points are percentage points of accuracy: what a row contributes to the drop from the language of
training to the other. Tables about one method are about the first compared one.
"""

from collections.abc import Sequence
from typing import Any

from tables.specification import Column, Context, Find, Key, Row, Table, estimate, part, plain

BREAKDOWNS = ("by_seen", "by_pieces", "by_length")


def drop_causes(at: Context) -> list[Table]:
    """How many points of the drop each kind of confusion accounts for, for the compared methods."""
    methods, found = at.results.main_methods("pos")[:3], []
    for target in at.targets("pos"):
        causes = at.facts.where(quantity="contribution", task="pos", evaluation=target, seed=None)
        names = [cause for cause in causes.distinct("cause") if cause]
        rows = [Row((at.name(cause),), {"cause": cause}) for cause in names]
        rows.append(Row((at.say("whole_drop"),)))
        columns = []
        for method in methods:
            place: dict[str, Any] = {"task": "pos", "method": method, "evaluation": target}
            title = at.title("points_of", method=at.name(method))
            columns.append(Column(title, _cause_or_whole(at, place), estimate()))
            title = at.title("share_of", method=at.name(method))
            columns.append(at.column(title, "share", plain(0), metric="drop", **place))
        heading, notes = at.evaluation("pos", target), [at.say("note_causes")]
        found.append(Table(at.titles("cause"), rows, columns, notes, name=heading))
    return found


def _cause_or_whole(at: Context, place: Key) -> Find:
    """The part of a cause; of a row without a cause the whole drop."""
    cause = at.find("contribution", **place)
    whole = at.find("drop", metric="accuracy", **place)
    return lambda row: cause(row) if row else whole(row)


def tag_drop(at: Context) -> list[Table]:
    """Accuracy of every tag in both languages, and its points of the drop."""
    rows = []
    for target in at.targets("pos")[:1]:
        drops = at.facts.where(quantity="drop", task="pos", metric="accuracy", seed=None)
        tags = [tag for tag in drops.where(evaluation=target).distinct("tag") if tag]
        rows = [Row((at.name(tag),), {"tag": tag}) for tag in tags]
    return _breakdown(at, rows)


def transfer_breakdown(at: Context) -> list[Table]:
    """Accuracy by known form, word pieces and sentence length, and each group's points."""
    numbered, rows = {"by_pieces": "group_pieces", "by_length": "group_length"}, []
    for grouping in BREAKDOWNS:
        groups = at.facts.where(quantity="drop", task="pos", grouping=grouping, seed=None)
        for group in groups.distinct("group"):
            name = at.name(group)
            key = numbered.get(grouping)
            label = at.say(key, group=name) if key else name
            rows.append(Row((label,), {"grouping": grouping, "group": group}))
    return _breakdown(at, rows)


def _breakdown(at: Context, rows: Sequence[Row]) -> list[Table]:
    """A table a target: words and accuracy in both languages, drop and points of the drop.

    Groups without a word in either language are left out.
    """
    source, found = at.results.evaluations("pos")[0], []
    method = next(iter(at.results.main_methods("pos")), "")
    for target in at.targets("pos"):
        place: dict[str, Any] = {"task": "pos", "method": method}
        pair = {address: at.evaluation("pos", address) for address in (source, target)}
        accuracies = {
            address: at.find("score", metric="accuracy", evaluation=address, **place)
            for address in pair
        }
        kept = [row for row in rows if any(of(row.key).n for of in accuracies.values())]
        columns = [
            Column(at.title("words_of", language=pair[address]), of, part("n"))
            for address, of in accuracies.items()
        ]
        columns += [
            Column(at.title("accuracy_in", language=pair[address]), of, plain())
            for address, of in accuracies.items()
        ]
        drop = {"evaluation": target, **place}
        columns += [
            at.column(at.title("drop"), "drop", estimate(), metric="accuracy", **drop),
            at.column(at.title("points"), "contribution", plain(signed=True), **drop),
        ]
        notes = [at.say("note_breakdown", method=at.name(method))]
        found.append(Table(at.titles("group"), kept, columns, notes, name=pair[target]))
    return found

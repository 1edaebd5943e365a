"""The table of what the drop of tagging between the languages consists of (Task 2).

Points are percentage points of accuracy: what a row contributes to the drop from the language of
training to the other.
"""

from typing import Any

from tables.specification import Column, Context, Find, Key, Row, Table, estimate, plain


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

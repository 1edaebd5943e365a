"""Tables of errors: kinds that a drop consists of, items that no run gets right, seqeval's trap.

Points are percentage points of accuracy: what a row contributes to the drop from the language of
training to the other.
"""

from typing import Any

from evidence.scoring import SEQEVAL_TRAP
from tables.specification import Column, Context, Find, Key, Row, Table, estimate, plain
from words.escaping import escape_markdown as escape


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


COUNT = 8


def wrong_examples(at: Context) -> Table:
    """The first sentences that every seed of every method gets wrong."""
    rows = [
        Row(
            (
                escape(row.text),
                at.say("label_acceptable" if row.label else "label_unacceptable"),
                at.name(row.phenomenon or row.source),
            )
        )
        for row in at.results.wrong_in_every_run("cola").head(COUNT).itertuples()
    ]
    heads = at.titles("sentence", "label", "origin")
    return Table(heads, rows, empty=at.say("no_examples"))


def seqeval_trap(at: Context) -> Table:
    """Two small computed cases where seqeval's F1 misleads on tags without IOB prefixes."""
    return Table(
        heads=at.titles("words", "gold", "predicted"),
        rows=[Row([*map(escape, case)], {"group": n}) for n, case in SEQEVAL_TRAP.items()],
        columns=[
            at.column(at.title(metric), "example", plain(), task="pos", metric=metric)
            for metric in ("accuracy", "seqeval_f1")
        ],
        notes=[at.say("note_seqeval")],
    )

"""Tables of examples: sentences that no run gets right, and what seqeval makes of tags."""

from evidence.scoring import SEQEVAL_TRAP
from tables.specification import Context, Row, Table, plain
from words.escaping import escape_markdown as escape

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

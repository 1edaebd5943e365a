"""How cells become a Markdown pipe table that remembers the numbers in it."""

from collections.abc import Iterable, Mapping, Sequence

from words.escaping import escape_markdown
from words.wording import Shown

PAGE = 100  # characters that fit a line of a printed table
WIDEST = 40  # characters beyond which cells are wrapped rather than a column made wider
LONG_WORD = 16  # characters of a word for which a column has room in any case
_RULES = {"l": ":{}-", "r": "-{}:", "c": ":{}:"}

escape = escape_markdown  # a data value as literal Markdown in a cell
Record = dict[str, str]  # title of the column -> cell


class Table(str):
    """A table as Markdown with its notes and a record a row; a sentence in its place has none."""

    __slots__ = ("notes", "records")
    records: tuple[Record, ...]
    notes: tuple[str, ...]

    def __new__(
        cls, text: str, records: Iterable[Record] = (), notes: Iterable[str] = ()
    ) -> "Table":
        """Keeps the records behind a text."""
        table = super().__new__(cls, text)
        table.records, table.notes = tuple(records), tuple(notes)
        return table


def pipe_table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> Table:
    """A pipe table in pandoc's Markdown; pipes inside cells must be escaped (``escape``).

    The rule under the header is as long as the columns are wide, since pandoc takes the relative
    widths from it when a line is long.

    Args:
        header: the titles of the columns.
        rows: the cells, as many in each row as there are titles.
        align: ``l``, ``r`` or ``c`` for each column; the last letter serves the columns left over.

    Raises:
        ValueError: a row has more or fewer cells than the header.
    """
    rows = list(rows)
    lines = [[" ".join(cell.split("\n")).strip() for cell in row] for row in (header, *rows)]
    letters = align.ljust(len(header), align[-1])
    widths = _widths(list(zip(*lines, strict=True)))
    dashes = ["-" * (width - 1) for width in widths]
    rule = [_RULES[letter].format(line) for letter, line in zip(letters, dashes, strict=True)]
    text = "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))
    return Table(text, (dict(zip(header, row, strict=True)) for row in rows))


def _widths(columns: Sequence[Sequence[str]]) -> list[int]:
    """Characters for each column: room for the longest word, and then for the longest cell.

    Where a page is too narrow, the columns that could be wrapped give way.
    """
    longest = [max(len(word) for cell in column for word in cell.split(" ")) for column in columns]
    least = [max(3, min(LONG_WORD, length)) for length in longest]
    wanted = [min(WIDEST, max((len(cell) for cell in column[1:]), default=0)) for column in columns]
    more = [max(0, want - need) for want, need in zip(wanted, least, strict=True)]
    share = min(1.0, max(0, PAGE - sum(least)) / max(1, sum(more)))
    return [need + round(share * extra) for need, extra in zip(least, more, strict=True)]


def with_notes(table: Table, *notes: str) -> Table:
    """A table and, under it, what has to be known to read it; empty notes are left out."""
    kept = tuple(note for note in dict.fromkeys(notes) if note)
    if not kept:
        return table
    text = f"{table}\n\n::: {{.table-note}}\n{' '.join(kept)}\n:::"
    return Table(text, table.records, kept)


def stack(tables: Mapping[str, Table], heading: str) -> Table:
    """Tables by name under one another; where there are several, their names as headings.

    ``heading`` is the title of the names' column in the records.
    """
    if len(tables) == 1:
        return next(iter(tables.values()))
    text = "\n\n".join(f"**{name}**\n\n{table}" for name, table in tables.items())
    records = ({heading: name, **row} for name, table in tables.items() for row in table.records)
    return Table(text, records)


def mark_best(rows: Sequence[Sequence[str]], columns: Iterable[int]) -> list[list[str]]:
    """The rows with the highest value of each of the columns in bold, its interval aside.

    Nothing is marked where there is nothing to compare: fewer than two values, or all the same.
    """
    marked = [list(row) for row in rows]
    for column in columns:
        cells = [row[column] for row in marked]
        values = {i: value for i, cell in enumerate(cells) if (value := _value(cell)) is not None}
        texts = {cells[i].partition(" ")[0] for i in values}
        if len(texts) > 1:
            best = max(values.values())
            for i in (i for i, value in values.items() if value == best):
                head, gap, rest = cells[i].partition(" ")
                number = getattr(cells[i], "number", None)
                marked[i][column] = Shown(f"**{head}**{gap}{rest}", number)
    return marked


def _value(cell: str) -> float | None:
    number = getattr(cell, "number", None)
    found = number.get("value") if isinstance(number, Mapping) else number
    return None if found is None else float(found)

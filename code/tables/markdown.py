"""Tables as Markdown: pandoc's pipe tables of written cells, with headings and notes."""

from collections.abc import Iterable, Sequence

from words.numbers import unmark

PAGE = 100  # characters that fit a line of a printed table
WIDEST = 40  # characters beyond which cells are wrapped rather than a column made wider
LONG_WORD = 16  # characters of a word for which a column has room in any case
_RULES = {"l": ":{}-", "r": "-{}:", "c": ":{}:"}


def pipe_table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    """A pipe table; pipes inside cells must be escaped.

    The rule under the header is as long as the columns are wide to a reader, marks of numbers
    aside, since pandoc takes the relative widths from it when a line is long.

    Args:
        header: the titles of the columns.
        rows: the cells, as many in each row as there are titles.
        align: ``l``, ``r`` or ``c`` for each column; the last letter serves the columns left over.

    Raises:
        ValueError: a row has more or fewer cells than the header.
    """
    lines = [[" ".join(cell.split("\n")).strip() for cell in row] for row in (header, *rows)]
    letters = align.ljust(len(header), align[-1])
    widths = _widths([[unmark(cell) for cell in column] for column in zip(*lines, strict=True)])
    dashes = ["-" * (width - 1) for width in widths]
    rule = [_RULES[letter].format(line) for letter, line in zip(letters, dashes, strict=True)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))


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


def with_notes(text: str, notes: Iterable[str]) -> str:
    """A table and, under it, what has to be known to read it; each note once."""
    kept = [note for note in dict.fromkeys(notes) if note]
    return f"{text}\n\n::: {{.table-note}}\n{' '.join(kept)}\n:::" if kept else text

"""The one renderer: a table's specification becomes Markdown whose numbers are marked."""

from collections.abc import Iterator, Sequence

from facts.fact import Fact
from facts.quantities import QUANTITIES
from tables.markdown import pipe_table, with_notes
from tables.specification import Column, Context, Row, Table
from words.escaping import Markup
from words.numbers import LETTERS, MARK, unmark

Cell = tuple[Fact | None, str]  # what a cell shows, and how it is written
INTERVAL = LETTERS["interval"]


def render(tables: Table | Sequence[Table], at: Context) -> Markup:
    """Markdown of a table, or of several under one another, with their notes at the end.

    Tables without a value are left out; where none is left, a sentence says what is absent.
    """
    several = [tables] if isinstance(tables, Table) else list(tables)
    texts: dict[str, str] = {}
    notes: list[str] = []
    covered: list[Fact] = []
    for table in several:
        grid = [[_cell(row, column, at) for column in table.columns] for row in table.rows]
        known = [fact for cells in grid for fact, _ in cells if fact is not None and fact.known]
        if not table.rows or (table.columns and not known):
            continue
        texts[table.name] = _markdown(table, grid)
        notes += table.notes
        covered += [fact for cells in grid for fact, text in cells if fact and _has_interval(text)]
    if not texts:
        if any(table.optional for table in several):
            return Markup("")
        sentence = several[0].empty if several else ""
        return Markup(sentence or at.say("no_results"))
    named = len(texts) > 1
    text = "\n\n".join(f"**{name}**\n\n{of}" if named else of for name, of in texts.items())
    return Markup(with_notes(text, [*notes, _coverage(covered, at)]))


def _cell(row: Row, column: Column, at: Context) -> Cell:
    if column.find is None:
        return None, ""
    fact = column.find(row.key)
    return fact, column.form(at.numbers, fact)


def _markdown(table: Table, grid: Sequence[Sequence[Cell]]) -> str:
    columns = [list(_best(table, number, grid)) for number in range(len(table.columns))]
    if table.turned:
        header = [*table.heads, *(" ".join(row.labels) for row in table.rows)]
        lines = [
            [column.title, *cells]
            for number, (column, cells) in enumerate(zip(table.columns, columns, strict=True))
            if column.find is None or any(fact.known for row in grid if (fact := row[number][0]))
        ]
        return pipe_table(header, lines, table.align or "lr")
    header = [*table.heads, *(column.title for column in table.columns)]
    lines = [
        [*row.labels, *(cells[number] for cells in columns)]
        for number, row in enumerate(table.rows)
    ]
    return pipe_table(header, lines, table.align or "l" * len(table.heads) + "r" * bool(columns))


def _best(table: Table, number: int, grid: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """The cells of a column, the best value among the compared rows in bold, interval aside.

    Nothing is bold where there is nothing to compare: fewer than two values, or all look the same.
    """
    cells = [row[number] for row in grid]
    compared = [
        (fact.value, unmark(text).partition(" ")[0])
        for row, (fact, text) in zip(table.rows, cells, strict=True)
        if row.compared and fact is not None and fact.value is not None
    ]
    chosen = None
    if table.columns[number].best and len({text for _, text in compared}) > 1:
        first = next(fact for fact, _ in cells if fact is not None)
        choose = min if QUANTITIES[first.quantity].less_is_better else max
        chosen = choose(value for value, _ in compared)
    for row, (fact, text) in zip(table.rows, cells, strict=True):
        bold = chosen is not None and row.compared and fact is not None and fact.value == chosen
        yield MARK.sub(r"**\g<0>**", text, count=1) if bold else text


def _has_interval(text: str) -> bool:
    return any(letter == INTERVAL for _, _, letter in MARK.findall(text))


def _coverage(facts: Sequence[Fact], at: Context) -> str:
    """Says what the intervals that were written cover; of a control without seeds, items are all.

    Intervals over batches or points are explained by their tables.
    """
    level = at.facts.where(quantity="procedure", metric="level")
    said = [fact for fact in facts if fact.covers in ("items", "items and seeds")]
    if not said or not len(level):
        return ""
    percent = at.numbers.value(level[0], digits=0, bare=True)
    few = [fact for fact in said if fact.covers == "items" and fact.seeds]
    if not few:
        with_seeds = any(fact.covers == "items and seeds" for fact in said)
        return at.say("note_items_and_seeds" if with_seeds else "note_items_alone", level=percent)
    if not any(fact.covers == "items and seeds" for fact in said):
        return at.say("note_items", level=percent)
    pairs = dict.fromkeys((f.method, f.against if f.quantity == "difference" else "") for f in few)
    names = [" − ".join(at.name(name) for name in pair if name) for pair in pairs]
    return at.say("note_items_of_some", level=percent, methods=", ".join(names))

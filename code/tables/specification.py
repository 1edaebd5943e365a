"""What a table is: rows, columns, and how a column finds its fact for a row and writes it.

A cell is the fact that has the columns of its row and of its column; ``Numbers`` writes it. So a
new metric in a table is one ``Column``, and a new table one function that returns a ``Table``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from facts.fact import Fact
from facts.quantities import Unit
from facts.table import Facts
from store.results import Results
from study.addresses import language_of
from words.escaping import Markup, capitalise, escape_markdown
from words.numbers import Numbers
from words.wording import MISSING

SECTION = "tables"

Key = Mapping[str, Any]
Find = Callable[[Key], Fact]
Form = Callable[[Numbers, Fact], Markup]


@dataclass(frozen=True)
class Row:
    """A row."""

    labels: Sequence[str]  # its first cells, Markdown
    key: Key = field(default_factory=dict)  # columns of its facts
    compared: bool = False  # whether it takes part in the choice of the best value of a column


@dataclass(frozen=True)
class Column:
    """A column of numbers."""

    title: str  # Markdown
    # the fact for a row's key; None for the heading of a group, which has no numbers
    find: Find | None
    form: Form  # how the fact is written
    best: bool = False  # whether the best value among the compared rows is bold


@dataclass(frozen=True)
class Table:
    """A table."""

    heads: Sequence[str]  # titles of the labels, as many as each row has labels
    rows: Sequence[Row]  # in order
    columns: Sequence[Column] = ()  # in order; none for a table of texts
    notes: Sequence[str] = ()  # what has to be known to read it; empty ones are left out
    turned: bool = False  # whether columns are shown as rows and rows as columns
    # ``l``, ``r`` or ``c`` for each shown column, the last letter for those left over; as a rule
    # labels are left and numbers right
    align: str = ""
    name: str = ""  # heading, where several tables stand under one another
    empty: str = ""  # the sentence that stands in place of a table without any value
    optional: bool = False  # whether nothing stands there


# ----------------------------------------------------------------------------------------- forms


def plain(digits: int | None = None, *, signed: bool = False, bare: bool = True) -> Form:
    """The value alone; without unit where the title has it."""
    return lambda numbers, fact: numbers.value(fact, digits=digits, signed=signed, bare=bare)


def part(column: str) -> Form:
    """Another number of the fact, such as ``n``."""
    return lambda numbers, fact: numbers.value(fact, column=column)


def estimate(digits: int | None = None, *, signed: bool = False) -> Form:
    """The value with its interval; the value alone where the interval is a point."""

    def write(numbers: Numbers, fact: Fact) -> Markup:
        if fact.low == fact.high:
            return numbers.value(fact, digits=digits, signed=signed, bare=True)
        return numbers.estimate(fact, digits=digits, signed=signed)

    return write


def spread(digits: int) -> Form:
    """The mean over seeds ± standard deviation; ``0`` where it is exactly 0."""

    def write(numbers: Numbers, fact: Fact) -> Markup:
        value = numbers.value(fact, digits=digits if fact.value else 0, bare=True)
        if fact.sd is None or not fact.value:
            return value
        sd = numbers.value(fact, column="sd", digits=digits, bare=True)
        return Markup(f"{value}\u00a0±\u00a0{sd}")

    return write


def interval(numbers: Numbers, fact: Fact) -> Markup:
    """The interval alone."""
    return numbers.interval(fact)


def p_value(numbers: Numbers, fact: Fact) -> Markup:
    """The p value."""
    return numbers.p_value(fact)


# --------------------------------------------------------------------------------------- context


@dataclass(frozen=True)
class Context:
    """What a table is made from: the results, and how things are called and numbers written."""

    results: Results  # settings, roles of methods, facts
    numbers: Numbers  # writes facts in the language of the report

    @property
    def facts(self) -> Facts:
        """Everything that was measured."""
        return self.results.facts

    def say(self, key: str, **values: object) -> str:
        """A text of the tables."""
        return self.numbers.words.say(SECTION, key, **values)

    def title(self, key: str, **values: object) -> str:
        """The title of a column: the text ``column_<key>``, else the name of the key."""
        if self.numbers.words.has(SECTION, f"column_{key}"):
            return self.say(f"column_{key}", **values)
        return self.head(key)

    def titles(self, *keys: str) -> list[str]:
        """Several titles."""
        return [self.title(key) for key in keys]

    def name(self, value: str) -> Markup:
        """The display name of a data value; the value itself, escaped, where none is written."""
        return escape_markdown(self.numbers.words.name(value))

    def head(self, value: str) -> str:
        """``name`` with a capital at its head."""
        return capitalise(self.name(value))

    def names(self, values: Iterable[str]) -> str:
        """Display names, separated by commas."""
        return ", ".join(map(self.name, values))

    def model(self, task: str, method: str) -> str:
        """A trained model: its task and its method."""
        return f"{self.name(task)}, {self.name(method)}"

    def evaluation(self, task: str, address: str) -> str:
        """An evaluated set: its language, and its address where a language has several sets."""
        language = language_of(address)
        same = [e for e in self.results.evaluations(task) if language_of(e) == language]
        name = self.name(language)
        return name if len(same) == 1 else f"{name} ({escape_markdown(address)})"

    def count(self, number: int | None) -> str:
        """A whole number that is no fact: a setting, the number of rows."""
        return MISSING if number is None else self.numbers.write(number, Unit.COUNT)

    def find(self, quantity: str, **key: Any) -> Find:
        """The fact of a quantity with these columns and those of the row."""
        return lambda row: self.facts.one(quantity, **{**key, **row})

    def column(
        self, title: str, quantity: str, form: Form, *, best: bool = False, **key: Any
    ) -> Column:
        """A column of one quantity."""
        return Column(title, self.find(quantity, **key), form, best)

    def method_rows(self, task: str, methods: Iterable[str] | None = None) -> list[Row]:
        """A row for each method; without a choice for all, computed controls last."""
        compared = self.results.main_methods(task)
        return [
            Row((self.name(method),), {"task": task, "method": method}, method in compared)
            for method in (self.methods(task) if methods is None else methods)
        ]

    def methods(self, task: str) -> list[str]:
        """Finished methods of a task, then the controls that are computed."""
        scored = self.facts.where(quantity="score", task=task, part="").distinct("method")
        return list(dict.fromkeys((*self.results.methods(task), *scored)))

    def targets(self, task: str) -> list[str]:
        """Evaluated sets to which a drop was measured."""
        found = self.facts.where(quantity="drop", task=task, tag="", grouping="")
        measured = set(found.distinct("evaluation"))
        return [address for address in self.results.evaluations(task) if address in measured]

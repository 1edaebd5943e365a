"""The table of facts and its two queries.

``one`` finds the fact with exactly the columns that are named, all others empty; a fact that is not
there is a fact without a value. ``where`` finds all facts with the named columns, whatever the
others hold; those of experiments only where their variants are named.
"""

import functools
import operator
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypedDict, Unpack

from facts.fact import Fact
from study.errors import StudyError

Choice = str | int | None | Collection[str] | Collection[int]


class Key(TypedDict, total=False):
    """The columns that identify one fact."""

    task: str
    method: str
    variant: str
    against: str
    evaluation: str
    metric: str
    seed: int | None
    layer: str
    kind: str
    tag: str
    predicted: str
    grouping: str
    group: str
    cause: str
    part: str
    split: str
    step: int | None


class Chosen(TypedDict, total=False):
    """Columns to choose facts by, each with a value or several of which any will do."""

    quantity: Choice
    task: Choice
    method: Choice
    variant: Choice
    against: Choice
    evaluation: Choice
    metric: Choice
    seed: Choice
    layer: Choice
    kind: Choice
    tag: Choice
    predicted: Choice
    grouping: Choice
    group: Choice
    cause: Choice
    part: Choice
    split: Choice
    step: Choice


class Facts(Sequence[Fact]):
    """Facts in the order in which they were measured."""

    def __init__(self, rows: Iterable[Fact] = ()):
        """Takes the rows.

        Raises:
            StudyError: two facts have the same key.
        """
        self._rows = tuple(rows)
        if len(self._by_key) < len(self._rows):
            first = next(r for r in self._rows if self._by_key[r.key] is not r)
            raise StudyError(f"expected every fact once, got {first} twice")

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def one(self, quantity: str, **key: Unpack[Key]) -> Fact:
        """The fact with these columns, all others empty; without a value where there is none."""
        wanted = Fact(quantity=quantity, **key)
        return self._by_key.get(wanted.key, wanted)

    def difference(self, quantity: str = "difference", **key: Unpack[Key]) -> Fact:
        """As ``one``, of a pair: turned round where it is stored from the other side."""
        found = self.one(quantity, **key)
        if found.known or found.key in self._by_key:
            return found
        turned = found.turned()
        stored = self._by_key.get(turned.key)
        return found if stored is None else stored.turned()

    def where(self, **chosen: Unpack[Chosen]) -> "Facts":
        """The facts with the chosen values, in order; without a variant those of the comparison."""
        chosen.setdefault("variant", "")
        rows: Iterable[Fact] = self._rows
        quantity, task = chosen.get("quantity"), chosen.get("task")
        if isinstance(quantity, str):
            rows = self._groups.get((quantity, task) if isinstance(task, str) else (quantity,), ())
        for name, choice in chosen.items():
            column, values = operator.attrgetter(name), _values(choice)
            rows = [row for row in rows if column(row) in values]
        found = Facts.__new__(Facts)
        found._rows = tuple(rows)
        return found

    @functools.cached_property
    def _by_key(self) -> dict[tuple[str | int | None, ...], Fact]:
        return {row.key: row for row in self._rows}

    @functools.cached_property
    def _groups(self) -> dict[tuple[str, ...], list[Fact]]:
        """Facts by quantity, and by quantity and task: what most queries begin with."""
        groups: dict[tuple[str, ...], list[Fact]] = defaultdict(list)
        for row in self._rows:
            groups[row.quantity,].append(row)
            groups[row.quantity, row.task].append(row)
        return groups

    def distinct(self, column: str) -> list[Any]:
        """The values of a column, each once, in order of their first appearance."""
        return list(dict.fromkeys(getattr(row, column) for row in self._rows))

    def values(self) -> list[float]:
        """The values that are known, in order."""
        return [row.value for row in self._rows if row.value is not None]


def _values(choice: Any) -> Collection[Any]:
    several = isinstance(choice, Collection) and not isinstance(choice, str)
    return choice if several else (choice,)

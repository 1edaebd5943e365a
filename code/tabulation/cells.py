"""How a value looks in a cell and how cells become a Markdown pipe table.

Fractions become per cent here and nowhere below. A value that is missing (None or NaN) is a dash;
the reason for it goes into a note under the table. Which values a table shows is decided in the
modules ``tabulation_*``.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from store.frames import select
from store.results import Results
from study.settings import language_of
from words.wording import MISSING, NAMES, Wording

SECTION = "tables"
PAGE = 100  # characters that fit a line of a printed table
WIDEST = 40  # characters beyond which cells are wrapped rather than a column made wider
LONG_WORD = 16  # characters of a word for which a column has room in any case
PLUS_MINUS = "\u00a0±\u00a0"
EXACT_ZERO = "0"  # bit for bit, where a small number would be written 0.000
_RULES = {"l": ":{}-", "r": "-{}:", "c": ":{}:"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>$~^@|#])")


@dataclass(frozen=True)
class Scale:
    """How a quantity is written: its factor and its digits after the point."""

    factor: float
    digits: int


PERCENT = Scale(100, 1)
PLAIN = Scale(1, 3)
_SCALES = {"matthews_correlation": PLAIN, "loss": PLAIN}


def scale_of(metric: str) -> Scale:
    """MCC and losses are plain numbers, all other metrics per cent."""
    return _SCALES.get(metric, PERCENT)


# ------------------------------------------------------------------------------ markdown


def pipe_table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
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
    lines = [[" ".join(cell.split("\n")).strip() for cell in row] for row in (header, *rows)]
    letters = align.ljust(len(header), align[-1])
    widths = _widths(list(zip(*lines, strict=True)))
    rule = [
        _RULES[letter].format("-" * (width - 1))
        for letter, width in zip(letters, widths, strict=True)
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))


def _widths(columns: Sequence[Sequence[str]]) -> list[int]:
    """Characters for each column: room for the longest word, and then for the longest cell.

    Where a page is too narrow, the columns that could be wrapped give way.
    """
    least = [
        max(3, *(min(LONG_WORD, _longest_word(cell)) for cell in column)) for column in columns
    ]
    wanted = [min(WIDEST, max((len(cell) for cell in column[1:]), default=0)) for column in columns]
    more = [max(0, want - need) for want, need in zip(wanted, least, strict=True)]
    share = min(1.0, max(0, PAGE - sum(least)) / max(1, sum(more)))
    return [need + round(share * extra) for need, extra in zip(least, more, strict=True)]


def _longest_word(cell: str) -> int:
    return max(len(word) for word in cell.split(" "))


def with_notes(table: str, *notes: str) -> str:
    """A table and, under it, what has to be known to read it; empty notes are left out."""
    text = " ".join(note for note in dict.fromkeys(notes) if note)
    return f"{table}\n\n::: {{.table-note}}\n{text}\n:::" if text else table


def escape(text: str) -> str:
    """A data value as literal Markdown in a cell."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


# ------------------------------------------------------------------------------ cells


def present(value: Any) -> Any:
    """The value, or None for NaN and the like."""
    return None if value is None or pd.isna(value) else value


def _scaled(value: float | None, scale: Scale) -> float | None:
    """The number that is written; rounded first, so that nothing is written as minus zero."""
    value = present(value)
    return None if value is None else round(scale.factor * value, scale.digits) + 0.0


def mean_of(values: "pd.Series[Any]") -> float | None:
    """Mean of the values that are there, None without any."""
    return present(pd.to_numeric(values).mean()) if len(values) else None


def median_of(values: "pd.Series[Any]") -> float | None:
    """Median of the values that are there, None without any."""
    return present(pd.to_numeric(values).median()) if len(values) else None


def spread_of(values: "pd.Series[Any]") -> float | None:
    """Sample standard deviation, None for fewer than two values."""
    return present(pd.to_numeric(values).std(ddof=1)) if len(values) > 1 else None


@dataclass(frozen=True)
class Cells:
    """Texts and formats of the tables in one language."""

    words: Wording

    def say(self, key: str, **values: object) -> str:
        """A text of the tables."""
        return self.words.say(SECTION, key, **values)

    def titles(self, *keys: str, **values: object) -> list[str]:
        """Titles of columns: the texts ``column_<key>``, else the name of the key."""
        return [self._title(f"column_{key}", key, values) for key in keys]

    def _title(self, text: str, key: str, values: Mapping[str, object]) -> str:
        if self.words.has(SECTION, text):
            return self.say(text, **values)
        name = self.name(key)
        return name[:1].upper() + name[1:]

    def name(self, value: str) -> str:
        """The display name of a data value; the value itself, escaped, where none is written."""
        name = self.words.name(value)
        return name if self.words.has(NAMES, value) else escape(name)

    def names(self, values: Iterable[str]) -> str:
        """Display names, separated by commas."""
        return ", ".join(self.name(value) for value in values)

    def number(self, value: float | None, scale: Scale = PLAIN) -> str:
        """A number on its scale."""
        return self.words.number(_scaled(value, scale), scale.digits)

    def signed(self, value: float | None, scale: Scale = PLAIN) -> str:
        """A difference on its scale, with its sign."""
        return self.words.signed(_scaled(value, scale), scale.digits)

    def percent(self, value: float | None, digits: int = 1) -> str:
        """A fraction as per cent, without the sign that the column's title has."""
        return self.number(value, Scale(100, digits))

    def count(self, value: float | None) -> str:
        """A whole number."""
        value = present(value)
        return self.words.count(None if value is None else round(value))

    def interval(self, entry: Mapping[str, Any], scale: Scale = PLAIN) -> str:
        """The interval of an ESTIMATE or COMPARISON of ``evidence``."""
        low, high = _scaled(entry["low"], scale), _scaled(entry["high"], scale)
        return self.words.interval(low, high, scale.digits)

    def estimate(self, entry: Mapping[str, Any] | None, scale: Scale = PLAIN) -> str:
        """Value and interval of an ESTIMATE; the value alone where there is no interval."""
        if entry is None or entry["value"] is None:
            return MISSING
        value, interval = self.number(entry["value"], scale), self.interval(entry, scale)
        return value if interval == MISSING else f"{value} {interval}"

    def value(self, entry: Mapping[str, Any] | None, scale: Scale = PLAIN) -> str:
        """The value of an ESTIMATE."""
        return self.number(None if entry is None else entry["value"], scale)

    def mean(self, values: "pd.Series[Any]", scale: Scale = PLAIN) -> str:
        """Mean over seeds ± standard deviation; ``0`` where every value is exactly 0."""
        mean, spread = mean_of(values), spread_of(values)
        if mean == 0 and not values.any():
            return EXACT_ZERO
        text = self.number(mean, scale)
        return text if spread is None else f"{text}{PLUS_MINUS}{self.number(spread, scale)}"

    def duration(self, seconds: float | None) -> str:
        """A time."""
        seconds = present(seconds)
        return MISSING if seconds is None else self.words.duration(seconds)

    def megabytes(self, size: float | None) -> str:
        """A size in memory or on disk; kilobytes (10**3) where megabytes would be 0.0."""
        size = present(size)
        if size is not None and 0 < size < 1e5:
            return self.say("kilobytes", size=self.words.number(size / 1e3, 1))
        return self.words.megabytes(size)

    def p_value(self, p: float | None) -> str:
        """A p value; what rounds to nothing is written as a bound."""
        p = present(p)
        small = p is not None and p < 0.001
        return f"<\u00a0{self.words.number(0.001, 3)}" if small else self.words.number(p, 3)

    def significant(self, value: float | None, digits: int = 3) -> str:
        """A number in scientific notation, ``1.23·10^-5^``, and 0 as it is."""
        value = present(value)
        if value is None:
            return MISSING
        if value == 0:
            return EXACT_ZERO
        power = math.floor(math.log10(abs(value)))
        mantissa = self.words.number(value / 10**power, digits - 1)
        return f"{mantissa}·10^{self.words.number(power, 0)}^"

    def model(self, task: str, method: str) -> str:
        """A trained model: its task and its method."""
        return f"{self.name(task)}, {self.name(method)}"

    def evaluation(self, results: Results, task: str, evaluation: str) -> str:
        """An evaluated set: its language, and its name where a language has several sets."""
        language = language_of(evaluation)
        same = [e for e in results.evaluations(task) if language_of(e) == language]
        name = self.name(language)
        return name if len(same) == 1 else f"{name} ({escape(evaluation)})"


# ------------------------------------------------------------------------------ choices


def trained_methods(summary: Mapping[str, Any]) -> list[str]:
    """The methods of an evidence summary that are no computed controls."""
    return [name for name, entry in summary["methods"].items() if not entry["control"]]


def seeds_note(results: Results, cells: Cells, task: str) -> str:
    """Says why there is no spread over seeds, where there is none."""
    methods = results.methods(task)
    single = [m for m in methods if len(select(results.runs, task=task, method=m)) == 1]
    return cells.say("note_one_seed", methods=cells.names(single)) if single else ""


def interval_note(cells: Cells, summary: Mapping[str, Any]) -> str:
    """Says what the intervals cover."""
    covers = {
        metric["covers"]
        for entry in summary["methods"].values()
        if not entry["control"]
        for metric in _estimates(entry)
    }
    key = "note_items_and_seeds" if "items and seeds" in covers else "note_items"
    return cells.say(key, level=cells.percent(summary["level"], 0))


def _estimates(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "metrics" in entry:
        return list(entry["metrics"].values())
    return [m for place in entry["evaluations"].values() for m in place["metrics"].values()]

"""How a value looks in a cell, with the number behind it.

Fractions become per cent here and nowhere below. A value that is missing (None or NaN) is a dash;
the reason for it goes into a note under the table.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec

import pandas as pd

from evidence.panels import ENOUGH_SEEDS
from evidence.schema import Evidence
from store.frames import select
from store.results import Results, needs
from study.settings import language_of
from tabulation.markdown import Table, escape, pipe_table, with_notes
from words.wording import MISSING, Shown, Wording

P = ParamSpec("P")
SECTION = "tables"
PLUS_MINUS = "\u00a0±\u00a0"
EXACT_ZERO = "0"  # bit for bit, where a small number would be written 0.000


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
    return present(pd.to_numeric(values).mean())


@dataclass(frozen=True)
class Cells:
    """Texts and formats of the tables in one language."""

    words: Wording

    def say(self, key: str, **values: object) -> str:
        """A text of the tables."""
        return self.words.say(SECTION, key, **values)

    def titles(self, *keys: str, **values: object) -> list[str]:
        """Titles of columns: the texts ``column_<key>``, else the name of the key."""
        return [
            self.say(f"column_{key}", **values)
            if self.words.has(SECTION, f"column_{key}")
            else self.title(key)
            for key in keys
        ]

    def title(self, value: str) -> str:
        """The name of a data value, with a capital at its head."""
        name = self.name(value)
        return name[:1].upper() + name[1:]

    def name(self, value: str) -> str:
        """The display name of a data value; the value itself, escaped, where none is written."""
        return escape(self.words.name(value))

    def names(self, values: Iterable[str]) -> str:
        """Display names, separated by commas."""
        return ", ".join(self.name(value) for value in values)

    def number(self, value: float | None, scale: Scale = PLAIN) -> Shown:
        """A number on its scale."""
        return Shown(self.words.number(_scaled(value, scale), scale.digits), present(value))

    def signed(self, value: float | None, scale: Scale = PLAIN) -> Shown:
        """A difference on its scale, with its sign."""
        return Shown(self.words.signed(_scaled(value, scale), scale.digits), present(value))

    def percent(self, value: float | None, digits: int = 1) -> Shown:
        """A fraction as per cent, without the sign that the column's title has."""
        return self.number(value, Scale(100, digits))

    def count(self, value: float | None) -> Shown:
        """A whole number."""
        value = present(value)
        return self.words.count(None if value is None else round(value))

    def span(self, ends: tuple[float | None, float | None], scale: Scale = PLAIN) -> Shown:
        """The two ends of an interval."""
        low, high = (_scaled(end, scale) for end in ends)
        text = self.words.interval(low, high, scale.digits)
        return Shown(text, None if text == MISSING else {"low": ends[0], "high": ends[1]})

    def estimate(self, entry: Mapping[str, Any] | None, scale: Scale = PLAIN) -> Shown:
        """Value and interval of an ESTIMATE; the value alone where there is no interval."""
        if entry is None or entry["value"] is None:
            return Shown(MISSING)
        value = self.number(entry["value"], scale)
        interval = self.span((entry["low"], entry["high"]), scale)
        both = {"value": entry["value"], **(interval.number or {})}
        return value if interval == MISSING else Shown(f"{value} {interval}", both)

    def value(self, entry: Mapping[str, Any] | None, scale: Scale = PLAIN) -> Shown:
        """The value of an ESTIMATE."""
        return self.number(None if entry is None else entry["value"], scale)

    def mean(self, values: "pd.Series[Any]", scale: Scale = PLAIN) -> Shown:
        """Mean over seeds ± standard deviation; ``0`` where every value is exactly 0."""
        mean = mean_of(values)
        if mean == 0 and not values.any():
            return Shown(EXACT_ZERO, 0.0)
        spread = present(pd.to_numeric(values).std(ddof=1))  # NaN for fewer than two values
        return self.plus_minus(mean, spread, scale)

    def plus_minus(self, value: float | None, spread: float | None, scale: Scale) -> Shown:
        """A value ± its standard deviation; alone where there is none."""
        text = self.number(value, scale)
        if spread is None:
            return text
        both = {"value": value, "standard_deviation": spread}
        return Shown(f"{text}{PLUS_MINUS}{self.number(spread, scale)}", both)

    def duration(self, seconds: float | None) -> Shown:
        """A time."""
        seconds = present(seconds)
        return Shown(MISSING) if seconds is None else self.words.duration(seconds)

    def megabytes(self, size: float | None) -> Shown:
        """A size in memory or on disk; kilobytes (10**3) where megabytes would be 0.0."""
        size = present(size)
        if size is not None and 0 < size < 1e5:
            return Shown(self.say("kilobytes", size=self.words.number(size / 1e3, 1)), size)
        return self.words.megabytes(size)

    def p_value(self, p: float | None) -> Shown:
        """A p value; what rounds to nothing is written as a bound."""
        p = present(p)
        if p is not None and p < 0.001:
            return Shown(f"<\u00a0{self.words.number(0.001, 3)}", p)
        return self.words.number(p, 3)

    def significant(self, value: float | None, digits: int = 3) -> Shown:
        """A number in scientific notation, ``1.23·10^-5^``, and 0 as it is."""
        value = present(value)
        if not value:
            return Shown(MISSING) if value is None else Shown(EXACT_ZERO, 0.0)
        power = math.floor(math.log10(abs(value)))
        mantissa = self.words.number(value / 10**power, digits - 1)
        return Shown(f"{mantissa}·10^{self.words.number(power, 0)}^", value)

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        align: str,
        *notes: str,
        empty: str = "no_results",
    ) -> Table:
        """A table with its notes; without rows, the text that says what is absent."""
        if not rows:
            return Table(self.say(empty))
        return with_notes(pipe_table(header, rows, align), *notes)

    def model(self, task: str, method: str) -> str:
        """A trained model: its task and its method."""
        return f"{self.name(task)}, {self.name(method)}"

    def evaluation(self, results: Results, task: str, evaluation: str) -> str:
        """An evaluated set: its language, and its name where a language has several sets."""
        language = language_of(evaluation)
        same = [e for e in results.evaluations(task) if language_of(e) == language]
        name = self.name(language)
        return name if len(same) == 1 else f"{name} ({escape(evaluation)})"


def nothing(words: Wording) -> Table:
    """What stands in the place of a table of which the study has nothing."""
    return Table(Cells(words).say("no_results"))


def needs_evidence(task: str) -> Callable[[Callable[P, Table]], Callable[P, Table]]:
    """For a table on the evidence of one task: says so where there is none."""
    return needs("evidence", nothing, task)


# ------------------------------------------------------------------------------ choices


def trained_methods(summary: Evidence) -> list[str]:
    """The methods of an evidence summary that are no computed controls."""
    return [name for name, entry in summary["methods"].items() if not entry["control"]]


def seeds_note(results: Results, cells: Cells, task: str) -> str:
    """Says why there is no spread over seeds, where there is none."""
    methods = results.methods(task)
    single = [m for m in methods if len(select(results.runs, task=task, method=m)) == 1]
    return cells.say("note_one_seed", methods=cells.names(single)) if single else ""


def interval_note(cells: Cells, summary: Evidence) -> str:
    """Says what the intervals cover."""
    several = any(len(of["seeds"]) >= ENOUGH_SEEDS for of in summary["methods"].values())
    key = "note_items_and_seeds" if several else "note_items"
    return cells.say(key, level=cells.percent(summary["level"], 0))

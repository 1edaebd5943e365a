"""How a fact is written: one format per unit and language, and a mark that says which fact it is.

A number that is shown is a Markdown span ``[97.6%]{f=1a2b3c4dv}``: the id of the fact and a letter
for its column (``LETTERS``). Filters of the render make a ``<data>`` element of it in HTML and
plain text elsewhere. ``Numbers`` remembers which facts it has written, so that the page can hold
exactly these.
"""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from facts.fact import Fact
from facts.quantities import Unit, unit_of
from words.escaping import Markup
from words.wording import MISSING, Wording

LETTERS: Mapping[str, str] = MappingProxyType(
    {"value": "v", "interval": "i", "low": "l", "high": "h", "p": "p", "n": "n", "seeds": "s"}
    | {"sd": "d", "error": "e", "inverse": "x", "share": "c"}
)
"""Column of a fact, or what follows from its value alone -> the letter after its id.

``error`` is 1 - value, ``inverse`` 1 / value, ``share`` the value of a ratio as per cent.
"""

MARK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\{f=([0-9a-f]{8})([a-z])\}")
"""A written number in Markdown: text, id, letter."""

USUAL_DIGITS = 2  # of what is written with a power of ten
KILOBYTES = 1e5  # bytes below which megabytes would be 0.0


def unmark(text: str) -> str:
    """Markdown as a reader sees its numbers: without marks."""
    return MARK.sub(r"\1", text)


class Numbers:
    """Writes the numbers of facts in one language.

    Attributes:
        words: the language.
        shown: id -> fact, of every fact that was written.
    """

    def __init__(self, words: Wording):
        self.words = words
        self.shown: dict[str, Fact] = {}

    def value(
        self,
        fact: Fact,
        *,
        column: str = "value",
        digits: int | None = None,
        signed: bool = False,
        size: bool = False,
        bare: bool = False,
        unit: Unit | None = None,
    ) -> Markup:
        """A number of a fact; a dash where it is not known.

        Args:
            fact: which.
            column: which of its numbers.
            digits: after the point, if not those of the unit.
            signed: whether a plus is written.
            size: without its sign, for a sentence that says the direction.
            bare: without its unit, for a column whose title has it.
            unit: if not that of the fact: what a curve of a metric says is in the metric's unit.
        """
        number = getattr(fact, column)
        if number is None:
            return MISSING
        unit = unit or unit_of(fact, column)
        text = self.write(abs(number) if size else number, unit, digits, signed=signed, bare=bare)
        return self._mark(fact, column, text)

    def interval(
        self, fact: Fact, *, digits: int | None = None, unit: Unit | None = None
    ) -> Markup:
        """The interval of a fact in brackets, without its unit; nothing where there is none."""
        if fact.low is None or fact.high is None:
            return Markup("")
        unit = unit or unit_of(fact)
        ends = [self.write(end, unit, digits, bare=True) for end in (fact.low, fact.high)]
        separator = ";\u00a0" if self.words.language == "ru" else ",\u00a0"
        return self._mark(fact, "interval", f"[{separator.join(ends)}]")

    def estimate(self, fact: Fact, *, digits: int | None = None, signed: bool = False) -> Markup:
        """Value and interval of a fact without unit, as a table shows them."""
        value = self.value(fact, digits=digits, signed=signed, bare=True)
        interval = self.interval(fact, digits=digits)
        return Markup(f"{value} {interval}") if interval else value

    def derived(self, fact: Fact, name: str, *, digits: int | None = None) -> Markup:
        """What follows from a value alone: ``error``, ``inverse`` or ``share`` (``LETTERS``)."""
        if fact.value is None or (name == "inverse" and not fact.value):
            return MISSING
        number, unit = {
            "error": (1 - fact.value, Unit.PERCENT),
            "inverse": (1 / (fact.value or 1.0), Unit.RATIO),
            "share": (fact.value, Unit.PERCENT),
        }[name]
        if name == "share" and digits is None:
            digits = 0 if number >= 0.1 else 2
        return self._mark(fact, name, self.write(number, unit, digits))

    def p_value(self, fact: Fact) -> Markup:
        """The p value alone; what rounds to nothing is written as a bound."""
        if fact.p is None:
            return MISSING
        least = self.words.number(0.001, 3)
        text = f"<\u00a0{least}" if fact.p < 0.001 else self.words.number(fact.p, 3)
        return self._mark(fact, "p", text.replace("<", "\\<"))

    def write(
        self,
        number: float,
        unit: Unit,
        digits: int | None = None,
        *,
        signed: bool = False,
        bare: bool = False,
    ) -> str:
        """A number in its unit, without a mark: for axes, alternative texts and thresholds."""
        fixed = self.words.signed if signed else self.words.number
        if unit in (Unit.PERCENT, Unit.POINTS):
            rounded = round(100 * number, 1 if digits is None else digits) + 0.0
            text = fixed(rounded, 1 if digits is None else digits)
            if bare:
                return text
            if unit is Unit.POINTS:
                return self.words.say("tables", "percentage_points", value=text)
            gap = "\u00a0" if self.words.language == "ru" else ""
            return f"{text}{gap}%"
        if unit is Unit.SMALL:
            return self._significant(number, USUAL_DIGITS if digits is None else digits)
        if unit in (Unit.SECONDS, Unit.BYTES):
            return (self._seconds if unit is Unit.SECONDS else self._bytes)(number)
        usual = {Unit.COUNT: 0, Unit.RATE: 0, Unit.EPOCHS: 1, Unit.RATIO: 2}.get(unit, 3)
        usual = usual if digits is None else digits
        return fixed(round(number, usual) + 0.0, usual)

    def _bytes(self, size: float) -> str:
        if 0 < size < KILOBYTES:
            return self.words.say("tables", "kilobytes", size=self.words.number(size / 1e3, 1))
        return self.words.megabytes(size)

    def _seconds(self, seconds: float) -> str:
        """Below a second in milliseconds, with a digit after the point below ten of them."""
        if not 0 < seconds < 1:
            return self.words.duration(seconds)
        digits = 1 if seconds < 0.01 else 0
        return self.words.say(
            "tables", "milliseconds", time=self.words.number(1e3 * seconds, digits)
        )

    def _significant(self, number: float, digits: int) -> str:
        """``1.23·10^-5^``; 0 as it is."""
        if not number:
            return "0"
        power = math.floor(math.log10(abs(number)))
        mantissa = self.words.number(number / 10**power, digits)
        return f"{mantissa}·10^{self.words.number(power, 0)}^"

    def _mark(self, fact: Fact, column: str, text: str) -> Markup:
        self.shown[fact.id] = fact
        return Markup(f"[{text}]{{f={fact.id}{LETTERS[column]}}}")

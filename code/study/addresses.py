"""Addresses of evaluated and training sets: ``<corpus>:<split>`` and parts of a split.

A part is written as in Hugging Face ``datasets``: ``cola:train[:90%]``, ``cola:train[90%:]``. It is
taken from the items in an order that follows from their content (``corpora.parts``), so that two
parts whose ranges do not overlap share no sentence and hardly any that are alike.
"""

import re
from dataclasses import dataclass

from study.errors import StudyError

_ADDRESS = re.compile(r"([^:\[\]]+):([^:\[\]]+)(?:\[(?:([\d.]+)%)?:(?:([\d.]+)%)?\])?")


@dataclass(frozen=True)
class Address:
    """A corpus, one of its splits, and the share of it from ``low`` to ``high`` (of 1)."""

    corpus: str
    split: str
    low: float = 0.0
    high: float = 1.0

    @property
    def whole(self) -> bool:
        """Whether all of the split is meant."""
        return (self.low, self.high) == (0.0, 1.0)

    def overlaps(self, other: "Address") -> bool:
        """Whether the two have items in common."""
        same = (self.corpus, self.split) == (other.corpus, other.split)
        return same and self.low < other.high and other.low < self.high

    def part(self, low: float, high: float) -> "Address":
        """The part of this part between two shares of it."""
        width = self.high - self.low
        return Address(self.corpus, self.split, self.low + low * width, self.low + high * width)

    def __str__(self) -> str:
        """As ``parse_address`` reads it."""
        if self.whole:
            return f"{self.corpus}:{self.split}"
        low, high = (f"{100 * end:.10g}%" for end in (self.low, self.high))
        ends = f"{low if self.low else ''}:{high if self.high < 1 else ''}"
        return f"{self.corpus}:{self.split}[{ends}]"


def parse_address(text: str) -> Address:
    """The address that a text names.

    Raises:
        StudyError: it is none, or the part is empty.
    """
    found = _ADDRESS.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        low, high = found[3] or "0", found[4] or "100"
        address = Address(found[1], found[2], float(low) / 100, float(high) / 100)
        if not 0 <= address.low < address.high <= 1:
            raise ValueError
    except ValueError:
        raise StudyError(
            f"expected corpus:split, or a part of it such as corpus:split[:90%], got {text!r}"
        ) from None
    return address


def language_of(evaluation: str) -> str:
    """Language code of a set: ``de_gsd:test`` -> ``de``; CoLA is English."""
    corpus = evaluation.split(":")[0]
    return "en" if corpus == "cola" else corpus.split("_")[0]

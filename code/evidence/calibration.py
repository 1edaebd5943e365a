"""How often verdicts are false in simulated studies: what ``bench/calibration.py`` has stored.

They are facts like others, so that the report can speak of them. They belong to the rules, not to
the study at hand.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facts.fact import Fact

FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Rate:
    """Rates of one kind of statement that rests on some number of runs; fractions of studies.

    Attributes:
        simulation: the function that draws the studies.
        kind: of statement.
        seeds: runs of each method.
        covers: what the interval is over; "" where there is none, hence no verdict.
        studies: how many were simulated, over all true differences.
        false: statements that are false about what they are about (``covers``).
        worst: the same at the true difference where it is most often.
        worst_size: that difference, in margins.
        worst_studies: studies of that difference.
        false_of_method: statements that would be false if they were about the method.
        unclear: studies in which nothing is decided.
    """

    simulation: str
    kind: str
    seeds: int
    covers: str
    studies: int
    false: float
    worst: float
    worst_size: float
    worst_studies: int
    false_of_method: float
    unclear: float

    @property
    def error(self) -> float:
        """Standard error of ``false``."""
        return standard_error(self.false, self.studies)

    @property
    def worst_error(self) -> float:
        """Standard error of ``worst``."""
        return standard_error(self.worst, self.worst_studies)


def standard_error(rate: float, studies: int) -> float:
    """Standard error of a simulated rate, also where nothing was found (Agresti and Coull 1998)."""
    shifted = (rate * studies + 2) / (studies + 4)
    return float(np.sqrt(shifted * (1 - shifted) / (studies + 4)))


def read_rates() -> list[Rate]:
    """The stored rates."""
    return [Rate(**row) for row in json.loads(FILE.read_text(encoding="utf-8"))["rates"]]


def calibration_facts() -> Iterator[Fact]:
    """The rates of each kind, and the extremes of statements about runs and about methods.

    ``group`` is the number of runs of a kind; of an extreme it is ``runs`` or ``method``, what the
    statement is about, or "" for both.
    """
    rates = [rate for rate in read_rates() if rate.covers]
    for rate in rates:
        place: dict[str, Any] = {"quantity": "calibration", "kind": rate.kind, "n": rate.studies}
        for metric in ("false", "worst", "false_of_method", "unclear"):
            yield Fact(**place, group=str(rate.seeds), metric=metric, value=getattr(rate, metric))
    about = {
        "": rates,
        "runs": [rate for rate in rates if "seeds" not in rate.covers],
        "method": [rate for rate in rates if "seeds" in rate.covers],
    }
    for group, own in about.items():
        yield from _extremes(own, group)


def _extremes(rates: Sequence[Rate], group: str) -> Iterator[Fact]:
    if not rates:
        return
    place: dict[str, Any] = {"quantity": "calibration", "group": group}
    worst = max(rates, key=lambda rate: rate.worst)
    studies = sum(rate.studies for rate in rates)
    yield Fact(**place, metric="worst", value=worst.worst, n=worst.worst_studies)
    yield Fact(**place, metric="error", value=worst.worst_error, n=worst.worst_studies)
    yield Fact(**place, metric="false_of_method", value=max(r.false_of_method for r in rates))
    yield Fact(**place, metric="least_unclear", value=min(r.unclear for r in rates))
    yield Fact(**place, metric="most_unclear", value=max(r.unclear for r in rates))
    yield Fact(**place, metric="studies", value=float(studies))

"""How often verdicts are false in simulated studies: what ``bench/calibration.py`` has stored.

They are facts like others, so that the report can speak of them. They belong to the rules, not to
the study at hand.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facts.fact import Fact

FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Rate:
    """Rates of one kind of statement that rests on some number of runs; fractions of studies."""

    simulation: str  # the function that draws the studies
    kind: str  # of statement
    seeds: int  # runs of each method
    covers: str  # what the interval is over; "" where there is none, hence no verdict
    studies: int  # how many were simulated, over all true differences
    false: float  # statements that are false about what they are about (``covers``)
    worst: float  # the same at the true difference where it is most often
    worst_size: float  # that difference, in margins
    worst_studies: int  # studies of that difference
    false_of_method: float  # statements that would be false if they were about the method
    unclear: float  # studies in which nothing is decided

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
    """How often each kind stays open, and the extremes of statements about runs and methods.

    ``group`` is the number of runs of a kind; of an extreme it is ``runs`` or ``method``, what the
    statement is about, or "" for both.
    """
    rates = [rate for rate in read_rates() if rate.covers]
    for rate in rates:
        place: dict[str, Any] = {"quantity": "calibration", "kind": rate.kind, "n": rate.studies}
        yield Fact(**place, group=str(rate.seeds), metric="unclear", value=rate.unclear)
    about = {
        "": rates,
        "runs": [rate for rate in rates if "seeds" not in rate.covers],
        "method": [rate for rate in rates if "seeds" in rate.covers],
    }
    for group, own in about.items():
        if not own:
            continue
        worst = max(own, key=lambda rate: rate.worst)
        place = {"quantity": "calibration", "group": group}
        yield Fact(**place, metric="worst", value=worst.worst, n=worst.worst_studies)
        yield Fact(**place, metric="error", value=worst.worst_error, n=worst.worst_studies)
        yield Fact(**place, metric="false_of_method", value=max(r.false_of_method for r in own))
        yield Fact(**place, metric="studies", value=float(sum(rate.studies for rate in own)))

"""Restoration: nothing lost where nothing changes, and the planted loss where it does."""

import numpy as np
import pytest

from evidence import scoring
from evidence.arrays import CountMetric
from evidence.restoration import summarise_restoration
from facts.table import Facts

RNG = np.random.default_rng(0)
GOLD = RNG.integers(0, 2, 400)


def counts_of(error_rate: float, seeds: int = 3) -> np.ndarray:
    """Counts (seeds, items, 5) of predictions that are wrong that often."""
    wrong = RNG.random((seeds, len(GOLD))) < error_rate
    predicted = np.where(wrong, 1 - GOLD, GOLD)
    return scoring.acceptability_counts(np.eye(2)[predicted] * 4.0, GOLD)


def restored(tuned: np.ndarray, parts: dict[str, np.ndarray], metric: CountMetric) -> Facts:
    return Facts(summarise_restoration(tuned, parts, metric, range(len(tuned)), method="m"))


def test_a_part_that_does_not_matter_and_one_that_does() -> None:
    tuned, mcc = counts_of(0.05), scoring.matthews_correlation
    facts = restored(tuned, {"lower": tuned, "upper": counts_of(0.5)}, mcc)
    lost = {part: facts.one("restoration", method="m", part=part) for part in ("lower", "upper")}
    same, upper = lost["lower"], lost["upper"]
    assert (same.value, same.low, same.high) == (0, 0, 0)
    whole = float(mcc(tuned.sum(axis=1)).mean())
    values = {part: facts.one("score", method="m", part=part).value for part in lost}
    assert values["lower"] == pytest.approx(whole)
    assert upper.value == pytest.approx(whole - values["upper"]) and upper.value > 0.7
    assert upper.low is not None and 0.6 < upper.low < upper.value
    assert (upper.seeds, upper.n, upper.covers) == (3, 400, "items and seeds")


def test_two_thirds_are_compared_by_what_each_is_worth() -> None:
    tuned, mcc = counts_of(0.05), scoring.matthews_correlation
    parts = {"lower": counts_of(0.2), "upper": counts_of(0.5), "head": counts_of(0.4)}
    facts = restored(tuned, parts, mcc)
    lost = {part: facts.one("restoration", method="m", part=part).value for part in parts}
    more = facts.one("restoration", method="m", part="upper", against="lower")
    assert more.value == pytest.approx((lost["upper"] or 0) - (lost["lower"] or 0))
    assert more.low is not None and more.low > 0, "and by more than chance"
    back = facts.one("restoration", method="m", part="lower", against="upper")
    assert (back.value, back.low) == (pytest.approx(-more.value), pytest.approx(-more.high))
    assert {fact.part for fact in facts if fact.against} == {"lower", "upper"}


def test_the_difference_is_paired() -> None:
    """The items that both get wrong do not widen the interval."""
    tuned = counts_of(0.3)
    parts = tuned.copy()
    parts[:, :4] = counts_of(1.0)[:, :4]
    lost = restored(tuned, {"upper": parts}, scoring.accuracy).one(
        "restoration", method="m", part="upper"
    )
    assert lost.value is not None and 0 < lost.value <= 0.01
    assert lost.high is not None and lost.high < 0.03


def test_counts_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="expected counts"):
        restored(counts_of(0.1), {"head": counts_of(0.1, seeds=2)}, scoring.matthews_correlation)

"""Restoration: nothing lost where nothing changes, and the planted loss where it does."""

import numpy as np
import pytest

from evidence import scoring
from evidence.restoration import summarise_restoration

RNG = np.random.default_rng(0)
GOLD = RNG.integers(0, 2, 400)


def counts_of(error_rate: float, seeds: int = 3) -> np.ndarray:
    """Counts (seeds, items, 5) of predictions that are wrong that often."""
    wrong = RNG.random((seeds, len(GOLD))) < error_rate
    predicted = np.where(wrong, 1 - GOLD, GOLD)
    return scoring.acceptability_counts(np.eye(2)[predicted] * 4.0, GOLD)


def test_a_part_that_does_not_matter_and_one_that_does() -> None:
    tuned = counts_of(0.05)
    rows = summarise_restoration(
        tuned, {"lower": tuned, "upper": counts_of(0.5)}, scoring.matthews_correlation
    )
    same, lost = rows
    assert (same["part"], same["drop"], same["low"], same["high"]) == ("lower", 0, 0, 0)
    whole = float(scoring.matthews_correlation(tuned.sum(axis=1)).mean())
    assert same["value"] == pytest.approx(whole)
    assert lost["drop"] == pytest.approx(whole - lost["value"]) and lost["drop"] > 0.7
    assert lost["low"] is not None and 0.6 < lost["low"] < lost["drop"]
    assert (lost["seeds"], lost["units"], lost["covers"]) == (3, 400, "items and seeds")


def test_the_difference_is_paired() -> None:
    """The items that both get wrong do not widen the interval."""
    tuned = counts_of(0.3)
    restored = tuned.copy()
    restored[:, :4] = counts_of(1.0)[:, :4]
    (row,) = summarise_restoration(tuned, {"upper": restored}, scoring.accuracy)
    assert 0 < row["drop"] <= 0.01
    assert row["high_items"] is not None and row["high_items"] < 0.03


def test_counts_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="expected counts"):
        summarise_restoration(
            counts_of(0.1), {"head": counts_of(0.1, seeds=2)}, scoring.matthews_correlation
        )

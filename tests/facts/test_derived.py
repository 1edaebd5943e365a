"""What follows from facts of runs: trends over depth, ratios of costs, differences of states."""

import math

import pytest
import scipy

from evidence.derived import (
    derived_facts,
    last_over_first,
    rank_correlation,
    seed_facts,
    upper_over_lower,
)
from facts.fact import Fact
from facts.table import Facts
from synthetic_study import build_study

PLACE = {"quantity": "ratio", "metric": "x"}


def test_numbers_of_a_profile() -> None:
    rising = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert rank_correlation(rising) == pytest.approx(1.0)
    assert rank_correlation([2.0] * 6) == 0.0
    assert rank_correlation([1.0, 2.0]) is None
    assert upper_over_lower(rising) == pytest.approx(11 / 3)
    assert upper_over_lower([0.0, 1.0, 2.0]) is None
    assert last_over_first(rising) == 6.0


def test_an_interval_over_seeds_is_students() -> None:
    whole, *runs = seed_facts({1: 1.0, 2: 3.0, 3: 2.0}, False, **PLACE)
    expected = scipy.stats.t.interval(0.95, 2, loc=2.0, scale=scipy.stats.sem([1.0, 3.0, 2.0]))
    assert (whole.low, whole.high) == pytest.approx(expected)
    assert (whole.value, whole.covers, whole.seeds) == (2.0, "seeds", 3)
    assert [run.value for run in runs] == [1.0, 3.0, 2.0]


def test_a_ratio_is_the_inverse_of_its_inverse() -> None:
    ratios = {1: 0.5, 2: 0.8}
    one = next(seed_facts(ratios, True, **PLACE))
    other = next(seed_facts({s: 1 / r for s, r in ratios.items()}, True, **PLACE))
    assert one.value is not None and one.low is not None and other.high is not None
    assert one.value == pytest.approx(math.sqrt(0.4)) and one.low == pytest.approx(1 / other.high)


def test_one_seed_is_a_point_without_an_interval() -> None:
    whole, _ = seed_facts({42: 2.0}, True, **PLACE)
    assert (whole.value, whole.low, whole.covers) == (pytest.approx(2.0), None, "")
    assert whole.reason


def test_a_study_has_them_for_both_tasks() -> None:
    facts = build_study().facts
    for task in ("cola", "pos"):
        cheaper = facts.one(
            "ratio", task=task, method="lora", against="full", metric="training_seconds"
        )
        assert cheaper.value == pytest.approx(0.7, abs=0.1) and cheaper.high is not None
        for method in ("full", "lora"):
            assert facts.one(
                "trend", task=task, method=method, metric="upper_over_lower", kind="relative"
            ).known
    assert facts.one(
        "difference", task="pos", method="full", against="lora", evaluation="de_syn:test",
        metric="cka",
    ).known  # fmt: skip


def test_layers_that_did_not_move_have_no_ratio() -> None:
    still = [
        Fact(quantity="distance", task="t", method="m", seed=1, layer=f"encoder.layer.{n}",
             kind="all", metric="relative", value=0.0)
        for n in range(6)
    ]  # fmt: skip
    found = Facts(derived_facts(Facts(still), {}))
    assert not found.where(metric=("upper_over_lower", "last_over_first"))
    assert found.where(metric="rank_correlation")

"""The price of a step: known ratios, symmetry, robustness, coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.costs import FEWEST_STEPS, price_steps
from evidence.intervals import LEVEL


def simulate(seed: int, ratio: float, steps: int = 30, noise: float = 0.1) -> dict:
    """Batches of different lengths; both methods' times with independent noise."""
    rng = np.random.default_rng(seed)
    lengths = rng.uniform(0.1, 1.0, steps)
    return {
        "full": lengths * rng.lognormal(0, noise, steps),
        "lora": ratio * lengths * rng.lognormal(0, noise, steps),
    }


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), ratio=st.floats(0.01, 100))
def test_without_noise_the_ratio_is_exact_whatever_the_lengths(seed: int, ratio: float) -> None:
    price = price_steps(simulate(seed, ratio, noise=0.0), "full", resamples=50)["lora"]
    assert (price.ratio, price.low, price.high) == pytest.approx((ratio,) * 3)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 40))
def test_the_reference_is_one_and_the_other_way_round_is_the_inverse(seed: int, steps: int) -> None:
    seconds = simulate(seed, 0.7, steps)
    there = price_steps(seconds, "full", resamples=50)
    back = price_steps(seconds, "lora", resamples=50)
    assert there["full"].ratio == 1 and {there["full"].low, there["full"].high} <= {1, None}
    assert there["lora"].ratio == pytest.approx(1 / back["full"].ratio)
    low, high = there["lora"].low, there["lora"].high
    assert (low is None) == (high is None) == (steps < FEWEST_STEPS)
    assert low is None or high is None or low <= there["lora"].ratio <= high
    assert there["lora"].steps == steps


def test_the_fewest_steps_are_those_that_can_lie_on_both_sides_of_their_median() -> None:
    assert 1 - 2 / 2**FEWEST_STEPS > LEVEL > 1 - 2 / 2 ** (FEWEST_STEPS - 1)


def test_an_interrupted_step_is_one_step() -> None:
    seconds = simulate(0, 0.7)
    undisturbed = price_steps(seconds, "full")["lora"]
    seconds["lora"][:3] *= 1000
    disturbed = price_steps(seconds, "full")["lora"]
    assert disturbed.ratio == pytest.approx(undisturbed.ratio, rel=0.05)
    assert disturbed.high < 0.9


def test_the_interval_covers_the_ratio_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(300):
        price = price_steps(simulate(seed, 0.7, noise=0.3), "full", resamples=300)["lora"]
        inside += price.low <= 0.7 <= price.high
        assert price.low < price.high
    assert 0.91 <= inside / 300 <= 0.99


def test_times_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 times"):
        price_steps({"full": np.ones(2), "lora": np.ones(3)}, "full")
    with pytest.raises(ValueError, match="above 0"):
        price_steps({"full": np.array([1.0, 0.0])}, "full")

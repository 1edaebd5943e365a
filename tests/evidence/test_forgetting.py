"""Forgetting: nothing, exactly, where nothing changes; the planted loss where it does; paired."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from evidence.forgetting import MaskedLosses, summarise_forgetting
from facts.fact import BASE, Fact
from facts.table import Facts

RNG = np.random.default_rng(0)
PIECES = RNG.integers(1, 4, 300)
LOSSES = RNG.gamma(4, 1, 300) * PIECES
ADDED: Any = {"metric": "masked_loss", "against": BASE}


def method(added: Any, seeds: Sequence[int] = (1, 2, 3)) -> MaskedLosses:
    tuned = LOSSES + np.broadcast_to(added, (len(seeds), len(LOSSES)))
    return MaskedLosses(seeds, LOSSES, tuned, PIECES)


def summarise(**losses: MaskedLosses) -> Facts:
    pair = (next(iter(losses)), list(losses)[-1])
    return Facts(summarise_forgetting(losses, pair, resamples=500, evaluation="x"))


def added_by(facts: Facts, name: str, **key: Any) -> Fact:
    return facts.one("forgetting", method=name, evaluation="x", **{**ADDED, **key})


def test_an_encoder_that_did_not_change_forgot_nothing_exactly() -> None:
    facts = summarise(same=method(0.0), other=method(0.3 * PIECES))
    same, other = (added_by(facts, name) for name in ("same", "other"))
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert other.value == pytest.approx(0.3) and other.covers == "items and seeds"
    assert other.n == 300 and other.seeds == 3
    base = facts.one("forgetting", method="same", metric="base_loss", evaluation="x")
    assert base.value == pytest.approx(LOSSES.sum() / PIECES.sum())
    after = facts.one("forgetting", method="other", metric="masked_loss", evaluation="x")
    assert after.value == pytest.approx((base.value or 0) + 0.3)


def test_the_difference_is_paired_over_sentences() -> None:
    """What all encoders find hard does not widen it."""
    full, lora = (PIECES * RNG.normal(mean, 0.1, (3, 300)) for mean in (0.4, 0.1))
    facts = summarise(full=method(full), lora=method(lora))
    gap = added_by(facts, "full", against="lora")
    whole = facts.one("forgetting", method="full", metric="masked_loss", evaluation="x")
    assert gap.low is not None and gap.high is not None and gap.low < 0.3 < gap.high
    assert whole.low is not None and whole.high is not None
    assert 4 * (gap.high - gap.low) < whole.high - whole.low
    one, other = (added_by(facts, name).value or 0 for name in ("full", "lora"))
    assert gap.value == pytest.approx(one - other)


def test_methods_are_compared_on_the_seeds_that_both_have() -> None:
    by_seed = np.array([[0.1], [0.2], [0.9]]) * PIECES
    facts = summarise(full=method(by_seed), lora=method(by_seed[:2], (1, 2)))
    gap = added_by(facts, "full", against="lora")
    assert (gap.value, gap.seeds, gap.covers) == (0.0, 2, "items")
    apart = summarise(full=method(0.0), lora=method(0.0, (4, 5)))
    assert not added_by(apart, "full", against="lora").known


def test_without_a_head_there_is_nothing_to_summarise() -> None:
    assert summarise_forgetting({}, (None, None)) == []

"""The order of the training data: every feature once, little padding, from seed and epoch alone."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.batches import LengthBatches

LENGTHS = st.lists(st.integers(1, 128), min_size=1, max_size=200)


def draw(sampler: LengthBatches, epoch: int) -> list[list[int]]:
    sampler.set_epoch(epoch)
    return list(sampler)


@given(LENGTHS, st.integers(1, 40), st.integers(0, 2**31), st.integers(0, 20))
def test_every_feature_comes_once_in_full_batches(
    lengths: list[int], size: int, seed: int, epoch: int
) -> None:
    sampler = LengthBatches(lengths, size, seed)
    batches = draw(sampler, epoch)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert len(batches) == len(sampler) == -(-len(lengths) // size)
    assert sum(len(batch) != size for batch in batches) <= 1
    assert all(batches)


@given(LENGTHS, st.integers(0, 2**31))
def test_the_order_does_not_touch_the_global_generators(lengths: list[int], seed: int) -> None:
    torch.manual_seed(seed % 7)
    before, there = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = draw(LengthBatches(lengths, 8, seed), 3)
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == there).all()  # noqa: NPY002
    torch.manual_seed(99)
    assert draw(LengthBatches(lengths, 8, seed), 3) == first


def sentence_lengths() -> np.ndarray:
    """As of a corpus: 8,551 sentences of 5 to 45 pieces, long ones rare."""
    return np.clip(np.random.default_rng(0).gamma(4.0, 2.7, 8551).round() + 3, 5, 45).astype(int)


def test_seeds_and_epochs_have_orders_of_their_own() -> None:
    lengths = sentence_lengths()
    orders = [draw(LengthBatches(lengths, 32, seed), epoch) for seed in (1, 2) for epoch in (0, 1)]
    assert len({str(order) for order in orders}) == 4
    compositions = [{frozenset(batch) for batch in order} for order in orders]
    assert len(compositions[0] & compositions[1]) < 0.1 * len(compositions[0])


def test_padding_is_at_most_three_hundredths_of_the_positions() -> None:
    lengths = sentence_lengths()
    positions = sum(lengths[b].max() * len(b) for b in draw(LengthBatches(lengths, 32, 1), 0))
    assert 1 - lengths.sum() / positions < 0.03
    shuffled = np.random.default_rng(1).permutation(lengths)[: 267 * 32].reshape(-1, 32)
    assert 1 - shuffled.sum() / (shuffled.max(axis=1).sum() * 32) > 0.2, "no padding to be saved"


def test_there_is_no_sawtooth() -> None:
    """Lengths of neighbouring batches are as unrelated as in a random order."""
    lengths = sentence_lengths()
    sampler = LengthBatches(lengths, 32, 5)
    relations = []
    for epoch in range(20):
        means = np.array([lengths[batch].mean() for batch in draw(sampler, epoch)])
        lags = [np.corrcoef(means[:-lag], means[lag:])[0, 1] for lag in range(1, 51)]
        relations.append(lags)
    assert np.abs(np.mean(relations, axis=0)).max() < 0.1

"""Debiased linear CKA against its definition, its invariances, and real hidden states."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model

import tiny
from drift.similarity import CkaSums, compare_representations, sample_tokens
from study.errors import StudyError

SEEDS = st.integers(0, 10_000)


def features(seed: int, tokens: int = 40, width: int = 5) -> torch.Tensor:
    return torch.randn(
        tokens, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )


def linear_cka(X: torch.Tensor, Y: torch.Tensor) -> float:
    sums = CkaSums()
    sums.add(X, Y)
    return sums.result()


def build_batch(**sizes: int) -> dict[str, torch.Tensor]:
    """A random batch of which every real token is compared."""
    batch = tiny.build_batch(**sizes)
    return {**batch, "compared": batch["attention_mask"].bool()}


def dense_hsic(K: np.ndarray, L: np.ndarray) -> float:
    """Equation 5 of Song et al. (2012), as it stands there."""
    n = len(K)
    K, L = K - np.diag(np.diag(K)), L - np.diag(np.diag(L))
    one = np.ones(n)
    totals = (one @ K @ one) * (one @ L @ one) / ((n - 1) * (n - 2))
    return (np.trace(K @ L) + totals - 2 / (n - 2) * (one @ K @ L @ one)) / (n * (n - 3))


def dense_cka(X: np.ndarray, Y: np.ndarray) -> float:
    K, L = X @ X.T, Y @ Y.T
    return dense_hsic(K, L) / np.sqrt(dense_hsic(K, K) * dense_hsic(L, L))


def biased_cka(X: np.ndarray, Y: np.ndarray) -> float:
    """The usual estimator: HSIC of the kernels centred on both sides."""
    X, Y = X - X.mean(0), Y - Y.mean(0)
    square = [np.linalg.norm(left.T @ right) for left, right in ((X, Y), (X, X), (Y, Y))]
    return square[0] ** 2 / (square[1] * square[2])


@settings(max_examples=25)
@given(seed=SEEDS, shift=st.floats(-3, 3), mix=st.floats(0, 1))
def test_agrees_with_the_dense_definition(seed, shift, mix):
    X = features(seed) + shift
    Y = mix * X[:, :3] + (1 - mix) * features(seed + 1, width=3)
    assert linear_cka(X, Y) == pytest.approx(dense_cka(X.numpy(), Y.numpy()), abs=1e-8)


@settings(max_examples=25)
@given(seed=SEEDS, scale=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3))
def test_invariant_to_rotation_scale_and_shift_but_not_to_any_linear_map(seed, scale, shift):
    X, Y = features(seed), features(seed + 1)
    rotation = torch.linalg.qr(features(seed + 2, tokens=5)).Q
    value = linear_cka(X, Y)
    assert linear_cka(X @ rotation * scale + shift, Y) == pytest.approx(value, abs=1e-7)
    assert linear_cka(Y, X) == pytest.approx(value, abs=1e-12)
    assert -1 <= value < 0.9
    stretched = X * torch.tensor([100.0, 1, 1, 1, 1])
    assert linear_cka(stretched, X) < 0.95


def test_one_for_identical_features_and_for_rotated_ones():
    X = features(0)
    rotation = torch.linalg.qr(features(1, tokens=5)).Q
    assert linear_cka(X, X) == pytest.approx(1, abs=1e-12)
    assert linear_cka(X, 7 * X @ rotation) == pytest.approx(1, abs=1e-12)


@settings(max_examples=25)
@given(seed=SEEDS)
def test_unrelated_features_are_near_zero_where_the_biased_estimator_is_not(seed):
    X, Y = features(2 * seed, 100, 80), features(2 * seed + 1, 100, 80)
    assert biased_cka(X.numpy(), Y.numpy()) > 0.35
    assert abs(linear_cka(X, Y)) < 0.05


def test_the_estimate_does_not_depend_on_the_number_of_tokens():
    """Half-related features of 60 to 2,000 tokens: the mean stays, the biased one falls."""
    means = {}
    for tokens in (60, 2000):
        pairs = [(features(3 * s, tokens, 40), features(3 * s + 1, tokens, 40)) for s in range(20)]
        mixed = [(X, X + Y) for X, Y in pairs]
        means[tokens] = np.mean([linear_cka(X, Y) for X, Y in mixed])
        means[-tokens] = np.mean([biased_cka(X.numpy(), Y.numpy()) for X, Y in mixed])
    assert means[60] == pytest.approx(means[2000], abs=0.02)
    assert means[-60] > means[-2000] + 0.05


@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=40),
    tokens=st.integers(1, 400),
    seed=SEEDS,
)
def test_a_sample_has_exactly_the_tokens_that_were_asked_for(lengths, tokens, seed):
    chosen = sample_tokens(lengths, tokens, seed)
    assert sum(chosen.values()) == min(tokens, sum(lengths))
    assert all(1 <= count <= lengths[sentence] for sentence, count in chosen.items())
    cut = [sentence for sentence, count in chosen.items() if count < lengths[sentence]]
    assert cut in ([], [list(chosen)[-1]])
    assert sample_tokens(lengths, tokens, seed) == chosen


def test_the_sample_is_not_the_beginning_of_the_corpus():
    assert sorted(sample_tokens([10] * 500, 200, 0)) != list(range(20))


def test_pieces_give_what_the_whole_gives():
    X, Y = features(3, 90), features(4, 90) + 50
    sums = CkaSums()
    for part in (slice(0, 1), slice(1, 40), slice(40, 40), slice(40, 90)):
        sums.add(X[part], Y[part])
    assert sums.tokens == 90
    assert sums.result() == pytest.approx(linear_cka(X, Y), abs=1e-12)


@pytest.mark.parametrize(
    ("X", "Y", "message"),
    [
        (features(0, 4), features(1, 5), "of the same tokens"),
        (features(0, 3), features(1, 3), "at least four tokens, got 3"),
        (torch.ones(9, 3), features(1, 9), "same for every token"),
    ],
)
def test_what_has_no_cka_is_refused(X, Y, message):
    with pytest.raises(StudyError, match=message):
        linear_cka(X, Y)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_model_is_like_itself_and_a_change_shows_from_its_layer_on(family):
    base = tiny.build_model(family, "token", 5, seed=1, layers=3)
    tuned = copy.deepcopy(base).train()
    for name, parameter in tuned.named_parameters():
        if "layer.1." in name:
            parameter.data.add_(0.5 * torch.randn_like(parameter))
    batches = [build_batch(seed=seed, batch=8) for seed in range(3)]
    assert compare_representations(base, base, batches) == pytest.approx([1] * 4, abs=1e-9)
    values = compare_representations(base, tuned, batches)
    assert values[:2] == pytest.approx([1, 1], abs=1e-9)
    assert values[2] < 0.999
    assert tuned.training
    assert not base.training


def test_padding_changes_nothing_and_only_the_marked_tokens_are_compared():
    base = tiny.build_model("bert", "sequence", seed=0)
    tuned = tiny.build_model("bert", "sequence", seed=1)
    batch = build_batch(batch=6)
    longer = {name: torch.nn.functional.pad(value, (0, 5)) for name, value in batch.items()}
    values = compare_representations(base, tuned, [batch])
    assert compare_representations(base, tuned, [longer]) == pytest.approx(values, abs=1e-5)
    fewer = batch["compared"].clone()
    fewer[:, 0] = False
    without = compare_representations(base, tuned, [{**batch, "compared": fewer}])
    assert without != pytest.approx(values, abs=1e-4)


def test_an_active_adapter_counts():
    base = tiny.build_model("bert", "sequence", seed=0)
    config = LoraConfig(r=2, target_modules=["query", "value"], init_lora_weights=False)
    adapted = get_peft_model(copy.deepcopy(base), config)
    values = compare_representations(base, adapted, [build_batch(batch=8)])
    assert values[0] == pytest.approx(1, abs=1e-9)
    assert values[-1] < 0.9999


def test_models_of_different_depth_and_no_batches_are_refused():
    base = tiny.build_model("bert", "sequence")
    with pytest.raises(StudyError, match="2 layers and the tuned one 3"):
        compare_representations(
            base, tiny.build_model("bert", "sequence", layers=3), [build_batch()]
        )
    with pytest.raises(StudyError, match="at least one batch"):
        compare_representations(base, base, [])

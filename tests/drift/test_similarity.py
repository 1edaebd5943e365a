"""Linear CKA against its definition by HSIC, its invariances, and real hidden states."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model

import tiny
from drift.similarity import CkaSums, compare_representations, linear_cka
from study.errors import StudyError

SEEDS = st.integers(0, 10_000)


def features(seed: int, tokens: int = 40, width: int = 5) -> torch.Tensor:
    return torch.randn(
        tokens, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )


def dense_cka(X: np.ndarray, Y: np.ndarray) -> float:
    """By the definition: HSIC of the N x N linear kernels, centred on both sides."""
    H = np.eye(len(X)) - 1 / len(X)
    K, L = H @ X @ X.T @ H, H @ Y @ Y.T @ H
    return np.trace(K @ L) / np.sqrt(np.trace(K @ K) * np.trace(L @ L))


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, shift=st.floats(-1e3, 1e3), mix=st.floats(0, 1))
def test_agrees_with_the_dense_definition(seed, shift, mix):
    X = features(seed) + shift
    Y = mix * X[:, :3] + (1 - mix) * features(seed + 1, width=3)
    assert linear_cka(X, Y) == pytest.approx(dense_cka(X.numpy(), Y.numpy()), abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, scale=st.floats(1e-3, 1e3))
def test_invariant_to_rotation_scale_and_shift_but_not_to_any_linear_map(seed, scale):
    X, Y = features(seed), features(seed + 1)
    rotation = torch.linalg.qr(features(seed + 2, tokens=5)).Q
    value = linear_cka(X, Y)
    assert linear_cka(X @ rotation * scale + 3, Y) == pytest.approx(value, abs=1e-9)
    assert linear_cka(Y, X) == pytest.approx(value, abs=1e-12)
    assert 0 <= value < 0.9
    stretched = X * torch.tensor([100.0, 1, 1, 1, 1])
    assert linear_cka(stretched, X) < 0.95


def test_one_for_identical_features_and_for_rotated_ones():
    X = features(0)
    rotation = torch.linalg.qr(features(1, tokens=5)).Q
    assert linear_cka(X, X) == pytest.approx(1, abs=1e-12)
    assert linear_cka(X, 7 * X @ rotation) == pytest.approx(1, abs=1e-12)


def test_unrelated_features_of_many_tokens_are_near_zero():
    assert linear_cka(features(0, 20_000), features(1, 20_000)) < 1e-2


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
        (features(0, 1), features(1, 1), "at least two tokens, got 1"),
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
    batches = [tiny.build_batch(seed=seed, batch=8) for seed in range(3)]
    assert compare_representations(base, base, batches) == pytest.approx([1] * 4, abs=1e-9)
    values = compare_representations(base, tuned, batches)
    assert values[:2] == pytest.approx([1, 1], abs=1e-9)
    assert values[2] < 0.999
    assert tuned.training
    assert not base.training


def test_padding_is_not_compared_and_special_tokens_only_if_not_marked():
    base = tiny.build_model("bert", "sequence", seed=0)
    tuned = tiny.build_model("bert", "sequence", seed=1)
    batch = tiny.build_batch(batch=6)
    shorter = {
        name: value[:, : int(batch["attention_mask"].sum(1).max())] for name, value in batch.items()
    }
    longer = {name: torch.nn.functional.pad(value, (0, 5)) for name, value in shorter.items()}
    values = compare_representations(base, tuned, [shorter])
    assert compare_representations(base, tuned, [longer]) == pytest.approx(values, abs=1e-5)
    special = torch.zeros_like(batch["input_ids"])
    special[:, 0] = 1
    without = compare_representations(base, tuned, [{**batch, "special_tokens_mask": special}])
    assert without != pytest.approx(values, abs=1e-4)


def test_an_active_adapter_counts():
    base = tiny.build_model("bert", "sequence", seed=0)
    config = LoraConfig(r=2, target_modules=["query", "value"], init_lora_weights=False)
    adapted = get_peft_model(copy.deepcopy(base), config)
    values = compare_representations(base, adapted, [tiny.build_batch(batch=8)])
    assert values[0] == pytest.approx(1, abs=1e-9)
    assert values[-1] < 0.9999


def test_models_of_different_depth_and_no_batches_are_refused():
    base = tiny.build_model("bert", "sequence")
    with pytest.raises(StudyError, match="2 layers and the tuned one 3"):
        compare_representations(
            base, tiny.build_model("bert", "sequence", layers=3), [tiny.build_batch()]
        )
    with pytest.raises(StudyError, match="at least one batch"):
        compare_representations(base, base, [])

"""Masks drawn in bulk: the share, the scale, the gradient and the reproducibility of dropout."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch import nn

import tiny
from training.dropout import BulkDropout, draw_masks_in_bulk


@pytest.mark.parametrize("p", [0.05, 0.1, 0.5, 0.9])
def test_share_scale_and_independence(p: float) -> None:
    """Dropped is a share p, within five standard errors; what is kept keeps the expectation."""
    torch.manual_seed(0)
    n = 200_001  # no multiple of four
    out = BulkDropout(p)(torch.ones(n))
    dropped = (out == 0).double()
    assert abs(float(dropped.mean()) - p) < 5 * (p * (1 - p) / n) ** 0.5
    assert torch.allclose(out[out != 0], torch.tensor(1 / (1 - p)), rtol=1e-4)
    assert abs(float(out.double().mean()) - 1) < 5 * (p / (1 - p) / n) ** 0.5
    for lag in (1, 2, 3, 4):  # neighbours share a 64-bit word
        both = float((dropped[lag:] * dropped[:-lag]).mean())
        assert abs(both - p * p) < 5 * (p * p * (1 - p * p) / n) ** 0.5


@given(shape=st.lists(st.integers(0, 5), max_size=3), p=st.floats(0, 1))
def test_any_shape_and_probability(shape: list[int], p: float) -> None:
    """Each element is dropped or scaled; the gradient is the same mask."""
    x = torch.ones(shape, requires_grad=True)
    out = BulkDropout(p)(x)
    assert out.shape == x.shape
    if kept := 2**16 - round(p * 2**16):
        scaled = torch.isclose(out, torch.tensor(2**16 / kept), rtol=2e-5)
        assert bool(((out == 0) | scaled).all())
    out.sum().backward()
    assert torch.equal(x.grad, out.detach())


def test_the_state_of_the_generator_decides_the_mask() -> None:
    """What a checkpoint stores is enough to go on; the next mask is another one."""
    drop, x = BulkDropout(0.5), torch.ones(64)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    first, second = drop(x), drop(x)
    torch.set_rng_state(state)
    assert torch.equal(drop(x), first)
    assert not torch.equal(first, second)


def test_nothing_is_dropped_in_evaluation() -> None:
    x = torch.randn(50)
    assert torch.equal(BulkDropout(0.5).eval()(x), x)
    assert torch.equal(BulkDropout(0.0)(x), x)


def test_every_module_of_a_model_is_met() -> None:
    """Encoder's and adapter's alike, with the probability they had."""
    model = tiny.build_model("bert", "sequence", 2)
    model = get_peft_model(model, LoraConfig(target_modules=["query"], lora_dropout=0.3))
    before = {n: m.p for n, m in model.named_modules() if isinstance(m, nn.Dropout)}
    draw_masks_in_bulk(model)
    after = {n: m.p for n, m in model.named_modules() if type(m) is BulkDropout}
    assert set(before.values()) == {0.1, 0.3}
    assert after == before

"""Mixtures of a model before and after training: both ends, every part, merged adapters."""

import copy
import itertools

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

import tiny
from drift.mixture import Mixture
from encoders.structure import find_places
from study.layers import EMBEDDINGS, HEAD, restorable_parts

LAYERS = 3


def perturbed(model: nn.Module) -> nn.Module:
    model = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(
                parameter.shape, generator=torch.Generator().manual_seed(1)
            )
    return model


def logits(model: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(**tiny.build_batch()).logits


@pytest.mark.parametrize("task", tiny.TASKS)
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_both_ends_are_the_models_themselves(family: str, task: str) -> None:
    base = tiny.build_model(family, task, 3, layers=LAYERS)
    tuned = perturbed(base)
    start, end = logits(base), logits(tuned)
    mixture = Mixture(base, tuned)
    assert torch.equal(logits(mixture.restore([])), end)
    every = {place.layer for place in find_places(base).values()}
    assert torch.equal(logits(mixture.restore(every)), start)
    assert not torch.allclose(start, end, atol=1e-2)


def test_each_part_is_set_back_and_nothing_else() -> None:
    base = tiny.build_model("bert", "token", 3, layers=LAYERS)
    tuned = perturbed(base)
    before = {name: parameter.clone() for name, parameter in base.named_parameters()}
    after = dict(tuned.named_parameters())
    mixture = Mixture(base, tuned)
    parts = restorable_parts(LAYERS)
    assert list(parts) == [EMBEDDINGS, "lower", "middle", "upper", HEAD]
    for layers in parts.values():
        for name, parameter in mixture.restore(layers).named_parameters():
            expected = before if find_places(base)[name].layer in layers else after
            assert torch.equal(parameter, expected[name]), name


def test_an_adapter_is_merged_and_set_back_by_layer() -> None:
    base = tiny.build_model("bert", "sequence", 3, layers=LAYERS)
    config = LoraConfig(
        r=2,
        target_modules=["query", "value"],
        modules_to_save=["classifier"],
        init_lora_weights=False,
    )
    tuned = get_peft_model(copy.deepcopy(base), config)
    start, end = logits(base), logits(tuned)
    mixture = Mixture(base, tuned)
    every = {layer for layers in restorable_parts(LAYERS).values() for layer in layers}
    assert torch.allclose(logits(mixture.restore([])), end, atol=1e-5)
    assert torch.equal(logits(mixture.restore(every)), start)
    upper = logits(mixture.restore(restorable_parts(LAYERS)["upper"]))
    assert not torch.allclose(upper, end, atol=1e-4) and not torch.allclose(upper, start, atol=1e-4)


@pytest.mark.parametrize(("layers", "sizes"), [(12, (4, 4, 4)), (6, (2, 2, 2)), (4, (1, 1, 2))])
def test_thirds_cover_the_encoder_once(layers: int, sizes: tuple[int, ...]) -> None:
    parts = restorable_parts(layers)
    thirds = [parts[name] for name in ("lower", "middle", "upper")]
    assert tuple(map(len, thirds)) == sizes
    assert list(itertools.chain(*thirds)) == [f"encoder.layer.{number}" for number in range(layers)]


def test_an_encoder_of_two_layers_has_two_parts() -> None:
    assert list(restorable_parts(2)) == [EMBEDDINGS, "middle", "upper", HEAD]

"""The frozen control: a head on stored outputs learns what it learns through the encoder."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import tiny
from encoders.tokens import IGNORED, Encoded
from study.errors import StudyError
from training import frozen
from training.prediction import build_collator

TOKENIZER = tiny.build_tokenizer()


def build(family: str, kind: str, dropout: float, pooler: bool = False) -> nn.Module:
    """A classifier whose head alone is trained, with its pooler if so wished."""
    model = tiny.build_model(family, kind, 3, dropout=dropout, vocab_size=len(TOKENIZER))
    for name, parameter in model.named_parameters():
        head = name.startswith(("classifier", "pre_classifier"))
        parameter.requires_grad_(head or (pooler and ".pooler." in name))
    return model


def build_data(kind: str, features: int = 12, seed: int = 0) -> Encoded:
    """Random sentences; about half of the positions carry a label for words."""

    rng = np.random.default_rng(seed)
    rows, items, first = [], [], 0
    for _ in range(features):
        length = int(rng.integers(4, 14))
        ids = rng.integers(5, len(TOKENIZER), length).tolist()
        labels = int(rng.integers(3))
        where = np.zeros(1, dtype=int) + len(rows)
        if kind == "token":
            marked = rng.random(length) < 0.5
            marked[1] = True
            labels = np.where(marked, rng.integers(0, 3, length), IGNORED).tolist()
            where = np.where(marked, np.cumsum(marked) - 1 + first, -1)
            first += int(marked.sum())
        rows.append({"input_ids": ids, "attention_mask": [1] * length, "labels": labels})
        items.append(where)
    return Encoded(rows, items, np.ones(first or features, dtype=int))


def learn(model: nn.Module, batches: Callable, steps: int = 12) -> list[float]:
    """The loss of each step, AdamW over the trainable parameters."""
    torch.manual_seed(0)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2)
    losses = []
    for step in range(steps):
        model.train()
        loss = model(**batches(step)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def head(model: nn.Module) -> dict[str, torch.Tensor]:
    return {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("pooler", [False, True])
@pytest.mark.parametrize("kind", tiny.TASKS)
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_head_learns_the_same_as_through_the_frozen_encoder(
    family: str, kind: str, pooler: bool
) -> None:
    # Over a sentence the head's dropout draws the same numbers on both ways; over words it does
    # not, because the rows between the labelled ones are not there: no dropout in that case.
    dropout = 0.1 if kind == "sequence" else 0.0
    through = build(family, kind, dropout, pooler)
    stored, before = copy.deepcopy(through), head(through)
    data = build_data(kind)
    chosen = [[(4 * step + i) % len(data.features) for i in range(4)] for step in range(12)]
    collate = build_collator(kind, TOKENIZER)
    with frozen.training_without_dropout(through):
        expected = learn(through, lambda s: dict(collate([data.features[i] for i in chosen[s]])))
    outputs = frozen.compute_outputs(stored, kind, data, TOKENIZER, 5)
    rows = frozen.with_outputs(data, outputs, kind).features
    with frozen.training_on_outputs(stored):
        losses = learn(stored, lambda s: frozen.collate_states([rows[i] for i in chosen[s]]))
    assert losses == pytest.approx(expected, abs=1e-6)
    after, ours = head(through), head(stored)
    assert after.keys() == ours.keys() == before.keys()
    for name, value in after.items():
        assert torch.allclose(value, ours[name], atol=1e-6), name
        assert not torch.allclose(value, before[name], atol=1e-3), f"{name} was not trained"


def test_dropout_in_the_encoder_would_make_a_difference() -> None:
    """Guards the test above: with dropout on, the encoder's outputs are not the stored ones."""
    model, data = build("bert", "sequence", 0.5), build_data("sequence")
    stored = frozen.compute_outputs(model, "sequence", data, TOKENIZER, 5)
    batch = dict(build_collator("sequence", TOKENIZER)(data.features))
    batch.pop("labels")
    model.train()
    noisy = model.base_model(**batch).pooler_output
    assert not torch.allclose(noisy, torch.cat(stored.states), atol=1e-2)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), batch=st.integers(1, 13))
def test_outputs_do_not_depend_on_the_batches_and_fit_their_features(seed: int, batch: int) -> None:
    model, data = build("bert", "token", 0.1), build_data("token", seed=seed)
    one = frozen.compute_outputs(model, "token", data, TOKENIZER, 1)
    many = frozen.compute_outputs(model, "token", data, TOKENIZER, batch)
    for feature, alone, together in zip(data.features, one.states, many.states, strict=True):
        assert len(alone) == sum(label != IGNORED for label in feature["labels"])
        assert torch.allclose(alone, together, atol=1e-5)
    assert one.size == frozen.outputs_size(data, "token", 16) > 0


def test_the_model_is_given_back_whole() -> None:
    model = build("bert", "sequence", 0.1)
    encoder, names = model.base_model, list(model.state_dict())
    with pytest.raises(RuntimeError), frozen.training_on_outputs(model):
        assert model.base_model is not encoder
        raise RuntimeError
    assert model.base_model is encoder and list(model.state_dict()) == names


@pytest.mark.parametrize("kind", tiny.TASKS)
def test_outputs_are_the_same_with_the_smaller_batches_that_fit(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model, data = build("bert", kind, 0.1), build_data(kind)
    whole = frozen.compute_outputs(model, kind, data, TOKENIZER, 8)
    limit_memory(model, 2)
    parted = frozen.compute_outputs(model, kind, data, TOKENIZER, 8)
    assert "batches of 2 from here on" in capsys.readouterr().err
    for one, other in zip(whole.states, parted.states, strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    limit_memory(model, 0)
    with pytest.raises(StudyError, match="the memory is too small for a batch of one sentence"):
        frozen.compute_outputs(model, kind, data, TOKENIZER, 8)


def limit_memory(model: nn.Module, features: int) -> None:
    """The encoder takes no more than so many features at once from here on."""
    encoder = model.base_model
    forward = type(encoder).forward

    def limited(*args: object, **kwargs: torch.Tensor) -> object:
        if len(kwargs["input_ids"]) > features:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(encoder, *args, **kwargs)

    encoder.forward = limited

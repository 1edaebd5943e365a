"""Loss under the pretraining head: masks that are fixed, the tuned encoder under the old head."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoModel, AutoModelForMaskedLM

import tiny
from drift.masked_loss import masked_losses, put_encoder
from drift.weights import read_pair
from encoders.checkpoints import Checkpoint, find_checkpoint
from encoders.masked import SHARE, MaskedText, load_masked_model, mask_pieces
from encoders.models import load_base
from encoders.tokens import encode_texts

TOKENIZER = tiny.build_tokenizer()
SPECIAL = set(TOKENIZER.all_special_ids)
MASK = TOKENIZER.mask_token_id
TEXTS = [
    "the cat sleeps .",
    "die Katze schläft",
    "a dog barks at the cat that sleeps",
    "qux §",
    "Katze .",
]


def texts() -> list[MaskedText]:
    pieces = encode_texts(TEXTS, TOKENIZER, 128)
    return [mask_pieces(t, ids, SPECIAL, 1) for t, ids in zip(TEXTS, pieces, strict=True)]


def checkpoint(folder: Path, family: str, kind: type = AutoModelForMaskedLM) -> Checkpoint:
    return find_checkpoint(str(tiny.save_checkpoint(folder / family, family, kind=kind)), "")


def losses(model: nn.Module, batch_size: int = 2) -> np.ndarray:
    return masked_losses(model, texts(), MASK, batch_size)


def changed(model: nn.Module) -> nn.Module:
    model = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return model


# ----------------------------------------------------------------------------------------- masks


@given(st.text(), st.lists(st.integers(0, 40), max_size=60), st.integers(0, 5))
def test_masks_are_fixed_by_text_and_seed(text: str, body: list[int], seed: int) -> None:
    ids = [2, *body, 3]
    masked = mask_pieces(text, ids, SPECIAL, seed).masked
    assert masked.tolist() == mask_pieces(text, ids, SPECIAL, seed).masked.tolist()
    assert sorted(set(masked.tolist())) == masked.tolist()
    assert not SPECIAL & {ids[place] for place in masked}
    maskable = sum(piece not in SPECIAL for piece in body)
    assert len(masked) == (max(1, round(SHARE * maskable)) if maskable else 0)


def test_other_texts_and_seeds_have_other_masks() -> None:
    ids = [2, *range(10, 110), 3]
    one, same, text, seed = (
        set(mask_pieces(*given, SPECIAL, s).masked.tolist())  # type: ignore[misc]
        for given, s in ((("a", ids), 1), (("a", ids), 1), (("b", ids), 1), (("a", ids), 2))
    )
    assert one == same and len(one) == 15
    assert len(one & text) < 10 and len(one & seed) < 10


def test_unknown_pieces_are_never_masked_and_long_texts_are_cut() -> None:
    (ids,) = encode_texts([TEXTS[3]], TOKENIZER, 128)
    unknown = ids.index(TOKENIZER.unk_token_id)
    assert all(unknown not in mask_pieces(TEXTS[3], ids, SPECIAL, s).masked for s in range(9))
    (short,) = encode_texts([" ".join(TEXTS)], TOKENIZER, 8)
    assert len(short) == 8 and [short[0], short[-1]] == [2, 3]


# ----------------------------------------------------------------------------------------- losses


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_an_untouched_encoder_forgets_nothing_exactly(family: str, tmp_path: Path) -> None:
    """Guarded by an encoder that is changed and by the base model's own loss."""
    own = checkpoint(tmp_path, family)
    model = load_masked_model(own)
    assert model is not None
    start = losses(model)
    base, _ = load_base(own, "token", 3, seed=1)
    put_encoder(model, read_pair(base, base)[1])
    assert np.array_equal(losses(model), start) and start.min() > 0
    before, after = read_pair(base, changed(base))
    put_encoder(model, after)
    assert (losses(model) != start).all()
    put_encoder(model, before)
    assert np.array_equal(losses(model), start)


def test_the_head_stays_what_it_was(tmp_path: Path) -> None:
    """Its output matrix too, which it shares with the embeddings."""
    own = checkpoint(tmp_path, "bert")
    model = load_masked_model(own)
    assert model is not None
    head = {n: p.clone() for n, p in model.named_parameters() if n.startswith("cls.")}
    embeddings = model.get_input_embeddings().weight.clone()
    assert torch.equal(head["cls.predictions.decoder.weight"], embeddings)
    base, _ = load_base(own, "sequence", 2, seed=1)
    put_encoder(model, read_pair(base, changed(base))[1])
    assert all(torch.equal(dict(model.named_parameters())[n], p) for n, p in head.items())
    assert not torch.equal(model.get_input_embeddings().weight, embeddings)


def test_an_adapter_is_merged(tmp_path: Path) -> None:
    own = checkpoint(tmp_path, "bert")
    model = load_masked_model(own)
    assert model is not None
    start = losses(model)
    config: dict[str, object] = {"r": 2, "target_modules": ["query", "value"]}
    for begins_at_zero in (True, False):
        base, _ = load_base(own, "token", 3, seed=1)
        settings = LoraConfig(**config, init_lora_weights=begins_at_zero)  # type: ignore[arg-type]
        tuned = get_peft_model(copy.deepcopy(base), settings)
        put_encoder(model, read_pair(base, tuned)[1])
        found = losses(model)
        assert np.array_equal(found, start) == begins_at_zero
        merged = tuned.merge_and_unload()
        put_encoder(model, read_pair(base, merged)[1])
        assert losses(model) == pytest.approx(found, abs=1e-5)


def test_the_loss_is_that_of_the_library_and_of_any_batch(tmp_path: Path) -> None:
    model = load_masked_model(checkpoint(tmp_path, "bert"))
    assert model is not None
    plain = AutoModelForMaskedLM.from_pretrained(tmp_path / "bert").eval()
    for text, found in zip(texts(), losses(model), strict=True):
        ids = torch.from_numpy(text.ids)[None]
        labels = torch.full_like(ids, -100)
        labels[0, text.masked] = ids[0, text.masked]
        hidden = torch.where(labels == -100, ids, MASK)
        with torch.no_grad():
            mean = plain(input_ids=hidden, labels=labels).loss
        assert found == pytest.approx(float(mean) * len(text.masked), rel=1e-5)
    assert losses(model, 1) == pytest.approx(losses(model, 5), rel=1e-5)


@pytest.mark.parametrize(
    ("family", "kind"),
    [("bert", AutoModel), ("electra", AutoModel), ("roberta", AutoModel)],
)
def test_a_checkpoint_without_the_head_has_none(family: str, kind: type, tmp_path: Path) -> None:
    assert load_masked_model(checkpoint(tmp_path, family, kind)) is None

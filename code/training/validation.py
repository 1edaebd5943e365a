"""Points of the validation curve: the same predictions and the same metrics as the final scores."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from encoders.tokens import Collator, Encoded, take_features
from training.prediction import predict

CURVE_METRICS = {
    "sequence": ("matthews_correlation", "accuracy"),
    "token": ("accuracy", "macro_f1"),
}


def measure_validation(
    model: nn.Module,
    kind: str,
    data: Encoded,
    tokenizer: Any,
    batch_size: int,
    collate: Collator | None = None,
) -> dict[str, float]:
    """Measures a model on a split, in float32 whatever it is trained in.

    Returns:
        ``loss``, the mean cross-entropy of the items, and those metrics of the curve that the split
        defines (one label only does not define MCC).

    Raises:
        StudyError: the logits are not finite.
    """
    from evidence.metrics import score_acceptability, score_tags

    with in_full_precision(model):
        logits = predict(model, kind, data, tokenizer, batch_size, collate)
    gold = _gold(data)
    loss = functional.cross_entropy(torch.from_numpy(logits).double(), torch.from_numpy(gold))
    tags = kind == "token"
    scores: dict[str, float | None] = {}
    scores |= score_tags(logits.argmax(1), gold) if tags else score_acceptability(logits, gold)
    known = {name: value for name, value in scores.items() if value is not None}
    return {"loss": loss.item(), **{n: known[n] for n in CURVE_METRICS[kind] if n in known}}


def choose_validation(validation: Encoded, features: int) -> Encoded:
    """A fixed random subset of features for the validation curve (all of them for 0).

    Drawn with a generator of its own: the training seed does not choose what is measured. Items are
    numbered anew.
    """
    if features == 0 or features >= len(validation.features):
        return validation
    order = np.random.default_rng(0).permutation(len(validation.features))[:features]
    return take_features(validation, sorted(order.tolist()))[0]


def _gold(data: Encoded) -> np.ndarray:
    """Class of each item, (items,)."""
    gold = np.empty(len(data.pieces), dtype=np.int64)
    for feature, items in zip(data.features, data.items, strict=True):
        labels = np.atleast_1d(feature["labels"])
        gold[items[items >= 0]] = labels[items >= 0]
    return gold


@contextlib.contextmanager
def in_full_precision(model: nn.Module) -> Iterator[None]:
    """Inside, the model computes without the autocast that accelerate has wrapped around it."""
    own = model.__dict__.get("_original_forward")
    if own is None:
        yield
        return
    mixed = model.forward
    model.forward = own  # type: ignore[method-assign]
    try:
        yield
    finally:
        model.forward = mixed  # type: ignore[method-assign]

"""Logits of a trained model on an encoded split, one row an item, in corpus order."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from encoders.tokens import Encoded, build_collator


def predict(
    model: nn.Module, kind: str, data: Encoded, tokenizer: Any, batch_size: int
) -> np.ndarray:
    """Logits in float32.

    Args:
        model: on its device; put into evaluation mode.
        kind: ``sequence`` or ``token``.
        data: features and which item each of their labels is for.
        tokenizer: for padding.
        batch_size: features a batch.

    Returns:
        Array (items, classes): a row for each sentence, or for each word.
    """
    model.eval()
    logits: np.ndarray | None = None
    for indices, batch in length_sorted_batches(data, kind, tokenizer, batch_size):
        output = _forward(model, batch)
        if logits is None:
            logits = np.full((len(data.pieces), output.shape[-1]), np.nan, dtype=np.float32)
        for row, index in zip(output, indices, strict=True):
            items = data.items[index]
            scored = items >= 0
            values = row[: len(items)][scored] if kind == "token" else row[None, :]
            logits[items[scored]] = values
    assert logits is not None, "no features to predict on"
    assert not np.isnan(logits).any(), "an item got no prediction"
    return logits


def length_sorted_batches(
    data: Encoded, kind: str, tokenizer: Any, batch_size: int
) -> Iterator[tuple[list[int], dict[str, torch.Tensor]]]:
    """Batches of features of like length, with the features' indices: little padding."""
    collate = build_collator(kind, tokenizer)
    lengths = [len(feature["input_ids"]) for feature in data.features]
    order = np.argsort(lengths, kind="stable").tolist()
    for start in range(0, len(order), batch_size):
        indices = order[start : start + batch_size]
        yield indices, dict(collate([data.features[i] for i in indices]))


def _forward(model: nn.Module, batch: dict[str, torch.Tensor]) -> np.ndarray:
    device = next(model.parameters()).device
    inputs = {name: tensor.to(device) for name, tensor in batch.items() if name != "labels"}
    with torch.inference_mode():
        return model(**inputs).logits.float().cpu().numpy()

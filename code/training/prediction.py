"""Logits of a trained model on an encoded split, one row an item, in corpus order."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from encoders.memory import with_smaller_batches
from encoders.tokens import Collator, Encoded, build_collator
from study.errors import StudyError


def predict(
    model: nn.Module,
    kind: str,
    data: Encoded,
    tokenizer: Any,
    batch_size: int,
    collate: Collator | None = None,
) -> np.ndarray:
    """Logits (items, classes) in float32: a row for each sentence, or for each word.

    Batches are halved when memory runs out; ``collate`` makes them if not ``build_collator``'s.

    Raises:
        StudyError: a logit is not finite, or a single sentence does not fit into memory.
    """
    model.eval()

    def compute(size: int) -> np.ndarray:
        rows: dict[int, np.ndarray] = {}
        for indices, batch in length_sorted_batches(data, kind, tokenizer, size, collate):
            for row, index in zip(_forward(model, batch), indices, strict=True):
                items = data.items[index]
                scored = items >= 0
                values = row[: len(items)][scored] if kind == "token" else row[None, :]
                rows |= zip(items[scored].tolist(), values, strict=True)
        assert len(rows) == len(data.pieces), "an item got no prediction"
        return np.stack([rows[item] for item in range(len(rows))])

    logits = with_smaller_batches(compute, batch_size)
    if not np.isfinite(logits).all():
        raise diverged()
    return logits


def diverged() -> StudyError:
    """The error for a model whose outputs are not finite."""
    return StudyError(
        "the loss is not finite: the run diverged",
        remedy="lower learning_rate or raise warmup_ratio in experiments.local.toml",
    )


def length_sorted_batches(
    data: Encoded, kind: str, tokenizer: Any, batch_size: int, collate: Collator | None = None
) -> Iterator[tuple[list[int], dict[str, torch.Tensor]]]:
    """Batches of features of like length, with the features' indices: little padding."""
    collate = collate or build_collator(kind, tokenizer)
    for indices in group_by_length([len(f["input_ids"]) for f in data.features], batch_size):
        yield indices, dict(collate([data.features[i] for i in indices]))


def group_by_length(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Indices in groups, shortest first, of at most ``size`` and of like length each.

    A group's longest is at most a quarter, or four positions, longer than its shortest: few
    sentences in one large batch would be padding for the most part.
    """
    group: list[int] = []
    for index in np.argsort(lengths, kind="stable").tolist():
        longest = max(lengths[group[0]] * 5 // 4, lengths[group[0]] + 4) if group else 0
        if group and (len(group) == size or lengths[index] > longest):
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def _forward(model: nn.Module, batch: dict[str, torch.Tensor]) -> np.ndarray:
    device = next(model.parameters()).device
    inputs = {name: tensor.to(device) for name, tensor in batch.items() if name != "labels"}
    with torch.inference_mode():
        return model(**inputs).logits.float().cpu().numpy()

"""The frozen control: a head trained on encoder outputs that are computed once.

With a frozen encoder, dropout inside it only adds noise to fixed features: it is off here, so that
the outputs are the same in every epoch and one pass over the data is enough. Everything else is as
for any method: the same head with its own dropout, the same seed and order, optimizer and schedule.
During the training a module that returns the stored outputs replaces the classifier's encoder, so
that the kept parameters have their usual names.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from encoders.memory import with_smaller_batches
from encoders.tokens import IGNORED, Collator, Encoded, Feature
from training.prediction import length_sorted_batches

if TYPE_CHECKING:
    from transformers.modeling_outputs import BaseModelOutputWithPooling

LARGEST = 2 * 2**30  # bytes of outputs that are held in memory; above, the encoder runs every time
FLOAT_BYTES = 4


@dataclass(frozen=True)
class EncoderOutputs:
    """What a frozen encoder gives the head for a split, in float32 and on the CPU."""

    # one (W, H) a feature: a row for the sentence (its pooled output, or the state of the first
    # token where the head or a trained pooler reads that), or for each labelled word the state of
    # its first piece
    states: tuple[Tensor, ...]
    seconds: float  # how long the pass over the split took
    cpu_seconds: float  # how long this process computed in that time, all threads together

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(state.numel() * state.element_size() for state in self.states)


Splits = tuple[Encoded, Encoded]  # for training and for validation
SplitOutputs = tuple[EncoderOutputs, EncoderOutputs]


def outputs_size(data: Encoded, kind: str, width: int) -> int:
    """Bytes that ``compute_outputs`` would need for this split and hidden size."""
    rows = len(data.pieces) if kind == "token" else len(data.features)
    return FLOAT_BYTES * rows * width


def compute_outputs(
    model: nn.Module, kind: str, data: Encoded, tokenizer: Any, batch_size: int
) -> EncoderOutputs:
    """One pass over a split through the classifier's encoder, dropout off.

    Raises:
        StudyError: a single sentence does not fit into memory.
    """
    encoder: nn.Module = model.base_model  # type: ignore[assignment]
    device = next(encoder.parameters()).device
    pooled = getattr(encoder, "pooler", None) is not _trained_pooler(encoder)

    def compute(size: int) -> tuple[Tensor, ...]:
        states: list[Tensor] = [torch.empty(0)] * len(data.features)
        for indices, batch in length_sorted_batches(data, kind, tokenizer, size):
            labels = batch.pop("labels")
            output = encoder(**{name: value.to(device) for name, value in batch.items()})
            rows = _rows_for_head(output, labels, kind, pooled)
            for index, row in zip(indices, rows, strict=True):
                states[index] = row.float().cpu().clone()
        return tuple(states)

    begun, cpu_begun = time.perf_counter(), time.process_time()
    encoder.eval()
    with torch.no_grad():
        states = with_smaller_batches(compute, batch_size)
    cpu_seconds = time.process_time() - cpu_begun
    return EncoderOutputs(states, time.perf_counter() - begun, cpu_seconds)


def _rows_for_head(output: Any, labels: Tensor, kind: str, pooled: bool) -> list[Tensor]:
    """The (W, H) of each feature of a batch."""
    if kind == "token":
        kept = labels != IGNORED
        return [
            state[mask.to(state.device)]
            for state, mask in zip(output.last_hidden_state, kept, strict=True)
        ]
    rows = output.pooler_output if pooled else output.last_hidden_state[:, 0]
    return list(rows[:, None])


def _trained_pooler(encoder: nn.Module) -> nn.Module | None:
    """The pooler, where there is one that is trained with the head."""
    pooler = getattr(encoder, "pooler", None)
    trained = pooler is not None and any(p.requires_grad for p in pooler.parameters())
    return pooler if trained else None


def with_outputs(data: Encoded, outputs: EncoderOutputs, kind: str) -> Encoded:
    """The split with its encoder outputs as ``states`` and labels for these rows alone.

    ``input_ids`` stay: the sampler groups by their length, as for every other method.
    """
    features: list[Feature] = []
    for feature, states in zip(data.features, outputs.states, strict=True):
        labels = feature["labels"]
        if kind == "token":
            labels = [label for label in labels if label != IGNORED]
        features.append({**feature, "states": states, "labels": labels})
    return Encoded(features, [items[items >= 0] for items in data.items], data.pieces)


def collate_states(features: Sequence[Feature]) -> dict[str, Tensor]:
    """A batch for ``training_on_outputs``: ``inputs_embeds`` (B, W, H) and ``labels``, padded."""
    labels = [torch.as_tensor(feature["labels"]) for feature in features]
    return {
        "inputs_embeds": pad_sequence([f["states"] for f in features], batch_first=True),
        "labels": pad_sequence([label.reshape(-1) for label in labels], True, IGNORED)
        if labels[0].ndim
        else torch.stack(labels),
    }


class _GivenOutputs(nn.Module):
    """In the encoder's place: returns what it is given, pooled by a trained pooler if any."""

    def __init__(self, encoder: nn.Module):
        super().__init__()
        self.pooler = _trained_pooler(encoder)
        # ALBERT's pooler is a linear map of the first token's state; the rest stands beside it.
        self.pooler_activation = getattr(encoder, "pooler_activation", None)

    def forward(self, *_: Any, inputs_embeds: Tensor, **__: Any) -> "BaseModelOutputWithPooling":
        """Takes the states (B, W, H) as the last hidden states."""
        from transformers.modeling_outputs import BaseModelOutputWithPooling

        pooled = inputs_embeds[:, 0]
        if self.pooler is not None and self.pooler_activation is not None:
            pooled = self.pooler_activation(self.pooler(pooled))
        elif self.pooler is not None:
            pooled = self.pooler(inputs_embeds)
        return BaseModelOutputWithPooling(last_hidden_state=inputs_embeds, pooler_output=pooled)


@contextlib.contextmanager
def head_alone(
    model: nn.Module, kind: str, splits: Splits, outputs: SplitOutputs | None
) -> Iterator[tuple[Splits, Collator | None]]:
    """Inside, the classifier's head can be trained on the encoder's outputs for these splits.

    Yields the splits to train with and their collator. Without outputs, which were too large to be
    held, the encoder computes them for every batch, its dropout off, and the collator is the usual.
    """
    if outputs is None:
        with training_without_dropout(model):
            yield splits, None
        return
    with training_on_outputs(model):
        training, validation = (
            with_outputs(data, states, kind) for data, states in zip(splits, outputs, strict=True)
        )
        yield (training, validation), collate_states


@contextlib.contextmanager
def training_on_outputs(model: nn.Module) -> Iterator[None]:
    """Inside, the classifier takes batches of ``collate_states`` instead of token ids."""
    encoder, prefix = model.base_model, str(model.base_model_prefix)
    setattr(model, prefix, _GivenOutputs(encoder))  # type: ignore[arg-type]
    try:
        yield
    finally:
        setattr(model, prefix, encoder)


@contextlib.contextmanager
def training_without_dropout(model: nn.Module) -> Iterator[None]:
    """Inside, the classifier's encoder computes as ``compute_outputs``, for every batch anew."""
    encoder: Any = model.base_model.eval()  # type: ignore[operator, union-attr]
    encoder.train = lambda *_: encoder  # stays as it is when the model around it is trained
    try:
        yield
    finally:
        del encoder.train

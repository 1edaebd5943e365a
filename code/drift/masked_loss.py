"""The loss of an encoder under the masked-language-model head of its pretraining.

The head is the checkpoint's and never changes; the encoder's weights are put in, those of an
adapter merged. So the difference of two losses comes from the encoder alone.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from drift.weights import Weights
from encoders.masked import MaskedText
from encoders.structure import find_places
from study.layers import HEAD
from training.prediction import diverged, group_by_length


@torch.no_grad()
def put_encoder(model: nn.Module, weights: Weights) -> None:
    """Overwrites the encoder under a pretraining head; the head stays as it is.

    Args:
        model: of ``load_masked_model``.
        weights: those of a classifier on the same encoder (``drift.weights.read_pair``).
    """
    places = find_places(model)
    for name, parameter in model.named_parameters():
        if places[name].layer != HEAD:
            parameter.copy_(weights[places[name].name].load())


@torch.inference_mode()
def masked_losses(
    model: nn.Module, texts: Sequence[MaskedText], mask_id: int, batch_size: int
) -> NDArray[np.float64]:
    """Loss of each text, (texts,): nats, summed over its masked pieces.

    Args:
        model: of ``load_masked_model``, on its device.
        texts: with at least one masked piece each, or the loss is 0.
        mask_id: what stands in place of a masked piece.
        batch_size: texts a batch.

    Raises:
        StudyError: a loss is not finite.
    """
    device, losses = next(model.parameters()).device, np.zeros(len(texts))
    for group in group_by_length([len(text.ids) for text in texts], batch_size):
        rows = [torch.from_numpy(texts[index].ids) for index in group]
        ids = pad_sequence(rows, batch_first=True)
        seen = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        hidden = [texts[index].masked for index in group]
        row = torch.from_numpy(np.repeat(np.arange(len(group)), [len(own) for own in hidden]))
        place = torch.from_numpy(np.concatenate(hidden))
        gold = ids[row, place]
        ids[row, place] = mask_id
        logits = model(input_ids=ids.to(device), attention_mask=seen.to(device)).logits
        of_piece = cross_entropy(logits[row, place].float().cpu(), gold, reduction="none").double()
        of_row = torch.zeros(len(group), dtype=torch.double).index_add(0, row, of_piece)
        losses[group] = of_row.numpy()
    if not np.isfinite(losses).all():
        raise diverged()
    return losses

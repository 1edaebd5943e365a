"""The masked-language-model head of a checkpoint, and the masks under which its loss is measured.

Masks are of held-out text and for measuring alone. Devlin et al. (2019, section 3.1) choose 15 % of
the pieces and replace eight in ten of them by ``[MASK]``; the others stay or become random pieces,
so that an encoder meets unmasked text in pretraining as it will in fine-tuning. Nothing is trained
here, so all chosen pieces are replaced: a piece that stayed would test copying, a random one would
add noise.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from encoders.checkpoints import Checkpoint, loading, read_weights
from encoders.models import load_config

SHARE = 0.15  # of a sentence's pieces that are masked


@dataclass(frozen=True)
class MaskedText:
    """A text as the model reads it.

    Attributes:
        ids: (T,) pieces between the special tokens, nothing masked.
        masked: positions in ``ids`` that are hidden and to be predicted, ascending.
    """

    ids: NDArray[np.int64]
    masked: NDArray[np.int64]


def mask_pieces(text: str, ids: Sequence[int], special: Collection[int], seed: int) -> MaskedText:
    """Chooses what is masked: ``SHARE`` of the pieces, at least one, and never a special token.

    The choice follows from text and seed alone: the pieces whose hashes (SHA-256 of seed, place and
    text) are the smallest.

    Args:
        text: what the pieces are of.
        ids: (T,) its pieces between the special tokens.
        special: ids of special tokens, the unknown piece among them.
        seed: of the choice.
    """
    places = [place for place, piece in enumerate(ids) if piece not in special]
    number = max(1, round(SHARE * len(places)))

    def rank(place: int) -> bytes:
        return hashlib.sha256(f"{seed} {place} {text}".encode()).digest()

    chosen = sorted(sorted(places, key=rank)[:number])
    return MaskedText(np.array(ids, dtype=np.int64), np.array(chosen, dtype=np.int64))


def load_masked_model(checkpoint: Checkpoint) -> nn.Module | None:
    """The pretrained encoder under its own masked-language-model head, for evaluation, in float32.

    These heads share their output matrix with the word embeddings; it becomes a matrix of its own,
    so that the head stays what it was whatever is put into the encoder.

    Returns:
        The model; None where the checkpoint does not hold the whole head.

    Raises:
        StudyError: as ``load_config``.
    """
    from transformers import MODEL_FOR_MASKED_LM_MAPPING

    config = load_config(checkpoint)
    kind: Any = MODEL_FOR_MASKED_LM_MAPPING[type(config)]
    with loading(checkpoint):
        model, info = kind.from_pretrained(
            None,
            config=config,
            state_dict=read_weights(checkpoint),
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            trust_remote_code=False,
        )
    if info["missing_keys"] or info["mismatched_keys"]:
        return None
    output = model.get_output_embeddings()
    output.weight = nn.Parameter(output.weight.detach().clone())
    return model.eval()  # type: ignore[no-any-return]

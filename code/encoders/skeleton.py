"""What config.json alone says of an encoder, before a weight is read: its type and its size."""

import functools
from dataclasses import dataclass

import torch

from encoders.models import Checkpoint, loading
from study.architecture import check_supported

_FLOAT32 = 4  # bytes
_MOMENTS = 2  # AdamW's, beside the weights of a checkpoint


@dataclass(frozen=True)
class NeededBytes:
    """Bytes on the disk of a training of all weights: what is kept of it, and one checkpoint."""

    kept: int
    checkpoint: int


@functools.cache
def full_training_bytes(checkpoint: Checkpoint, kind: str) -> NeededBytes:
    """Room that a training of all weights needs; the head's few kilobytes are left out.

    Args:
        checkpoint: the pretrained encoder; its weights are not read.
        kind: ``sequence`` or ``token``.

    Raises:
        StudyError: the configuration cannot be read, or its model type is not supported.
    """
    import transformers

    with loading(checkpoint):
        config = transformers.AutoConfig.from_pretrained(
            checkpoint.location, revision=checkpoint.revision, trust_remote_code=False
        )
    check_supported(config.model_type)
    automatic = {
        "sequence": transformers.AutoModelForSequenceClassification,
        "token": transformers.AutoModelForTokenClassification,
    }
    with loading(checkpoint), torch.device("meta"):
        model = automatic[kind].from_config(config, trust_remote_code=False)
    size = sum(parameter.numel() for parameter in model.parameters()) * _FLOAT32
    return NeededBytes(size, size * (1 + _MOMENTS))

"""What can be said of a training before a weight is read: whether it fits, and its size."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from encoders.adapters import check_adapter
from encoders.configuration import build_skeleton
from encoders.models import Checkpoint, head_and_pooler, load_config, loading, pooler_role
from encoders.structure import find_places, find_structure
from study.errors import StudyError
from study.settings import MethodSettings

if TYPE_CHECKING:
    from torch import nn

_FLOAT32 = 4  # bytes
_MOMENTS = 2  # AdamW's, beside the weights of a checkpoint


@dataclass(frozen=True)
class NeededBytes:
    """Bytes on the disk of a training of all weights: what is kept of it, and one checkpoint."""

    kept: int
    checkpoint: int


def full_training_bytes(checkpoint: Checkpoint, kind: str) -> NeededBytes:
    """Room that a training of all weights needs; the head's few kilobytes are left out.

    Args:
        checkpoint: the pretrained encoder; its weights are not read.
        kind: ``sequence`` or ``token``.

    Raises:
        StudyError: the configuration cannot be read, or its model type is not supported.
    """
    model = build_skeleton(load_config(checkpoint), kind)
    size = sum(parameter.numel() for parameter in model.parameters()) * _FLOAT32
    return NeededBytes(size, size * (1 + _MOMENTS))


def check_method(checkpoint: Checkpoint, kind: str, method: MethodSettings) -> None:
    """Refuses an encoder whose layers cannot be told, and a method that cannot train it.

    Args:
        checkpoint: the pretrained encoder; its weights are not read.
        kind: ``sequence`` or ``token``.
        method: what is to be trained.

    Raises:
        StudyError: with what could be written instead.
    """
    with loading(checkpoint):
        model = build_skeleton(load_config(checkpoint), kind)
    _check_structure(model, checkpoint.location)
    if method.trainable == "bias" and not _has_biases(model):
        raise StudyError(
            f"{type(model).__name__} has no biases in its encoder, so that none can be trained",
            where=checkpoint.location,
            remedy='leave trainable = "bias" (BitFit) out for this model',
        )
    if method.adapter is not None:
        model.config.pooler_role = pooler_role(model, set(), method)  # type: ignore[union-attr]
        check_adapter(model, method.adapter, kind, head_and_pooler(model))


def _check_structure(model: "nn.Module", where: str) -> None:
    try:
        find_places(model)
        found = find_structure(model).layers
    except StudyError as error:
        raise StudyError(error.problem, where=where, remedy=error.remedy) from error
    if not found:
        raise StudyError(
            f"{type(model).__name__} has no list of layers",
            where=where,
            remedy="choose an encoder whose layers stand in one list (torch's ModuleList)",
        )


def _has_biases(model: "nn.Module") -> bool:
    encoder = find_structure(model).encoder
    return any(
        name.startswith(f"{encoder}.") and name.endswith(".bias")
        for name, _ in model.named_parameters()
    )

"""What the layers of a model are called, from input to output, and how they are grouped.

Which parameter belongs to which layer follows from the model itself (``encoders.structure``). Here
are the names that facts carry: pure functions on strings, without torch.
"""

import re
from collections.abc import Iterable

from study.errors import StudyError

EMBEDDINGS, POOLER, HEAD, OTHER = "embeddings", "pooler", "classifier", "other"
NORM, BIAS = "layer_norm", "bias"
"""Kinds of what is no matrix: scale and shift of a normalisation, the bias of a linear map."""

_LAYER = re.compile(r"^encoder\.layer\.(\d+)(?:\.|$)")


def number_of_layers(names: Iterable[str]) -> int:
    """The number of encoder layers among these layers or parameters, 0 if there are none."""
    return max((n + 1 for n in map(layer_number, names) if n is not None), default=0)


def layer_number(layer: str) -> int | None:
    """N of the layer ``encoder.layer.N``; None for any other layer."""
    numbered = _LAYER.match(layer)
    return int(numbered.group(1)) if numbered else None


def layer_order(layers: int) -> list[str]:
    """Every layer from input to output, for an encoder of so many layers."""
    return [EMBEDDINGS, *(f"encoder.layer.{n}" for n in range(layers)), OTHER, POOLER, HEAD]


def sort_layers(layers: Iterable[str]) -> list[str]:
    """The layers that occur, once each, from input to output; unknown ones before the head."""
    present = list(dict.fromkeys(layers))
    known = [layer for layer in layer_order(number_of_layers(present)) if layer in present]
    others = [layer for layer in present if layer not in known]
    return [x for x in known if x != HEAD] + others + [x for x in known if x == HEAD]


def components(layers: int) -> dict[str, str]:
    """The five components of the assignment and the layer each stands for.

    The middle layer is number ``layers // 2`` counted from 0: ``encoder.layer.6``, the seventh, of
    twelve. In an encoder of one layer, first, middle and last are the same.

    Raises:
        StudyError: if there is no encoder layer.
    """
    if layers < 1:
        raise StudyError(
            f"expected an encoder of at least one layer, got {layers}",
            remedy="use a model whose layers stand in one list",
        )
    return {
        "embeddings": EMBEDDINGS,
        "first": "encoder.layer.0",
        "middle": f"encoder.layer.{layers // 2}",
        "last": f"encoder.layer.{layers - 1}",
        HEAD: HEAD,
    }


def restorable_parts(layers: int) -> dict[str, list[str]]:
    """The parts of a model that are set back to their values before training, and their layers.

    The embeddings, the encoder's lower, middle and upper third (where it has so many layers), and
    the head; from input to output.
    """
    borders = [third * layers // 3 for third in range(4)]
    numbers = zip(("lower", "middle", "upper"), borders, borders[1:], strict=False)
    thirds = {
        name: [f"encoder.layer.{n}" for n in range(start, stop)] for name, start, stop in numbers
    }
    return {EMBEDDINGS: [EMBEDDINGS], **{k: v for k, v in thirds.items() if v}, HEAD: [HEAD]}

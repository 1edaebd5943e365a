"""Distances between stored weights by their definition, without the functions of ``drift``."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from study.architecture import HEAD, POOLER, canonical_name, locate

Tensors = dict[str, NDArray[np.float64]]  # by canonical name
_A, _B = ".lora_A.", ".lora_B."


def read_tensors(file: Path) -> Tensors:
    """A stored file's tensors under their stored names, in double precision."""
    return {name: tensor.astype(np.float64) for name, tensor in load_file(file).items()}


def tuned_weights(before: Tensors, stored: Tensors, scale: float) -> Tensors:
    """The weights after training: stored ones in place, of adapters W + scale * B A."""
    after = dict(before)
    for name, tensor in stored.items():
        if _A in name:
            module = canonical_name(name.partition(_A)[0])
            weight = f"{module}.weight"
            after[weight] = before[weight] + scale * stored[name.replace(_A, _B)] @ tensor
        elif _B not in name:
            after[canonical_name(name)] = tensor
    return after


def distances(
    before: Tensors, after: Tensors, pooler_in_head: bool
) -> dict[tuple[str, str], dict[str, float]]:
    """Layer and kind (``all`` and each kind in it) -> ``l2``, ``relative``, ``rms``, ``angle``."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in before:
        place = locate(name)
        layer = HEAD if pooler_in_head and place.layer == POOLER else place.layer
        for kind in ("all", place.kind):
            groups.setdefault((layer, kind), []).append(name)
    return {group: _distance(before, after, names) for group, names in groups.items()}


def _distance(before: Tensors, after: Tensors, names: list[str]) -> dict[str, float]:
    squares = {"change": 0.0, "before": 0.0, "after": 0.0}
    count = 0
    for name in names:
        a, b = before[name], after[name]
        squares["change"] += float(np.sum((b - a) ** 2))
        squares["before"] += float(np.sum(a**2))
        squares["after"] += float(np.sum(b**2))
        count += a.size
    found = {"l2": squares["change"] ** 0.5, "rms": (squares["change"] / count) ** 0.5}
    if squares["before"]:
        found["relative"] = (squares["change"] / squares["before"]) ** 0.5
    if squares["before"] and squares["after"]:
        found["angle"] = _angle(before, after, names, squares)
    return found


def _angle(before: Tensors, after: Tensors, names: list[str], of: Mapping[str, float]) -> float:
    """From the chord between the two unit vectors, which loses no digits where it is small."""
    a, b = of["before"] ** 0.5, of["after"] ** 0.5
    chord = sum(float(np.sum((after[n] / b - before[n] / a) ** 2)) for n in names) ** 0.5
    return 2 * float(np.arcsin(min(1.0, chord / 2)))

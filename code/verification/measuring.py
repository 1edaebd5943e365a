"""Distances between stored weights by their definition, without the functions of ``drift``."""

from collections import defaultdict
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
    sides, groups = (before, after), defaultdict(list)
    for name in before:
        place = locate(name)
        layer = HEAD if pooler_in_head and place.layer == POOLER else place.layer
        for kind in ("all", place.kind):
            groups[layer, kind].append(name)
    return {
        group: _distance(*(np.concatenate([side[n].ravel() for n in names]) for side in sides))
        for group, names in groups.items()
    }


def _distance(before: NDArray[np.float64], after: NDArray[np.float64]) -> dict[str, float]:
    a, b, change = (float(np.linalg.norm(vector)) for vector in (before, after, after - before))
    found = {"l2": change, "rms": change / before.size**0.5}
    if a:
        found["relative"] = change / a
    if a and b:  # from the chord between unit vectors, which loses no digits where it is small
        chord = float(np.linalg.norm(after / b - before / a))
        found["angle"] = 2 * float(np.arcsin(min(1.0, chord / 2)))
    return found

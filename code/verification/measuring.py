"""Distances between stored weights by their definition, without the functions of ``drift``."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from encoders.structure import Place, Structure, find_places, find_structure
from runs.grid import Run
from runs.inputs import Inputs
from store.entries import Entry
from study.layers import HEAD, POOLER

Tensors = dict[str, NDArray[np.float64]]  # by canonical name
_A, _B = ".lora_A.", ".lora_B."


def measure_run(run: Run, entry: Entry, inputs: Inputs) -> dict[tuple[str, str, str], float]:
    """Layer, kind and metric -> distance; of layer ``all`` the mean over the layers."""
    base, tuned = inputs.pair(run, entry)
    own = find_structure(base)
    places = {place.name: place for place in find_places(base).values()}
    before = {
        own.place(name).name: tensor.detach().double().numpy()
        for name, tensor in base.named_parameters()
    } | read_tensors(entry.path("initial_head.safetensors"))
    stored = read_tensors(entry.path("trained.safetensors"))
    after = tuned_weights(before, stored, _scale(run), find_structure(tuned))
    found = distances(before, after, places, entry.result()["costs"].get("pooler") == "head")
    for metric in ("l2", "relative", "rms", "angle"):
        layers = [v for (_, kind, m), v in found.items() if (kind, m) == ("all", metric)]
        found["all", "all", metric] = float(np.mean(layers))
    return found


def can_measure(run: Run) -> bool:
    """Whether the weights after training are made here: stored ones, or LoRA without variants."""
    adapter = run.method.adapter
    beside = {"use_rslora", "init_lora_weights"}
    known = {"r", "lora_alpha", "lora_dropout", "target_modules"} | beside
    return adapter is None or (adapter.peft_type == "LORA" and set(adapter.options) <= known)


def _scale(run: Run) -> float:
    """What the product of LoRA's factors is multiplied by."""
    options = run.method.adapter.options if run.method.adapter else {}
    rank = options.get("r", 8)  # 8 and 8: peft's defaults
    return float(options.get("lora_alpha", 8) / (rank**0.5 if options.get("use_rslora") else rank))


def read_tensors(file: Path) -> Tensors:
    """A stored file's tensors under their stored names, in double precision."""
    return {name: tensor.astype(np.float64) for name, tensor in load_file(file).items()}


def tuned_weights(before: Tensors, stored: Tensors, scale: float, structure: Structure) -> Tensors:
    """The weights after training: stored ones in place, of adapters W + scale * B A."""
    after = dict(before)
    for name, tensor in stored.items():
        if _A not in name and _B not in name:
            after[structure.place(name).name] = tensor
    for name, tensor in stored.items():
        if _A in name:
            module = name.partition(_A)[0]
            weight = structure.place(f"{module}.base_layer.weight").name
            after[weight] = after[weight] + scale * stored[name.replace(_A, _B)] @ tensor
    return after


def distances(
    before: Tensors, after: Tensors, places: Mapping[str, Place], pooler_in_head: bool
) -> dict[tuple[str, str, str], float]:
    """Layer, kind (``all`` and each kind in it), metric -> distance."""
    sides, groups = (before, after), defaultdict(list)
    for name in before:
        place = places[name]
        layer = HEAD if pooler_in_head and place.layer == POOLER else place.layer
        for kind in ("all", place.kind):
            groups[layer, kind].append(name)
    return {
        (*group, metric): value
        for group, names in groups.items()
        for metric, value in _distance(
            *(np.concatenate([side[n].ravel() for n in names]) for side in sides)
        ).items()
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

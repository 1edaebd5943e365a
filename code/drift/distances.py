"""How far fine-tuning moves the weights: three distances and an angle, by layer and kind.

For corresponding parameters with base weights b and tuned weights t, taken together as one vector:

- ``l2``: ``||t - b||``, the Euclidean distance that the assignment asks for. It grows with the
  square root of the number of weights, so that embeddings look far and the head near;
- ``relative``: ``||t - b|| / ||b||``;
- ``rms``: ``||t - b|| / sqrt(n)``, the root mean square change of a single weight;
- ``angle``: between b and t, in radians.

All sums are in float64 whatever the dtypes, in one pass, in pieces that fit the processor's cache.
What counts as a weight is said in ``weights``. The rank and the
directions of the change are in ``spectra``; nothing here draws or stores.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from torch import Tensor, nn

from drift.moments import Moments, measure_pairs
from drift.weights import Pair, Weights, pair_weights, read_pair, read_tensors
from encoders.structure import Structure, find_structure
from study.errors import StudyError
from study.layers import BIAS, HEAD, NORM, layer_order, number_of_layers


def weight_distance(
    base_model: nn.Module,
    tuned_model: nn.Module,
    layer_names: Sequence[str] | str | None = None,
) -> float | dict[str, float]:
    """Euclidean distance between the weights of two models.

    A layer is the embeddings, one encoder layer, the pooler or the head; its distance
    is that of all its weights taken as one vector. Only parameters that both models
    have are compared: a head on one side only does not correspond to anything. Tied
    weights count once, buffers not at all.

    Args:
        base_model: the original model.
        tuned_model: the tuned one; a peft model is merged for the comparison, one
            matrix at a time, and left as it is. It may wrap ``base_model`` itself.
        layer_names: layers (``encoder.layer.5``), groups (``embeddings``,
            ``encoder``, ``head``, ``classifier``) or parameters, with or without the
            family's prefix.

    Returns:
        Without names, the mean over all corresponding layers; with names, each one's.

    Raises:
        StudyError: for an unknown name (with the nearest known ones), for parameters
            that differ in shape or are not finite, for models with nothing in common,
            and as ``read_weights``.
    """
    base, tuned = read_pair(base_model, tuned_model)
    pairs = pair_weights(base, tuned)
    if layer_names is None:
        layers = group_by_layer(pairs)
    else:
        names = [layer_names] if isinstance(layer_names, str) else layer_names
        of_models = [find_structure(model) for model in (base_model, tuned_model)]
        layers = {name: _choose(name, pairs, base, tuned, of_models) for name in names}
    moved = {name: measure_pairs(own) for name, own in layers.items()}
    # change_square: the sum of (tuned - base)**2 over all its weights, in float64
    distances = {name: math.sqrt(of.change_square) for name, of in moved.items()}
    if layer_names is not None:
        return distances
    return sum(distances.values()) / len(distances)


def group_by_layer(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """The pairs by canonical layer, from input to output.

    Raises:
        StudyError: if there are none, because the models have no parameter in common.
    """
    if not pairs:
        raise StudyError(
            "the two models have no parameter in common",
            remedy="compare a model with the checkpoint it was trained from",
        )
    layers: dict[str, list[Pair]] = {}
    # By name, so that an adapter's model and a merged one give sums equal to the last digit.
    for pair in sorted(pairs, key=lambda pair: pair.name):
        layers.setdefault(pair.place.layer, []).append(pair)
    return {
        layer: layers[layer] for layer in layer_order(number_of_layers(layers)) if layer in layers
    }


def _matches(name: str, weights: Weights, structures: Sequence[Structure]) -> set[str]:
    """The parameters that a layer, a group, a module or a parameter of this name stands for."""
    groups = {HEAD} if name == "head" else {name, *(one.canonical(name) for one in structures)}
    return {
        parameter
        for parameter, weight in weights.items()
        if (weight.place and weight.place.layer in groups)
        or any(parameter == group or parameter.startswith(f"{group}.") for group in groups)
    }


def _choose(
    name: str, pairs: list[Pair], base: Weights, tuned: Weights, structures: Sequence[Structure]
) -> list[Pair]:
    sides = {
        "base": _matches(name, base, structures),
        "tuned": _matches(name, tuned, structures),
    }
    chosen = sorted((p for p in pairs if p.name in sides["tuned"]), key=lambda pair: pair.name)
    if chosen:
        return chosen
    for side, found in sides.items():
        if found:
            raise StudyError(
                f"{name!r} is in the {side} model only (or tied to a weight that is counted "
                "elsewhere), so that there is nothing to compare it with",
                remedy="compare two models that both have it, for a head its state before training",
            )
    raise _unknown(structures[-1].canonical(name), name, pairs)


def _unknown(canonical: str, name: str, pairs: list[Pair]) -> StudyError:
    layers = list(dict.fromkeys(pair.place.layer for pair in pairs))
    known = dict.fromkeys(layers)
    for pair in pairs:
        parts = pair.name.split(".")
        known.update(dict.fromkeys(".".join(parts[:end]) for end in range(1, len(parts) + 1)))
    near = difflib.get_close_matches(canonical, known, n=3, cutoff=0.5)
    return StudyError(
        f"neither model has a layer or parameter called {name!r}",
        remedy=f"did you mean {', '.join(near)}?" if near else f"choose from {', '.join(layers)}",
    )


def measure_drift(
    base: nn.Module,
    tuned: nn.Module,
    head_before: Mapping[str, Tensor] | None = None,
    counted_with: Mapping[str, str] = MappingProxyType({}),
) -> list[dict]:
    """Every distance for every layer and every kind of matrix in it, in one pass over the tensors.

    Args:
        base: the original model (see ``weight_distance``).
        tuned: the tuned model.
        head_before: initial state of parameters that the original checkpoint does not hold, by
            name: the head's, saved before training. They take the place of the base model's.
        counted_with: layers that are counted as part of another, such as a pooler that is trained
            as part of the head.

    Returns:
        A row for each layer (canonical names, from input to output) and kind: ``all`` first, then
        its kinds in the order of the model, what is no matrix last. Keys: ``layer``, ``kind``,
        ``parameters`` (count), ``l2``, ``relative``, ``rms``, ``angle``; the second and fourth are
        None where a norm they divide by is zero (a bias that starts at zero).

    Raises:
        StudyError: as ``weight_distance``; if ``head_before`` names a parameter that the tuned
            model does not have.
    """
    base_weights, tuned_weights = read_pair(base, tuned)
    if head_before is not None:
        base_weights |= _initial_state(head_before, tuned_weights)
    layers = group_by_layer(pair_weights(base_weights, tuned_weights))
    for part, whole in counted_with.items():
        layers[whole] = layers.get(whole, []) + layers.pop(part, [])
    rows, order = [], list(tuned_weights)
    for layer, pairs in layers.items():
        kinds: dict[str, Moments] = {}
        for pair in pairs:
            kind = pair.place.kind
            kinds[kind] = kinds.get(kind, Moments()) + measure_pairs([pair])
        rows.append(_row(layer, "all", sum(kinds.values(), Moments())))
        of_model = sorted(pairs, key=lambda pair: order.index(pair.name))
        present = dict.fromkeys(pair.place.kind for pair in of_model)
        shown = sorted(present, key=(NORM, BIAS).__contains__)
        rows.extend(_row(layer, kind, kinds[kind]) for kind in shown)
    return rows


def _initial_state(head_before: Mapping[str, Tensor], tuned: Weights) -> Weights:
    initial = read_tensors(head_before)
    strange = [name for name in initial if name not in tuned]
    if strange:
        raise StudyError(
            f"the saved initial state names parameters that the tuned model does not have: "
            f"{', '.join(strange)}",
            remedy="compare a tuned model with the initial state of its own run",
        )
    return initial


def _row(layer: str, kind: str, moments: Moments) -> dict:
    return {
        "layer": layer,
        "kind": kind,
        "parameters": moments.parameters,
        "l2": moments.l2,
        "relative": moments.relative,
        "rms": moments.rms,
        "angle": moments.angle,
    }

"""How far fine-tuning moves the weights: three distances and an angle, by layer and kind.

For corresponding parameters with base weights b and tuned weights t, taken together as one vector:

- ``l2``: ``||t - b||``, the Euclidean distance that the assignment asks for. It grows with the
  square root of the number of weights, so that embeddings look far and the head near;
- ``relative``: ``||t - b|| / ||b||``;
- ``rms``: ``||t - b|| / sqrt(n)``, the root mean square change of a single weight;
- ``angle``: between b and t, in radians.

All sums are in float64 whatever the dtypes, in one pass, in pieces that fit the processor's cache.
What a model may be, and what counts as one of its weights, is said in ``weights``. The rank and the
directions of the change are in ``spectra``; nothing here draws or stores.
"""

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drift.weights import Model, Pair, Weights, pair_weights, read_pair, read_weights
from study.architecture import HEAD, KINDS, canonical_name, layer_order, locate, number_of_layers
from study.errors import StudyError

_CHUNK = 1 << 16  # weights at a time: two float64 buffers of 512 KiB stay in the cache


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over a set of weights from which every distance follows; sets are joined with ``+``.

    Attributes:
        parameters: n, the number of weights.
        base_square: sum of b squared.
        change_square: sum of (t - b) squared.
        cross: sum of b (t - b).
    """

    parameters: int = 0
    base_square: float = 0.0
    change_square: float = 0.0
    cross: float = 0.0

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.parameters + other.parameters,
            self.base_square + other.base_square,
            self.change_square + other.change_square,
            self.cross + other.cross,
        )

    @property
    def l2(self) -> float:
        """Euclidean distance."""
        return math.sqrt(self.change_square)

    @property
    def relative(self) -> float | None:
        """Distance in units of the base norm; None where that is zero."""
        return self.l2 / math.sqrt(self.base_square) if self.base_square > 0 else None

    @property
    def rms(self) -> float | None:
        """Root mean square change of one weight; None for no weights."""
        return self.l2 / math.sqrt(self.parameters) if self.parameters else None

    @property
    def angle(self) -> float | None:
        """Angle between base and tuned weights in [0, pi]; None where one of the two is zero.

        From the parts of the change along and across b rather than from the cosine, which has lost
        half its digits at the small angles of fine-tuning. The error is about 1e-8 of ``relative``.
        """
        if self.base_square == 0:
            return None
        norm = math.sqrt(self.base_square)
        along = self.cross / norm
        across = math.sqrt(max(self.change_square - along**2, 0.0))
        if across == 0 and norm + along == 0:
            return None
        return math.atan2(across, norm + along)


@contextmanager
def single_thread() -> Iterator[None]:
    """Compute on one thread, afterwards on as many as before; also usable as a decorator.

    The operations here last microseconds to milliseconds. Shared among threads they gain little,
    and on a machine that is busy otherwise they wait for each other, a hundred times as long. One
    thread also gives the same last digits on every machine.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def measure_tensors(base: Tensor, tuned: Tensor) -> Moments:
    """The moments of two tensors of one shape, accumulated in float64."""
    b, t = base.detach().reshape(-1), tuned.detach().reshape(-1)
    if b.shape != t.shape:
        raise ValueError(f"expected two tensors of one shape, got {base.shape} and {tuned.shape}")
    return _accumulate(b.split(_CHUNK), t.split(_CHUNK), b.numel())


@single_thread()
def _accumulate(base: Iterable[Tensor], tuned: Iterable[Tensor], count: int) -> Moments:
    """The moments of ``count`` weights that come in flat pieces of at most ``_CHUNK``."""
    base64 = torch.empty(min(_CHUNK, count), dtype=torch.float64)
    change64 = torch.empty_like(base64)
    total = Moments()
    for b, t in zip(base, tuned, strict=True):
        x, d = base64[: b.numel()], change64[: b.numel()]
        x.copy_(b)
        d.copy_(t)
        d.sub_(x)
        total += Moments(b.numel(), float(x.dot(x)), float(d.dot(d)), float(x.dot(d)))
    return total


def _measure(pair: Pair) -> Moments:
    count = math.prod(pair.base.shape)
    moments = _accumulate(pair.base.pieces(_CHUNK), pair.tuned.pieces(_CHUNK), count)
    if not math.isfinite(moments.base_square + moments.change_square):
        raise StudyError(
            f"the parameter {pair.name} holds values that are not finite numbers",
            remedy="the training has diverged: lower its learning rate and train again",
        )
    return moments


def _total(parts: Iterable[Moments]) -> Moments:
    return sum(parts, Moments())


def weight_distance(
    base_model: Model,
    tuned_model: Model,
    layer_names: Sequence[str] | str | None = None,
) -> float | dict[str, float]:
    """Euclidean distance between the weights of two models.

    A layer is the embeddings, one encoder layer, the pooler or the head; its distance is that of
    all its weights taken as one vector. Only parameters that both models have are compared: a head
    on one side only does not correspond to anything. Tied weights count once, buffers not at all.

    Args:
        base_model: the original model: a module, a checkpoint's folder or a mapping of tensors.
        tuned_model: the tuned one, likewise; a peft model is merged for the comparison, one matrix
            at a time, and left as it is. It may wrap ``base_model`` itself.
        layer_names: layers (``encoder.layer.5``), groups (``embeddings``, ``encoder``, ``head``,
            ``classifier``) or parameters, with or without the family's prefix.

    Returns:
        Without names, the mean over all corresponding layers; with names, each name's distance.

    Raises:
        StudyError: for an unknown name (with the nearest known ones), for parameters that differ in
            shape or are not finite, for models with nothing in common, and as ``read_weights``.
    """
    base, tuned = read_pair(base_model, tuned_model)
    pairs = pair_weights(base, tuned)
    if layer_names is None:
        layers = group_by_layer(pairs)
        return sum(_total(map(_measure, group)).l2 for group in layers.values()) / len(layers)
    names = [layer_names] if isinstance(layer_names, str) else list(layer_names)
    chosen = {name: _choose(name, pairs, base, tuned) for name in names}
    return {name: _total(map(_measure, group)).l2 for name, group in chosen.items()}


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
    # By name, so that a checkpoint and a model in memory give sums equal to the last digit.
    for pair in sorted(pairs, key=lambda pair: pair.name):
        layers.setdefault(locate(pair.name).layer, []).append(pair)
    order = layer_order(number_of_layers(pair.name for pair in pairs))
    return {layer: layers[layer] for layer in [*order, "other"] if layer in layers}


def _matches(name: str, parameter: str) -> bool:
    group = HEAD if name == "head" else canonical_name(name)
    return (
        locate(parameter).layer == group or parameter == group or parameter.startswith(f"{group}.")
    )


def _choose(name: str, pairs: list[Pair], base: Weights, tuned: Weights) -> list[Pair]:
    chosen = sorted((p for p in pairs if _matches(name, p.name)), key=lambda pair: pair.name)
    if chosen:
        return chosen
    for side, weights in (("base", base), ("tuned", tuned)):
        if any(_matches(name, parameter) for parameter in weights):
            raise StudyError(
                f"{name!r} is in the {side} model only (or tied to a weight that is counted "
                "elsewhere), so that there is nothing to compare it with",
                remedy="compare two models that both have it, for a head its state before training",
            )
    raise _unknown(name, [pair.name for pair in pairs])


def _unknown(name: str, parameters: list[str]) -> StudyError:
    known = dict.fromkeys(locate(parameter).layer for parameter in parameters)
    for parameter in parameters:
        parts = parameter.split(".")
        known.update(dict.fromkeys(".".join(parts[:end]) for end in range(1, len(parts) + 1)))
    near = difflib.get_close_matches(canonical_name(name), known, n=3, cutoff=0.5)
    layers = list(dict.fromkeys(locate(parameter).layer for parameter in parameters))
    return StudyError(
        f"neither model has a layer or parameter called {name!r}",
        remedy=f"did you mean {', '.join(near)}?" if near else f"choose from {', '.join(layers)}",
    )


def measure_drift(
    base: Model,
    tuned: Model,
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
        the kinds of ``architecture.KINDS`` that the layer has. Keys: ``layer``, ``kind``,
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
    rows = []
    for layer, pairs in layers.items():
        kinds: dict[str, Moments] = {}
        for pair in pairs:
            kind = locate(pair.name).kind
            kinds[kind] = kinds.get(kind, Moments()) + _measure(pair)
        rows.append(_row(layer, "all", _total(kinds.values())))
        rows.extend(_row(layer, kind, kinds[kind]) for kind in KINDS if kind in kinds)
    return rows


def _initial_state(head_before: Mapping[str, Tensor], tuned: Weights) -> Weights:
    initial = read_weights(head_before)
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


@dataclass(frozen=True, slots=True)
class Untouched:
    """Outcome of ``untouched_outside``; ``tensors`` is there against a vacuous pass.

    Attributes:
        tensors: how many tensors were compared.
        parameters: how many weights they hold.
        changed: names of those that are not equal bit for bit.
    """

    tensors: int
    parameters: int
    changed: tuple[str, ...]


def untouched_outside(base: Model, tuned: Model, allowed: Callable[[str], bool]) -> Untouched:
    """Check that every weight that was not to be trained is what it was, bit for bit.

    Args:
        base: the original model (see ``weight_distance``).
        tuned: the tuned model; an adapter is merged for the comparison.
        allowed: whether a parameter (canonical name) was to be trained: those are not compared.

    Raises:
        StudyError: as ``read_weights``.
    """
    pairs = [pair for pair in pair_weights(*read_pair(base, tuned)) if not allowed(pair.name)]
    return Untouched(
        tensors=len(pairs),
        parameters=sum(math.prod(pair.base.shape) for pair in pairs),
        changed=tuple(
            pair.name for pair in pairs if not torch.equal(pair.base.load(), pair.tuned.load())
        ),
    )


def weight_decay_factor(learning_rates: Iterable[float], weight_decay: float) -> float:
    """What decoupled weight decay alone leaves of a weight: the product of ``1 - lr * decay``.

    The step of AdamW (Loshchilov & Hutter 2019) on a weight that never has a gradient, whose moving
    averages stay zero.

    Args:
        learning_rates: the learning rate of every optimizer step, warm-up and decay included.
        weight_decay: AdamW's ``weight_decay`` for this weight.
    """
    return math.prod(1.0 - rate * weight_decay for rate in learning_rates)


def embedding_row_drift(
    base_table: Tensor,
    tuned_table: Tensor,
    touched: NDArray[np.bool_],
    decay_factor: float = 1.0,
) -> dict[str, float | int | None]:
    """How far the rows of the embedding table move that training did and did not touch.

    Args:
        base_table: word embeddings before training (V, H).
        tuned_table: word embeddings after training (V, H).
        touched: which rows some training token looked up (V,). The padding row never has a
            gradient, so it belongs to the untouched.
        decay_factor: ``weight_decay_factor`` of the run; 1 without weight decay.

    Returns:
        ``rows``, ``touched_rows``, ``touched_share``; mean and largest L2 drift of both groups
        (``touched_mean``, ``touched_max``, ``untouched_mean``, ``untouched_max``);
        ``untouched_unchanged``, the number of untouched rows equal bit for bit; ``decay_mean``, the
        mean drift that weight decay alone gives the untouched rows; ``unexplained_max``, the
        largest distance of an untouched row from where decay alone would have put it. None for the
        mean or maximum of no rows.

    Raises:
        StudyError: if the shapes do not fit each other.
    """
    _check_tables(base_table, tuned_table, touched)
    drift = _row_norms(base_table, tuned_table, 1.0)
    norms = _row_norms(base_table, base_table, 0.0)
    unexplained = _row_norms(base_table, tuned_table, decay_factor)
    rest = ~touched
    return {
        "rows": int(touched.size),
        "touched_rows": int(touched.sum()),
        "touched_share": float(touched.mean()),
        "touched_mean": _mean(drift[touched]),
        "touched_max": _max(drift[touched]),
        "untouched_mean": _mean(drift[rest]),
        "untouched_max": _max(drift[rest]),
        "untouched_unchanged": int((drift[rest] == 0).sum()),
        "decay_mean": _mean((1.0 - decay_factor) * norms[rest]),
        "unexplained_max": _max(unexplained[rest]),
    }


def _check_tables(base: Tensor, tuned: Tensor, touched: NDArray[np.bool_]) -> None:
    if base.shape != tuned.shape or base.ndim != 2 or touched.shape != (base.shape[0],):
        raise StudyError(
            f"expected two tables (V, H) and a mask (V,), got {tuple(base.shape)}, "
            f"{tuple(tuned.shape)} and {touched.shape}",
            remedy="compare the tables of one vocabulary",
        )


def _row_norms(base: Tensor, tuned: Tensor, factor: float) -> NDArray[np.float64]:
    """``||tuned - factor * base||`` of each row (V,), in float64, some rows at a time."""
    step = max(1, _CHUNK // base.shape[1])
    norms = [
        torch.linalg.vector_norm(
            tuned[start : start + step].double() - factor * base[start : start + step].double(),
            dim=1,
        )
        for start in range(0, base.shape[0], step)
    ]
    return torch.cat(norms).detach().cpu().numpy()


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if values.size else None


def _max(values: NDArray[np.float64]) -> float | None:
    return float(values.max()) if values.size else None

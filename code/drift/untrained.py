"""Weights that training must not change, and embedding rows that only weight decay changes."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from drift.moments import CHUNK
from drift.weights import pair_weights, read_pair
from study.errors import StudyError


@dataclass(frozen=True, slots=True)
class Untouched:
    """Outcome of ``untouched_outside``; ``tensors`` shows that something was compared.

    Attributes:
        tensors: how many tensors were compared.
        parameters: how many weights they hold.
        changed: names of those that are not equal bit for bit.
    """

    tensors: int
    parameters: int
    changed: tuple[str, ...]


def untouched_outside(
    base: nn.Module, tuned: nn.Module, allowed: Callable[[str], bool]
) -> Untouched:
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
    step = max(1, CHUNK // base.shape[1])
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

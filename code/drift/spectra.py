"""The structure of an update: rank, spectrum, concentration and intruder dimensions by matrix.

For each weight matrix of the encoder with base weights W and tuned weights W + D. Where LoRA made
D, its singular values are those of the small product of the factors' triangles. Elsewhere they
come from the eigenvalues of the smaller Gram matrix in float64, so that one pair of matrices and
their Gram matrices are in memory at a time. Squaring halves the digits: a singular value below
about 1e-6 of the largest is not told from zero, and ``numerical_rank`` counts accordingly. Singular
vectors are computed for intruder dimensions alone.

How far the weights move is in ``drift``.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from drift.moments import single_thread
from drift.weights import LowRankUpdate, pair_weights, read_pair
from study.layers import layer_number

TOP_DIRECTIONS = 8
"""Directions in ``top8_share``: as many as LoRA has with the study's rank."""

INTRUDER_TOP_K = 10
INTRUDER_THRESHOLD = 0.5
"""How many tuned directions are looked at, and the cosine below which one counts as an intruder:
the defaults of ``peft.tuners.lora.intruders``."""


Directions = dict[tuple[str, str], Tensor]
"""Left singular vectors of base matrices by layer and kind: kept by whoever measures many updates
of one model, because they cost as much as the rest."""


def measure_update(
    base: nn.Module, tuned: nn.Module, known: Directions | None = None
) -> list[dict]:
    """Rank and structure of the update of every weight matrix of the encoder.

    Args:
        base: the original model.
        tuned: the tuned one; a peft model is merged for the comparison and left as it is.
        known: directions of the same base model found before; those found now are added.

    Returns:
        A row for each layer and each matrix in it, with ``layer``, ``kind``, ``rank``,
        ``effective_rank`` (of the singular values that stand out from rounding, so at most the
        rank), ``top8_share`` and ``intruders``. Where a matrix has not changed, rank and intruders
        are 0 and the other two None.

    Raises:
        StudyError: as ``drift.weight_distance``.
    """
    known = {} if known is None else known
    rows = []
    pairs = pair_weights(*read_pair(base, tuned))
    for pair in pairs:
        layer, kind = pair.place.layer, pair.place.kind
        if layer_number(layer) is not None and len(pair.base.shape) == 2:
            before, after = pair.base.load(), pair.tuned.load()
            measured = measure_matrix(before, after, known, (layer, kind), pair.tuned.update)
            rows.append({"layer": layer, "kind": kind, **measured})
    return rows


@single_thread()
def measure_matrix(
    base: Tensor,
    tuned: Tensor,
    known: Directions,
    place: tuple[str, str],
    update: LowRankUpdate | None = None,
) -> dict:
    """Rank and structure of one matrix (m, n), the one at ``place`` among the known directions.

    Nothing is computed if it has not changed. ``update`` is used where it starts from ``base``.
    """
    if torch.equal(base, tuned):
        return {"rank": 0, "effective_rank": None, "top8_share": None, "intruders": 0}
    spacing = max(torch.finfo(base.dtype).eps, torch.finfo(tuned.dtype).eps)
    by_factors = update is not None and torch.equal(update.start, base)
    base, tuned = base.double(), tuned.double()
    if update is not None and by_factors:
        values = product_singular_values(update.left, update.right)
    else:
        values = singular_values(tuned - base)
    rank = numerical_rank(values, spacing * _rounding_scale(tuned), max(base.shape))
    if place not in known:
        known[place] = left_vectors(base).float()
    return {
        "rank": rank,
        "effective_rank": effective_rank(values[:rank]),
        "top8_share": top_share(values, TOP_DIRECTIONS),
        "intruders": count_intruders(known[place].double(), tuned),
    }


def product_singular_values(left: Tensor, right: Tensor) -> NDArray[np.float64]:
    """The singular values of ``left @ right``, largest first (r,); the others are 0.

    With left = P S and right' = Q T (P, Q orthonormal, S, T triangular) they are those of S T'.

    Args:
        left: (m, r).
        right: (r, n).
    """
    S = torch.linalg.qr(left.double(), mode="r").R
    T = torch.linalg.qr(right.double().T, mode="r").R
    return torch.linalg.svdvals(S @ T.T).numpy()


def singular_values(matrix: Tensor) -> NDArray[np.float64]:
    """All singular values, largest first (min(m, n),), from the smaller Gram matrix."""
    squares = torch.linalg.eigvalsh(_small_gram(matrix.double())).flip(0)
    return squares.clamp(min=0).sqrt().numpy()


def _small_gram(matrix: Tensor) -> Tensor:
    return matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix


def _rounding_scale(matrix: Tensor) -> float:
    """Spectral norm, up to a constant, of noise as large in each entry as the entry itself.

    Independent noise has a spectral norm of about its largest row norm plus its largest column norm
    (Latala 2005); rounding to the nearest is at most half a spacing and uniform, so that one whole
    spacing leaves a margin of more than three.
    """
    rows = torch.linalg.vector_norm(matrix, dim=1).max()
    columns = torch.linalg.vector_norm(matrix, dim=0).max()
    return float(rows + columns)


def numerical_rank(values: NDArray[np.float64], noise: float, longer_side: int) -> int:
    """How many singular values (k,) stand out from rounding.

    Storing W + D rounds every entry, so that an update of rank r comes back with full rank, the
    remaining singular values at the level of the rounding.

    Args:
        values: singular values of the update.
        noise: the spectral norm that the rounding of the tuned matrix can have.
        longer_side: max(m, n); with it, the accuracy of the Gram matrix's eigenvalues.
    """
    accuracy = float(values.max()) * float(np.sqrt(longer_side * np.finfo(np.float64).eps))
    return int((values > max(noise, accuracy)).sum())


def effective_rank(values: NDArray[np.float64]) -> float | None:
    """Effective rank of Roy & Vetterli (2007): exp of the entropy of the values over their sum.

    From 1, a single direction, to the number of values (k,), all equally large. None if all are 0.
    """
    total = values.sum()
    if total == 0:
        return None
    shares = values[values > 0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


def top_share(values: NDArray[np.float64], directions: int) -> float | None:
    """Share of the squared change in the largest directions, in [0, 1]; None without a change."""
    squares = np.sort(values**2)[::-1]
    total = squares.sum()
    return float(squares[:directions].sum() / total) if total > 0 else None


def count_intruders(base_vectors: Tensor, tuned: Tensor) -> int:
    """Intruder dimensions (Shuttleworth et al. 2024) among the top directions of the tuned matrix.

    A left singular vector of the tuned matrix is an intruder if its absolute cosine with every left
    singular vector of the base matrix is below the threshold. The definition is that of
    ``peft.tuners.lora.intruders``, which applies it to adapters only; this works for any pair.

    Args:
        base_vectors: ``left_vectors`` of the matrix before training.
        tuned: matrix after training (m, n).
    """
    cosines = best_cosines(base_vectors, tuned, INTRUDER_TOP_K)
    return int((cosines < INTRUDER_THRESHOLD).sum())


def left_vectors(matrix: Tensor) -> Tensor:
    """Left singular vectors of a matrix (m, n), in no particular order: (m, at most min(m, n))."""
    matrix = matrix.double()
    if matrix.shape[0] <= matrix.shape[1]:
        return torch.linalg.eigh(matrix @ matrix.T).eigenvectors
    squares, right = torch.linalg.eigh(matrix.T @ matrix)
    # u = W v / sigma. Directions that W maps to zero have no left vector of their own.
    kept = squares > squares[-1] * matrix.shape[0] * torch.finfo(torch.float64).eps
    return matrix @ right[:, kept] / squares[kept].sqrt()


def best_cosines(base_vectors: Tensor, tuned: Tensor, top_k: int) -> Tensor:
    """Largest absolute cosine of each top tuned left singular vector with the base's (top_k,)."""
    return (_top_left_vectors(tuned, top_k).T @ base_vectors).abs().amax(dim=1)


def _top_left_vectors(matrix: Tensor, top_k: int) -> Tensor:
    """Left singular vectors of the largest singular values, largest first (m, top_k)."""
    squares, vectors = torch.linalg.eigh(_small_gram(matrix))  # ascending
    squares, vectors = squares[-top_k:], vectors[:, -top_k:]
    if matrix.shape[0] > matrix.shape[1]:
        vectors = matrix @ vectors / squares.clamp(min=0).sqrt()
    return vectors.flip(1)

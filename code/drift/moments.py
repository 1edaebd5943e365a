"""Sums over pairs of weights from which every distance follows, in float64 and in one pass."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from drift.weights import Pair
from study.errors import StudyError

CHUNK = 1 << 16  # weights at a time: two float64 buffers of 512 KiB stay in the cache


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


def measure_pairs(pairs: Iterable[Pair]) -> Moments:
    """The moments of these parameters taken together as one vector.

    Raises:
        StudyError: a parameter holds values that are not finite.
    """
    return sum((_measure(pair) for pair in pairs), Moments())


def _measure(pair: Pair) -> Moments:
    count = math.prod(pair.base.shape)
    moments = _accumulate(pair.base.pieces(CHUNK), pair.tuned.pieces(CHUNK), count)
    if not math.isfinite(moments.base_square + moments.change_square):
        raise StudyError(
            f"the parameter {pair.name} holds values that are not finite numbers",
            remedy="the training has diverged: lower its learning rate and train again",
        )
    return moments


@single_thread()
def _accumulate(base: Iterable[Tensor], tuned: Iterable[Tensor], count: int) -> Moments:
    """The moments of ``count`` weights that come in flat pieces of at most ``CHUNK``."""
    base64 = torch.empty(min(CHUNK, count), dtype=torch.float64)
    change64 = torch.empty_like(base64)
    total = Moments()
    for b, t in zip(base, tuned, strict=True):
        x, d = base64[: b.numel()], change64[: b.numel()]
        x.copy_(b)
        d.copy_(t)
        d.sub_(x)
        total += Moments(b.numel(), float(x.dot(x)), float(d.dot(d)), float(x.dot(d)))
    return total

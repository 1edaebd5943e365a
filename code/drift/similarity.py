"""How alike two models' hidden states are, layer by layer: debiased linear CKA.

Kornblith et al. (2019), "Similarity of neural network representations revisited": for features X
(N, H) and Y (N, K) of the same N tokens with the linear kernels K = XX' and L = YY',

    CKA(X, Y) = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)).

1 for representations equal up to rotation and scale, 0 for unrelated ones. The usual estimator of
HSIC is biased: with N not far above H even unrelated features look alike. This one is unbiased
(Song et al. 2012, equation 5), as Nguyen et al. (2021) and Murphy et al. (2024) use it; of a kernel
it leaves out the diagonal, a token compared with itself. CKA is then in [-1, 1], and a little below
0 by chance. The sums over tokens are H x H matrices in float64: memory does not grow with their
number.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from study.errors import StudyError

_MODEL_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class CkaSums:
    """Running sums over tokens from which debiased linear CKA follows.

    Both sides are shifted by the mean of their first batch: it changes nothing in the result, but
    hidden states have dimensions far from zero, whose squares would swamp the variation.
    """

    def __init__(self) -> None:
        self.tokens = 0
        self._shifts: tuple[Tensor, Tensor] | None = None
        self._pairs: dict[str, _KernelSums] = {}

    def add(self, X: Tensor, Y: Tensor) -> None:
        """Add the features of some tokens, X (N, H) and Y (N, K).

        Raises:
            StudyError: if they are not of the same tokens.
        """
        if X.ndim != 2 or Y.ndim != 2 or X.shape[0] != Y.shape[0]:
            raise StudyError(
                f"expected features (N, H) and (N, K) of the same tokens, got {tuple(X.shape)} and "
                f"{tuple(Y.shape)}",
                remedy="compare hidden states of one batch",
            )
        if not X.shape[0]:
            return
        X, Y = X.double(), Y.double()
        if self._shifts is None:
            self._shifts = X.mean(dim=0), Y.mean(dim=0)
        X, Y = X - self._shifts[0], Y - self._shifts[1]
        self.tokens += X.shape[0]
        for name, (left, right) in {"xx": (X, X), "yy": (Y, Y), "xy": (X, Y)}.items():
            new = _KernelSums.of(left, right)
            self._pairs[name] = self._pairs[name] + new if name in self._pairs else new

    def result(self) -> float:
        """Debiased linear CKA of all tokens so far, in [-1, 1].

        Raises:
            StudyError: if there are fewer than four tokens or one side is the same for all tokens.
        """
        if self.tokens < 4:
            raise StudyError(
                f"expected the features of at least four tokens, got {self.tokens}",
                remedy="pass batches with more real tokens (attention_mask 1)",
            )
        xx, yy, xy = (self._pairs[name].hsic(self.tokens) for name in ("xx", "yy", "xy"))
        if xx <= 0 or yy <= 0:
            raise StudyError(
                "the features of one model are the same for every token, so that CKA is undefined",
                remedy="pass batches of different tokens, and a model that has not collapsed",
            )
        return max(-1.0, min(1.0, xy / math.sqrt(xx * yy)))  # identical ones round to above 1


@dataclass(frozen=True, slots=True)
class _KernelSums:
    """What HSIC of the kernels XX' and YY' needs; a = |x|^2 and b = |y|^2 of each token.

    Attributes:
        cross: X'Y (H, K).
        x, y: sums of x (H,) and of y (K,).
        bx, ay: sums of b x (H,) and of a y (K,).
        a, b, ab: sums of a, of b and of their product.
    """

    cross: Tensor
    x: Tensor
    y: Tensor
    bx: Tensor
    ay: Tensor
    a: Tensor
    b: Tensor
    ab: Tensor

    @classmethod
    def of(cls, X: Tensor, Y: Tensor) -> "_KernelSums":
        a, b = X.square().sum(1), Y.square().sum(1)
        return cls(X.T @ Y, X.sum(0), Y.sum(0), b @ X, a @ Y, a.sum(), b.sum(), a @ b)

    def __add__(self, other: "_KernelSums") -> "_KernelSums":
        names = (field.name for field in dataclasses.fields(self))
        return _KernelSums(*(getattr(self, name) + getattr(other, name) for name in names))

    def hsic(self, n: int) -> float:
        """Unbiased HSIC of n tokens, times n (n - 3) (Song et al. 2012, equation 5)."""
        trace = self.cross.square().sum() - self.ab
        totals = (self.x @ self.x - self.a) * (self.y @ self.y - self.b)
        product = self.x @ self.cross @ self.y - self.bx @ self.x - self.ay @ self.y + self.ab
        return float(trace + totals / ((n - 1) * (n - 2)) - 2 / (n - 2) * product)


def sample_tokens(lengths: Sequence[int], tokens: int, seed: int) -> dict[int, int]:
    """Random sentences that together have exactly so many tokens: sentence -> its first so many.

    Sentences are taken whole, in a random order; the last one is cut.

    Args:
        lengths: tokens of each sentence.
        tokens: how many are wanted; all sentences if there are no more.
        seed: of the order.
    """
    chosen: dict[int, int] = {}
    left = tokens
    for sentence in np.random.default_rng(seed).permutation(len(lengths)).tolist():
        if left <= 0:
            break
        chosen[sentence] = min(lengths[sentence], left)
        left -= chosen[sentence]
    return chosen


def compare_representations(
    base_model: nn.Module, tuned_model: nn.Module, batches: Iterable[Mapping[str, Tensor]]
) -> list[float]:
    """Debiased linear CKA of two models' hidden states: the embeddings' output, then each layer's.

    Args:
        base_model: the original encoder or a classifier on top of it.
        tuned_model: the tuned one; an adapter may be active on it.
        batches: ``input_ids``, ``attention_mask`` (B, T), ``token_type_ids`` if the model has them,
            and ``compared`` (B, T), which tokens are compared; other keys are ignored.

    Returns:
        layers + 1 values in [-1, 1].

    Raises:
        StudyError: if the models differ in depth, and as ``CkaSums``.
    """
    sums: list[CkaSums] = []
    with _evaluating(base_model), _evaluating(tuned_model), torch.no_grad():
        for batch in batches:
            mask = batch["compared"].bool().cpu()
            base, tuned = (_hidden_states(model, batch) for model in (base_model, tuned_model))
            if len(base) != len(tuned):
                raise StudyError(
                    f"the base model has {len(base) - 1} layers and the tuned one {len(tuned) - 1}",
                    remedy="compare a model with the checkpoint it was trained from",
                )
            sums = sums or [CkaSums() for _ in base]
            for layer, X, Y in zip(sums, base, tuned, strict=True):
                layer.add(X[mask], Y[mask])
    if not sums:
        raise StudyError(
            "expected at least one batch of sentences, got none",
            remedy="pass the batches of a validation split that is not empty",
        )
    return [layer.result() for layer in sums]


def _hidden_states(model: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    device = next(model.parameters()).device
    inputs = {name: batch[name].to(device) for name in _MODEL_INPUTS if name in batch}
    states = model(**inputs, output_hidden_states=True).hidden_states
    return tuple(state.cpu() for state in states)


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Without dropout, and afterwards in the mode the model was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training

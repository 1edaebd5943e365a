"""How alike two models' hidden states are, layer by layer: linear CKA.

Kornblith et al. (2019), "Similarity of neural network representations revisited". For features X
(N, H) and Y (N, K) of the same N tokens, centred over the tokens:

    CKA(X, Y) = ||Y'X||^2 / (||X'X|| ||Y'Y||)    (Frobenius norms)

1 for representations equal up to rotation and scale, towards 0 for unrelated ones, provided that N
is well above H: with few tokens even unrelated features look alike. The sums over tokens are kept
as H x H matrices in float64, so that memory does not grow with the number of sentences.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from study.errors import StudyError

_MODEL_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class CkaSums:
    """Running sums over tokens from which linear CKA follows.

    Both sides are shifted by the mean of their first batch: it changes nothing in the result, but
    hidden states have dimensions far from zero, whose squares would swamp the variation.
    """

    def __init__(self) -> None:
        self.tokens = 0
        self._shifts: tuple[Tensor, Tensor] | None = None
        self._sums: dict[str, Tensor] = {}

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
        new = {"x": X.sum(0), "y": Y.sum(0), "xx": X.T @ X, "yy": Y.T @ Y, "yx": Y.T @ X}
        self._sums = {name: self._sums.get(name, 0) + value for name, value in new.items()}

    def result(self) -> float:
        """Linear CKA of all tokens so far, in [0, 1].

        Raises:
            StudyError: if there are fewer than two tokens or one side is the same for all tokens.
        """
        if self.tokens < 2:
            raise StudyError(
                f"expected the features of at least two tokens, got {self.tokens}",
                remedy="pass batches with real tokens (attention_mask 1)",
            )
        x, y = self._sums["x"], self._sums["y"]
        xx, yy, yx = (
            torch.linalg.matrix_norm(self._sums[name] - torch.outer(left, right) / self.tokens)
            for name, left, right in (("xx", x, x), ("yy", y, y), ("yx", y, x))
        )
        if xx == 0 or yy == 0:
            raise StudyError(
                "the features of one model are the same for every token, so that CKA is undefined",
                remedy="pass batches of different tokens, and a model that has not collapsed",
            )
        return min(1.0, float(yx**2 / (xx * yy)))  # identical features round to just above 1


def linear_cka(X: Tensor, Y: Tensor) -> float:
    """Linear CKA of features X (N, H) and Y (N, K) of the same N tokens, in float64.

    Raises:
        StudyError: as ``CkaSums``.
    """
    sums = CkaSums()
    sums.add(X, Y)
    return sums.result()


def compare_representations(
    base_model: nn.Module, tuned_model: nn.Module, batches: Iterable[Mapping[str, Tensor]]
) -> list[float]:
    """Linear CKA between two models' hidden states: the embeddings' output, then each layer's.

    Args:
        base_model: the original encoder or a classifier on top of it.
        tuned_model: the tuned one; an adapter may be active on it.
        batches: ``input_ids`` and ``attention_mask`` (B, T), ``token_type_ids`` if the model has
            them; other keys are ignored. Tokens with attention_mask 1 are compared, [CLS] and [SEP]
            among them unless the batch holds a ``special_tokens_mask`` (B, T) that is 1 there.

    Returns:
        layers + 1 values in [0, 1].

    Raises:
        StudyError: if the models differ in depth, and as ``CkaSums``.
    """
    sums: list[CkaSums] = []
    with _evaluating(base_model), _evaluating(tuned_model), torch.no_grad():
        for batch in batches:
            mask = _compared_tokens(batch)
            base, tuned = (_hidden_states(model, batch) for model in (base_model, tuned_model))
            _check_depth(base, tuned)
            sums = sums or [CkaSums() for _ in base]
            for layer, X, Y in zip(sums, base, tuned, strict=True):
                layer.add(X[mask], Y[mask])
    if not sums:
        raise StudyError(
            "expected at least one batch of sentences, got none",
            remedy="pass the batches of a validation split that is not empty",
        )
    return [layer.result() for layer in sums]


def _compared_tokens(batch: Mapping[str, Tensor]) -> Tensor:
    mask = batch["attention_mask"].bool().cpu()
    special = batch.get("special_tokens_mask")
    return mask if special is None else mask & ~special.bool().cpu()


def _hidden_states(model: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    device = next(model.parameters()).device
    inputs = {name: batch[name].to(device) for name in _MODEL_INPUTS if name in batch}
    states = model(**inputs, output_hidden_states=True).hidden_states
    return tuple(state.cpu() for state in states)


def _check_depth(base: tuple[Tensor, ...], tuned: tuple[Tensor, ...]) -> None:
    if len(base) != len(tuned):
        raise StudyError(
            f"the base model has {len(base) - 1} layers and the tuned one {len(tuned) - 1}",
            remedy="compare a model with the checkpoint it was trained from",
        )


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

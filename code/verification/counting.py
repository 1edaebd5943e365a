"""Scores by counting, without the functions of ``evidence``."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.items import UPOS_TAGS

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]


def score_run(
    kind: str, predictions: Any, columns: Mapping[str, Any], items: Any = slice(None)
) -> dict[str, float]:
    """Metrics of a run's stored predictions, by the kind of its task."""
    if kind == "token":
        gold = np.array([UPOS_TAGS.index(tag) for tag in columns["tag"]])
        return score_words(predictions, gold[items])
    return score_sentences(predictions, np.array(columns["label"])[items])


def score_sentences(logits: Floats, gold: Ints) -> dict[str, float]:
    """Metrics of two-class logits (N, 2) against labels (N,); 1 is "acceptable".

    Labels that are all one define neither MCC and macro-F1 nor the F1 of the other label.
    """
    said = logits[:, 1] > logits[:, 0]
    right = gold == 1
    tp, fp = float(np.sum(said & right)), float(np.sum(said & ~right))
    fn, tn = float(np.sum(~said & right)), float(np.sum(~said & ~right))
    square = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    positive, negative = _ratio(2 * tp, 2 * tp + fp + fn), _ratio(2 * tn, 2 * tn + fp + fn)
    exact = logits.astype(np.float64)
    margin = np.where(right, exact[:, 0] - exact[:, 1], exact[:, 1] - exact[:, 0])
    found = {"accuracy": (tp + tn) / len(gold), "loss": float(np.mean(np.logaddexp(0, margin)))}
    if right.any():
        found["f1"] = positive
    if not right.all():
        found["f1_unacceptable"] = negative
    if right.any() and not right.all():
        found["matthews_correlation"] = _ratio(tp * tn - fp * fn, square**0.5)
        found["macro_f1"] = (positive + negative) / 2
    return found


def score_words(predicted: Ints, gold: Ints) -> dict[str, float]:
    """Metrics of tag indices (N,) against the gold ones (N,), over the tags that occur in gold."""
    tags = sorted({int(tag) for tag in gold})
    support = np.array([np.sum(gold == tag) for tag in tags])
    f1 = [
        2 * np.sum((gold == tag) & (predicted == tag))
        / (np.sum(gold == tag) + np.sum(predicted == tag))
        for tag in tags
    ]  # fmt: skip
    return {
        "accuracy": float(np.mean(predicted == gold)),
        "macro_f1": float(np.mean(f1)),
        "weighted_f1": float(np.dot(f1, support) / len(gold)),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0

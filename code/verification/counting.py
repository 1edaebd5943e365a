"""Scores by counting, without the functions of ``evidence``."""

import numpy as np
from numpy.typing import NDArray


def score_sentences(logits: NDArray[np.floating], gold: NDArray[np.integer]) -> dict[str, float]:
    """Metrics of two-class logits (N, 2) against labels (N,); 1 is "acceptable"."""
    said = logits[:, 1] > logits[:, 0]
    right = gold == 1
    tp, fp = float(np.sum(said & right)), float(np.sum(said & ~right))
    fn, tn = float(np.sum(~said & right)), float(np.sum(~said & ~right))
    square = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    positive, negative = _ratio(2 * tp, 2 * tp + fp + fn), _ratio(2 * tn, 2 * tn + fp + fn)
    exact = logits.astype(np.float64)
    margin = np.where(right, exact[:, 0] - exact[:, 1], exact[:, 1] - exact[:, 0])
    return {
        "matthews_correlation": _ratio(tp * tn - fp * fn, square**0.5),
        "accuracy": (tp + tn) / len(gold),
        "f1": positive,
        "f1_unacceptable": negative,
        "macro_f1": (positive + negative) / 2,
        "loss": float(np.mean(np.logaddexp(0, margin))),
    }


def score_words(predicted: NDArray[np.integer], gold: NDArray[np.integer]) -> dict[str, float]:
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

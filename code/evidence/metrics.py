"""The score of one run, by metrics behind the interface of ``evaluate`` that need no network.

Each is an ``evaluate.Metric`` of our own around scikit-learn, not one of the hub's. The stage
``predict`` and the curves of training use them; intervals are made from counts (``scoring``), which
are checked against these for every stored run. Conventions: MCC is 0 where all predictions are one
label (as in GLUE); what a set with one gold label does not define is None
(``scoring.undefined_metrics``); macro-F1 and weighted F1 of tags are over those that occur in the
gold data. Values are fractions in [0, 1] (MCC
in [-1, 1], loss in nats). Imports ``evaluate``, hence torch: reports do not import this.
"""

import tempfile
from typing import Any

import datasets
import evaluate
import numpy as np
from scipy.special import log_softmax
from sklearn import metrics

from evidence.arrays import Floats, Ints
from evidence.scoring import undefined_metrics


class _OfflineMetric(evaluate.Metric):
    """A metric whose data stay in memory, and whose folder is not in the user's home."""

    prediction: Any  # the type of one

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="evaluate-")  # it insists on having one
        # Without a seed, evaluate reads numpy's global state.
        super().__init__(keep_in_memory=True, cache_dir=self._folder.name, seed=0)

    def _info(self) -> evaluate.MetricInfo:
        features = {"predictions": self.prediction, "references": datasets.Value("int64")}
        return evaluate.MetricInfo(
            description=str(self.__doc__),
            citation="",
            inputs_description="",
            features=datasets.Features(features),
        )


class AcceptabilityMetric(_OfflineMetric):
    """Scores of CoLA from logits (N, 2), column 1 for "acceptable", and labels (N,)."""

    prediction = datasets.Sequence(datasets.Value("float64"))

    def _compute(self, predictions: Any, references: Any) -> dict[str, float | None]:
        logits, labels = np.asarray(predictions), np.asarray(references)
        predicted = logits.argmax(axis=-1)
        of_label = {"labels": [0, 1], "average": None, "zero_division": 0}
        unacceptable, acceptable = metrics.f1_score(labels, predicted, **of_label)
        right = log_softmax(logits, axis=-1)[np.arange(len(labels)), labels]
        found = {
            "matthews_correlation": float(metrics.matthews_corrcoef(labels, predicted)),
            "accuracy": float(metrics.accuracy_score(labels, predicted)),
            "f1": float(acceptable),
            "f1_unacceptable": float(unacceptable),
            "macro_f1": float(acceptable + unacceptable) / 2,
            "loss": float(-right.mean()),
        }
        undefined = undefined_metrics(labels)
        return {name: None if name in undefined else value for name, value in found.items()}


class TaggingMetric(_OfflineMetric):
    """Scores of tags from predicted and gold indices (W,)."""

    prediction = datasets.Value("int64")

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        predicted, gold = np.asarray(predictions), np.asarray(references)
        present = {"labels": np.unique(gold), "zero_division": 0}
        return {
            "accuracy": float(metrics.accuracy_score(gold, predicted)),
            "macro_f1": float(metrics.f1_score(gold, predicted, average="macro", **present)),
            "weighted_f1": float(metrics.f1_score(gold, predicted, average="weighted", **present)),
        }


def score_acceptability(logits: Floats, labels: Ints) -> dict[str, float | None]:
    """Scores of one run on CoLA (``AcceptabilityMetric``), None where one is undefined.

    Raises:
        ValueError: if the shapes do not fit, there are no items, or a logit is not finite.
    """
    if not len(labels) or np.shape(logits) != (len(labels), 2):
        raise ValueError(
            f"expected logits ({len(labels)}, 2) of at least one item, got {np.shape(logits)}"
        )
    if not np.isfinite(logits).all():
        raise ValueError("expected finite logits, got NaN or infinity")
    metric = AcceptabilityMetric()
    scores: dict[str, float | None] = metric.compute(predictions=logits, references=labels)
    return scores


def score_tags(predicted: Ints, gold: Ints) -> dict[str, float]:
    """Scores of one run of tagging (``TaggingMetric``).

    Raises:
        ValueError: if the shapes differ or there are no words.
    """
    if not len(gold) or np.shape(predicted) != np.shape(gold):
        raise ValueError(
            f"expected predictions of shape {np.shape(gold)} for at least one word, "
            f"got {np.shape(predicted)}"
        )
    scores: dict[str, float] = TaggingMetric().compute(predictions=predicted, references=gold)
    return scores

"""Metrics of both tasks as pure functions of counts: what bootstrap and permutations compute with.

Counts add up over items, so that a resample is a weighted sum of rows (see ``intervals``).
Acceptability counts have five columns: true positives, false positives, false negatives, true
negatives, summed cross entropy; "positive" is "acceptable", label 1. Tag counts have 3 T columns
for T tags: correct, predicted and gold words of each tag. A run's own score is not computed here
but by ``metrics``; evidence is refused where the two differ (``checks.check_scores``).

Conventions, all of them scikit-learn's: MCC is 0 where all predictions are one label (as in GLUE);
where all *gold* labels are one it is undefined (``undefined_metrics``); an F1 with nothing to find
and nothing found is 0. Macro-F1 is the mean over the tags that occur in the gold data at hand,
``labels=present, zero_division=0``: a tag without a gold word has no recall, hence no F1, but words
wrongly given that tag still count against their own. Values are fractions in [0, 1] (MCC in
[-1, 1], loss in nats).
"""

import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from evidence.arrays import Bools, CountMetric, Floats, Ints
from evidence.intervals import UNIT, Bounds


def divide(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """Quotient with 0 where the denominator is 0 (scikit-learn's ``zero_division=0``)."""
    over, under = np.broadcast_arrays(
        np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    )
    quotient: Floats = np.divide(over, under, out=np.zeros(over.shape), where=under != 0)
    return quotient


# --------------------------------------------------------------------------------- acceptability


def predicted_labels(logits: Floats) -> Ints:
    """Arg max over the last axis, (..., 2) -> (...); a tie is "not acceptable"."""
    labels: Ints = np.argmax(logits, axis=-1)
    return labels


def cross_entropy(logits: Floats, labels: Ints) -> Floats:
    """Cross entropy of each item in nats: logits (..., N, 2), labels (N,) -> (..., N)."""
    scores = np.asarray(logits, dtype=np.float64)
    labels = np.asarray(labels)
    signed_margin = np.where(labels == 1, 1.0, -1.0) * (scores[..., 1] - scores[..., 0])
    return np.logaddexp(0.0, -signed_margin)


def acceptability_counts(logits: Floats, labels: Ints) -> Floats:
    """Counts of every item: logits (S, N, 2), labels (N,) -> (S, N, 5)."""
    positive = predicted_labels(logits) == 1
    gold = np.broadcast_to(np.asarray(labels) == 1, positive.shape)
    columns = [positive & gold, positive & ~gold, ~positive & gold, ~positive & ~gold]
    return np.stack([*columns, cross_entropy(logits, labels)], axis=-1).astype(np.float64)


def matthews_correlation(counts: Floats) -> Floats:
    """Matthews correlation from (..., >=4) counts; 0 where a margin of the table is empty."""
    tp, fp, fn, tn = (np.asarray(counts[..., column], dtype=np.float64) for column in range(4))
    # Roots are taken before the product: four margins of 1e5 each overflow nothing, but of ints do.
    spread = np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn)
    return divide(tp * tn - fp * fn, spread)


def accuracy(counts: Floats) -> Floats:
    """Share of right labels from (..., >=4) counts."""
    return divide(counts[..., 0] + counts[..., 3], counts[..., :4].sum(-1))


def f1(counts: Floats) -> Floats:
    """F1 of "acceptable" from (..., >=4) counts."""
    return divide(2 * counts[..., 0], 2 * counts[..., 0] + counts[..., 1] + counts[..., 2])


def f1_unacceptable(counts: Floats) -> Floats:
    """F1 of "not acceptable" from (..., >=4) counts."""
    return divide(2 * counts[..., 3], 2 * counts[..., 3] + counts[..., 1] + counts[..., 2])


def macro_f1(counts: Floats) -> Floats:
    """Mean of the two classes' F1 from (..., >=4) counts."""
    return (f1(counts) + f1_unacceptable(counts)) / 2


def loss(counts: Floats) -> Floats:
    """Mean cross entropy in nats from (..., 5) counts."""
    return divide(counts[..., 4], counts[..., :4].sum(-1))


ACCEPTABILITY_METRICS: Mapping[str, CountMetric] = {
    "matthews_correlation": matthews_correlation,
    "accuracy": accuracy,
    "f1": f1,
    "f1_unacceptable": f1_unacceptable,
    "macro_f1": macro_f1,
    "loss": loss,
}


def undefined_metrics(labels: ArrayLike) -> frozenset[str]:
    """Metrics without a value on a set with one label only: gold labels (N,).

    MCC correlates two labels, macro-F1 is the mean over both, and the label that the set lacks has
    no recall, hence no F1.
    """
    present = set(np.unique(labels).tolist())
    if present >= {0, 1}:
        return frozenset()
    lacking = "f1_unacceptable" if 1 in present else "f1"
    return frozenset({"matthews_correlation", "macro_f1", lacking})


def bounds_of(metric: CountMetric) -> Bounds:
    """The least and the greatest value of a metric of this module."""
    others: dict[CountMetric, Bounds] = {matthews_correlation: (-1.0, 1.0), loss: (0.0, np.inf)}
    return others.get(metric, UNIT)


def best_matthews(logits: Floats, labels: Ints) -> float:
    """MCC at the best threshold on P(acceptable): logits (N, 2), labels (N,).

    The threshold is chosen on the items that it is scored on, so that this says how much any
    threshold could gain, not what one chosen beforehand would.
    """
    margins = np.diff(np.asarray(logits, dtype=np.float64))[:, 0]
    gold = np.asarray(labels) == 1
    cuts = np.concatenate([[-np.inf], np.union1d(margins, [0.0])])
    # Items with a margin above cut t are positive; `rejected` counts those at or below it.
    rejected = np.searchsorted(np.sort(margins), cuts, side="right")
    fn = np.searchsorted(np.sort(margins[gold]), cuts, side="right")
    tn = rejected - fn
    tp, fp = gold.sum() - fn, (~gold).sum() - tn
    return float(matthews_correlation(np.stack([tp, fp, fn, tn], axis=-1)).max())


# ------------------------------------------------------------------------------------------ tags


def confusion_matrix(gold: Ints, predicted: Ints, classes: int) -> Ints:
    """Counts (classes, classes), gold in rows: gold (W,), predicted (W,) of 0..classes-1."""
    gold, predicted = np.asarray(gold, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    if gold.shape != predicted.shape or set(np.union1d(gold, predicted)) - set(range(classes)):
        raise ValueError(
            f"expected as many predictions as gold classes, of 0..{classes - 1}, got shapes "
            f"{gold.shape} and {predicted.shape} with the classes {np.union1d(gold, predicted)}"
        )
    cells = np.bincount(gold * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)


def tag_counts(predicted: Ints, gold: Ints, sentence: Ints, tags: int) -> Floats:
    """Counts of every sentence, the unit that is resampled: (S, U, 3 T) for T tags, float32.

    From predicted (S, W) and gold (W,) tag indices and the words' sentences (W,) 0..U-1; columns
    are correct, predicted and gold of the module docstring.
    """
    units = int(sentence.max()) + 1
    gold_part = _count_tags(gold, sentence, units, tags)
    rows = []
    for of_seed in predicted:
        hit = of_seed == gold
        correct = _count_tags(gold[hit], sentence[hit], units, tags)
        rows.append(np.hstack([correct, _count_tags(of_seed, sentence, units, tags), gold_part]))
    # float32 holds counts below 2**24 exactly, and the bootstrap's matrix product is twice as fast.
    return np.stack(rows).astype(np.float32)


def _count_tags(tag: Ints, sentence: Ints, units: int, tags: int) -> Ints:
    flat = np.asarray(sentence, dtype=np.int64) * tags + tag
    return np.bincount(flat, minlength=units * tags).reshape(units, tags)


def _split(counts: Floats) -> tuple[Floats, Floats, Floats]:
    tags = counts.shape[-1] // 3
    return counts[..., :tags], counts[..., tags : 2 * tags], counts[..., 2 * tags :]


def tag_f1(counts: Floats) -> Floats:
    """F1 of each tag, (..., 3 T) -> (..., T)."""
    correct, predicted, gold = _split(counts)
    return divide(2 * correct, predicted + gold)


def tag_accuracy(counts: Floats) -> Floats:
    """Share of words with the right tag, (..., 3 T) -> (...)."""
    correct, _, gold = _split(counts)
    return divide(correct.sum(-1), gold.sum(-1))


def tag_macro_f1(counts: Floats) -> Floats:
    """Mean F1 over the tags with a gold word, (..., 3 T) -> (...)."""
    return macro_f1_over(np.array(True))(counts)


def macro_f1_over(tags: Bools) -> CountMetric:
    """``tag_macro_f1`` over some of the tags: a mask (T,) -> metric of tag counts."""

    def over(counts: Floats) -> Floats:
        present = (_split(counts)[2] > 0) & tags
        return divide((tag_f1(counts) * present).sum(-1), present.sum(-1))

    return over


def tag_weighted_f1(counts: Floats) -> Floats:
    """Mean F1 weighted by gold words, (..., 3 T) -> (...)."""
    gold = _split(counts)[2]
    return divide((tag_f1(counts) * gold).sum(-1), gold.sum(-1))


TAG_METRICS: Mapping[str, CountMetric] = {
    "accuracy": tag_accuracy,
    "macro_f1": tag_macro_f1,
    "weighted_f1": tag_weighted_f1,
}


def tag_recall(counts: Floats) -> Floats:
    """Recall of each tag, (..., 3 T) -> (..., T); NaN for a tag without a gold word."""
    correct, _, gold = _split(counts)
    return np.where(gold > 0, divide(correct, gold), np.nan)


# --------------------------------------------------------------------------------------- seqeval


def seqeval_f1(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """The F1 of ``seqeval`` over sentences of tags, which misleads on part-of-speech tags.

    seqeval reads the first letter of a label as its IOB prefix, so that labels which differ in
    that letter alone (``SCONJ``, ``CCONJ``) are the same, and equal neighbours merge into one span.
    It stands beside accuracy and macro-F1 because many tutorials report it.
    """
    from seqeval.metrics import f1_score  # imports scikit-learn, which most readers of scores skip

    with warnings.catch_warnings():
        # It warns that NOUN "seems not to be NE tag", which is the point.
        warnings.simplefilter("ignore")
        return float(f1_score([list(s) for s in gold], [list(s) for s in predicted]))


SEQEVAL_TRAP: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "swapped": (
            "because it rained and snowed",
            "SCONJ PRON VERB CCONJ VERB",
            "CCONJ PRON VERB SCONJ VERB",
        ),
        "merged": ("stone bridge repair costs", "NOUN NOUN NOUN NOUN", "NOUN NOUN PROPN NOUN"),
    }
)
"""Sentence, right and predicted tags of two small cases where seqeval's F1 misleads.

``swapped``: SCONJ and CCONJ exchanged, and its F1 is 1; ``merged``: one wrong tag in a run of four
nouns, and it finds nothing right.
"""


# --------------------------------------------------------------------------------- kinds of error


def length_bins(lengths: ArrayLike, edges: Sequence[int]) -> tuple[Ints, list[str]]:
    """Bin of each length and the bins' names: edges (5, 10) -> ``1-5``, ``6-10``, ``11+``."""
    starts = [1, *(edge + 1 for edge in edges)]
    pairs = zip(starts, edges, strict=False)
    names = [str(low) if low == high else f"{low}-{high}" for low, high in pairs]
    bins = np.searchsorted(np.asarray(edges), np.asarray(lengths), side="left")
    return bins, [*names, f"{starts[-1]}+"]

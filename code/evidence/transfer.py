"""Where accuracy is lost between the language of training and another, from stored predictions.

Pure functions on arrays: S seeds, W words, T tags. "Source" is the set in the training language,
"target" the set in the other. Every decomposition here adds up: the cells of the confusion matrix,
the causes and the groups of words each account for the whole drop, source accuracy minus target
accuracy, averaged over seeds. Rates are shares of all words of their set.

Causes are read off the gold annotation and the predicted tag, not off the model: they say what kind
of word was confused with what, which suggests but does not prove why. The frames of words have the
columns ``sentence, position, form, tag, deprel, xpos``; empty ``deprel`` or ``xpos`` are allowed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.arrays import Bools, CountMetric, Floats, Ints, Names
from evidence.scoring import divide

REMAINING = "remaining"
# Forms of German possessives, which a treebank without tags of its own (PPOSAT) does not mark.
POSSESSIVE = re.compile(r"(?:mein|dein|sein|ihr|unser|euer|eur)(?:e[mnrs]?)?", re.IGNORECASE)


# ---------------------------------------------------------------------------------------- groups


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Accuracy on one group of words in one set; rates are None where the group is empty."""

    group: str
    words: int
    share: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class DropPoints:
    """A group of words and its part in the drop: ``rate`` + ``mix``."""

    group: str
    rate: float
    mix: float


@dataclass(frozen=True, slots=True)
class Cell:
    """A confusion and its part in the drop."""

    gold: str
    predicted: str
    points: float


def accuracy_by_group(correct: Bools, groups: ArrayLike, order: Sequence[str]) -> list[GroupRow]:
    """Mean over seeds of ``correct`` (S, W) on each of the words' groups (W,), in the given order.

    Raises:
        ValueError: if a word's group is not in ``order``.
    """
    names = np.asarray(groups, dtype=str)
    if unknown := set(names.tolist()) - set(order):
        raise ValueError(f"expected groups out of {list(order)}, got also {sorted(unknown)}")
    rows = []
    for group in order:
        own = correct[:, names == group]
        words = own.shape[1]
        accuracy = float(own.mean()) if words else None
        rows.append(GroupRow(group, words, words / max(1, len(names)), accuracy))
    return rows


def drop_by_group(source: Sequence[GroupRow], target: Sequence[GroupRow]) -> list[DropPoints]:
    """Contribution of each group to the drop; the points add up to the whole of it.

    The contribution is the difference of the group's share of errors (share times error rate)
    between the sets, divided into rate (lower accuracy on the group) and mix (the group being more
    frequent) with both sets' averages as weights (Kitagawa 1955). A group that one set lacks has no
    error rate there; it then counts as mix alone.

    Raises:
        ValueError: if the two lists name different groups.
    """
    if [row.group for row in source] != [row.group for row in target]:
        raise ValueError("expected the same groups in the same order in source and target")
    return [_drop_points(a, b) for a, b in zip(source, target, strict=True)]


def _drop_points(source: GroupRow, target: GroupRow) -> DropPoints:
    known = [1 - row.accuracy for row in (source, target) if row.accuracy is not None]
    error_in, error_out = (known[0], known[-1]) if known else (0.0, 0.0)
    return DropPoints(
        group=source.group,
        rate=(error_out - error_in) * (source.share + target.share) / 2,
        mix=(target.share - source.share) * (error_in + error_out) / 2,
    )


def piece_groups(pieces: ArrayLike) -> tuple[Names, list[str]]:
    """Group of each word by its number of word pieces, and the order of the groups: 1, 2, 3, 4+."""
    capped = np.minimum(np.asarray(pieces, dtype=np.int64), 4)
    order = ["1", "2", "3", "4+"]
    return np.asarray(order)[capped - 1], order


def seen_groups(seen: ArrayLike) -> tuple[Names, list[str]]:
    """Group of each word by whether its form occurs in training, and the order of the groups."""
    return np.where(np.asarray(seen, dtype=bool), "seen", "unseen"), ["seen", "unseen"]


# ----------------------------------------------------------------------------------------- cells


def decompose_drop(source: Floats, target: Floats, tags: Sequence[str]) -> list[Cell]:
    """Confusions ranked by how much of the drop each accounts for; all together are the drop.

    Accuracy is 1 minus the sum of the rates of the T (T - 1) cells off the diagonal, so the drop is
    the sum over cells of target rate minus source rate. Cells where the target is better have
    negative points. Cells that are empty in both sets are left out.

    Args:
        source: (T, T) word counts, gold in rows; summed or averaged over seeds.
        target: (T, T), in the same way.
        tags: the T tags.
    """
    source_rate, target_rate = source / source.sum(), target / target.sum()
    wrong = ~np.eye(len(tags), dtype=bool) & ((source_rate > 0) | (target_rate > 0))
    points = target_rate - source_rate
    rows = [Cell(tags[g], tags[p], float(points[g, p])) for g, p in np.argwhere(wrong)]
    return sorted(rows, key=lambda row: (-row.points, row.gold, row.predicted))


# ---------------------------------------------------------------------------------------- causes


@dataclass(frozen=True)
class Words:
    """Annotation of the words of one set as arrays (W,), and one prediction for each."""

    gold: Names
    predicted: Names
    capitalised: Bools
    first: Bools
    particle: Bools
    reflexive: Bools
    possessive: Bools
    clause_final: Bools


Covers = Callable[[Words], Bools]


def taken(gold: Sequence[str], predicted: Sequence[str]) -> Covers:
    """Covers words of some tags that are given one of the others."""
    return lambda words: np.isin(words.gold, gold) & np.isin(words.predicted, predicted)


def either(one: str, *others: str) -> Covers:
    """Covers the confusions of a tag with others, in either order."""
    there, back = taken([one], others), taken(others, [one])
    return lambda words: there(words) | back(words)


FUNCTION_WORDS = ("ADP", "ADV", "CCONJ", "PART", "SCONJ")
CAUSES: Mapping[str, Covers] = {
    # A verb particle, by relation or tag, and a reflexive pronoun by its language's own tag.
    "separable particles": lambda words: words.particle,
    "reflexive pronouns": lambda words: words.reflexive,
    # A capitalised word inside the sentence that is no PROPN is tagged so.
    "capitalisation": lambda w: w.capitalised & ~w.first & (w.predicted == "PROPN"),
    "NOUN/PROPN": either("NOUN", "PROPN"),
    # Tagged PRON, as English "my" is.
    "possessive DET": lambda words: words.possessive & (words.predicted == "PRON"),
    "DET/PRON": either("DET", "PRON"),
    "ADJ/ADV": either("ADJ", "ADV"),
    "clause-final verbs": lambda words: words.clause_final,
    "AUX/VERB": either("AUX", "VERB"),
    # An article in the genitive does the work of English "of".
    "DET as ADP": taken(["DET"], ["ADP"]),
    # Words such as German "viele", English "many".
    "quantifiers": taken(["DET"], ["ADJ", "ADV", "NUM"]),
    "ADJ/VERB": either("ADJ", "VERB"),  # participles, above all
    "numerals": either("NUM", "ADJ", "NOUN"),  # ordinals, and German "Millionen"
    "ADJ/NOUN": either("ADJ", "NOUN"),
    "function words": taken(FUNCTION_WORDS, FUNCTION_WORDS),
}
"""Kind of error -> the words that it covers; an error belongs to the first that covers it."""
CAUSE_NAMES = (*CAUSES, REMAINING)


def assign_causes(items: pd.DataFrame, predicted: Ints, tags: Sequence[str]) -> Ints:
    """The first of ``CAUSE_NAMES`` that covers each (S, W) tag index, as an index; -1 if right."""
    names = np.asarray(tags, dtype=str)
    annotated = _annotate(items)
    return np.stack(
        [_first_cause(replace(annotated, predicted=names[of_seed])) for of_seed in predicted]
    )


def _first_cause(words: Words) -> Ints:
    covered = [words.gold == words.predicted, *(covers(words) for covers in CAUSES.values())]
    return np.select(covered, range(-1, len(CAUSES)), len(CAUSES))


def _annotate(items: pd.DataFrame) -> Words:
    """The annotation of the words, each given its right tag."""
    gold = items["tag"].to_numpy(dtype=str)
    xpos, deprel = items["xpos"].to_numpy(dtype=str), items["deprel"].to_numpy(dtype=str)
    german = np.array([bool(POSSESSIVE.fullmatch(form)) for form in items["form"]], dtype=bool)
    return Words(
        gold=gold,
        predicted=gold,
        capitalised=np.array([form[:1].isupper() for form in items["form"]], dtype=bool),
        first=items["position"].to_numpy() == 0,
        particle=(deprel == "compound:prt") | (xpos == "PTKVZ"),
        reflexive=xpos == "PRF",
        possessive=(gold == "DET") & ((xpos == "PPOSAT") | german),
        clause_final=clause_final_verbs(gold, items["sentence"].to_numpy()),
    )


def clause_final_verbs(gold: ArrayLike, sentence: ArrayLike) -> Bools:
    """Verbs at the end of their clause: the position of German's verb-final and bracket order.

    A VERB or AUX is clause-final if its sentence ends after it, if punctuation or a conjunction
    (CCONJ, SCONJ) follows, or if a clause-final verb follows ("dass er gekommen ist").

    Args:
        gold: (W,) gold tags in corpus order.
        sentence: (W,) sentence of each word.
    """
    tags, numbers = np.asarray(gold, dtype=str), np.asarray(sentence)
    verb = np.isin(tags, ["VERB", "AUX"])
    ends = np.ones(len(tags), dtype=bool)
    ends[:-1] = (numbers[1:] != numbers[:-1]) | np.isin(tags[1:], ["PUNCT", "CCONJ", "SCONJ"])
    final = verb & ends
    for word in range(len(tags) - 2, -1, -1):
        if verb[word] and final[word + 1] and numbers[word] == numbers[word + 1]:
            final[word] = True
    return final


def cause_counts(causes: Ints, sentence: Ints) -> Floats:
    """Counts of every sentence: causes (S, W) -> (S, U, K + 1), last column the words."""
    kinds, units = len(CAUSES) + 1, int(sentence.max()) + 1
    rows = []
    for of_seed in causes:
        flat = sentence * (kinds + 1) + np.where(of_seed < 0, kinds, of_seed)
        table = np.bincount(flat, minlength=units * (kinds + 1)).reshape(units, kinds + 1)
        table[:, kinds] = table.sum(axis=1)
        rows.append(table)
    return np.stack(rows).astype(np.float32)


def cause_rate(cause: int) -> CountMetric:
    """Metric of ``cause_counts``: share of all words that are errors of one cause."""
    return lambda counts: divide(counts[..., cause], counts[..., -1])

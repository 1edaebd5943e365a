"""Controls that learn nothing but frequencies: from plain lists to predictions.

They show what class balance and shared vocabulary alone are worth: the majority class of the
training labels for CoLA, the most frequent tag of each word form for part-of-speech tagging (on
German: what forms shared with English give away).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key", str, int)


def majority_label(train_labels: Iterable[int]) -> int:
    """The most frequent training label; the smaller one of a tie.

    Raises:
        ValueError: if there are no labels.
    """
    counted = Counter(int(label) for label in train_labels)
    if not counted:
        raise ValueError("expected at least one training label, got none")
    return _most_frequent(counted)


def majority_logits(label: int, items: int) -> NDArray[np.float64]:
    """Logits (1, N, 2) that always choose ``label``: one "seed", margin 1."""
    return np.tile(np.eye(2)[label], (1, items, 1))


@dataclass(frozen=True)
class Lexicon:
    """The most frequent tag of each form seen in training, and the back-off for others.

    A form is looked up as it stands, then in lower case among the lower-cased training forms; a
    form unknown in both gets ``unseen``, the most frequent tag among the forms that occur once in
    training, since words seen once resemble unseen ones most (the idea of Good-Turing estimates).
    """

    by_form: Mapping[str, str]  # tag of each form
    by_lower: Mapping[str, str]  # tag of each lower-cased form
    unseen: str  # tag of all others

    def tag(self, form: str) -> str:
        """Tag of one form."""
        return self.by_form.get(form) or self.by_lower.get(form.lower()) or self.unseen


def learn_lexicon(
    train_words: Iterable[tuple[str, str]] | Mapping[tuple[str, str], int],
) -> Lexicon:
    """Count (form, tag) pairs, given one by one or counted; ties go to the first in the alphabet.

    Raises:
        ValueError: if there are no words.
    """
    pairs = Counter(train_words)
    if not pairs:
        raise ValueError("expected at least one training word, got none")
    by_form: dict[str, Counter[str]] = {}
    by_lower: dict[str, Counter[str]] = {}
    for (form, tag), count in pairs.items():
        by_form.setdefault(form, Counter())[tag] += count
        by_lower.setdefault(form.lower(), Counter())[tag] += count
    once = Counter(next(iter(tags)) for tags in by_form.values() if tags.total() == 1)
    return Lexicon(
        {form: _most_frequent(tags) for form, tags in by_form.items()},
        {form: _most_frequent(tags) for form, tags in by_lower.items()},
        _most_frequent(once or sum(by_form.values(), Counter())),
    )


def tag_words(lexicon: Lexicon, forms: Iterable[str], tags: Sequence[str]) -> NDArray[np.int64]:
    """Predictions (1, W) as indices into ``tags``: one "seed".

    Raises:
        ValueError: if a training tag is not in ``tags``.
    """
    index = {tag: number for number, tag in enumerate(tags)}
    known = {*lexicon.by_form.values(), lexicon.unseen}
    if unknown := known - index.keys():
        raise ValueError(f"expected training tags out of {list(tags)}, got {sorted(unknown)}")
    return np.array([[index[lexicon.tag(form)] for form in forms]], dtype=np.int64)


def _most_frequent(counted: Counter[Key]) -> Key:
    best = max(counted.values())
    return min(key for key, count in counted.items() if count == best)

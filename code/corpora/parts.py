"""Parts of a split, chosen by the content of its items, with those that are alike kept together.

Sentences of one family lie on the same side of every cut. A family holds sentences that differ by
one word added, taken away, replaced or moved; neighbours of the corpus that share half of their
words, as the examples of one paragraph in CoLA do; and sentences of one document, where identifiers
name documents. There a short sentence ("Thank you.") stands in many documents and joins none of
them, or half of a treebank would be one family. Families are put in the order of the hash of their
content: the order is the same wherever a corpus comes from, and has nothing to do with its own.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from corpora.items import Item, Sentence, Split, TaggedSentence
from study.errors import StudyError

LEAST_WORDS = 5  # of sentences that may differ by a word: nearly all shorter ones do
LEAST_WORDS_OF_DOCUMENTS = 8  # of sentences that join two documents
LIKENESS = 0.5  # of neighbours: shared words over all words of the two
LARGEST_DOCUMENT = 0.1  # of a split; identifiers with larger ones name no documents


def take_part(split: Split[Item], low: float, high: float) -> Split[Item]:
    """The items of a split from one share of it to another, in the order of the split.

    Raises:
        StudyError: the part holds no item.
    """
    if (low, high) == (0.0, 1.0):
        return split
    families = find_families(split.items)
    sizes = np.bincount(families)
    order = np.array(sorted(range(len(sizes)), key=_hashes(split.items, families).__getitem__))
    middle = np.empty(len(sizes))  # of each family, as a share of all items
    middle[order] = (np.cumsum(sizes[order]) - sizes[order] / 2) / len(split.items)
    chosen = (low <= middle[families]) & (middle[families] < high)
    if not chosen.any():
        raise StudyError(
            f"{len(split.items)} sentences are too few for a part from {low:.1%} to {high:.1%}"
        )
    items = tuple(item for item, taken in zip(split.items, chosen, strict=True) if taken)
    return Split(split.name, items)


def find_families(items: Sequence[Item]) -> np.ndarray:
    """The number of the family (N,) of each item; families are the components of likeness."""
    pairs = np.array([*_pairs(items)], dtype=int).reshape(-1, 2)
    shape = (len(items), len(items))
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=shape)
    families: np.ndarray = connected_components(graph, directed=False)[1]
    return families


def _pairs(items: Sequence[Item]) -> Iterator[tuple[int, int]]:
    """Pairs of items that are alike."""
    first: dict[tuple[str, ...], int] = {}  # sentence, as it is or without one word -> an item
    documents, latest = _documents(items), dict[str, int]()
    before: tuple[str, ...] = ()
    for number, item in enumerate(items):
        words = _words(item)
        joins_documents = len(words) >= LEAST_WORDS_OF_DOCUMENTS
        keys = {words} if joins_documents or not documents[number] else set()
        if joins_documents or (keys and len(words) >= LEAST_WORDS):
            keys |= {words[:n] + words[n + 1 :] for n in range(len(words))}
        for key in keys:
            yield first.setdefault(key, number), number
        shared, every = set(words) & set(before), set(words) | set(before)
        if number and len(shared) >= LIKENESS * len(every):
            yield number - 1, number
        if document := documents[number]:
            yield latest.setdefault(document, number), number
        before = words


def _words(item: Sentence | TaggedSentence) -> tuple[str, ...]:
    if isinstance(item, Sentence):
        return tuple(re.findall(r"\w+|[^\w\s]", item.text.lower()))
    return tuple(word.form.lower() for word in item.words)


def _documents(items: Sequence[Item]) -> list[str]:
    """The document of each item by its identifier without the last number; "" for none."""
    named = [
        re.sub(r"[\W_]?s?\d+$", "", item.sent_id) if isinstance(item, TaggedSentence) else ""
        for item in items
    ]
    largest = max(Counter(named).values())
    return named if largest <= LARGEST_DOCUMENT * len(items) else [""] * len(items)


def _hashes(items: Sequence[Item], families: np.ndarray) -> dict[int, str]:
    """Of each family, the least hash of its items."""
    found: dict[int, str] = {}
    for item, family in zip(items, families.tolist(), strict=True):
        text = json.dumps(item.content(), ensure_ascii=True)
        own = hashlib.sha256(text.encode("ascii")).hexdigest()
        found[family] = min(own, found.get(family, own))
    return found

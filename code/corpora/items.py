"""Sentences, words, splits and corpora, with the hashes of their content.

Two kinds of items exist: a ``Sentence`` with one label (acceptability) and a ``TaggedSentence``
whose syntactic words carry a tag each. Reading files is left to ``tsv`` and ``treebank``, fetching
to ``hub``; ``loading`` calls them.
"""

import functools
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

#: The 17 universal part-of-speech tags of UD v2, alphabetical; an index into it is a class label.
UPOS_TAGS: tuple[str, ...] = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)

SPLIT_NAMES: tuple[str, ...] = ("train", "validation", "test")

#: Head of a word whose head the file does not give.
UNKNOWN_HEAD = -1


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence with an acceptability judgement."""

    text: str
    label: int  # 1 acceptable, 0 not
    source: str  # CoLA publication code, "glue", or "miniature"
    domain: str  # "in" | "out" of the training publications, "" unknown
    phenomenon: str  # "" where the corpus has none

    def content(self) -> list[str | int]:
        """What a model reads and is scored on; notes differ by origin and stay out."""
        return [self.text, self.label]

    def columns(self) -> list[str | int]:
        """The content and the notes: all that is stored and shown of a sentence."""
        return [*self.content(), self.source, self.domain, self.phenomenon]


@dataclass(frozen=True, slots=True)
class Word:
    """One syntactic word; ``""`` where the corpus does not give a column."""

    form: str
    upos: str
    xpos: str
    deprel: str
    head: int  # 1-based index of a word of the sentence, 0 = root, -1 unknown


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """One sentence as its syntactic words: no multiword ranges, no empty nodes."""

    sent_id: str
    words: tuple[Word, ...]

    def content(self) -> list[object]:
        """Identifier and all columns of all words, as JSON can hold them."""
        columns = [[w.form, w.upos, w.xpos, w.deprel, w.head] for w in self.words]
        return [self.sent_id, columns]

    def columns(self) -> list[object]:
        """As ``content``: words have no notes."""
        return self.content()


Item = TypeVar("Item", Sentence, TaggedSentence)


@dataclass(frozen=True)
class Split(Generic[Item]):
    """A named part of a corpus."""

    name: str  # "train" | "validation" | "test"
    items: tuple[Item, ...]

    @functools.cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) over what a model reads of the items; order matters."""
        return _hash(item.content() for item in self.items)

    @functools.cached_property
    def columns_hash(self) -> str:
        """SHA-256 (hex) over all that is stored and shown of the items, notes included."""
        return _hash(item.columns() for item in self.items)


def _hash(rows: Iterable[Sequence[object]]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        line = json.dumps(row, ensure_ascii=True, separators=(",", ":"))
        digest.update(line.encode("ascii") + b"\n")
    return digest.hexdigest()


@dataclass(frozen=True)
class Corpus:
    """Splits of one corpus from one origin."""

    name: str  # "cola", or a treebank code such as "en_ewt"
    splits: dict[str, Split]
    source: str  # a sentence for the report: where it came from, which pin

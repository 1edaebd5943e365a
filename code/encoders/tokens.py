"""From sentences to token ids: first-piece labels for words, windows for long sentences.

A word's label stands on its first piece, all other positions carry ``IGNORED`` (Devlin et al. 2019,
section 5.3). A sentence that does not fit is cut into overlapping windows, and each word is
labelled in exactly one of them: the one that shows most of its context. No word is lost.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.items import Sentence, TaggedSentence
from study.errors import StudyError

IGNORED = -100  # the index that torch's cross-entropy leaves out
Feature = dict[str, Any]
Collator = Callable[[Any], Any]  # features -> a batch of tensors


@dataclass(frozen=True)
class Encoded:
    """A split as a model reads it.

    Attributes:
        features: ``input_ids``, ``attention_mask`` (lists of T) and ``labels`` (int, or list of T).
        items: for each feature, which item (sentence, or word in corpus order) each label is for:
            arrays of shape (1,) for sentences, (T,) with -1 at ignored positions for words.
        pieces: pieces of each item, special tokens not counted, shape (items,).
    """

    features: list[Feature]
    items: list[np.ndarray]
    pieces: np.ndarray

    @property
    def tokens(self) -> int:
        """All positions of all features, padding not counted."""
        return sum(len(feature["input_ids"]) for feature in self.features)


def take_features(data: Encoded, chosen: Sequence[int]) -> tuple[Encoded, NDArray[np.int64]]:
    """These features alone, their items numbered anew; and which items those are, ascending."""
    items = [data.items[index] for index in chosen]
    kept = np.unique(np.concatenate([own[own >= 0] for own in items]))
    numbered = [np.where(own >= 0, np.searchsorted(kept, own), -1) for own in items]
    return Encoded([data.features[index] for index in chosen], numbered, data.pieces[kept]), kept


def encode_sentences(sentences: Sequence[Sentence], tokenizer: Any, max_length: int) -> Encoded:
    """Encodes sentences with one label each; a longer one is truncated to ``max_length`` tokens."""
    texts = _cut([sentence.text for sentence in sentences], tokenizer)
    bodies = [[piece for piece, _ in pieces[: max_length - 2]] for pieces in texts]
    features = [
        _build_feature(body, sentence.label, tokenizer)
        for body, sentence in zip(bodies, sentences, strict=True)
    ]
    counts = np.array([len(body) for body in bodies], dtype=np.int64)
    return Encoded(features, [np.array([i]) for i in range(len(features))], counts)


def encode_texts(texts: Sequence[str], tokenizer: Any, max_length: int) -> list[list[int]]:
    """Pieces of each text between the special tokens; a longer one is cut to ``max_length``."""
    bodies = [[piece for piece, _ in cut[: max_length - 2]] for cut in _cut(texts, tokenizer)]
    return [_build_feature(body, None, tokenizer)["input_ids"] for body in bodies]


def encode_tagged(
    sentences: Sequence[TaggedSentence], tokenizer: Any, tags: Sequence[str], max_length: int
) -> Encoded:
    """Encodes tagged sentences, one label a word, in windows of at most ``max_length`` tokens."""
    tag_index = {tag: index for index, tag in enumerate(tags)}
    features, items, counts, first_word = [], [], [], 0
    for sentence, pieces in zip(sentences, _pieces_of_words(sentences, tokenizer), strict=True):
        counts += [len(word) for word in pieces]
        body = max_length - 2
        pieces = [word[:body] for word in pieces]
        labels = [tag_index[word.upos] for word in sentence.words]
        for window in split_windows([len(word) for word in pieces], body):
            feature, positions = _encode_window(window, pieces, labels, tokenizer)
            features.append(feature)
            items.append(np.where(positions >= 0, positions + first_word, -1))
        first_word += len(pieces)
    return Encoded(features, items, np.array(counts, dtype=np.int64))


def build_collator(kind: str, tokenizer: Any) -> Any:
    """Dynamic padding: a batch is as long as its longest feature."""
    from transformers import DataCollatorForTokenClassification, DataCollatorWithPadding

    if kind == "token":
        return DataCollatorForTokenClassification(tokenizer, label_pad_token_id=IGNORED)
    return DataCollatorWithPadding(tokenizer)


@dataclass(frozen=True)
class Window:
    """Words ``start`` to ``stop`` are shown, ``label_start`` to ``label_stop`` are labelled."""

    start: int
    stop: int
    label_start: int
    label_stop: int


def split_windows(lengths: Sequence[int], body: int) -> list[Window]:
    """Overlapping windows over words such that each word is labelled once.

    Args:
        lengths: pieces of each word, each at most ``body``.
        body: pieces that a window can hold.

    Returns:
        Windows in order. Neighbours share about half a window; the words they share are labelled
        in the left one up to the middle of the overlap, in the right one after it.
    """
    ends = np.cumsum(lengths)
    spans, start = [], 0
    while True:
        offset = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, offset + body, side="right"))
        spans.append((start, stop))
        if stop >= len(lengths):
            break
        half = int(np.searchsorted(ends, offset + body // 2, side="right"))
        start = min(max(half, start + 1), stop)
    cuts = [(left[1] + right[0]) // 2 for left, right in itertools.pairwise(spans)]
    borders = [0, *cuts, len(lengths)]
    return [
        Window(*span, *labelled)
        for span, labelled in zip(spans, itertools.pairwise(borders), strict=True)
    ]


def _cut(texts: Sequence[str], tokenizer: Any) -> list[list[tuple[int, tuple[int, int]]]]:
    """Running texts as the tokenizer cuts them: ids of the pieces, with their characters.

    The only place that calls the tokenizer; it adds no special tokens and cuts nothing off.
    """
    batch = tokenizer(
        list(texts),
        add_special_tokens=False,
        padding=False,
        truncation=False,
        return_offsets_mapping=True,
        verbose=False,
    )
    return [
        list(zip(ids, offsets, strict=True))
        for ids, offsets in zip(batch["input_ids"], batch["offset_mapping"], strict=True)
    ]


def _build_feature(body: Sequence[int], labels: Any, tokenizer: Any) -> Feature:
    """Pieces between the special tokens of the tokenizer, the same for sentences and windows."""
    ids = [tokenizer.cls_token_id, *body, tokenizer.sep_token_id]
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}


def _pieces_of_words(sentences: Sequence[TaggedSentence], tokenizer: Any) -> list[list[list[int]]]:
    """Ids of each word's pieces, as in running text; a word that is dropped is one unknown piece.

    A word is told by its characters in the text of words with spaces between them, of which each
    space belongs to the word after it: whatever marks a word's beginning stays with the word.

    Raises:
        StudyError: a piece spans two words.
    """
    forms = [[word.form for word in sentence.words] for sentence in sentences]
    pieces = []
    for words, cut in zip(
        forms, _cut([" ".join(words) for words in forms], tokenizer), strict=True
    ):
        ends = np.cumsum([len(word) + 1 for word in words]) - 1
        starts, stops = np.array([span for _, span in cut], dtype=np.int64).reshape(-1, 2).T
        first = np.minimum(np.searchsorted(ends, starts, side="right"), len(words) - 1)
        last = np.searchsorted(ends + 1, stops - 1, side="right")
        own: list[list[int]] = [[] for _ in words]
        for (piece, _), begun, done in zip(cut, first.tolist(), last.tolist(), strict=True):
            if done > begun:
                raise StudyError(
                    f"the tokenizer reads {words[begun]!r} and {words[done]!r} as one piece: it "
                    "cannot be used to tag words",
                    remedy="choose a model whose tokenizer cuts at spaces",
                )
            own[begun].append(piece)
        pieces.append([ids or [tokenizer.unk_token_id] for ids in own])
    return pieces


def _encode_window(
    window: Window, pieces: list[list[int]], word_labels: list[int], tokenizer: Any
) -> tuple[Feature, np.ndarray]:
    body, labels, words = list[int](), [IGNORED], [-1]
    for word in range(window.start, window.stop):
        labelled = window.label_start <= word < window.label_stop
        rest = len(pieces[word]) - 1
        body += pieces[word]
        labels += [word_labels[word] if labelled else IGNORED] + [IGNORED] * rest
        words += [word if labelled else -1] + [-1] * rest
    return _build_feature(body, [*labels, IGNORED], tokenizer), np.array([*words, -1])

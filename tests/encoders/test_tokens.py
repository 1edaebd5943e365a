"""Encoding: every word labelled once, in some window, on its first piece."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.items import UPOS_TAGS, Sentence, TaggedSentence, Word
from encoders.tokens import IGNORED, encode_sentences, encode_tagged, split_windows
from tiny import build_tokenizer

TOKENIZER = build_tokenizer(["the", "cat", "sleeps"])
FORMS = st.sampled_from(["the", "cat", "xyz", "Straße", "\u200b", "a" * 70, "!?", "sleeps"])


def tagged(forms: list[str]) -> TaggedSentence:
    words = [Word(f, UPOS_TAGS[i % 17], "", "", -1) for i, f in enumerate(forms)]
    return TaggedSentence("s", tuple(words))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=80), st.integers(6, 20))
@settings(max_examples=200)
def test_windows_label_every_word_once_and_fit(lengths: list[int], body: int) -> None:
    windows = split_windows(lengths, body)
    labelled = [w for window in windows for w in range(window.label_start, window.label_stop)]
    assert labelled == list(range(len(lengths)))
    for window in windows:
        assert window.start <= window.label_start <= window.label_stop <= window.stop
        assert sum(lengths[window.start : window.stop]) <= body


@given(st.lists(st.lists(FORMS, min_size=1, max_size=30), min_size=1, max_size=4))
@settings(max_examples=50)
def test_no_word_is_lost_and_labels_stand_on_first_pieces(sentences: list[list[str]]) -> None:
    items = [tagged(forms) for forms in sentences]
    encoded = encode_tagged(items, TOKENIZER, UPOS_TAGS, max_length=16)
    gold = [UPOS_TAGS.index(word.upos) for item in items for word in item.words]
    seen = np.full(len(gold), -1)
    for feature, words in zip(encoded.features, encoded.items, strict=True):
        assert len(feature["input_ids"]) == len(feature["labels"]) == len(words) <= 16
        for label, word in zip(feature["labels"], words, strict=True):
            assert (label == IGNORED) == (word < 0)
            if word >= 0:
                assert seen[word] == -1
                seen[word] = label
    assert seen.tolist() == gold
    assert len(encoded.pieces) == len(gold)


def test_a_short_sentence_is_one_window_with_special_tokens() -> None:
    encoded = encode_tagged([tagged(["the", "cat", "xyz"])], TOKENIZER, UPOS_TAGS, 32)
    (feature,) = encoded.features
    ids = TOKENIZER.convert_ids_to_tokens(feature["input_ids"])
    assert ids == ["[CLS]", "the", "cat", "x", "##y", "##z", "[SEP]"]
    assert feature["labels"] == [IGNORED, 0, 1, 2, IGNORED, IGNORED, IGNORED]
    assert encoded.pieces.tolist() == [1, 1, 3] and encoded.tokens == 7


def test_a_word_that_the_tokenizer_drops_becomes_unknown() -> None:
    encoded = encode_tagged([tagged(["the", "\u200b", "cat"])], TOKENIZER, UPOS_TAGS, 32)
    assert len(encoded.pieces) == 3
    assert sorted(set(encoded.items[0]) - {-1}) == [0, 1, 2]


@pytest.mark.parametrize("length", [8, 128])
def test_sentences_keep_their_label_and_are_cut_at_the_end(length: int) -> None:
    sentences = [Sentence("the cat sleeps " * 5, 1, "", "", ""), Sentence("the cat", 0, "", "", "")]
    encoded = encode_sentences(sentences, TOKENIZER, length)
    assert [f["labels"] for f in encoded.features] == [1, 0]
    assert [len(f["input_ids"]) for f in encoded.features] == [min(17, length), 4]

"""Parts of a split: a partition by content that keeps like sentences together."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.items import Sentence, Split, TaggedSentence, Word
from corpora.loading import load_corpus
from corpora.parts import find_families, take_part
from study.errors import StudyError

WORDS = ("the", "cat", "sleeps", "a", "dog", "barks", "loudly", "in", "garden", "today")


def sentence(text: str) -> Sentence:
    return Sentence(text, 1, "", "in", "")


def split_of(*texts: str) -> Split[Sentence]:
    return Split("train", tuple(map(sentence, texts)))


@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=9), min_size=1, max_size=40),
       st.floats(0.05, 0.95))  # fmt: skip
def test_two_parts_hold_every_item_once(texts: list[list[str]], cut: float) -> None:
    split = split_of(*(" ".join(words) for words in texts))
    parts = []
    for low, high in ((0.0, cut), (cut, 1.0)):
        try:
            parts += take_part(split, low, high).items
        except StudyError:
            continue  # all of so few sentences are alike
    assert sorted(item.text for item in parts) == sorted(item.text for item in split.items)


def test_like_sentences_are_of_one_family() -> None:
    texts = (
        "John gave the old book to Mary .",
        "Something else is said here by nobody .",
        "John gave the old books to Mary .",  # a word replaced
        "John gave the book to Mary .",  # taken away
        "John gave to Mary the old book .",  # two words moved: neighbours that share all of them
        "Birds fly .",
        "Dogs fly .",  # too short for one word to say anything
    )
    families = find_families(split_of(*texts).items)
    assert len({families[0], families[2], families[3], families[4]}) == 1
    assert families[1] not in families[[0, 5, 6]]
    assert families[0] not in families[[5, 6]]


def test_sentences_of_one_document_are_of_one_family_if_identifiers_name_documents() -> None:
    def tagged(name: str, number: int) -> TaggedSentence:
        words = tuple(Word(f"w{number}{n}", "X", "", "", -1) for n in range(6))
        return TaggedSentence(name, words)

    documents = [tagged(f"weblog-{n // 3}-000{n % 3}", n) for n in range(60)]
    assert len(set(find_families(documents).tolist())) == 20
    numbered = [tagged(f"train-s{n}", n) for n in range(60)]
    assert len(set(find_families(numbered).tolist())) == 60


def test_a_short_sentence_of_many_documents_joins_none_of_them() -> None:
    def tagged(document: int, number: int, text: str) -> TaggedSentence:
        words = tuple(Word(form, "X", "", "", -1) for form in text.split())
        return TaggedSentence(f"weblog-{document}-000{number}", words)

    own = " ".join(f"w{n}" for n in range(9))
    texts = ("Thank you .", "I thank you very much .")
    thanks = [
        tagged(document, number, text)
        for document in range(20)
        for number, text in enumerate((*texts, f"{own} {document} {document} {document}"))
    ]
    assert len(set(find_families(thanks).tolist())) == 20
    copied = [*thanks, tagged(20, 0, "Nothing else ."), tagged(20, 1, f"{own} 7 7 7")]
    assert len(set(find_families(copied).tolist())) == 20


@pytest.mark.skipif(not os.environ.get("DATA_DIR"), reason="needs the real corpora: set DATA_DIR")
@pytest.mark.parametrize("corpus", ["cola", "en_ewt"])
def test_parts_of_the_real_corpora_are_about_as_large_as_asked_for(corpus: str) -> None:
    folder = Path(os.environ["DATA_DIR"])
    whole = load_corpus(corpus, "local", ("train",), folder).splits["train"]
    assert np.bincount(find_families(whole.items)).max() < 0.05 * len(whole.items)
    for low, high in ((0.0, 0.0625), (0.0, 0.25), (0.9, 1.0)):
        share = len(take_part(whole, low, high).items) / len(whole.items)
        assert share == pytest.approx(high - low, abs=0.03)


def test_a_part_follows_from_content_and_not_from_order() -> None:
    rng = random.Random(3)
    texts = [" ".join(f"w{rng.randrange(500)}" for _ in range(9)) for _ in range(80)]
    whole = split_of(*texts)
    shuffled = split_of(*rng.sample(texts, len(texts)))
    chosen = {item.text for item in take_part(whole, 0.0, 0.5).items}
    again = {item.text for item in take_part(shuffled, 0.0, 0.5).items}
    assert chosen == again and len(chosen) == 40
    assert [item.text for item in take_part(whole, 0.0, 0.5).items] != sorted(chosen)
    assert take_part(whole, 0.0, 1.0) is whole


@pytest.mark.parametrize("corpus", ["cola", "en_mini"])
def test_the_miniature_corpora_have_a_tenth_and_smaller_parts_lie_in_larger_ones(
    corpus: str,
) -> None:
    whole = load_corpus(corpus, "miniature", ("train",)).splits["train"]
    parts = {high: take_part(whole, 0.0, high).items for high in (0.0625, 0.25, 0.9)}
    for share, items in parts.items():
        assert len(items) / len(whole.items) == pytest.approx(share, abs=0.03)
    assert set(parts[0.0625]) <= set(parts[0.25]) <= set(parts[0.9])
    held_out = take_part(whole, 0.9, 1.0).items
    assert not set(held_out) & set(parts[0.9])
    families = dict(zip(whole.items, find_families(whole.items).tolist(), strict=True))
    assert not {families[i] for i in held_out} & {families[i] for i in parts[0.9]}
    assert len(np.unique([*families.values()])) < len(whole.items)  # there are families


def test_a_part_without_sentences_is_refused() -> None:
    with pytest.raises(StudyError, match="too few"):
        take_part(split_of("one sentence"), 0.9, 1.0)

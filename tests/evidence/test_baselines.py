import numpy as np
import pytest

from evidence import baselines

WORDS = [
    ("the", "DET"), ("the", "DET"), ("The", "DET"), ("run", "NOUN"), ("run", "VERB"),
    ("run", "VERB"), ("May", "PROPN"), ("may", "AUX"), ("may", "AUX"), ("Kim", "PROPN"),
    ("Bonn", "PROPN"), ("tree", "NOUN"), ("die", "VERB"), ("die", "VERB"),
]  # fmt: skip
TAGS = ("AUX", "DET", "NOUN", "PROPN", "VERB")


def test_majority_label_and_its_tie():
    assert baselines.majority_label([1, 0, 1]) == 1
    assert baselines.majority_label([1, 0]) == 0
    with pytest.raises(ValueError, match="training label"):
        baselines.majority_label([])


def test_majority_logits_choose_the_label_everywhere():
    logits = baselines.majority_logits(1, 4)
    assert logits.shape == (1, 4, 2)
    assert (logits.argmax(axis=-1) == 1).all()
    assert (baselines.majority_logits(0, 4).argmax(axis=-1) == 0).all()


@pytest.mark.parametrize(
    ("form", "tag"),
    [
        ("run", "VERB"),  # most frequent
        ("May", "PROPN"),  # as it stands, though may is AUX more often
        ("MAY", "AUX"),  # in lower case, all spellings together
        ("THE", "DET"),
        ("Hund", "PROPN"),  # unseen: most frequent tag among forms seen once
        ("die", "VERB"),  # German article, English verb: what vocabulary alone does
    ],
)
def test_lexicon_backs_off_from_form_to_lower_case_to_rare_forms(form, tag):
    assert baselines.learn_lexicon(WORDS).tag(form) == tag


def test_ties_go_to_the_first_tag_of_the_alphabet():
    lexicon = baselines.learn_lexicon([("a", "X"), ("a", "ADP"), ("b", "X"), ("b", "X")])
    assert lexicon.tag("a") == "ADP"


def test_without_forms_seen_once_the_commonest_tag_is_the_back_off():
    assert baselines.learn_lexicon([("b", "X"), ("b", "X")]).tag("new") == "X"


def test_counts_and_pairs_give_the_same_lexicon():
    counted = {pair: WORDS.count(pair) for pair in WORDS}
    assert baselines.learn_lexicon(counted) == baselines.learn_lexicon(WORDS)


def test_words_are_tagged_by_index_as_one_seed():
    predicted = baselines.tag_words(baselines.learn_lexicon(WORDS), ["the", "Hund", "run"], TAGS)
    assert predicted.tolist() == [[1, 3, 4]]
    assert predicted.dtype == np.int64


def test_empty_training_and_foreign_tags_are_refused():
    with pytest.raises(ValueError, match="training word"):
        baselines.learn_lexicon([])
    with pytest.raises(ValueError, match="PROPN"):
        baselines.tag_words(baselines.learn_lexicon(WORDS), ["the"], ("DET", "VERB", "AUX", "NOUN"))

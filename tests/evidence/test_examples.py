"""Which single items are shown: a rule chooses them, from counts that can be made by hand."""

import numpy as np
import pandas as pd

from evidence.examples import always_wrong, typical_errors

TAGS = ("ADJ", "ADV", "DET", "NOUN", "PRON", "PROPN", "VERB")
HERE = "de_x:test"


def words(*sentences: str) -> pd.DataFrame:
    """Words written as form/TAG, with the columns that causes are read off."""
    rows = [
        (number, position, *word.split("/"), len(sentence.split()))
        for number, sentence in enumerate(sentences)
        for position, word in enumerate(sentence.split())
    ]
    columns = ["sentence", "position", "form", "tag", "length"]
    return pd.DataFrame(rows, columns=columns).assign(deprel="", xpos="")


def given(items: pd.DataFrame, **wrong: str) -> np.ndarray:
    """One seed's predictions: the right tags, but for some forms another."""
    pairs = zip(items["form"], items["tag"], strict=True)
    return np.array([TAGS.index(wrong.get(form, tag)) for form, tag in pairs])


FILL = "x/VERB y/VERB"


def test_items_that_every_run_gets_wrong() -> None:
    correct = np.array([[True, False, False, False], [False, False, True, False]])
    found = always_wrong(correct, "cola:validation")
    place = {"kind": "always wrong", "evaluation": "cola:validation"}
    assert found == [{**place, "item": 1}, {**place, "item": 3}]
    assert always_wrong(np.array([[True, False], [False, True]]), HERE) == []


def test_of_each_kind_the_error_in_the_shortest_sentence_that_is_not_too_short() -> None:
    items = words(
        f"a/VERB der1/DET b/VERB {FILL} z/VERB",  # six words
        f"a/VERB der2/DET b/VERB {FILL}",  # five
        f"a/VERB der3/DET b/VERB {FILL}",  # five as well, but later
        "a/VERB der4/DET",  # too short to show anything
        f"a/VERB schnell/ADV b/VERB {FILL}",
    )
    wrong = {"der1": "PRON", "der2": "PRON", "der3": "PRON", "der4": "PRON", "schnell": "ADJ"}
    first, second = typical_errors(items, given(items, **wrong)[None], TAGS, HERE, "full")
    assert (first["cause"], first["count"], first["predicted"]) == ("DET/PRON", 3, "PRON")
    assert items["form"][first["item"]] == "der2"
    assert (second["cause"], second["count"]) == ("ADJ/ADV", 1)
    assert (first["evaluation"], first["method"], first["kind"]) == (HERE, "full", "typical error")


def test_only_errors_that_every_seed_makes_count() -> None:
    items = words(f"a/VERB der1/DET b/VERB {FILL}", f"a/VERB der2/DET b/VERB {FILL}")
    seeds = np.stack([given(items, der1="PRON", der2="PRON"), given(items, der2="PRON")])
    (found,) = typical_errors(items, seeds, TAGS, HERE, "full")
    assert (items["form"][found["item"]], found["count"]) == ("der2", 1)
    # Both seeds are wrong, but each in its own way.
    seeds = np.stack([given(items, der1="PRON"), given(items, der1="ADJ")])
    assert typical_errors(items, seeds, TAGS, HERE, "full") == []


def test_errors_without_a_kind_are_not_typical_and_four_kinds_are_enough() -> None:
    items = words(
        f"a/VERB p/PRON b/VERB {FILL}",
        f"a/VERB d1/DET d2/DET n1/NOUN n2/NOUN v/VERB j1/ADJ j2/ADJ b/VERB {FILL}",
    )
    rest = {"p": "NOUN"}
    assert typical_errors(items, given(items, **rest)[None], TAGS, HERE, "full") == []
    many = {"d1": "PRON", "d2": "ADJ", "n1": "PROPN", "n2": "ADJ", "j1": "ADV", "j2": "VERB"}
    found = typical_errors(items, given(items, **rest, **many)[None], TAGS, HERE, "full")
    assert len(found) == len({row["cause"] for row in found}) == 4
    assert "remaining" not in {row["cause"] for row in found}

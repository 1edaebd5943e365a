"""Like with like: the kinds of matrices that all compared methods change."""

import pandas as pd

from evidence.structure import split_kinds
from study.architecture import MATRIX_KINDS
from synthetic_study import build_study


def test_query_and_value_are_compared_and_the_rest_stands_apart() -> None:
    structure = build_study().structure
    rows = structure[structure.task == "pos"]
    shared, rest = split_kinds(rows, ["full", "lora"])
    assert shared == ("query", "value")
    assert set(rest) == set(MATRIX_KINDS) - {"query", "value"}
    assert split_kinds(rows, ["full"]) == (MATRIX_KINDS, ())


def test_a_kind_that_nobody_changes_is_in_neither() -> None:
    frame = pd.DataFrame({"method": ["a", "a"], "kind": ["query", "key"], "rank": [3, 0]})
    assert split_kinds(frame, ["a"]) == (("query",), ())
    assert split_kinds(frame, []) == ((), ())

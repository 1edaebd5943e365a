"""What an interval allows to say."""

import itertools

import pytest

from evidence.outcomes import ALPHA, decide

MIRROR = {"better": "worse", "worse": "better", "equivalent": "equivalent", "": ""}
MIRROR |= {"undecided": "undecided"}


@pytest.mark.parametrize(
    ("low", "high", "p", "margin", "outcome"),
    [
        (0.01, 0.05, None, 0.005, "better"),
        (-0.05, -0.01, None, 0.005, "worse"),
        (-0.01, 0.05, None, 0.005, "undecided"),
        (-0.004, 0.003, None, 0.005, "equivalent"),
        (-0.005, 0.003, None, 0.005, "undecided"),
        (0.001, 0.004, None, 0.005, "equivalent"),
        (0.001, 0.004, 0.2, 0.005, "equivalent"),
        (0.001, 0.004, None, None, "better"),
        (0.01, 0.05, ALPHA, 0.005, "undecided"),
        (0.01, 0.05, ALPHA - 0.001, 0.005, "better"),
        (0.0, 0.05, 0.001, None, "undecided"),
        (None, None, 0.001, 0.005, ""),
    ],
)
def test_outcomes(low, high, p, margin, outcome):
    assert decide((low, high), p, "accuracy", margin) == outcome
    if low is not None:
        assert decide((-high, -low), p, "accuracy", margin) == MIRROR[outcome]
        assert decide((-high, -low), p, "drop", margin) == outcome, "of a drop, less is better"


def test_a_wider_margin_only_ever_adds_equivalence():
    ends = [-0.9, -0.02, -0.001, 0.0, 0.001, 0.02, 0.9]
    for low, high in itertools.combinations(ends, 2):
        found = [decide((low, high), None, "accuracy", m) for m in (0.005, 0.05, 0.5)]
        first = found.index("equivalent") if "equivalent" in found else len(found)
        assert set(found[first:]) <= {"equivalent"}
        assert len(set(found[:first])) <= 1
        assert ("equivalent" in found) == (max(abs(low), abs(high)) < 0.5)

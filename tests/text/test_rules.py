"""Verdicts with three values, their scope, and tallies that pass over nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.fact import Fact
from text.rules import Tally, Verdict, judge, judge_all, out_of_reach, scope, tally, widen

ENDS = st.floats(-1, 1, allow_nan=False)


def difference(low: float | None, high: float | None, **known: object) -> Fact:
    value = None if low is None or high is None else (low + high) / 2
    return Fact(quantity="difference", metric="accuracy", value=value, low=low, high=high, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.02, Verdict.MORE),
        (-0.02, -0.01, Verdict.LESS),
        (-0.001, 0.002, Verdict.SAME),
        (0.001, 0.004, Verdict.SAME),  # beyond zero, but nothing that matters
        (-0.01, 0.01, Verdict.UNCLEAR),
        (0.001, 0.01, Verdict.MORE),
        (None, None, Verdict.UNKNOWN),
    ],
)
def test_three_values_of_a_difference(
    low: float | None, high: float | None, expected: Verdict
) -> None:
    assert judge(difference(low, high), 0.005) == expected


def test_a_difference_needs_its_p_value_too_and_a_range_is_no_interval() -> None:
    assert judge(difference(0.01, 0.02, p=0.2), 0.005) == Verdict.UNCLEAR
    assert judge(difference(0.001, 0.002, p=0.2), 0.005) == Verdict.SAME
    assert judge(difference(0.01, 0.02, covers="range"), 0.005) == Verdict.UNKNOWN


def test_ratios_are_judged_against_one_on_a_logarithmic_scale() -> None:
    def ratio(low: float, high: float) -> Fact:
        return Fact(quantity="ratio", value=math.sqrt(low * high), low=low, high=high)

    assert judge(ratio(0.65, 0.71), 1.1) == Verdict.LESS
    assert judge(ratio(0.95, 1.05), 1.1) == Verdict.SAME
    assert judge(ratio(0.4, 1.1), 1.1) == Verdict.UNCLEAR
    assert judge(ratio(1.2, 1.9), 1.1) == Verdict.MORE
    assert out_of_reach(ratio(0.4, 1.1), 1.1) and not out_of_reach(ratio(0.98, 1.02), 1.1)


def listed(facts: dict[str, Fact]) -> dict[str, Verdict]:
    return judge_all(facts, lambda _, fact: judge(fact, 0.005))


def test_a_list_of_verdicts_has_the_level_of_one() -> None:
    alone = difference(0.001, 0.021, covers="items")
    assert judge(alone, 0.005) == Verdict.MORE
    assert listed({"a": alone}) == {"a": Verdict.MORE}
    clear, unknown = difference(0.03, 0.04, covers="items"), difference(None, None)
    found = listed({"a": alone, "b": clear, "c": difference(-0.1, 0.1), "d": unknown})
    assert found == {
        "a": Verdict.UNCLEAR, "b": Verdict.MORE, "c": Verdict.UNCLEAR, "d": Verdict.UNKNOWN
    }  # fmt: skip
    # What is decided leaves the family, as in Holm's procedure; what is unknown is none of it.
    assert listed({"a": alone, "b": unknown})["a"] == Verdict.MORE
    stepwise = difference(0.0005, 0.0204, covers="items")
    both = listed({"a": stepwise, "b": clear})
    assert both["a"] == judge(stepwise, 0.005) == Verdict.MORE
    assert judge(widen(stepwise, 2), 0.005) == Verdict.UNCLEAR


def test_a_ratio_is_widened_about_its_value_on_a_logarithmic_scale() -> None:
    ratio = Fact(quantity="ratio", value=1.5, low=1.2, high=1.875, covers="items")
    wider = widen(ratio, 3)
    assert wider.low is not None and wider.high is not None
    assert wider.low < 1.2 and wider.high > 1.875
    assert wider.low * wider.high == pytest.approx(1.5**2)
    assert widen(ratio, 1).low == pytest.approx(1.2)


def test_an_interval_over_few_runs_is_widened_by_its_own_distribution() -> None:
    wide = difference(0.001, 0.003, covers="seeds", seeds=2, p=0.01)
    narrow = difference(0.001, 0.003, covers="items", p=0.01)
    assert judge(widen(narrow, 4), 0.0005) == Verdict.MORE
    assert judge(widen(wide, 4), 0.0005) == Verdict.UNCLEAR
    assert judge(widen(difference(0.001, 0.003, p=0.02), 4), 0.0005) == Verdict.UNCLEAR


@given(ENDS, ENDS, st.floats(0.001, 1))
def test_a_verdict_turns_with_its_difference(one: float, other: float, margin: float) -> None:
    fact = difference(min(one, other), max(one, other))
    assert judge(fact.turned(), margin) == judge(fact, margin).turned()


@given(ENDS, ENDS, st.floats(0.001, 1))
def test_an_interval_within_the_margin_is_the_same_and_only_that(
    one: float, other: float, margin: float
) -> None:
    low, high = min(one, other), max(one, other)
    same = judge(difference(low, high), margin) == Verdict.SAME
    assert same == (-margin < low and high < margin)


@given(st.dictionaries(st.text(max_size=3), st.sampled_from(list(Verdict))))
def test_a_tally_passes_over_no_case(verdicts: dict[str, Verdict]) -> None:
    found = tally(verdicts)
    assert sorted([*found.yes, *found.no, *found.untold]) == sorted(verdicts)
    if found.outcome == "none":
        assert verdicts and all(v in (Verdict.LESS, Verdict.SAME) for v in verdicts.values())
    if found.outcome == "all":
        assert set(verdicts.values()) == {Verdict.MORE}


def test_outcomes_of_a_tally() -> None:
    unclear, more, same = Verdict.UNCLEAR, Verdict.MORE, Verdict.SAME
    assert tally({"a": unclear, "b": unclear}).outcome == "untold"
    assert tally({"a": same, "b": unclear}).outcome == "mixed"
    assert tally({"a": same}).outcome == "none"
    assert tally({"a": more}).outcome == "all"
    assert Tally().outcome == "unknown"


def test_the_narrowest_interval_gives_the_scope() -> None:
    wide, narrow = difference(0, 1, covers="items and seeds"), difference(0, 1, covers="items")
    assert scope(wide) == "seeds" and scope(wide, narrow) == "items"
    assert scope(difference(None, None)) == scope() == "items"

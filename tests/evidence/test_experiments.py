"""Experiments as facts: what is selected, what is expected of k tries, which differences stand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.experiments import BEST, crossing, expected_best
from facts.fact import Fact
from facts.table import Facts
from store.results import Results
from study.settings import Variant
from synthetic_experiments import HELD_OUT, RATES, quality_by_rate, study_with_experiments
from synthetic_study import TRAITS

WHERE = {"metric": "matthews_correlation", "evaluation": "cola:validation"}
SCORES = st.lists(st.tuples(st.integers(0, 9), st.floats(-1, 1)), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def study() -> Results:
    return study_with_experiments()


def of_experiments(results: Results) -> Facts:
    return Facts(fact for fact in results.facts if fact.variant)


# ------------------------------------------------------------------------------- k tries, shares


@given(SCORES)
def test_the_best_of_k_is_the_mean_over_all_ways_to_draw_k(scores: list[tuple[int, float]]) -> None:
    """A tie is won by the later try, by both ways of counting."""
    selecting, reported = zip(*scores, strict=True)
    found = expected_best(selecting, reported)
    places = list(enumerate(selecting))
    for k, value in enumerate(found, 1):
        drawn = itertools.product(places, repeat=k)
        best = [max(draw, key=lambda place: (place[1], place[0]))[0] for draw in drawn]
        assert value == pytest.approx(np.mean([reported[place] for place in best]), abs=1e-9)


def test_more_tries_never_hurt_where_the_same_set_selects_and_reports() -> None:
    found = expected_best([0.1, 0.5, 0.3], [0.1, 0.5, 0.3])
    assert found[0] == pytest.approx(0.3) and found == sorted(found) and found[-1] < 0.5


@pytest.mark.parametrize(
    ("differences", "place"),
    [
        ([-0.1, 0.1], 0.5),  # halfway between a quarter and all, in logarithms
        ([-0.1, 0.3], 0.25 * 4**0.25),
        ([0.1, 0.2], None),
        ([0.0, 0.2], None),  # equal at the end is no crossing
    ],
)
def test_lines_meet_where_the_difference_changes_its_sign(
    differences: list[float], place: float | None
) -> None:
    assert crossing([0.25, 1.0], differences) == (None if place is None else pytest.approx(place))


def test_the_crossing_at_the_largest_share_counts() -> None:
    found = crossing([0.0625, 0.25, 1.0], [-0.1, 0.1, -0.1])
    assert found == pytest.approx(0.5)


# ------------------------------------------------------------------------------------- selection


def test_the_best_rate_is_that_with_the_highest_score_where_it_selects(study: Results) -> None:
    for method, rates in RATES.items():
        best = study.facts.one("setting", task="cola", method=method, variant=BEST,
                               metric="learning_rate")  # fmt: skip
        scores = {
            rate: study.facts.one("score", task="cola", method=method, variant=f"lr{rate:g}",
                                  metric="matthews_correlation", evaluation=HELD_OUT).value
            for rate in rates
        }  # fmt: skip
        assert best.value == max(scores, key=lambda rate: scores[rate] or 0.0) == rates[2]
        assert best.low is not None and best.high is not None
        assert best.low in rates and best.high in rates and best.low <= best.value <= best.high
    ratio = study.facts.one("ratio", task="cola", method="lora", against="full", variant=BEST,
                            metric="learning_rate")  # fmt: skip
    assert ratio.value == pytest.approx(RATES["lora"][2] / RATES["full"][2])


def test_what_is_better_where_it_selects_is_compared_where_nothing_was_selected() -> None:
    """The second rate is made the best; the gain is that of the validation set."""

    def quality(method: str, variant: Variant) -> float:
        if not variant.held_out:
            return TRAITS[method].quality
        return 1.5 if variant.method.training.learning_rate == RATES[method][1] else 0.2

    study = study_with_experiments(quality=quality)
    facts = of_experiments(study)
    for method in RATES:
        gain = facts.one("difference", task="cola", method=method, against=method, variant=BEST,
                         **WHERE)  # fmt: skip
        assert gain.value is not None and gain.value > 0.3 and gain.outcome == "better"
    assert (
        not study_with_experiments()
        .facts.one("difference", task="cola", method="full", against="full", variant=BEST, **WHERE)
        .known
    ), "nothing is gained where the own rate is the best"


def test_a_tie_leaves_the_rate_of_the_study_and_any_may_be_the_best() -> None:
    study = study_with_experiments(quality=lambda method, _: TRAITS[method].quality)
    for method, rates in RATES.items():
        best = study.facts.one("setting", task="cola", method=method, variant=BEST,
                               metric="learning_rate")  # fmt: skip
        assert (best.low, best.value, best.high) == (rates[0], rates[2], rates[-1])


def test_equal_qualities_differ_by_nothing_under_every_specification() -> None:
    study = study_with_experiments(quality=lambda _method, _variant: 0.5)
    facts = of_experiments(study).where(
        quantity="difference", method="full", against="lora", variant=[BEST, "epochs", "share-0.5"]
    )
    assert len(facts) == 6 and all(fact.value == 0 for fact in facts)
    rank = of_experiments(study).one("difference", task="cola", method="full", against="lora",
                                     variant="rank-4", **WHERE)  # fmt: skip
    assert rank.value != 0  # the comparison's own full fine-tuning is on the other side


def test_a_specification_is_compared_with_the_comparison_too(study: Results) -> None:
    """Two specifications differ in their changes as in their scores: both start from the same."""
    for method in RATES:
        key = {"task": "cola", "method": method, **WHERE}
        changes, scores = (
            [
                study.facts.one(quantity, variant=name, **own).value
                for name in ("epochs", "share-0.5")
            ]
            for quantity, own in (("difference", {**key, "against": method}), ("score", key))
        )
        assert None not in (*changes, *scores)
        assert changes[0] - changes[1] == pytest.approx(scores[0] - scores[1])  # type: ignore[operator]
        assert changes[0] != changes[1]


def test_the_search_is_counted(study: Results) -> None:
    def spent(group: str, metric: str, method: str = "") -> Fact:
        return study.facts.one("search", task="cola", group=group, metric=metric, method=method)

    assert spent("tries", "runs").value == 20 and spent("rest", "runs").value == 16
    assert spent("tries", "runs", "full").value == spent("tries", "runs", "lora").value == 10
    assert spent("tries", "training_seconds").value == 500


def test_facts_of_experiments_are_not_among_those_of_the_comparison(study: Results) -> None:
    found = study.facts.where(quantity="score", task="cola")
    assert not any(fact.variant for fact in found) and len(found)
    assert study.facts.where(quantity="score", variant=["epochs"])
    assert quality_by_rate("full", study.profile.tasks["cola"].experiments.variants[0]) > 0

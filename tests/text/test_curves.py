"""Sentences on learning curves: what is unclear is never told as No."""

from collections.abc import Sequence
from typing import Any

import pytest

from facts.fact import Fact
from store.results import Results
from synthetic_study import EPOCHS, TRAITS, Traits, build_study, with_facts
from text.answers import load_answers
from text.curves import CurveSentences
from words.numbers import unmark

MODELS = [(task, method) for task in ("cola", "pos") for method in ("full", "lora")]
SEEDS = (42, 43, 44)


def curves(study: Results) -> CurveSentences:
    return load_answers(study, "en").curves


def convergence(task: str, method: str, metric: str, **known: Any) -> Fact:
    return Fact(quantity="convergence", task=task, method=method, metric=metric, **known)


def with_slopes(*ends: tuple[float, float] | None, covers: str = "seeds") -> Results:
    """A study whose models' slopes have these intervals; None: no slope."""
    given: Sequence[tuple[float, float] | None] = ends * (len(MODELS) // len(ends))
    found = []
    for (task, method), interval in zip(MODELS, given, strict=True):
        low, high = interval or (None, None)
        value = None if low is None or high is None else (low + high) / 2
        known: dict[str, Any] = {"value": value, "low": low, "high": high, "covers": covers}
        known["seeds"] = 3
        found.append(convergence(task, method, "slope", **known))
    return with_facts(build_study(), *found)


@pytest.mark.parametrize(
    ("ends", "outcome", "starts"),
    [
        ([(0.1, 0.2)], "all", "Yes:"),
        ([(-0.001, 0.002)], "none", "No:"),
        ([(-0.4, 0.8)], "untold", "Unclear:"),
        ([None], "unknown", "Unclear:"),
        ([(0.1, 0.2), (-0.4, 0.8)], "partly", "Yes, for some:"),
        ([(0.1, 0.2), (-0.001, 0.002)], "partly", "Yes, for some:"),
        ([(-0.4, 0.8), (-0.001, 0.002)], "hardly", "Unclear for some, and no for the others"),
    ],
)
def test_more_epochs_by_the_slopes_interval(
    ends: list[tuple[float, float] | None], outcome: str, starts: str
) -> None:
    said = curves(with_slopes(*ends)).epochs
    assert said.outcome.split(", ")[0] == outcome and said.startswith(starts)


def test_a_steep_slope_with_a_wide_interval_is_not_a_no() -> None:
    """Two seeds made "no" of what the figure shows to climb to its last point."""
    answers = curves(with_slopes((-0.411, 0.863)))
    assert not answers.epochs.startswith("No") and not answers.epochs.startswith("Yes")
    assert "−0.411" in unmark(answers.slopes)


def test_an_interval_that_just_excludes_zero_stays_open_in_a_list() -> None:
    """One of four verdicts at this level would be false four times as often as one alone."""
    said = curves(with_slopes((0.05, 0.2))).slopes
    assert "Still rising" not in said and "not settled at the level of the whole list" in said
    alone = curves(with_slopes((0.05, 0.2), None, None, None)).slopes
    assert "Still rising: full fine-tuning on CoLA" in alone


def test_every_model_has_a_clause() -> None:
    said = curves(with_slopes((0.1, 0.2), None)).slopes
    for part in (
        "Still rising: full fine-tuning on CoLA",
        "Too few points for a slope: LoRA on CoLA",
    ):
        assert part in said
    assert unmark(said).count("fine-tuning") == 2 and unmark(said).count("LoRA") == 2


def test_a_verdict_of_one_run_is_about_these_runs() -> None:
    assert "in these runs" in curves(with_slopes((0.1, 0.2), covers="points")).epochs
    assert "beyond these seeds" in curves(with_slopes((0.1, 0.2))).epochs


def with_runs(metric: str, values: Sequence[float]) -> Results:
    runs = [
        convergence(task, method, metric, seed=seed, value=value, seeds=1)
        for task, method in MODELS
        for seed, value in zip(SEEDS, values, strict=True)
    ]
    return with_facts(build_study(), *runs)


@pytest.mark.parametrize(
    ("loss", "metric", "outcome"),
    [(1.0, 1.0, "no"), (0.4, 0.5, "yes"), (0.4, 1.0, "loss"), (1.0, 0.4, "metric")],
)
def test_a_best_point_at_the_end_is_unfinished(loss: float, metric: str, outcome: str) -> None:
    study = with_runs("best_loss_epoch", [loss * EPOCHS] * 3)
    more = [
        convergence(task, method, "best_metric_epoch", seed=seed, value=float(metric) * EPOCHS)
        for task, method in MODELS
        for seed in SEEDS
    ]
    said = curves(with_facts(study, *more)).finished
    assert said.outcome.split(", ")[0] == outcome
    assert ("unfinished" in said) == (outcome == "no")


def with_turns(*turned: int, known: int = 3) -> Results:
    found = [
        convergence(task, method, "turned", value=float(count), n=known, seeds=known)
        for (task, method), count in zip(MODELS, turned, strict=True)
    ]
    return with_facts(build_study(), *found)


@pytest.mark.parametrize(
    ("turned", "outcome"),
    [((0, 0, 0, 0), "none"), ((3, 3, 3, 3), "all"), ((2, 0, 0, 0), "some"), ((3, 3, 0, 0), "some")],
)
def test_overfitting_counts_every_run(turned: tuple[int, ...], outcome: str) -> None:
    """Two turns of three were once "in none does loss rise"."""
    said = curves(with_turns(*turned)).overfitting
    assert said.outcome.split(", ")[0] == outcome
    if outcome == "none":
        assert "a small rise would not be seen" in said


def test_short_curves_are_named_and_judge_nothing() -> None:
    study = with_turns(0, 0, 0, 0, known=0)
    assert curves(study).overfitting.outcome == "unknown"
    assert "LoRA in POS tagging" in curves(study).short and curves(build_study()).short == ""


def test_quality_after_the_turn() -> None:
    overfit = {"full": Traits(overfits=0.5), "lora": TRAITS["lora"]}
    assert curves(build_study(traits=overfit)).overfitting.outcome.split(", ")[0] == "some"
    assert curves(build_study(traits=overfit)).after_turn.outcome.split(", ")[0] == "holds"
    falls = [
        convergence(task, method, "direction_after_best_loss", seed=seed, value=-1.0)
        for task, method in MODELS
        for seed in SEEDS
    ]
    study = with_facts(build_study(traits=overfit), *falls)
    assert curves(study).after_turn.outcome.split(", ")[0] == "falls"
    calm = {"full": Traits(overfits=0.0), "lora": TRAITS["lora"]}
    assert curves(build_study(traits=calm)).after_turn == ""


def test_gaps_and_ends_are_told_from_both_sides() -> None:
    traits = {"full": Traits(overfits=0.5), "lora": TRAITS["lora"]}
    swapped = {"full": Traits(), "lora": Traits(overfits=0.5, adapter=TRAITS["lora"].adapter)}
    one = curves(build_study(traits=traits)).convergence("cola")
    other = curves(build_study(traits=swapped)).convergence("cola")
    assert {one.outcome, other.outcome} == {"first", "second"}
    assert curves(build_study(seeds=(42,))).convergence("cola").outcome == "one"
    assert "above training loss" in curves(build_study(traits=traits)).gaps
    below = [convergence("cola", "full", "gap", seed=seed, value=-0.1, seeds=1) for seed in SEEDS]
    assert "below training loss with full" in curves(with_facts(build_study(), *below)).gaps

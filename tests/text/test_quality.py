"""Task 1 in words: the verdict comes first and turns with the data."""

from dataclasses import replace

import pytest

from facts.table import Facts
from synthetic_study import TRAITS, build_study
from text.costs import CostSentences
from text.quality import QualitySentences
from text.rules import Verdict
from text.sentence import load_speaker
from text.view import TaskView
from words.numbers import unmark
from words.wording import LANGUAGES

SWAPPED = {
    "full": replace(TRAITS["full"], quality=0.4),
    "lora": replace(TRAITS["lora"], quality=0.9),
}
AHEAD = {"full": replace(TRAITS["full"], quality=0.9), "lora": replace(TRAITS["lora"], quality=0.4)}
NEAR = {"full": TRAITS["full"], "lora": replace(TRAITS["lora"], quality=0.68)}
EQUAL = {"full": TRAITS["full"], "lora": replace(TRAITS["lora"], quality=TRAITS["full"].quality)}
FIRST_WORDS = {
    Verdict.MORE: ("Yes", "Да"),
    Verdict.LESS: ("No, LoRA wins", "Нет, LoRA выигрывает"),
    Verdict.SAME: ("No difference that matters", "Существенной разницы нет"),
    Verdict.UNCLEAR: ("Unclear", "Неясно"),
}


def topic(language: str = "en", **study: object) -> QualitySentences:
    return QualitySentences(TaskView(build_study(**study), "cola"), load_speaker(language))  # type: ignore[arg-type]


@pytest.mark.parametrize("position", range(len(LANGUAGES)))
@pytest.mark.parametrize("traits", [AHEAD, SWAPPED, EQUAL, NEAR])
@pytest.mark.parametrize("seeds", [(42,), (42, 43, 44)])
def test_the_answer_begins_with_its_verdict(position, traits, seeds):
    of = topic(LANGUAGES[position], traits=traits, seeds=seeds, sentences=400)
    said = unmark(of.answer)
    assert said.startswith(FIRST_WORDS[of.verdict][position])
    if of.verdict in (Verdict.MORE, Verdict.LESS) and len(seeds) == 1:
        assert ("in these runs", "в этих запусках")[position] in said
    assert "[" in said, "no verdict without its interval"


def test_opposite_data_give_opposite_sentences():
    one, other = topic(traits=AHEAD, sentences=400), topic(traits=SWAPPED, sentences=400)
    assert (one.verdict, other.verdict) == (Verdict.MORE, Verdict.LESS)
    for name in ("answer", "advice", "headline"):
        said = [unmark(getattr(of, name)) for of in (one, other)]
        assert said[0] != said[1], name
    assert "loses" in one.answer and "wins" in other.answer


def test_an_unclear_difference_says_what_its_interval_excludes():
    of = topic(traits=NEAR, seeds=(42,), sentences=120)
    assert of.verdict is Verdict.UNCLEAR
    gap = of.view.difference()
    end = gap.high if (gap.value or 0) >= 0 else -(gap.low or 0)
    assert f"above {end:.3f} is excluded" in unmark(of.answer)


@pytest.mark.parametrize(
    "name", ["answer", "accuracy", "schedule", "controls", "advice", "threshold"]
)
def test_a_method_that_is_missing_is_never_replaced(name):
    of = topic(methods=("full", "frozen"))
    said = unmark(getattr(of, name))
    assert "frozen" not in said or name == "controls"
    assert "LoRA" not in said


def test_an_absent_control_is_named_as_absent():
    assert "was not run" in topic(methods=("full", "lora")).controls


def test_balance_is_told_from_the_labels():
    assert topic().majority.outcome in ("unbalanced", "balanced")
    assert "flatters" in topic().majority


def test_time_is_the_price_of_a_step_and_a_disturbed_clock_is_named():
    slow = {"lora": replace(TRAITS["lora"], seconds=TRAITS["full"].seconds * 1.5)}
    fast, slower = (
        CostSentences(TaskView(build_study(traits=traits), "cola"), load_speaker("en"))
        for traits in (None, slow)
    )
    assert (fast.speed, slower.speed) == (Verdict.LESS, Verdict.MORE)
    assert fast.wall.outcome == "plain" and "decides nothing" not in fast.wall
    assert "No video memory" in fast.memory


def test_what_an_adapter_costs_in_use_is_told_by_its_interval():
    study = build_study()
    told = unmark(CostSentences(TaskView(study, "cola"), load_speaker("en")).latency)
    assert "slows a forward pass down with batches of 1 (1.40" in told
    assert "hardly changes" in told and "batches of 32" in told, "each size has its own verdict"
    assert "Merged into them" in told

    def ratio(value, low, high):
        def change(fact):
            if fact.metric != "unmerged_over_merged":
                return fact
            return replace(fact, value=value, low=low, high=high)

        facts = Facts(map(change, study.facts))
        view = TaskView(replace(study, facts=facts), "cola")
        return unmark(CostSentences(view, load_speaker("en")).latency)

    assert "is unclear" in ratio(1.2, 0.9, 1.5) and "enough" not in ratio(1.2, 0.9, 1.5)
    assert "an adapter is enough" in ratio(1.01, 0.99, 1.03)
    assert "does not slow a forward pass down" in ratio(0.8, 0.75, 0.85)
    nothing = Facts(fact for fact in study.facts if fact.quantity != "latency")
    view = TaskView(replace(study, facts=nothing), "cola")
    assert CostSentences(view, load_speaker("en")).latency == ""

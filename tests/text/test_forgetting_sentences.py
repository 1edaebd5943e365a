"""Sentences on forgetting follow the intervals; without the head of pretraining, one says so."""

from dataclasses import replace

import pytest

from evidence.forgetting import NO_HEAD
from facts.fact import BASE
from facts.table import Facts
from store.results import Results
from synthetic_study import TRAITS, Traits, build_study
from text.answers import load_answers
from text.forgetting import ForgettingSentences
from words.wording import LANGUAGES


def sentences(study: Results, language: str = "en") -> ForgettingSentences:
    return load_answers(study, language).forgetting


def without_head(study: Results, *tasks: str) -> Results:
    """The study of encoders whose checkpoints have no such head, in these tasks."""
    others = [f for f in study.facts if f.quantity != "forgetting" or f.task not in tasks]
    lacking = [
        replace(f, value=None, low=None, high=None, reason=NO_HEAD)
        for f in study.facts.where(quantity="forgetting", against=BASE, seed=None, task=tasks)
    ]
    return replace(study, facts=Facts([*others, *lacking]))


@pytest.mark.parametrize(
    ("full", "lora", "outcomes"),
    [
        (0.01, 0.004, ["more", "more", "more"]),
        (0.004, 0.01, ["less", "more", "more"]),
        (0.01, 0.01, ["same", "more", "more"]),
        (1e-5, 2e-5, ["same", "same", "same"]),
    ],
)
def test_the_outcome_follows_the_intervals(full: float, lora: float, outcomes: list[str]) -> None:
    traits = {"full": Traits(drift=full)}
    traits["lora"] = replace(TRAITS["lora"], drift=lora)
    said = sentences(build_study(traits=traits))
    assert said.abroad.outcome.split(", ") == outcomes
    assert said.measured.outcome.split(", ") == outcomes[:1] * 3


def test_exchanged_methods_exchange_what_is_said() -> None:
    traits = {"full": Traits(drift=0.004), "lora": replace(TRAITS["lora"], drift=0.01)}
    one, other = (sentences(s).abroad for s in (build_study(), build_study(traits=traits)))
    assert "less was forgotten with LoRA" in one
    assert "less was forgotten with full fine-tuning" in other


def test_an_interval_that_decides_nothing_is_unclear() -> None:
    study = build_study()
    wide = [
        replace(f, low=-1.0, high=1.0) if f.quantity == "forgetting" and f.seed is None else f
        for f in study.facts
    ]
    said = sentences(replace(study, facts=Facts(wide)))
    assert said.abroad.outcome == "unclear, unclear, unclear"


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_head_one_sentence_says_so(language: str) -> None:
    study = build_study()
    none = sentences(without_head(study, "cola", "pos"), language)
    assert none.abroad.key == "no-head" and not none.known and none.measured == ""
    one = sentences(without_head(study, "pos"), language)
    assert one.abroad.key == "no-head" and one.known
    assert len(one.measured.split("@fig-forgetting")) == 2 and "CoLA" in one.measured
    bare = replace(study, facts=Facts(f for f in study.facts if f.quantity != "forgetting"))
    assert sentences(bare, language).abroad == sentences(bare, language).measured == ""


def test_one_method_alone_says_what_it_kept() -> None:
    said = sentences(build_study(methods=("lora", "frozen")))
    assert said.abroad.outcome == "more" and said.measured.outcome == ""

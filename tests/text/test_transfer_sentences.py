"""Sentences on transfer: opposite studies say opposite things, and nothing says more than it knows.

A method that is absent is named as absent and never replaced; what cannot be told is said.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd
import pytest

from facts.fact import Fact
from facts.table import Facts
from store.results import Results
from study.settings import find_roles
from synthetic_study import TRAITS, Traits, build_study
from text.answers import Answers, load_answers
from text.causes import quote
from text.rules import Verdict
from text.sentence import Said
from text.tags import beside_whole
from text.transfer import agreement, favoured
from words.numbers import unmark
from words.wording import LANGUAGES

SAID: Mapping[str, tuple[str, ...]] = {
    "treebanks": ("title", "source", "treebanks", "words", "foreign_control"),
    "transfer": ("drop", "macro", "frequencies", "lexicon", "verdict", "limits", "convergence",
                 "forgetting"),
    "reasons": ("why", "pretraining", "controls"),
    "causes": ("kinds", "conventions", "influence", "confusion", "treebank_kinds", "pieces",
               "examples"),
    "tags": ("categories", "predictions", "notes", "uneven"),
}  # fmt: skip
LORA = TRAITS["lora"].adapter
LEADER, TRAILER = Traits(error=0.02, drop=0.02), Traits(error=0.03, drop=0.25)
FAILED = Traits(error=0.93, drop=0.01)


@cache
def study_of(first: Traits, second: Traits, **options: Any) -> Results:
    second = replace(second, adapter=LORA)
    return build_study(traits={"full": first, "lora": second}, words=1500, **options)


def said_of(study: Results, language: str = "en") -> Answers:
    return load_answers(study, language)


def every(answers: Answers) -> dict[str, Said]:
    return {f"{topic}.{name}": getattr(getattr(answers, topic), name)
            for topic, names in SAID.items() for name in names}  # fmt: skip


def plain(said: str) -> str:
    return unmark(said).replace("\u00a0", " ")  # as a reader sees it


STUDIES: dict[str, Results] = {}


def study(name: str) -> Results:
    """Built when it is first asked for."""
    makers: dict[str, Any] = {
        "usual": lambda: build_study(methods=("full", "lora", "frozen", "monolingual")),
        "one ahead": lambda: study_of(LEADER, TRAILER),
        "exchanged": lambda: study_of(TRAILER, LEADER),
        "equal": lambda: study_of(LEADER, LEADER),
        "nothing learned": lambda: study_of(FAILED, FAILED),
        "one seed": lambda: build_study(seeds=(42,)),
        "no control": lambda: build_study(("full", "lora")),
        "no adapter": lambda: build_study(("full", "frozen")),
        "no reference": lambda: build_study(("lora",), seeds=(42,)),
        "other languages": lambda: build_study(languages=("fi", "sv"), seeds=(42, 43)),
        "no target": lambda: build_study(languages=()),
    }
    if name not in STUDIES:
        STUDIES[name] = makers[name]()
    return STUDIES[name]


NAMES = (
    "usual",
    "one ahead",
    "exchanged",
    "equal",
    "nothing learned",
    "one seed",
    "no control",
    "no adapter",
    "no reference",
    "other languages",
    "no target",
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_whole_sentences_whatever_was_run(name: str, language: str) -> None:
    silent = 0
    for key, said in every(said_of(study(name), language)).items():
        text = plain(said)
        assert isinstance(said, Said) or key.endswith("source"), key
        assert not re.search(r"[{}]|\bNone\b|\bnan\b|  |\(\)|\x00", text), (key, text)
        silent += not text
    assert silent < sum(map(len, SAID.values())) - 8, "hardly anything was said"


# ----------------------------------------------------------------------------------- verdicts


def gap(low: float, high: float, metric: str = "accuracy", **known: Any) -> Fact:
    ends = {"value": (low + high) / 2, "low": low, "high": high}
    return Fact(quantity="difference", metric=metric, covers="items", **ends, **known)


@pytest.mark.parametrize(
    ("fact", "side"),
    [
        (gap(0.01, 0.02), "first"),
        (gap(0.01, 0.02, "drop"), "second"),
        (gap(-0.02, -0.01, "drop"), "first"),
        (gap(0.001, 0.002), "same"),
        (gap(-0.01, 0.02), "unclear"),
        (gap(0.01, 0.02, p=0.3), "unclear"),
        (Fact(quantity="difference", metric="accuracy"), "unknown"),
    ],
)
def test_the_smaller_drop_and_the_larger_accuracy_are_better(fact: Fact, side: str) -> None:
    assert favoured(fact, 0.005) == side


@pytest.mark.parametrize(
    ("level", "fall", "outcome"),
    [
        ("first", "first", "yes"),
        ("first", "second", "opposite"),
        ("first", "unclear", "partly"),
        ("same", "second", "partly"),
        ("same", "same", "same"),
        ("same", "unclear", "unclear"),
        ("unclear", "unclear", "unclear"),
        ("unknown", "unknown", "unknown"),
    ],
)
def test_what_two_criteria_say_together(level: str, fall: str, outcome: str) -> None:
    assert agreement(level, fall) == agreement(fall, level) == outcome


def with_differences(level: Fact, fall: Fact) -> Answers:
    """The usual study with other differences between the two methods in the other language."""
    whole = study("usual")
    place = {"task": "pos", "method": "full", "against": "lora", "evaluation": "de_syn:test"}
    own = {f.key: f for f in (replace(level, **place), replace(fall, metric="drop", **place))}
    changed = replace(whole)
    rows = [own.pop(fact.key, fact) for fact in whole.facts]
    assert not own, "the study has no such differences"
    changed.__dict__["facts"] = Facts(rows)
    return said_of(changed)


def test_the_verdict_stands_first_and_names_its_scope_numbers_and_direction() -> None:
    said = plain(with_differences(gap(-0.0147, -0.0039), gap(0.0005, 0.0148)).transfer.verdict)
    assert said.startswith("Yes, in these runs: LoRA transferred better than full fine-tuning")
    assert "0.93 points [0.39, 1.47]" in said and "0.77 points [0.05, 1.48] smaller" in said
    wide = replace(gap(0.01, 0.02), covers="items and seeds")
    turned = with_differences(wide, replace(gap(-0.02, -0.01), covers="items and seeds")).transfer
    assert plain(turned.verdict).startswith("Yes, beyond these seeds: full fine-tuning transferred")
    assert "cover sentences and seeds" in turned.limits


def test_a_difference_within_the_margin_is_none_that_matters_wherever_zero_is() -> None:
    said = plain(with_differences(gap(0.001, 0.003), gap(-0.002, 0.002)).transfer.verdict)
    assert said.startswith("No difference that matters, in these runs:")
    assert "lie within ±0.5 points" in said and "better" not in said


def test_what_is_unclear_is_said_first_with_what_is_excluded() -> None:
    answers = with_differences(gap(-0.015, 0.004), gap(-0.01, 0.02))
    said = plain(answers.transfer.verdict)
    assert said.startswith("Unclear:") and "transferred better than" not in said
    assert (
        "favours LoRA, and what is excluded is a lead of full fine-tuning by more than 0.40" in said
    )
    assert "of LoRA by more than 1.50 points" in said
    assert "full fine-tuning falls by 2.00 points more, or LoRA by 1.00 points" in said


def test_one_criterion_is_not_told_as_two_and_two_winners_not_as_one() -> None:
    partly = plain(with_differences(gap(0.01, 0.02), gap(-0.01, 0.02)).transfer.verdict)
    assert partly.startswith("In part, in these runs: full fine-tuning transferred better")
    assert "by one of two criteria" in partly and "favours LoRA" in partly
    opposite = plain(with_differences(gap(0.01, 0.02), gap(0.01, 0.02)).transfer.verdict)
    assert opposite.startswith("It depends on the criterion")
    assert "full fine-tuning reaches more, LoRA loses less" in opposite
    assert "drop is 1.50 points [1.00, 2.00] smaller with LoRA" in opposite


def test_an_interval_without_zero_needs_its_test_too() -> None:
    fall = gap(-0.001, 0.001)
    said = plain(with_differences(gap(0.001, 0.02, p=0.08), fall).transfer.verdict)
    assert said.startswith("Unclear:") and "*p* = 0.080 is not below 0.05" in said


# -------------------------------------------------------------------------------- whole studies


def test_exchanged_results_say_the_opposite() -> None:
    one, other = (said_of(study(name)).transfer for name in ("one ahead", "exchanged"))
    assert re.match(r"Yes, .*: full fine-tuning transferred better than LoRA", plain(one.verdict))
    assert re.match(r"Yes, .*: LoRA transferred better than full fine-tuning", plain(other.verdict))
    assert one.forgetting.outcome == "first" and other.forgetting.outcome == "second"
    assert plain(one.forgetting) != plain(other.forgetting)
    assert one.drop != other.drop and one.verdict.outcome == other.verdict.outcome == "yes"


@pytest.mark.parametrize("language", LANGUAGES)
def test_equal_results_name_no_winner(language: str) -> None:
    transfer = said_of(study("equal"), language).transfer
    assert transfer.verdict.outcome == transfer.forgetting.outcome == "same"
    assert transfer.convergence.outcome == "alike"


def test_a_tagger_that_learned_nothing_is_said_to_show_nothing_but_not_passed_over() -> None:
    answers = said_of(study("nothing learned"))
    assert "neither method is reliably above its controls" in answers.transfer.drop
    assert "full fine-tuning" in answers.transfer.drop and "LoRA" in answers.transfer.drop
    assert answers.reasons.why.outcome in ("less", "same", "unclear")
    assert answers.causes.kinds == answers.tags.notes == answers.tags.predictions == ""
    assert (
        answers.tags.categories.outcome == "" and "no drop of a tagger" in answers.tags.categories
    )


def test_one_seed_speaks_of_these_runs() -> None:
    transfer = said_of(study("one seed")).transfer
    assert "in these runs" in transfer.drop and "beyond" not in transfer.verdict
    assert transfer.limits.outcome == "items"


def test_absent_controls_are_named_and_never_replaced() -> None:
    controls = plain(said_of(study("no control")).reasons.controls)
    assert "was not run beside a lexicon" in controls and "No encoder with other" in controls
    assert "LoRA" not in controls
    whole = study("usual")
    controls = plain(said_of(whole).reasons.controls)
    assert "not run" not in controls and "English-only encoder" in controls
    without = [
        fact for fact in whole.facts if "most frequent tag" not in (fact.method, fact.against)
    ]
    bare = replace(whole)
    bare.__dict__["facts"] = Facts(without)
    assert said_of(bare).reasons.why.outcome == "unknown"
    assert "was not run beside a lexicon" in plain(said_of(bare).reasons.controls)


def test_a_missing_method_leaves_the_question_open_and_the_other_keeps_its_name() -> None:
    answers = said_of(study("no adapter"))
    assert "no finished runs of both methods" in answers.transfer.verdict
    assert answers.transfer.drop.outcome == "more" and "LoRA" not in answers.transfer.drop
    alone = said_of(study("no reference"))
    assert "LoRA" in alone.causes.kinds and "full" not in alone.causes.kinds
    assert alone.reasons.why.outcome == "unknown"


def test_losses_at_the_end_are_told_where_they_differ() -> None:
    whole = study("usual")
    losses = {"full": 0.845, "lora": 0.204}
    rows = [
        replace(fact, value=losses[fact.method])
        if fact.metric == "final_train_loss" and fact.seed is None and fact.task == "pos"
        and fact.method in losses else fact
        for fact in whole.facts
    ]  # fmt: skip
    changed = replace(whole)
    changed.__dict__["facts"] = Facts(rows)
    said = plain(said_of(changed).transfer.convergence)
    assert "0.845 with full fine-tuning and 0.204 with LoRA" in said
    assert "left full fine-tuning with the higher loss" in said and "epochs: 3" in said


# -------------------------------------------------------------------------- languages and encoders


@pytest.mark.parametrize(
    ("languages", "title"),
    [
        (("fi",), "tagging English, tested on Finnish"),
        (("de", "sv"), "tagging English, tested on German and Swedish"),
        ((), "tagging English"),
    ],
)
def test_the_text_names_the_languages_at_hand(languages: tuple[str, ...], title: str) -> None:
    answers = said_of(build_study(("full", "lora"), languages=languages, seeds=(1,), resamples=20))
    assert answers.treebanks.title == title
    german = languages[:1] == ("de",)
    assert bool(answers.causes.treebank_kinds) == bool(answers.tags.predictions) == german
    for said in (answers.transfer.drop, answers.transfer.verdict, answers.reasons.why):
        assert ("no evaluation in another language" in said) == (not languages)
    assert answers.abstract.transfer.count("no evaluation in another") == (not languages)
    if not german:
        whole = " ".join(every(answers).values())
        assert "German" not in whole and "*mein*" not in whole and "capitalises" not in whole


def test_what_is_said_of_pretraining_depends_on_the_encoder() -> None:
    def pretraining(model: str) -> str:
        traits = {name: replace(TRAITS[name], model=model) for name in ("full", "lora")}
        made = build_study(("full", "lora"), traits=traits, seeds=(1,), resamples=20)
        return said_of(made).reasons.pretraining

    assert "no translations" in pretraining("google-bert/bert-base-multilingual-cased")
    assert "translations among them" in pretraining("intfloat/multilingual-e5-small")
    assert pretraining("some/encoder") == ""


def test_an_uncased_encoder_is_expected_nothing_of_capitals() -> None:
    traits = {name: replace(TRAITS[name], model="x/bert-uncased") for name in ("full", "lora")}
    made = build_study(("full", "lora"), traits=traits, seeds=(1, 2))
    said = plain(said_of(made).tags.predictions)
    assert "capitalises" not in said and "NOUN" not in said and "VERB" in said
    assert find_roles(made.settings("pos")).reference == "full"


# ------------------------------------------------------------------------------- tags and causes


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.0, 0.05, Verdict.LESS),
        (0.2, 0.3, Verdict.MORE),
        (0.05, 0.2, Verdict.UNCLEAR),
        (None, None, Verdict.UNKNOWN),
    ],
)
def test_a_tag_is_set_beside_all_words_by_whole_intervals(
    low: float | None, high: float | None, verdict: Verdict
) -> None:
    whole = Fact(quantity="drop", low=0.09, high=0.11)
    assert beside_whole(Fact(quantity="drop", low=low, high=high), whole) == verdict


def test_every_tag_is_spoken_of_and_expectations_are_counted_out() -> None:
    tags = said_of(study("usual")).tags
    named = {fact.tag for fact in tags._tags}
    assert len(named) > 10
    assert all(tag in tags.categories for tag in named)
    outcomes = plain(tags.predictions).split(". ", 1)[1]
    expected = ("NOUN", "PROPN", "VERB", "AUX", "PRON", "ADJ", "ADV", "DET")
    assert all(len(re.findall(rf"\b{tag}\b", outcomes)) == 1 for tag in expected)


def test_costs_of_kinds_are_facts_with_their_interval_and_leave_the_rest_said() -> None:
    answers = said_of(study("usual"))
    kinds = answers.causes.kinds
    found = study("usual").facts.where(
        quantity="contribution", task="pos", method="full", seed=None
    )
    causes = {fact.id: fact for fact in found if fact.cause}
    shown = [causes[name] for name in kinds.facts if name in causes]
    assert len(shown) >= 3 and "remaining" in {fact.cause for fact in shown}
    assert re.search(r"points \[", plain(kinds)) and "all but" in plain(kinds)


def test_examples_mark_the_word_and_name_what_it_was_taken_for() -> None:
    whole = study("usual")
    assert said_of(replace(whole, examples={})).causes.examples == ""
    items = whole.items["pos"]["de_syn:test"]
    item = int(items.index[(items["tag"] == "DET")][0])
    row = {"kind": "typical error", "evaluation": "de_syn:test", "item": item, "method": "full",
           "predicted": "PRON", "cause": "DET/PRON", "count": 7}  # fmt: skip
    shown = replace(whole, examples={"pos": pd.DataFrame([row])})
    said = said_of(shown).causes.examples
    assert f"**{items.form[item]}**" in said and "DET taken for PRON" in said
    assert said.count("\n- ") == 1 and "such words: 7" in said


def test_a_quoted_sentence_is_text_and_its_punctuation_close() -> None:
    forms = ["Er", "sagt", ",", "dass", "*das*", "(", "so", ")", "ist", "."]
    assert quote(forms, 6) == "Er sagt, dass \\*das\\* ( **so**) ist."

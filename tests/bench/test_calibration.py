"""Calibration: results of the present rules, and simulations whose truth is what they say."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from study.paths import project_root

sys.path.insert(0, str(project_root() / "bench"))

import calibration
import simulated

from evidence.calibration import Rate, calibration_facts, read_rates, standard_error
from facts.quantities import QUANTITIES
from facts.table import Facts
from text.calibration import AIM, CalibrationSentences
from text.rules import Verdict
from text.sentence import load_speaker
from words.numbers import unmark
from words.wording import LANGUAGES


def test_the_stored_results_are_of_the_present_rules() -> None:
    """After a change of the rules or the evidence: python bench/calibration.py [--quick]."""
    stored = calibration.stored_code()
    assert stored == calibration.code_digest(), "renew it: python bench/calibration.py"
    assert calibration.TABLE.read_text(encoding="utf-8") == calibration.table(read_rates())


def test_no_kind_is_false_more_often_than_it_may_be() -> None:
    rates = [rate for rate in read_rates() if rate.covers]
    assert len(rates) > 40
    beyond = [rate for rate in rates if rate.worst - 3 * rate.worst_error > AIM]
    assert not beyond


@pytest.mark.parametrize(
    ("verdict", "truth", "false"),
    [
        (Verdict.MORE, 0.1, False),
        (Verdict.MORE, 0.0, True),
        (Verdict.LESS, 0.1, True),
        (Verdict.SAME, -0.9, False),
        (Verdict.SAME, -1.0, True),
        (Verdict.UNCLEAR, 9.0, False),
    ],
)
def test_what_is_false(verdict: Verdict, truth: float, false: bool) -> None:
    assert simulated.is_false(verdict, truth) is false


def test_verdicts_on_items_are_held_against_the_runs() -> None:
    case = simulated.Case("x", 1, 0.0, Verdict.MORE, "items", runs=0.5, method=0.0)
    assert not case.false
    assert replace(case, covers="items and seeds").false


def test_simulated_models_have_the_quality_that_they_are_drawn_with() -> None:
    rng = np.random.default_rng(0)
    counts = simulated._label_counts(np.full((40, 1), 1.0), rng).sum(axis=(0, 1, 2))
    from evidence.scoring import matthews_correlation

    assert matthews_correlation(counts) == pytest.approx(
        simulated._population_mcc(np.array([1.0]))[0], abs=0.05
    )
    words = simulated._word_counts(np.full((1, 20), 0.94), rng).sum(axis=(0, 1, 2))
    assert words[0] / words[2] == pytest.approx(0.94, abs=0.01)


@pytest.mark.parametrize("name", ["depth", "durations", "steps", "tags"])
def test_simulations_say_more_of_larger_differences(name: str) -> None:
    cases = list(calibration.simulations(1)[name](np.random.default_rng(0)))
    told = {
        size: np.mean([case.verdict is Verdict.MORE for case in cases if case.size == size])
        for size in (0.0, 2.0)
    }
    assert told[2.0] > told[0.0] + 0.1
    assert {case.size for case in cases} == set(simulated.TRUTHS)


def test_a_rate_of_nothing_has_an_error() -> None:
    assert 0 < standard_error(0.0, 100) < 0.03


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentences_follow_the_rates(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = Facts(calibration_facts())
    assert facts.distinct("quantity") == ["calibration"] and "calibration" in QUANTITIES
    said = CalibrationSentences(facts, load_speaker(language))
    texts = [unmark(text) for text in (said.false, said.scope, said.unclear)]
    assert all(texts) and all("–" not in text.split() for text in texts)
    better = [replace(rate, worst=0.01) for rate in read_rates()]
    monkeypatch.setattr("evidence.calibration.read_rates", lambda: better)
    kept = CalibrationSentences(Facts(calibration_facts()), load_speaker(language)).false
    worse = [replace(rate, worst=0.4) for rate in read_rates()]
    monkeypatch.setattr("evidence.calibration.read_rates", lambda: worse)
    missed = CalibrationSentences(Facts(calibration_facts()), load_speaker(language)).false
    assert (kept.outcome, missed.outcome) == ("kept", "missed") and kept != missed


def test_a_table_shows_every_kind_that_has_a_verdict() -> None:
    rate = Rate("s", "k", 1, "items", 100, 0.01, 0.05, -2.0, 25, 0.1, 0.5)
    rows = calibration.table([rate, replace(rate, covers="")]).splitlines()
    shown = [row for row in rows if row.startswith("| k ")]
    assert shown == ["| k | 1 | items | 100 | 1.0 ± 1.6 | 5.0 ± 5.9 at 2 | 10.0 | 50 |"]

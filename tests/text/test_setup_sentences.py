"""What was run, in words: scope, disclosure, margins and reach follow from settings and facts."""

from dataclasses import replace

import pytest

from synthetic_study import build_study
from text.judging import JudgingSentences
from text.literature import compare_with_published, load_literature
from text.sentence import load_speaker
from text.setup import SetupSentences
from words.numbers import unmark
from words.wording import LANGUAGES


def topic(language: str = "en", **study: object) -> SetupSentences:
    return SetupSentences(build_study(**study), load_speaker(language))  # type: ignore[arg-type]


def judging(language: str = "en", **study: object) -> JudgingSentences:
    return JudgingSentences(build_study(**study), load_speaker(language))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seeds", "missing", "outcome"),
    [
        ((42, 43), (), "items"),
        ((42, 43, 44), (), "both"),
        ((42, 43, 44), ("pos-lora-seed44",), "mixed"),
    ],
)
def test_what_intervals_cover_is_told_task_by_task(seeds, missing, outcome):
    said = judging(seeds=seeds, missing=missing).headline_seeds
    assert said.outcome == outcome
    assert ("tagging" in said) == (outcome == "mixed")


@pytest.mark.parametrize("language", LANGUAGES)
def test_rates_and_margins_are_those_of_the_settings(language):
    of = topic(language)
    assert "10" in of.rates  # 1e-3 over 1e-4
    margins = of.results.profile.tasks["cola"].margins
    assert of.speak.words.number(margins.matthews_correlation, 2) in judging(language).margins


def test_what_was_out_of_reach_is_said_by_quantity():
    few = judging(sentences=60, words=300).reach
    assert few.outcome in ("all", "some") and "accuracy" in few


def test_missing_runs_are_said_first():
    assert "1" in topic(missing=("cola-lora-seed43",)).warning
    assert topic().warning == ""


def test_the_kind_of_study_decides_what_is_disclosed():
    of = topic()
    assert of.kind == "miniature"
    assert "chosen by trying" in of.choice and "miniatures" in unmark(of.data)


def test_a_part_of_the_training_set_is_never_called_the_whole():
    results = topic().results
    encoders = {"cola": "google-bert/bert-base-uncased", "pos": "bert-base-multilingual-cased"}
    told = {}
    for train in ("cola:train", "cola:train[:25%]"):
        tasks = {
            name: replace(
                task,
                origin="hub",
                train=train if name == "cola" else task.train,
                methods=tuple(replace(m, model_name_or_path=encoders[name]) for m in task.methods),
            )
            for name, task in results.profile.tasks.items()
        }
        profile = replace(results.profile, tasks=tasks)
        of = SetupSentences(replace(results, profile=profile), load_speaker("en"))
        told[of.kind] = f"{of.data} {of.note} {of.cola}"
    assert told.keys() == {"as-assigned", "other-data"}
    assert "in full" in told["as-assigned"] and "in full" not in told["other-data"]
    assert "`cola:train[:25%]`" in told["other-data"]


def test_published_numbers_stand_beside_facts_of_the_same_kind():
    results = build_study()
    found = {task: compare_with_published(results, task) for task in ("cola", "pos")}
    assert sum(map(len, found.values())) == len(load_literature())
    gaps = [row for row in found["cola"] if row.published.quantity == "gap"]
    assert gaps and gaps[0].own.quantity == "difference" and gaps[0].covered is not None
    alone = compare_with_published(build_study(methods=("full", "frozen")), "cola")
    assert not any(row.own.known for row in alone if row.published.adapter == "lora")

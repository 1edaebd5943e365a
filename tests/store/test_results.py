"""What the report reads: complete facts, and missing runs counted."""

import copy
from pathlib import Path
from typing import Any

import pytest

from conftest import FinishedStudy
from facts.quantities import QUANTITIES
from facts.table import Facts
from store import provenance
from store.ledger import Ledger
from store.reading import read_results
from store.results import Results
from study.errors import StudyError
from synthetic_study import build_study


def read(finished: FinishedStudy, change: Any = None) -> Results:
    """The study as its report reads it, with a changed list of results where one is given."""
    with pytest.MonkeyPatch.context() as patch:
        if change is not None:
            content = copy.deepcopy(finished.ledger.content)
            change(content)
            ledger = Ledger(finished.profile, content)
            patch.setattr(Ledger, "load", lambda *_: ledger)
        return read_results(finished.profile, finished.store)


@pytest.fixture(scope="module")
def study(finished: FinishedStudy) -> Results:
    return read(finished)


def test_every_quantity_is_there_for_both_tasks(study: Results) -> None:
    assert study.missing == ()
    assert len(study.runs) == 2 * 3 * 2 == len({run.run for run in study.runs})
    found = {
        task: set(study.facts.where(task=task).distinct("quantity")) for task in ("cola", "pos")
    }
    tagging_alone = {"drop", "contribution", "example"}
    acceptability_alone = {"shared errors", "threshold"}
    elsewhere = {"learned", "calibration"}  # not of so small a study; of no task
    elsewhere |= {"setting", "search", "crossing", "expected best"}  # of experiments: none here
    assert found["pos"] >= set(QUANTITIES) - acceptability_alone - elsewhere
    assert found["cola"] >= set(QUANTITIES) - tagging_alone - elsewhere
    assert len(study.facts.where(quantity="calibration", task="")) > 50
    assert study.facts.where(quantity="score", task="pos", part="").distinct("evaluation") == [
        "en_ewt:validation",
        "de_gsd:test",
    ]
    assert study.methods("cola") == ["full", "lora", "frozen"]
    assert study.machines("device_kind") == ["cpu"]
    assert {set(run.sources) >= {"model"} for run in study.runs} == {True}


def test_every_fact_that_was_stored_names_its_entry(
    finished: FinishedStudy, study: Results
) -> None:
    stored = [fact for fact in study.facts if fact.entry and "*" not in fact.entry]
    assert all((finished.store.root / name).is_dir() for name in {f.entry for f in stored})
    stage = {"score": {"evidence", "restoration"}, "cost": {"train"}}
    stage["difference"] = {"evidence", "representation"}
    stage |= {"distance": {"drift"}, "spectrum": {"structure"}, "similarity": {"representation"}}
    stage |= {"restoration": {"restoration"}, "forgetting": {"forgetting"}}
    stage |= {"step": {"price"}, "curve": {"train"}, "latency": {"latency"}}
    for quantity, stages in stage.items():
        facts = Facts(fact for fact in stored if fact.quantity == quantity)
        assert {fact.entry.split("/")[0] for fact in facts} == stages, quantity
        assert all(fact.task in fact.entry for fact in facts)
    whole = study.facts.where(quantity=("cost", "curve", "similarity"))
    assert all(fact.entry.endswith("seed*") == (fact.seed is None) for fact in whole)


def test_scores_agree_with_the_evidence(finished: FinishedStudy, study: Results) -> None:
    for task, metric in (("cola", "matthews_correlation"), ("pos", "accuracy")):
        evaluation = study.evaluations(task)[0]
        for run in study.of_task(task):
            place = {"task": task, "method": run.method, "evaluation": evaluation, "seed": run.seed}
            name = finished.ledger.content["runs"][run.run]["predict"][evaluation]
            stored = finished.store.open(name).result()["metrics"][metric]
            assert study.facts.one("score", **place, metric=metric).value == pytest.approx(stored)


def test_missing_and_failed_runs_are_said(finished: FinishedStudy) -> None:
    def change(content: dict[str, Any]) -> None:
        del content["runs"]["cola-full-seed2"], content["runs"]["pos-lora-seed1"]
        content["failures"]["pos-lora-seed1"] = "the GPU's memory is too small"

    study = read(finished, change)
    assert {(m.run, m.reason) for m in study.missing} == {
        ("cola-full-seed2", "not run yet"),
        ("pos-lora-seed1", "the GPU's memory is too small"),
    }
    assert len(study.runs) == 10
    seeds = study.facts.where(quantity="cost", task="cola", method="full").distinct("seed")
    assert set(seeds) == {None, 1}


def test_a_result_that_is_gone_is_a_sentence(finished: FinishedStudy) -> None:
    def change(content: dict[str, Any]) -> None:
        content["runs"]["cola-full-seed1"]["train"] = "train/cola-full-seed1-000000000000"

    with pytest.raises(StudyError, match=r"gone or damaged.*\n.*run\.py --profile tiny"):
        read(finished, change)


def test_items_that_no_run_gets_right_are_among_the_evaluated_ones(
    finished: FinishedStudy, study: Results
) -> None:
    wrong = study.wrong_in_every_run("cola")
    count = study.facts.one(
        "shared errors", task="cola", evaluation="cola:validation", metric="count"
    )
    assert len(wrong) == count.value
    assert set(wrong["text"]) <= set(study.items["cola"]["cola:validation"]["text"])
    made_up = build_study(sentences=20, words=20, resamples=10)
    assert list(made_up.wrong_in_every_run("cola")["text"]) == ["sentence 1", "sentence 2"]
    assert made_up.wrong_in_every_run("pos").empty


def test_sizes_are_known_of_sets_without_results(finished: FinishedStudy) -> None:
    def change(content: dict[str, Any]) -> None:
        del content["tasks"]["pos"]["evidence"]

    facts = read(finished, change).facts.where(task="pos")
    assert not facts.where(quantity="score", part="")
    for evaluation in ("en_ewt:validation", "de_gsd:test"):
        place = {"task": "pos", "evaluation": evaluation}
        sizes = [facts.one("size", **place, metric=m).value for m in ("sentences", "words")]
        assert 1 < sizes[0] < sizes[1]


# ----------------------------------------------------------------------------------- roles


def test_roles_are_read_from_what_a_method_does() -> None:
    small: dict[str, Any] = {"sentences": 20, "words": 20, "resamples": 10}
    methods = ("lora", "frozen", "full", "monolingual")
    whole = build_study(methods=methods, **small)
    roles = whole.roles("pos")
    assert (roles.reference, roles.adapter, roles.control, roles.foreign) == (
        "full",
        "lora",
        "frozen",
        "monolingual",
    )
    assert roles == whole.profile.tasks["pos"].roles
    gone = [f"{t}-{m}-seed1" for t in ("cola", "pos") for m in ("full", "monolingual")]
    without = build_study(methods=methods, seeds=(1,), missing=gone, **small)
    assert without.roles("pos").reference is None and without.roles("pos").adapter == "lora"
    assert without.moving_methods("pos") == ["lora"]


# ------------------------------------------------------------------------------------- at once


def test_the_methods_of_a_task_are_looked_up_once(finished: FinishedStudy) -> None:
    """A report asks a thousand times."""
    own = read(finished)
    first = own.settings("cola")
    found = own._finished
    first.clear()  # the answer is the caller's own
    assert own.roles("cola").reference == "full" and own.methods("pos")
    assert own._finished is found


def test_changed_code_is_looked_at_once_a_stage(
    finished: FinishedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    monkeypatch.setattr(provenance, "changed_modules", lambda code: looked.append(code) or ["x"])
    assert set(read(finished).stale()) >= {"train", "predict"}
    assert len(looked) <= 15


def test_a_profile_is_read_by_its_name(
    finished: FinishedStudy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from store import reading

    monkeypatch.setattr(reading, "load_profile", lambda name: {"tiny": finished.profile}[name])
    assert len(reading.load_results("tiny", finished.store.root).runs) == 12
    with pytest.raises(StudyError):
        reading.load_results("tiny", tmp_path)

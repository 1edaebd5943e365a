"""What the report reads: complete frames, and missing runs counted."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FinishedStudy
from store import provenance, results
from store.frames import FRAMES, RUN_COLUMNS, select
from store.ledger import Ledger
from store.results import _Reader, needs
from study.errors import StudyError
from synthetic_study import build_study
from words.wording import Wording, load_wording


def read(finished: FinishedStudy) -> results.Results:
    return _Reader(finished.profile, finished.store, finished.ledger).read()


def test_frames_are_tidy_and_complete(finished: FinishedStudy) -> None:
    study = read(finished)
    assert study.missing == ()
    assert len(study.runs) == 2 * 3 * 2
    for name, columns in FRAMES.items():
        frame = getattr(study, name)
        assert [*RUN_COLUMNS, *columns] == [
            c for c in frame.columns if c in {*RUN_COLUMNS, *columns}
        ]
        assert len(frame), name
    assert set(study.scores.query("task == 'pos'").evaluation) == {
        "en_ewt:validation",
        "de_gsd:test",
    }
    assert set(study.scores.query("task == 'pos'").language) == {"en", "de"}
    assert study.methods("cola") == ["full", "lora", "frozen"]


def test_scores_agree_with_the_evidence(finished: FinishedStudy) -> None:
    study = read(finished)
    for task, metric in (("cola", "matthews_correlation"), ("pos", "accuracy")):
        evaluation = study.evaluations(task)[0]
        for method in study.methods(task):
            summary = study.evidence[task]["methods"][method]
            metrics = summary["evaluations"][evaluation] if task == "pos" else summary
            chosen = study.scores.query(
                "task == @task and method == @method and evaluation == @evaluation "
                "and metric == @metric"
            )
            assert metrics["metrics"][metric]["per_seed"] == pytest.approx(chosen.value.tolist())


def test_missing_and_failed_runs_are_said(finished: FinishedStudy) -> None:
    import copy

    content = copy.deepcopy(finished.ledger.content)
    del content["runs"]["cola-full-seed2"], content["runs"]["pos-lora-seed1"]
    content["failures"]["pos-lora-seed1"] = "the GPU's memory is too small"
    study = _Reader(finished.profile, finished.store, Ledger(finished.profile, content)).read()
    assert {(m.run, m.reason) for m in study.missing} == {
        ("cola-full-seed2", "not run yet"),
        ("pos-lora-seed1", "the GPU's memory is too small"),
    }
    assert len(study.runs) == 10


def test_a_result_that_is_gone_is_a_sentence(finished: FinishedStudy) -> None:
    import copy

    content = copy.deepcopy(finished.ledger.content)
    content["runs"]["cola-full-seed1"]["train"] = "train/cola-full-seed1-000000000000"
    with pytest.raises(StudyError, match=r"gone or damaged.*\n.*run\.py --profile tiny"):
        _Reader(finished.profile, finished.store, Ledger(finished.profile, content)).read()


# --------------------------------------------------------------------------- choosing rows


FRAME = pd.DataFrame(
    {
        "task": ["a", "a", "b", "b"],
        "method": ["x", "y", "x", "y"],
        "seed": [1, 1, 1, 2],
    }
)


def test_select_takes_values_and_sets_of_values() -> None:
    assert select(FRAME).equals(FRAME)
    assert list(select(FRAME, task="a", method="y").index) == [1]
    assert list(select(FRAME, method=("x", "y"), seed=[2]).index) == [3]
    assert select(FRAME, task="a", seed=2).empty and len(select(FRAME, task="a").columns) == 3


def test_what_does_not_exist_has_no_rows() -> None:
    """A role that no method plays is None: it must not stand for every method."""
    assert select(FRAME, method=None).empty and select(FRAME, method=[]).empty


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 2))),
    st.sampled_from("ab"),
    st.sets(st.sampled_from("xyz")),
)
def test_select_agrees_with_a_loop(rows: list[Any], task: str, methods: set[str]) -> None:
    frame = pd.DataFrame(rows, columns=["task", "method", "seed"])
    expected = [row for row in rows if row[0] == task and row[1] in methods]
    found = select(frame, task=task, method=methods)
    assert list(found.itertuples(index=False, name=None)) == expected


def test_what_is_absent_is_said_once() -> None:
    words = load_wording("en")

    def draw(results: results.Results, task: str, words: Wording) -> str:
        return f"{task}: {len(select(results.drift, task=task))} rows"

    shown = needs("drift", lambda words: f"nothing in {words.language}")(draw)
    whole = build_study(sentences=20, words=20, resamples=10)
    assert shown(whole, "pos", words).startswith("pos: ") and "0 rows" not in draw(
        whole, "pos", words
    )
    assert shown(whole, task="nowhere", words=words) == "nothing in en"
    empty = replace(whole, drift=whole.drift.iloc[:0], evidence={"cola": {}, "pos": {}})
    assert shown(empty, "pos", words) == "nothing in en"
    assert whole.has("evidence") and not empty.has("evidence") and not empty.has("evidence", "pos")


# ----------------------------------------------------------------------------------- roles


def test_roles_are_read_from_what_a_method_does() -> None:
    whole = build_study(
        methods=("lora", "frozen", "full", "monolingual"), sentences=20, words=20, resamples=10
    )
    roles = whole.roles("pos")
    assert (roles.reference, roles.adapter, roles.control, roles.foreign) == (
        "full",
        "lora",
        "frozen",
        "monolingual",
    )
    assert roles == whole.profile.tasks["pos"].roles
    without = replace(whole, runs=select(whole.runs, method=("frozen", "lora")))
    assert without.roles("pos").reference is None and without.roles("pos").adapter == "lora"
    assert set(without.moving_methods("pos")) == {"lora"}


# ------------------------------------------------------------------------------------- at once


def test_the_methods_of_a_task_are_looked_up_once(finished: FinishedStudy) -> None:
    """A report asks a thousand times; each look through the runs cost milliseconds."""
    study = read(finished)
    with pytest.MonkeyPatch.context() as patch:
        asked = []
        patch.setattr(results, "select", lambda *a, **k: asked.append(k) or select(*a, **k))
        first = study.settings("cola")
        first.clear()  # the answer is the caller's own
        for _ in range(9):
            assert study.roles("cola").reference == "full" and study.methods("pos")
    assert len(asked) == len(study.profile.tasks)


def test_texts_of_frames_are_plain(finished: FinishedStudy) -> None:
    study = read(finished)
    assert {str(study.drift[column].dtype) for column in ("task", "method", "layer")} == {"object"}
    assert study.drift.relative.dtype == float


def test_changed_code_is_looked_at_once_a_stage(
    finished: FinishedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    monkeypatch.setattr(provenance, "changed_modules", lambda code: looked.append(code) or ["x"])
    assert set(read(finished).stale()) >= {"train", "predict"}
    assert len(looked) <= 15

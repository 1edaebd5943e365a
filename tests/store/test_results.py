"""What the report reads: complete frames, and missing runs counted."""

from pathlib import Path

import pytest

from conftest import FinishedStudy
from rendering.presenting import export_results, show_figure
from store import results
from store.ledger import Ledger
from store.results import FRAMES, RUN_COLUMNS, _Reader
from study.errors import StudyError


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


def test_the_export_holds_every_frame_and_is_plain_json(
    finished: FinishedStudy, tmp_path: Path
) -> None:
    import json

    study = read(finished)
    content = json.loads(export_results(study, tmp_path).read_text())
    assert {*FRAMES, "evidence", "missing", "profile"} <= set(content)
    assert len(content["drift"]) == len(study.drift)
    value = study.scores.iloc[3]
    assert content["scores"][3]["value"] == pytest.approx(value["value"], abs=1e-14)


def test_a_figure_is_kept_as_svg_and_png_and_is_the_same_every_time(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    def draw() -> Figure:
        figure = Figure()
        figure.subplots().plot([1, 2])
        return figure

    show_figure("x", draw(), tmp_path)
    first = (tmp_path / "x.svg").read_bytes()
    show_figure("x", draw(), tmp_path)
    assert (tmp_path / "x.svg").read_bytes() == first and (tmp_path / "x.png").exists()

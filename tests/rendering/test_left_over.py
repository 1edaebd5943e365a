"""What a killed render or export leaves behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rendering import preview
from rendering.export import export_results
from synthetic_study import build_study
from waiting import PATIENCE


def test_the_work_of_a_killed_render_goes_and_that_of_a_running_one_stays(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(PATIENCE)
    folders = [tmp_path / f".render-{process}-x" for process in (ended.pid, os.getpid())]
    for folder in folders:
        (folder / "media").mkdir(parents=True)
    preview._remove_left_over(tmp_path)
    assert [folder.exists() for folder in folders] == [False, True]


def test_an_export_that_is_cut_off_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results.json").write_text("{}")

    def cut_off(part: Path, _target: Path) -> None:
        assert part.stat().st_size > 1000
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", cut_off)
    study = build_study(seeds=(42,), sentences=60, words=90, resamples=10, phenomena=())
    with pytest.raises(KeyboardInterrupt):
        export_results(study, tmp_path)
    assert (tmp_path / "results.json").read_text() == "{}"

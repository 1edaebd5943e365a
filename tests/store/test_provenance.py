"""Which code is behind a result, and whether it has changed since."""

import shutil
from pathlib import Path

import pytest

from conftest import FinishedStudy
from store import provenance
from store.reading import read_results
from study.paths import project_root

STAGES = sorted(
    f"runs.stages.{file.stem}"
    for file in (project_root() / "code" / "runs" / "stages").glob("[!_]*.py")
)


@pytest.fixture
def copy_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that the check reads instead of our own files."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(project_root() / "code", tmp_path / "code", ignore=ignored)
    monkeypatch.setattr(provenance, "project_root", lambda: tmp_path)
    return tmp_path / "code"


def touch(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")


def test_modules_are_found_through_other_modules(tmp_path: Path, monkeypatch) -> None:
    code = tmp_path / "code"
    files = {
        "a/top.py": "import json\nfrom b import middle\n",
        "b/__init__.py": "from b import unrelated\n",
        "b/middle.py": "def late():\n    from c.deep import thing\n    return thing\n",
        "b/unrelated.py": "",
        "c/deep.py": "import a.top\n",  # a circle ends
        "store/entries.py": "",
    }
    for name, text in files.items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(text)
    monkeypatch.setattr(provenance, "project_root", lambda: tmp_path)
    assert provenance.modules_behind("a.top") == ("a.top", "b.middle", "c.deep")


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_knows_its_settings_and_nothing_that_shows(stage: str) -> None:
    modules = provenance.modules_behind(stage)
    assert {"study.settings", "runs.grid", stage} <= set(modules)
    rooms = {module.split(".")[0] for module in modules}
    assert not rooms & {"plots", "tables", "answers", "words", "rendering", "store"}


def test_a_module_deep_down_is_named_and_an_unrelated_one_is_not(copy_of_the_code: Path) -> None:
    recorded = provenance.module_digests(provenance.modules_behind("runs.stages.evidence"))
    assert provenance.changed_modules(recorded) == []
    touch(copy_of_the_code / "plots" / "style.py")
    touch(copy_of_the_code / "training" / "loop.py")
    assert provenance.changed_modules(recorded) == []
    touch(copy_of_the_code / "evidence" / "intervals.py")
    assert provenance.changed_modules(recorded) == ["evidence.intervals"]
    (copy_of_the_code / "evidence" / "intervals.py").unlink()
    assert provenance.changed_modules(recorded) == ["evidence.intervals"]


def test_the_report_names_every_stage_that_is_behind_its_code(
    finished: FinishedStudy, copy_of_the_code: Path
) -> None:
    def stale() -> dict[str, list[str]]:
        return read_results(finished.profile, finished.store).stale()

    assert stale() == {}
    touch(copy_of_the_code / "drift" / "weights.py")
    behind = ("drift", "structure", "restored", "restoration", "masked", "forgetting")
    assert stale() == {stage: ["drift.weights"] for stage in behind}
    touch(copy_of_the_code / "evidence" / "intervals.py")
    assert stale()["evidence"] == ["evidence.intervals"]

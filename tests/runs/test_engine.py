"""Runs spread over workers: Ray, workers of our own, and two plain processes that share a store."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import FinishedStudy
from runs import workers
from runs.completion import Grid
from runs.grid import plan_runs
from runs.progress import Progress
from runs.stages import train
from runs.workers import complete_in_workers
from store.entries import Store
from study.errors import StudyError
from study.paths import project_root
from tiny_study import PROFILE, load_tiny_profile
from waiting import outputs_of

ONE_SEED = "\n[profiles.tiny.cola]\nseeds = [1]\n[profiles.tiny.pos]\nseeds = [1]\n"


@pytest.fixture
def shared(tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment in which other processes find the tiny study; its cache folder."""
    (tmp_path / "tiny.toml").write_text(PROFILE, encoding="utf-8")
    monkeypatch.setenv("EXPERIMENTS_FILE", str(tmp_path / "tiny.toml"))
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def digests_of_weights(store: Store, profile) -> dict[str, str]:
    """Run -> checksum of its trained weights."""
    found = {}
    for run, _, entry in Grid(profile, store).states():
        assert entry is not None, f"{run.name} is missing"
        found[run.name] = entry.manifest()["files"]["trained.safetensors"]["sha256"]
    return found


def test_ray_trains_each_run_once_though_a_worker_is_killed(
    finished: FinishedStudy, shared: Path
) -> None:
    pytest.importorskip("ray", reason="Ray is optional: pip install -r requirements-ray.txt")
    from runs.engine import complete_on_ray

    killer = subprocess.Popen([sys.executable, "-c", KILLER, str(shared)])
    ledger = complete_on_ray(finished.profile, Store(shared))
    outputs_of(killer, "a worker to kill")
    assert killer.returncode == 0, "no worker was killed: the test would be vacuous"
    assert ledger.content["failures"] == {}
    assert ledger.content["tasks"].keys() == finished.ledger.content["tasks"].keys()
    for task, stages in finished.ledger.content["tasks"].items():
        assert ledger.content["tasks"][task].keys() == stages.keys()
    assert ledger.content["runs"].keys() == finished.ledger.content["runs"].keys()
    spread = digests_of_weights(Store(shared), finished.profile)
    assert spread == digests_of_weights(finished.store, finished.profile)
    assert len(list((shared / "train").iterdir())) == len(plan_runs(finished.profile)) > 4


def test_on_ray_a_run_that_raises_or_dies_costs_no_other_run(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is optional: pip install -r requirements-ray.txt")
    from runs import engine

    def complete(profile: str, root: Path, name: str) -> str | None:  # runs in Ray's workers
        import os
        from unittest import mock

        from runs.workers import complete_named

        if name == "pos-frozen-seed1":
            os.kill(os.getpid(), 9)
        if name != "cola-lora-seed1":
            return complete_named(profile, root, name)
        with mock.patch("runs.stages.train.make", side_effect=ZeroDivisionError("a bug")):
            return complete_named(profile, root, name)

    monkeypatch.setattr(engine, "complete_named", complete)
    monkeypatch.setattr(engine, "RETRIES", 0)
    ledger = engine.complete_on_ray(load_tiny_profile(ONE_SEED), Store(shared))
    assert ledger.content["failures"].keys() == {"cola-lora-seed1", "pos-frozen-seed1"}
    assert ledger.content["failures"]["cola-lora-seed1"].startswith("ZeroDivisionError: a bug")
    assert "worker died" in ledger.content["failures"]["pos-frozen-seed1"]
    log = (shared / "failures" / "cola-lora-seed1.log").read_text(encoding="utf-8")
    assert "Traceback" in log
    planned = {run.name for run in plan_runs(load_tiny_profile(ONE_SEED))}
    assert ledger.content["runs"].keys() == planned - ledger.content["failures"].keys()
    assert len(ledger.content["runs"]) > 2


def test_workers_train_each_run_once_though_one_is_killed(
    finished: FinishedStudy, shared: Path
) -> None:
    profile = load_tiny_profile("[profiles.tiny]\nworkers = 2\n")
    killer = subprocess.Popen([sys.executable, "-c", KILLER, str(shared)])
    ledger = complete_in_workers(profile, Store(shared))
    outputs_of(killer, "a worker to kill")
    assert killer.returncode == 0, "no worker was killed: the test would be vacuous"
    assert ledger.content["failures"] == {}
    assert ledger.content["runs"].keys() == finished.ledger.content["runs"].keys()
    spread = digests_of_weights(Store(shared), finished.profile)
    assert spread == digests_of_weights(finished.store, finished.profile)
    assert len(list((shared / "train").iterdir())) == len(plan_runs(finished.profile)) > 4
    told = {entry.provenance()["device"] for _, _, entry in Grid(profile, Store(shared)).states()}
    assert told <= {"CPU, 1 thread, 2 runs at a time", "CPU, 1 thread"}


def test_a_run_that_kills_its_process_costs_no_other_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody knows which run broke the pool: each that is left is made once more, alone."""
    (tmp_path / "deadly.py").write_text(DEADLY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import deadly

    monkeypatch.setattr(workers, "complete_named", deadly.complete)
    monkeypatch.setattr(workers, "tell_scores", lambda _store, _inputs, run: f"of {run.name}")
    runs = [NamedRun(name) for name in ("a", "deadly", "b", "failing", "c")]
    grid = SimpleNamespace(
        profile=SimpleNamespace(name="tiny"),
        store=SimpleNamespace(root=tmp_path),
        inputs=None,
    )
    with Progress([]) as progress, workers.Workers(grid, 2) as processes:
        failures = processes.make(runs, progress)
        assert processes.make([NamedRun("later")], progress) == {}, "the next round has processes"
    assert failures == {"deadly": workers.DIED, "failing": "a reason"}
    told = capsys.readouterr().err
    assert "a process died; not finished: " in told and "later: of later" in told


def test_an_exception_in_a_worker_is_a_reason_with_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug of a library")

    monkeypatch.setattr(workers, "_grid", fail)
    reason = workers.complete_named("tiny", tmp_path, "cola-full-seed1")
    assert reason is not None and reason.startswith("ZeroDivisionError: a bug of a library")
    log = tmp_path / "failures" / "cola-full-seed1.log"
    assert "Traceback" in log.read_text(encoding="utf-8")


def test_a_missing_ray_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from runs import engine

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(StudyError, match="requirements-ray"):
        engine._import_ray()


@dataclass(frozen=True)
class NamedRun:
    name: str


def start(profile: str = "tiny") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "code/run.py", "--profile", profile],
        cwd=project_root(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_two_processes_share_the_work(finished: FinishedStudy, shared: Path) -> None:
    """While one trains a run, the other takes the next: each run is trained once."""
    first, second = start(), start()
    outputs = [outputs_of(process, "one of two studies")[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), outputs
    expected = digests_of_weights(finished.store, finished.profile)
    assert digests_of_weights(Store(shared), finished.profile) == expected
    assert len(list((shared / "train").iterdir())) == len(expected)


def test_a_run_that_another_process_makes_is_left_for_later(
    tiny_environment: Path, tmp_path: Path
) -> None:
    grid = Grid(load_tiny_profile(ONE_SEED), Store(tmp_path))
    runs = plan_runs(grid.profile)
    assert grid._next(runs) == runs[0]
    with grid.store._acquire(train.key(grid.inputs, runs[0])):
        assert grid._next(runs) == runs[1]
        assert grid._next(runs[:1]) == runs[0], "with nothing else to do it waits"


DEADLY = """
import os, time
def complete(profile, root, name):
    if name == "deadly":
        os.kill(os.getpid(), 9)
    return "a reason" if name == "failing" else None
"""
# Kills the first process that holds an unfinished training of this store (Linux: /proc).
KILLER = """
import os, signal, sys, time
from pathlib import Path
root = Path(sys.argv[1])
for _ in range(80_000):
    for part in (root / "train").glob(".*.tmp") if (root / "train").exists() else ():
        pid = int(part.name.split(".")[-2])
        os.kill(pid, signal.SIGKILL)
        sys.exit(0)
    time.sleep(0.01)
sys.exit(1)
"""

"""A training that was stopped, however and however often, ends as one that was not: bit for bit."""

import gc
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import FinishedStudy
from runs.completion import Grid
from runs.grid import plan_runs
from runs.stages import train
from store.entries import Entry, Store
from study.errors import Interruption
from tiny_study import PROFILE, load_tiny_profile
from waiting import PATIENCE, outputs_of, wait_until

ROOT = Path(__file__).parents[2]


class MortalGrid(Grid):
    """Sends its own process a signal after a step, and notes the steps that it saw."""

    step, number, log = 0, 0, Path()

    def _listener(self, run, progress):
        def listen(step: int, _loss: float | None) -> None:
            with self.log.open("a") as stream:
                stream.write(f"{step}\n")
            if step == self.step:
                os.kill(os.getpid(), self.number)

        return listen


def complete(root: Path, name: str, step: int, number: int) -> None:
    """Completes a run in this process, which gets the signal after that step."""
    gc.freeze()  # what the server has loaded
    profile = load_tiny_profile()
    grid = MortalGrid(profile, Store(root))
    grid.step, grid.number, grid.log = step, number, root / "steps.txt"
    run = next(run for run in plan_runs(profile) if run.name == name)
    try:
        grid.complete_run(run)
    except Interruption as stop:
        os._exit(stop.status)


#: What a training imports: a process that is killed need not load it anew.
HEAVY = ("training.loop", "evidence.metrics", "drift", "transformers.models.bert.modeling_bert")


def in_a_process(root: Path, name: str, step: int = 0, number: int = 0) -> tuple[int, list[int]]:
    """Exit code (negative: killed by that signal) and the steps of this attempt."""
    root.mkdir(exist_ok=True)
    log = root / "steps.txt"
    log.write_text("")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["runs.completion", *HEAVY])
    process = context.Process(target=complete, args=(root, name, step, number))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode is not None, f"waited {PATIENCE:.0f} seconds for {name}"
    return process.exitcode, [int(line) for line in log.read_text().split()]


def content(entry: Entry) -> tuple[bytes, list[tuple]]:
    rows = entry.result()["curves"]
    curves = [(r["step"], r["epoch"], r["split"], r["metric"], r["value"]) for r in rows]
    return entry.path("trained.safetensors").read_bytes(), curves


def check_equal(finished: FinishedStudy, root: Path, name: str) -> None:
    stages, store = finished.ledger.content["runs"][name], Store(root)
    expected, found = finished.store.open(stages["train"]), store.open(stages["train"])
    assert found is not None, "the resumed run has another key"
    assert content(found) == content(expected)
    other = finished.ledger.content["runs"][name.replace("seed1", "seed2")]["train"]
    assert content(finished.store.open(other))[0] != content(found)[0]
    for entry in stages["predict"].values():
        ours, theirs = store.open(entry).arrays(), finished.store.open(entry).arrays()
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["cola", "pos"])
@pytest.mark.parametrize("method", ["full", "lora", "frozen"])
def test_killed_in_every_epoch(
    finished: FinishedStudy, tiny_environment: Path, tmp_path: Path, task: str, method: str
) -> None:
    name, chance = f"{task}-{method}-seed1", random.Random(f"{task}-{method}")
    run = next(run for run in plan_runs(finished.profile) if run.name == name)
    steps = train.steps(finished.grid.inputs, run)
    half = steps // 2
    for begin, end in ((2, half), (half + 1, steps - 1)):
        step = chance.randint(begin, end)
        status, seen = in_a_process(tmp_path, name, step, signal.SIGKILL)
        assert status == -signal.SIGKILL and seen[-1] == step, "it was not killed in mid-training"
    status, seen = in_a_process(tmp_path, name)
    assert status == 0 and seen[-1] == steps and 1 < seen[0] <= step + 1, "it began anew"
    check_equal(finished, tmp_path, name)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "method"), [("cola", "lora"), ("pos", "full")])
def test_stopped_by_signals_at_any_step(
    finished: FinishedStudy, tiny_environment: Path, tmp_path: Path, task: str, method: str
) -> None:
    """A signal leaves a checkpoint of the very step, also between two logged losses."""
    name = f"{task}-{method}-seed1"
    run = next(run for run in plan_runs(finished.profile) if run.name == name)
    steps = train.steps(finished.grid.inputs, run)
    first = 1
    for step, number in ((3, signal.SIGTERM), (5, signal.SIGINT), (steps - 2, signal.SIGTERM)):
        status, seen = in_a_process(tmp_path, name, step, number)
        assert status == 128 + number and seen[-1] == step
        assert seen[0] == first, "it did not go on where it was stopped"
        first = step + 1
    status, seen = in_a_process(tmp_path, name)
    assert status == 0 and seen == [steps - 1, steps]
    check_equal(finished, tmp_path, name)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_with_a_sentence(
    tiny_environment: Path, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "long.toml").write_text(
        f"{PROFILE}\n[profiles.tiny.cola.methods.full]\nnum_train_epochs = 5000\n", encoding="utf-8"
    )
    command = [sys.executable, "code/run.py", "--profile", "tiny", "--only", "cola-full-seed1"]
    places = {
        "EXPERIMENTS_FILE": str(tmp_path / "long.toml"),
        "CACHE_DIR": str(tmp_path / "cache"),
    }
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **places}, stderr=subprocess.PIPE, text=True
    )
    unfinished = tmp_path / "cache" / ".unfinished"

    def saved() -> bool:
        assert process.poll() is None, process.stderr.read()
        return any(unfinished.glob("*/checkpoint-*/trainer_state.json"))

    wait_until(saved, "a checkpoint")
    process.send_signal(number)
    _, errors = outputs_of(process, f"the end after signal {number}")
    assert process.returncode == 128 + number
    assert "the same command goes on where this one stopped" in errors
    assert "Traceback" not in errors
    states = unfinished.glob("*/checkpoint-*/trainer_state.json")
    last = max(json.loads(state.read_text())["global_step"] for state in states)
    assert 0 < last < 5000

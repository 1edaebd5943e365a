"""The check on a GPU, as far as it can be tried without one."""

import sys
from pathlib import Path

import pytest
import torch

from encoders.checkpoints import find_checkpoint
from encoders.models import load_tokenizer
from runs.grid import plan_runs
from runs.inputs import Inputs
from study.paths import project_root

sys.path.insert(0, str(project_root() / "bench"))

import gpu_check


def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    assert gpu_check.main([]) == 1
    assert "there is no GPU" in capsys.readouterr().out


def test_its_encoders_and_runs_pass_every_check_before_training(tmp_path: Path) -> None:
    words = gpu_check.find_words()
    for name, size in gpu_check.SMALL.items():
        folder = gpu_check.write_encoder(tmp_path / name, size, words)
        assert len(load_tokenizer(find_checkpoint(str(folder), ""))) == size.pieces
    profile = gpu_check.load_check_profile(tmp_path)
    runs = {run.name.rpartition("-seed")[0]: run for run in plan_runs(profile)}
    assert {"cola-full", "cola-lora", "cola-frozen", "cola-prefix", "pos-monolingual"} <= set(runs)
    inputs = Inputs(tmp_path / "corpora")
    for name in ("cola-full", "pos-full", "pos-monolingual"):
        run = runs[name]
        data = inputs.encoded(run.task, run.method, run.task.train)
        batch = run.method.training.per_device_train_batch_size
        assert len(data.features) > batch, "at least two steps"


def test_a_floor_is_that_of_the_gpu_or_of_the_newest() -> None:
    assert gpu_check.floor_of("Tesla T4, 15 GiB", "pos-full") == ("T4", 25.5)
    assert gpu_check.floor_of("NVIDIA H200, 139 GiB", "cola-lora") == ("H100", 4.8)
    assert gpu_check.floor_of("NVIDIA A100-SXM4, 40 GiB", "cola-frozen") == ("A100", None)
    log = (project_root() / "LOG.md").read_text(encoding="utf-8")
    for row, method in (("CoLA full", "cola-full"), ("POS full", "pos-full")):
        line = next(line for line in log.splitlines() if line.startswith(f"| {row}, "))
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for column, gpu in ((1, "T4"), (3, "A100"), (5, "H100")):
            largest = max(float(part) for part in cells[column].split("/"))
            assert gpu_check.FLOORS[gpu][method] == largest

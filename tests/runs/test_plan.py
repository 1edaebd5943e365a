"""The plan: what a profile takes, told before its first step; nothing is trained or stored."""

from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import run as command_line
from conftest import FinishedStudy
from encoders.checkpoints import Checkpoint
from encoders.models import compute_memory
from encoders.tokens import Encoded
from runs import plan as plan_module
from runs import probe, supplies
from runs.grid import Run, plan_runs
from runs.inputs import Inputs
from runs.plan import make_plan
from runs.stages import train
from store.entries import Store
from study.errors import StudyError
from tiny_study import PROFILE, load_tiny_profile

ONE_TASK = """
[profiles.tiny.cola]
methods_run = ["full", "lora", "other"]
[profiles.tiny.cola.methods.other.adapter]
peft_type = "LORA"
r = 8
lora_alpha = 16
lora_dropout = 0.1
target_modules = ["query", "value"]
[profiles.tiny.cola.methods.other]
learning_rate = 1e-5
"""


def test_every_run_is_told_and_nothing_is_stored(
    tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed: list[str] = []

    def note(inputs: Inputs, run: Run, folder: Path, probe_it: bool) -> probe.Needs:
        probed.append(run.name)
        return original(inputs, run, folder, probe_it)

    original = probe.compute_needs
    monkeypatch.setattr(plan_module, "compute_needs", note)
    profile = load_tiny_profile(ONE_TASK)
    made = make_plan(profile, Store(tmp_path / "cache"))
    names = {run.name.rpartition("-seed")[0] for run in plan_runs(profile)}
    assert {group.name for group in made.groups} == names >= {"cola-full", "pos-lora"}
    assert {(group.missing, len(group.runs)) for group in made.groups} == {(2, 2)}
    assert "cola-other-seed1" not in probed, "it differs from lora in its learning rate alone"
    assert sorted(probed) == sorted(f"{n}-seed1" for n in names - {"cola-other"})
    inputs = Inputs(tmp_path / "corpora")
    for group in made.groups:
        needs, run = group.needs, group.runs[0]
        assert needs is not None and needs.seconds is not None and needs.peak_bytes is not None
        assert needs.steps == train.steps(inputs, run)
        computed = compute_memory(inputs.fresh_model(run))
        assert needs.computed_bytes == sum(computed.values()) <= needs.peak_bytes
        assert needs.kept_bytes == computed["memory_gradients_bytes"]
        assert 0 < needs.seconds[0] <= needs.seconds[1]
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").rglob("*.json"))
    lines = list(made.lines())
    total = sum(len(group.runs) for group in made.groups)
    assert f"can run here: {total} of {total} runs are to be made" in lines[-1]
    assert all(any(line.startswith(name) for line in lines) for name in names)
    assert any("Quarto" in line for line in lines)
    made = plan_module.Plan(made.profile, made.supplies, made.groups, free_bytes=10)
    assert "cannot run here" in made._answer() and "GB of disk" in made._answer()


def test_a_finished_study_is_finished(
    finished: FinishedStudy, tiny_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_probe", lambda *_: pytest.fail("nothing has to be probed"))
    made = make_plan(finished.profile, finished.store)
    assert {group.missing for group in made.groups} == {0}
    assert list(made.lines())[-1] == "The profile 'tiny' is finished: 12 runs are stored."


@pytest.mark.parametrize(("variable", "told"), [("DATA_DIR", "corpus"), ("MODEL_DIR", "model")])
def test_what_is_missing_is_said_with_what_was_tried(
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    told: str,
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "tiny.toml").write_text(PROFILE)
    monkeypatch.setenv(variable, str(tmp_path / "empty"))
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("EXPERIMENTS_FILE", str(tmp_path / "tiny.toml"))

    def no_network(*_: object, **__: object) -> None:
        raise OSError("no route to the hub")

    monkeypatch.setattr(huggingface_hub, "model_info", no_network)
    assert command_line.main(["plan", "--profile", "tiny"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "cannot run here as it stands; missing: " in lines[-1] and told in lines[-1]
    missing = [line for line in lines if line.startswith("MISSING")]
    assert missing and all(told in line for line in missing)
    assert any(line.startswith("here ") for line in lines) == (variable == "MODEL_DIR")


@given(st.floats(0.0, 0.5), st.floats(1e-6, 1e-2), st.integers(2, 4000))
def test_a_line_through_two_batches_is_found(fixed: float, slope: float, tokens: int) -> None:
    sizes = (2 * tokens, tokens)
    found = probe._line(sizes, np.array([fixed + slope * size for size in sizes]))
    assert found == pytest.approx((fixed, slope), rel=1e-3, abs=1e-6)


def test_disturbed_times_give_a_proportional_estimate() -> None:
    assert probe._line((100, 50), np.array([1.0, 2.0])) == (0.0, 0.01), "half took longer"
    assert probe._line((30, 30), np.array([0.6, 0.3])) == (0.0, 0.02), "a single sentence"


def test_seconds_of_a_training_are_those_of_its_batches() -> None:
    settings = load_tiny_profile().tasks["cola"]
    lengths = [3] * 8 + [5] * 8 + [9] * 3  # batches of 8: 24, 40 and 27 positions
    features = [{"input_ids": [0] * length} for length in lengths]
    data = Encoded(features, [], np.array([]))
    full, frozen = settings.method("full"), settings.method("frozen")
    assert full.training.num_train_epochs == 2 and full.training.per_device_train_batch_size == 8
    assert probe._training_seconds(data, full, 0.0, 1.0) == 2 * (24 + 40 + 27)
    assert probe._training_seconds(data, full, 1.0, 0.0) == 2 * 3
    assert probe._training_seconds(data, frozen, 1.0, 1.0) == 24 + 40 + 27, "one pass"


def test_weights_on_the_hub_are_looked_for_and_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = Checkpoint("org/name", "a" * 40, "org/name@a", "org/name, hub")
    monkeypatch.setattr(supplies, "find_file", lambda *_: None)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: None)

    def answer(*files: tuple[str, int]) -> None:
        siblings = [SimpleNamespace(rfilename=name, size=size) for name, size in files]
        info = SimpleNamespace(siblings=siblings)
        monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: info)

    answer(("model.safetensors", 400), ("onnx/model.safetensors", 7), ("config.json", 1))
    assert supplies._bytes_to_fetch(checkpoint) == 400
    answer(("pytorch_model.bin", 400))
    with pytest.raises(StudyError, match=r"model\.safetensors is missing at this revision"):
        supplies._bytes_to_fetch(checkpoint)
    monkeypatch.setattr(supplies, "find_file", lambda *_: tmp_path)  # an index
    answer(("model-1.safetensors", 300), ("model-2.safetensors", 200))
    assert supplies._bytes_to_fetch(checkpoint) == 500
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: "a file")
    assert supplies._bytes_to_fetch(checkpoint) == 0


def test_a_quarto_that_does_not_run_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "not on the PATH" in supplies.describe_quarto()
    quarto = tmp_path / "quarto"
    quarto.write_text("#!/bin/sh\necho 1.8.25\n")
    quarto.chmod(0o755)
    assert supplies.describe_quarto() == f"Quarto: 1.8.25, {quarto}"
    quarto.write_text("#!/bin/sh\nexit 3\n")
    assert "does not run" in supplies.describe_quarto()


def test_memory_that_holds_no_batch_is_told(
    tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU whose memory runs out at the longest batch: it is halved, as in a training."""
    original = probe.build_stepper

    def build(model, settings, batches, collate, precision):
        if len(batches[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(model, settings, batches, collate, precision)

    monkeypatch.setattr(probe, "build_stepper", build)
    monkeypatch.setattr(probe, "device_kind", lambda: "gpu")
    profile = load_tiny_profile()
    run = plan_runs(profile)[0]
    needs = probe.compute_needs(Inputs(tmp_path / "corpora"), run, tmp_path, True)
    assert needs.micro_batch == 2 and needs.seconds is not None
    group = plan_module.Group("cola-full", (run,), 0, needs)
    told = list(plan_module.Plan(profile, [], [group], 10**12).lines())
    assert any("memory holds 2 sentences at a time" in line for line in told)

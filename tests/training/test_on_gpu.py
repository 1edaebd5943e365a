"""The GPU's path on a GPU: formats, memory that runs out, events, pinned batches, resumption.

Where there is none the tests that need one skip, and the others do the same on the CPU, so that
what they check is known to work before a GPU is at hand.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from encoders.models import build_model, choose_device, find_checkpoint, load_tokenizer
from encoders.models import trained_state as state_of
from encoders.precision import this_machine
from encoders.tokens import encode_sentences
from runs.data import ACCEPTABILITY_LABELS
from tiny import save_checkpoint
from tiny_study import find_words, load_tiny_profile
from training import loop
from training.loop import train
from training.price import take_turns
from training.trainer import StudyTrainer

ON_GPU = torch.cuda.is_available()
PROFILE = load_tiny_profile()
gpu = [
    pytest.mark.gpu,
    pytest.mark.skipif(not ON_GPU, reason="needs a GPU that torch can use (CUDA)"),
]
needs_gpu = pytest.mark.parametrize("_", [pytest.param("", marks=gpu, id="gpu")])
FORMATS = ["bfloat16", pytest.param("float16", marks=gpu)]


@pytest.fixture
def parts(tiny_environment: Path):
    """A function that gives everything for training CoLA with a method, the model on the device."""
    from corpora.loading import load_corpus

    splits = load_corpus("cola", "local", ("train", "validation")).splits

    def build(method_name: str = "full", model: str = "tiny", repeated: int = 1, **changes: object):
        checkpoint = find_checkpoint(model, "")
        tokenizer = load_tokenizer(checkpoint)
        method = PROFILE.tasks["cola"].method(method_name)
        settings = replace(method.training, **changes)
        encoded = [
            encode_sentences(splits[s].items * times, tokenizer, settings.max_length)
            for s, times in (("train", repeated), ("validation", 1))
        ]
        labels = len(ACCEPTABILITY_LABELS)
        built = build_model(checkpoint, "sequence", labels, method, 1).to(choose_device())
        return built, "sequence", *encoded, tokenizer, settings, 1

    return build


def without_dropout(model: torch.nn.Module) -> torch.nn.Module:
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def flat(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten() for value in state_of(model).values()])


@pytest.mark.parametrize("precision", FORMATS)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_narrow_format_trains_what_float32_trains(
    parts, tmp_path: Path, method: str, precision: str
) -> None:
    """float16 with loss scaling: the scale is found in the first steps, which may be left out."""
    ends, results = {}, {}
    start = flat(parts(method)[0])
    for name in ("float32", precision):
        inputs = parts(method, precision=name, learning_rate=1e-3)
        without_dropout(inputs[0])
        results[name] = train(*inputs, tmp_path / name)
        assert {p.dtype for p in inputs[0].parameters()} == {torch.float32}
        ends[name] = flat(inputs[0])
    moved = (ends["float32"] - start).norm()
    assert moved > 0 and ends[precision].isfinite().all()
    assert not torch.equal(ends["float32"], ends[precision]), "nothing was computed in it"
    assert (ends[precision] - ends["float32"]).norm() < 0.5 * moved
    losses = {
        name: [r["value"] for r in result.curves if r["metric"] == "loss"]
        for name, result in results.items()
    }
    assert np.allclose(losses[precision], losses["float32"], atol=0.05)


@pytest.mark.parametrize("precision", ["float32", *FORMATS])
def test_an_interrupted_training_goes_on(parts, tmp_path: Path, precision: str) -> None:
    """With the scale of the losses too; on a GPU up to the order of its sums."""

    class StoppedError(Exception):
        pass

    whole = parts(precision=precision)
    expected = train(*whole, tmp_path / "whole")
    schedule = loop.build_schedule(len(whole[2].features), whole[5])

    def stop(step: int, _loss: float | None) -> None:
        if step == schedule.save_steps + 1:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(*parts(precision=precision), tmp_path / "cut", stop)
    steps: list[int] = []
    resumed = parts(precision=precision)
    result = train(*resumed, tmp_path / "cut", lambda step, _: steps.append(step))
    assert steps[0] == schedule.save_steps + 1, "it began from the start"
    moved = (flat(whole[0]) - flat(parts()[0])).norm()
    apart = (flat(whole[0]) - flat(resumed[0])).norm()
    assert moved > 0 and apart <= (0.05 * moved if ON_GPU else 0)
    assert len(result.curves) == len(expected.curves)


def test_turns_are_timed_by_what_the_device_has(parts) -> None:
    model, device = parts()[0].eval(), choose_device()
    ids = torch.randint(5, 100, (4, 12), device=device)
    calls: list[str] = []

    def make(name: str):
        def step(_: int) -> None:
            calls.append(name)
            model(input_ids=ids)

        return step

    times = take_turns({name: make(name) for name in ("one", "other")}, 4, device)
    assert all((values > 0).all() and len(values) == 4 for values in times.seconds.values())
    assert (times.cpu_seconds is None) == (device.type == "cuda"), "events on a GPU"
    assert calls[:4] == ["one", "other", "other", "one"], "in turns"


def test_batches_are_pinned_and_copied_without_waiting_on_a_gpu(
    parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bool]] = []
    original = StudyTrainer.get_train_dataloader

    def note(self: StudyTrainer):
        loader = original(self)
        batch = next(iter(loader))
        copied = self.accelerator.non_blocking
        seen.append((batch["input_ids"].is_pinned() if ON_GPU else False, copied))
        return loader

    monkeypatch.setattr(StudyTrainer, "get_train_dataloader", note)
    result = train(*parts(num_train_epochs=1), tmp_path)
    assert seen == [(ON_GPU, ON_GPU)]
    assert result.costs["memory_kind"] == ("gpu" if ON_GPU else "resident")


@needs_gpu
def test_the_machine_is_told_by_what_it_is(_: str) -> None:
    native = torch.cuda.get_device_capability(0) >= (8, 0)
    assert this_machine() == ("gpu", "bfloat16" if native else "float16")


@needs_gpu
def test_memory_that_runs_out_on_a_gpu_halves_the_batches(
    _: str, parts, tiny_environment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The allocator is given less than a whole batch needs and more than half of one."""
    words = find_words(tiny_environment / "data")
    folder = save_checkpoint(tmp_path / "wide", words=words, layers=4, width=256, heads=4)
    wanted = {"model": str(folder), "repeated": 24, "precision": "float32", "num_train_epochs": 1}
    peaks, ends = {}, {}
    for name, size in (("half", 512), ("whole", 1024)):
        inputs = parts(**wanted, per_device_train_batch_size=size)
        assert len(inputs[2].features) >= size, "there are too few sentences"
        without_dropout(inputs[0])
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        train(*inputs, tmp_path / name)
        peaks[name], ends[name] = torch.cuda.max_memory_reserved(), flat(inputs[0])
        del inputs
    assert peaks["whole"] > 1.2 * peaks["half"], "memory does not tell the batches apart"
    wanted["per_device_train_batch_size"] = 1024
    capsys.readouterr()
    inputs = parts(**wanted)
    start = flat(without_dropout(inputs[0]))
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((peaks["half"] + peaks["whole"]) / 2 / total)
    try:
        train(*inputs, tmp_path / "limited")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "512 at a time" in capsys.readouterr().err
    moved = (ends["whole"] - start).norm()
    assert moved > 0 and (flat(inputs[0]) - ends["whole"]).norm() < 0.02 * moved

"""Memory that runs out, wherever it does: smaller batches first, then a sentence."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from conftest import FinishedStudy
from drift import distances, masked_loss, mixture, similarity, spectra
from runs import inputs as inputs_module
from runs.completion import Grid
from runs.grid import Run, plan_runs
from runs.inputs import Inputs
from runs.stages import (
    drift,
    latency,
    masked,
    predict,
    price,
    representation,
    restored,
    structure,
    train,
)
from store.entries import Entry, Store
from study.errors import StudyError
from tiny_study import load_tiny_profile
from training import frozen, loop, prediction

Make = Callable[[Store, Inputs, Run, Entry], Entry]
ONE_RUN = """
[profiles.tiny.cola]
seeds = [1]
methods_run = ["frozen"]
[profiles.tiny.cola.training]
num_train_epochs = 1
"""


def run_out(*_: object, **__: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def train_anew(store: Store, inputs: Inputs, run: Run, _trained: Entry) -> Entry:
    return train.make(store, inputs, run, lambda _step, _loss: None)


PLACES: dict[str, tuple[str, ModuleType, str, Make]] = {
    "weights to the device": ("full", predict, "choose_device", lambda *all_: _predict(*all_)),
    "prediction": ("full", prediction, "_forward", lambda *all_: _predict(*all_)),
    "drift": ("full", distances, "measure_drift", drift.make),
    "spectra": ("full", spectra, "measure_update", structure.make),
    "CKA": ("full", similarity, "compare_representations", representation.make),
    "parts set back": ("full", mixture, "Mixture", restored.make),
    "their prediction": ("full", prediction, "_forward", restored.make),
    "pretraining": ("full", masked_loss, "masked_losses", masked.make),
    "price": ("full", price, "take_turns", lambda *all_: _price(*all_)),
    "price of a head": ("full", frozen, "_rows_for_head", lambda *all_: _price(*all_)),
    "forward passes": ("lora", latency, "take_turns", lambda *all_: _latency(*all_)),
    "frozen outputs": ("frozen", frozen, "_rows_for_head", train_anew),
    "training": ("full", loop, "train", train_anew),
}


def _predict(store: Store, inputs: Inputs, run: Run, trained: Entry) -> Entry:
    return predict.make(store, inputs, run, trained, run.task.validation)


def _price(store: Store, inputs: Inputs, run: Run, _trained: Entry) -> Entry:
    return price.make(store, inputs, run.task)


def _latency(store: Store, inputs: Inputs, run: Run, _trained: Entry) -> Entry:
    return latency.make(store, inputs, run.task)


@pytest.mark.parametrize("place", PLACES)
def test_memory_that_runs_out_is_a_sentence(
    finished: FinishedStudy,
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    method, module, name, make = PLACES[place]
    run = next(run for run in plan_runs(finished.profile) if run.method.name == method)
    trained = finished.store.open(finished.ledger.content["runs"][run.name]["train"])
    assert trained is not None
    monkeypatch.setattr(module, name, run_out)
    with pytest.raises(StudyError, match="the memory is too small for .*\n.*What to do"):
        make(Store(tmp_path), Inputs(tmp_path / "corpora"), run, trained)
    assert not list(tmp_path.glob("*/*/manifest.json")), "nothing of it was stored"


def test_outputs_that_are_too_large_are_said_and_recorded(
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    profile = load_tiny_profile(ONE_RUN)
    run = plan_runs(profile)[0]
    facts: dict[str, dict[str, Any]] = {}
    for name, limit in (("held", inputs_module.LARGEST), ("too large", 100)):
        monkeypatch.setattr(inputs_module, "LARGEST", limit)
        grid = Grid(profile, Store(tmp_path / name))
        stages = grid.complete_run(run)
        trained = grid.store.open(stages["train"])
        assert trained is not None
        facts[name] = trained.result()["costs"]
        said = capsys.readouterr().err
        assert ("cola-frozen: the encoder's outputs would take" in said) == (name == "too large")
    assert facts["held"]["encoder_outputs_held"] is True
    assert facts["too large"]["encoder_outputs_held"] is False

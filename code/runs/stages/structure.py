"""Rank and spectrum of the change of every matrix."""

from pathlib import Path
from typing import Any

from encoders.models import describe_device
from runs.grid import Run, Stage
from runs.inputs import Inputs
from store.entries import Entry, Store

STAGE = Stage("structure", 3, __name__)


def make(store: Store, inputs: Inputs, run: Run, trained: Entry) -> Entry:
    """Measures the structure of a run's update, or finds it measured."""

    def measure(_folder: Path) -> dict[str, Any]:
        from drift.spectra import measure_update

        known = inputs.base_directions(inputs.checkpoint(run.task, run.method))
        return {"rows": measure_update(*inputs.pair(run, trained), known)}

    key = STAGE.key(run.name, {"train": trained.digest})
    return STAGE.produce(store, key, measure, describe_device())

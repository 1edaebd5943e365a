"""Predictions of a trained run: logits (sentences) or tag indices (words) of an evaluated set."""

from pathlib import Path
from typing import Any

import numpy as np

from encoders.models import choose_device, describe_device
from runs.grid import Run, Stage
from runs.inputs import Inputs
from store.entries import Entry, Store, save_arrays
from training.prediction import predict

STAGE = Stage("predict", 1, __name__)


def make(store: Store, inputs: Inputs, run: Run, trained: Entry, address: str) -> Entry:
    """Predicts the evaluated set at ``<corpus>:<split>``, or finds it predicted."""
    data_hash = inputs.split(run.task, address).content_hash
    source = {"train": trained.digest, "evaluation": address, "data": data_hash}

    def predict_it(folder: Path) -> dict[str, Any]:
        logits = predict(
            inputs.trained_model(run, trained).to(choose_device()),
            run.task.kind,
            inputs.encoded(run.task, run.method, address),
            inputs.tokenizer(inputs.checkpoint(run.task, run.method)),
            run.method.training.per_device_eval_batch_size,
        )
        if run.task.kind == "token":
            save_arrays(folder, predicted=logits.argmax(axis=1).astype(np.int8))
        else:
            save_arrays(folder, logits=logits)
        return {"evaluation": address, "items": len(logits)}

    return STAGE.produce(store, STAGE.key(run.name, source), predict_it, describe_device())

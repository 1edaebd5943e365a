"""Predictions of a trained run on an evaluated set, and their metrics.

Stored are logits of sentences or tag indices of words.
"""

from pathlib import Path
from typing import Any

import numpy as np

from encoders.models import choose_device, describe_device
from runs.grid import Run, Stage
from runs.inputs import Inputs
from store.entries import Entry, Store, save_arrays
from training.prediction import predict

STAGE = Stage("predict", 2, __name__)


def make(store: Store, inputs: Inputs, run: Run, trained: Entry, address: str) -> Entry:
    """Predicts and scores the set at ``<corpus>:<split>``, or finds it predicted."""
    data_hash = inputs.split(run.task, address).content_hash
    source = {"train": trained.digest, "evaluation": address, "data": data_hash}

    def predict_it(folder: Path) -> dict[str, Any]:
        from evidence.metrics import score_acceptability, score_tags

        gold = inputs.gold(run.task, address)
        logits = predict(
            inputs.trained_model(run, trained).to(choose_device()),
            run.task.kind,
            inputs.encoded(run.task, run.method, address),
            inputs.tokenizer(inputs.checkpoint(run.task, run.method)),
            run.method.training.per_device_eval_batch_size,
        )
        scores: dict[str, float | None] = {}
        if run.task.kind == "token":
            predicted = logits.argmax(axis=1).astype(np.int8)
            save_arrays(folder, predicted=predicted)
            scores |= score_tags(predicted, gold)
        else:
            save_arrays(folder, logits=logits)
            scores |= score_acceptability(logits, gold)
        return {"evaluation": address, "items": len(logits), "metrics": scores}

    return STAGE.produce(store, STAGE.key(run.name, source), predict_it, describe_device())

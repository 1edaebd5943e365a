"""The evaluated items as a table, and for words what the training split knows of them."""

from pathlib import Path
from typing import Any

from runs.grid import Stage
from runs.inputs import Inputs
from store.entries import Entry, Store
from study.settings import TaskSettings

STAGE = Stage("items", 1, __name__)


def make(store: Store, inputs: Inputs, task: TaskSettings, address: str) -> Entry:
    """Describes the items of an evaluated set; pieces are those of the first method's tokenizer."""
    method = task.methods[0]
    source = {
        "data": inputs.split(task, address).content_hash,
        "train": inputs.split(task, task.train).content_hash,
        "tokenizer": inputs.checkpoint(method).identity,
    }

    def describe(_folder: Path) -> dict[str, Any]:
        pieces = inputs.encoded(task, method, address).pieces.tolist()
        return {
            "columns": inputs.items(task, address, pieces).to_dict(orient="list"),
            "source": inputs.source(task, address),
            "training": inputs.training_sizes(task),
        }

    key = STAGE.key(f"{task.name}-{address.replace(':', '-')}", source)
    return STAGE.produce(store, key, describe)

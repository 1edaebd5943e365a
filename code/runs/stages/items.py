"""The evaluated items as a table, and for words what the training split knows of them."""

from pathlib import Path
from typing import Any

from runs.grid import Stage
from runs.inputs import Inputs
from store.entries import Entry, Store
from study.settings import TaskSettings

STAGE = Stage("items", 2, __name__)


def make(store: Store, inputs: Inputs, task: TaskSettings, address: str) -> Entry:
    """Describes the items of an evaluated set.

    The column of pieces is by the first method's tokenizer; beside the columns, ``pieces`` has them
    by model for methods that start from another.
    """
    method = task.methods[0]
    others = {m.model_name_or_path: m for m in task.methods if task.kind == "token"}
    others.pop(method.model_name_or_path, None)
    source = {
        "data": inputs.split(task, address).columns_hash,
        "train": inputs.split(task, task.train).content_hash,
        "tokenizer": inputs.checkpoint(task, method).identity,
        "other_tokenizers": {
            name: inputs.checkpoint(task, m).identity for name, m in others.items()
        },
    }

    def describe(_folder: Path) -> dict[str, Any]:
        pieces = inputs.encoded(task, method, address).pieces.tolist()
        return {
            "columns": inputs.items(task, address, pieces).to_dict(orient="list"),
            "pieces": {
                name: inputs.encoded(task, other, address).pieces.tolist()
                for name, other in others.items()
            },
            "source": inputs.source(task, address),
            "training": inputs.training_sizes(task),
        }

    key = STAGE.key(f"{task.name}-{address.replace(':', '-')}", source)
    return STAGE.produce(store, key, describe)

"""Similarity (CKA) of hidden states, base against tuned, on each evaluated set."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from drift.similarity import compare_representations
from encoders.models import choose_device, describe_device
from encoders.tokens import Encoded
from runs.grid import Run, Stage
from runs.inputs import Inputs
from store.entries import Entry, Store
from training.prediction import length_sorted_batches

STAGE = Stage("representation", 1, __name__)
CKA_ITEMS = 200  # sentences of a split that hidden states are compared on


def make(store: Store, inputs: Inputs, run: Run, trained: Entry) -> Entry:
    """Compares a run's hidden states with its base model's, or finds them compared."""
    hashes = {a: inputs.split(run.task, a).content_hash for a in run.task.evaluations}
    source = {"train": trained.digest, "evaluations": hashes, "items": CKA_ITEMS}

    def compare(_folder: Path) -> dict[str, Any]:
        base, tuned = (model.to(choose_device()) for model in inputs.pair(run, trained))
        return {
            "cka": {
                address: compare_representations(base, tuned, _batches(inputs, run, address))
                for address in run.task.evaluations
            }
        }

    return STAGE.produce(store, STAGE.key(run.name, source), compare, describe_device())


def _batches(inputs: Inputs, run: Run, address: str) -> Iterator[dict[str, Tensor]]:
    data = inputs.encoded(run.task, run.method, address)
    first = Encoded(data.features[:CKA_ITEMS], data.items[:CKA_ITEMS], data.pieces)
    tokenizer = inputs.tokenizer(inputs.checkpoint(run.method))
    for _, batch in length_sorted_batches(first, run.task.kind, tokenizer, 50):
        yield {name: tensor for name, tensor in batch.items() if name != "labels"}

"""Predictions of a trained run with a part of it set back to its values before training."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.models import choose_device, describe_device
from encoders.tokens import Encoded, take_features
from runs.grid import Run, Stage
from runs.inputs import Inputs
from store.entries import Entry, Store, save_arrays
from study.layers import HEAD, POOLER, number_of_layers, restorable_parts
from study.settings import TaskSettings
from training.prediction import predict

STAGE = Stage("restored", 1, __name__)
SEED = 20_260_103  # of the choice of sentences; no training uses it


def make(store: Store, inputs: Inputs, run: Run, trained: Entry) -> Entry:
    """Predicts with each part set back on each evaluated set, or finds it predicted."""
    hashes = {a: inputs.split(run.task, a).content_hash for a in run.task.evaluations}
    sentences = run.task.restoration_items
    source = {"train": trained.digest, "evaluations": hashes, "sentences": sentences, "seed": SEED}

    def predict_all(folder: Path) -> dict[str, Any]:
        from drift.mixture import Mixture

        mixture = Mixture(*inputs.pair(run, trained))
        mixture.model.to(choose_device())
        parts = restorable_parts(number_of_layers(place.layer for place in mixture.places.values()))
        if trained.result()["costs"]["pooler"] == "head":
            parts[HEAD].append(POOLER)
        sets = {address: _chosen(inputs, run, address) for address in run.task.evaluations}
        arrays = {array_name("items", address): kept for address, (_, kept) in sets.items()}
        for part, layers in parts.items():
            model = mixture.restore(layers)
            for address, (data, _) in sets.items():
                logits = predict(
                    model,
                    run.task.kind,
                    data,
                    inputs.tokenizer(inputs.checkpoint(run.task, run.method)),
                    run.method.training.per_device_eval_batch_size,
                )
                stored = logits.argmax(axis=1).astype(np.int8) if _tags(run.task) else logits
                arrays[array_name(part, address)] = stored
        save_arrays(folder, **arrays)
        return {"parts": parts}

    return STAGE.produce(store, STAGE.key(run.name, source), predict_all, describe_device())


def array_name(part: str, address: str) -> str:
    """The name of a part's stored predictions; ``items``: of the numbers of their items."""
    return f"{part} {address.replace(':', '-')}"


def sentence_of_item(inputs: Inputs, task: TaskSettings, address: str) -> NDArray[np.int64]:
    """The number of the sentence that each item (sentence or word) of a set belongs to."""
    items = inputs.split(task, address).items
    if not _tags(task):
        return np.arange(len(items))
    return np.repeat(np.arange(len(items)), [len(sentence.words) for sentence in items])


def choose_sentences(
    data: Encoded, sentence_of: NDArray[np.int64], number: int
) -> tuple[Encoded, NDArray[np.int64]]:
    """Random sentences of a set (0: all), their items numbered anew; and which items those are."""
    sentences = int(sentence_of.max()) + 1
    if number == 0 or number >= sentences:
        return data, np.arange(len(sentence_of))
    chosen = np.random.default_rng(SEED).permutation(sentences)[:number]
    kept = np.isin(sentence_of, chosen)
    features = [i for i, items in enumerate(data.items) if kept[items[items >= 0]].any()]
    return take_features(data, features)


def _chosen(inputs: Inputs, run: Run, address: str) -> tuple[Encoded, NDArray[np.int64]]:
    data = inputs.encoded(run.task, run.method, address)
    sentence_of = sentence_of_item(inputs, run.task, address)
    return choose_sentences(data, sentence_of, run.task.restoration_items)


def _tags(task: TaskSettings) -> bool:
    return task.kind == "token"

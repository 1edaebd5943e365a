"""Distances between base and tuned weights; for an adapter, the merged model's."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file
from torch import Tensor, nn

from encoders.models import describe_device
from encoders.structure import find_places, unwrap
from runs.grid import Run, Stage
from runs.inputs import Inputs
from store.entries import Entry, Store
from study.layers import HEAD, POOLER
from study.settings import MethodSettings

STAGE = Stage("drift", 4, __name__)


def make(store: Store, inputs: Inputs, run: Run, trained: Entry) -> Entry:
    """Measures how far a run's weights moved, or finds it measured."""

    def measure(_folder: Path) -> dict[str, Any]:
        from drift.distances import measure_drift

        base, tuned = inputs.pair(run, trained)
        pooler_in_head = trained.result()["costs"]["pooler"] == "head"
        before = load_file(trained.path("initial_head.safetensors"))
        return {
            "rows": measure_drift(base, tuned, before, {POOLER: HEAD} if pooler_in_head else {}),
            "embedding_rows": _embedding_rows(inputs, run, base, tuned),
            "untouched": _untouched(run.method, base, tuned, pooler_in_head),
        }

    key = STAGE.key(run.name, {"train": trained.digest})
    return STAGE.produce(store, key, measure, describe_device())


def _embedding_rows(
    inputs: Inputs, run: Run, base: nn.Module, tuned: nn.Module
) -> dict[str, Any] | None:
    """How far rows of the word embeddings moved that training did and did not touch."""
    from drift.untrained import embedding_row_drift, weight_decay_factor
    from training.loop import learning_rates

    if not run.method.trains_everything:
        return None
    before, after = (_word_embeddings(model) for model in (base, tuned))
    features = inputs.encoded(run.task, run.method, run.task.train).features
    touched = np.zeros(len(before), dtype=bool)
    for feature in features:
        touched[feature["input_ids"]] = True
    rates = learning_rates(len(features), run.method.training)
    factor = weight_decay_factor(rates, run.method.training.weight_decay)
    return {**embedding_row_drift(before, after, touched, factor), "decay_factor": factor}


def _untouched(
    method: MethodSettings, base: nn.Module, tuned: nn.Module, pooler_in_head: bool
) -> dict[str, Any]:
    """Whether every weight outside the trained ones is what it was, bit for bit."""
    from drift.untrained import untouched_outside
    from drift.weights import adapted_parameters

    head = {HEAD, POOLER} if pooler_in_head else {HEAD}
    changed = adapted_parameters(tuned)
    layers = {place.name: place.layer for place in find_places(base).values()}

    def is_trained(parameter: str) -> bool:
        if layers[parameter] in head:
            return True
        if method.adapter is not None:
            return parameter in changed
        return method.trainable == "all" or (
            method.trainable == "bias" and parameter.endswith(".bias")
        )

    return dataclasses.asdict(untouched_outside(base, tuned, is_trained))


def _word_embeddings(model: nn.Module) -> Tensor:
    table = unwrap(model).get_input_embeddings().weight  # type: ignore[operator]
    return table.detach().cpu()  # the trained one may be where it predicted

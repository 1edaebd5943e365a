"""The price of a forward pass: an adapter as it is and merged into its encoder, in turns.

Batches of one sentence are what a service that answers at once computes, batches of 32 what goes
through a corpus. Measured in float32, as everything is predicted; the weights' values play no part.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from encoders.models import choose_device, describe_device
from encoders.precision import Machine, this_machine
from encoders.tokens import build_collator
from evidence.costs import price_steps
from runs.grid import Run, Stage
from runs.inputs import Inputs
from store.entries import Entry, Key, Store
from study.settings import MethodSettings, TaskSettings
from training.price import WARM_UP, choose_batches, take_turns

STAGE = Stage("latency", 1, __name__)
BATCH_SIZES = (1, 32)
UNMERGED, MERGED = "unmerged", "merged"


def key(inputs: Inputs, task: TaskSettings, machine: Machine) -> Key:
    """Which adapters on which encoders, on which sentences, on what kind of machine."""
    methods = {
        method.name: {
            "adapter": dataclasses.asdict(method.adapter) if method.adapter else None,
            "model": inputs.checkpoint(task, method).identity,
            "max_length": method.training.max_length,
        }
        for method in _mergeable(task)
    }
    data = inputs.split(task, task.validation).content_hash
    source = {"methods": methods, "data": data, "passes": task.price_steps, "sizes": BATCH_SIZES}
    return STAGE.key(task.name, {**source, "device": machine[0]})


def make(store: Store, inputs: Inputs, task: TaskSettings) -> Entry:
    """Measures the forward passes of each adapter that can be merged, or finds them measured."""

    def measure(_folder: Path) -> dict[str, Any]:
        return {"methods": {m.name: _measure(inputs, task, m) for m in _mergeable(task)}}

    return STAGE.produce(store, key(inputs, task, this_machine()), measure, describe_device())


def _mergeable(task: TaskSettings) -> list[MethodSettings]:
    return [m for m in task.methods if m.adapter is not None and m.mergeable]


def _measure(inputs: Inputs, task: TaskSettings, method: MethodSettings) -> list[dict[str, Any]]:
    """For each size of a batch the seconds of every pass, and the prices that follow."""
    run, device = Run(task, method, task.seeds_of(method)[0]), choose_device()
    whole: Any = inputs.fresh_model(run)
    models = {UNMERGED: inputs.fresh_model(run), MERGED: whole.merge_and_unload()}
    models = {name: model.to(device).eval() for name, model in models.items()}
    measured = []
    for size in BATCH_SIZES:
        batches = _batches(inputs, task, method, size)
        passes = {name: _pass(model, batches) for name, model in models.items()}
        seconds = take_turns(passes, task.price_steps, device).seconds
        prices = price_steps(seconds, MERGED)
        measured.append(
            {
                "size": size,
                "prices": {name: dataclasses.asdict(price) for name, price in prices.items()},
                "seconds": {name: values.tolist() for name, values in seconds.items()},
            }
        )
    return measured


def _batches(
    inputs: Inputs, task: TaskSettings, method: MethodSettings, size: int
) -> list[dict[str, torch.Tensor]]:
    data = inputs.encoded(task, method, task.validation)
    collate = build_collator(task.kind, inputs.tokenizer(inputs.checkpoint(task, method)))
    chosen = choose_batches(data, size, WARM_UP + task.price_steps)
    batches = [dict(collate([data.features[index] for index in batch])) for batch in chosen]
    return [{k: v for k, v in batch.items() if k != "labels"} for batch in batches]


def _pass(model: nn.Module, batches: list[dict[str, torch.Tensor]]) -> Callable[[int], None]:
    """One forward pass, from a batch in the machine's memory to logits, by the batch's number."""
    device = next(model.parameters()).device

    def compute(number: int) -> None:
        with torch.inference_mode():
            model(**{name: value.to(device) for name, value in batches[number].items()})

    return compute

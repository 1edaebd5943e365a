"""The price of a training step: a task's methods take turns on the same batches."""

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from encoders.models import choose_device, describe_device
from encoders.precision import Machine, precision_on, resolve_precision, this_machine
from encoders.tokens import build_collator, take_features
from evidence.costs import price_steps
from runs.grid import Run, Stage
from runs.inputs import Inputs
from store.entries import Entry, Key, Store
from study.settings import MethodSettings, TaskSettings
from training.frozen import collate_states, compute_outputs, training_on_outputs, with_outputs
from training.price import WARM_UP, build_stepper, choose_batches, take_turns

STAGE = Stage("price", 2, __name__)
NOT_A_STEP = ("model_name_or_path", "seeds")  # settings that do not change what a step costs


def key(inputs: Inputs, task: TaskSettings, machine: Machine) -> Key:
    """What a step is, on which data, and on what kind of machine."""
    methods = {
        method.name: {
            **{k: v for k, v in dataclasses.asdict(method).items() if k not in NOT_A_STEP},
            "model": inputs.checkpoint(task, method).identity,
            "precision": precision_on(machine, method.training.precision),
        }
        for method in task.methods
    }
    train = inputs.split(task, task.train).content_hash
    source = {"methods": methods, "train": train, "steps": task.price_steps}
    return STAGE.key(task.name, {**source, "device": machine[0]})


def make(store: Store, inputs: Inputs, task: TaskSettings) -> Entry:
    """Measures what a step of each method costs, or finds it measured."""

    def measure(_folder: Path) -> dict[str, Any]:
        device = choose_device()
        with contextlib.ExitStack() as stack:
            steppers = {m.name: _stepper(stack, inputs, task, m) for m in task.methods}
            times = take_turns(steppers, task.price_steps, device)
        reference = task.roles.reference or task.methods[0].name
        prices = price_steps(times.seconds, reference)
        computed = {} if times.cpu_seconds is None else price_steps(times.cpu_seconds, reference)
        return {
            "reference": reference,
            "prices": {name: dataclasses.asdict(price) for name, price in prices.items()},
            "cpu_prices": {name: dataclasses.asdict(price) for name, price in computed.items()},
            "seconds": {name: values.tolist() for name, values in times.seconds.items()},
        }

    return STAGE.produce(store, key(inputs, task, this_machine()), measure, describe_device())


def _stepper(
    stack: contextlib.ExitStack, inputs: Inputs, task: TaskSettings, method: MethodSettings
) -> Callable[[int], None]:
    """One method's step; a head alone is trained on stored outputs, as in its own training."""
    run, data = Run(task, method, task.seeds[0]), inputs.encoded(task, method, task.train)
    model = inputs.fresh_model(run).to(choose_device())
    tokenizer = inputs.tokenizer(inputs.checkpoint(task, method))
    size = method.training.per_device_train_batch_size
    batches = choose_batches(data, size, WARM_UP + task.price_steps)
    collate: Callable[[Any], Any] = build_collator(task.kind, tokenizer)
    features = {index: data.features[index] for batch in batches for index in batch}
    if method.trains_head_alone:
        part, _ = take_features(data, list(features))
        outputs = compute_outputs(model, task.kind, part, tokenizer, size)
        with_states = with_outputs(part, outputs, task.kind).features
        features, collate = dict(zip(features, with_states, strict=True)), collate_states
        stack.enter_context(training_on_outputs(model))
    chosen = [[features[index] for index in batch] for batch in batches]
    precision = getattr(torch, resolve_precision(method.training.precision))
    return build_stepper(model, method.training, chosen, collate, precision)

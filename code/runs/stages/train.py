"""Training a run: its weights, curves and costs."""

import dataclasses
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from encoders.models import (
    compute_memory,
    count_parameters,
    describe_device,
    head_state,
    trained_state,
)
from runs.grid import Run, Stage
from runs.inputs import Inputs
from store.entries import Entry, Key, Store, disk_errors
from training.loop import StepListener, build_schedule, train

STAGE = Stage("train", 2, __name__)


def key(inputs: Inputs, run: Run) -> Key:
    """Everything that decides a training's result."""
    training = dataclasses.asdict(run.method.training)
    del training["per_device_eval_batch_size"]  # speed only
    adapter = run.method.adapter
    return STAGE.key(
        run.name,
        {
            "kind": run.task.kind,
            "labels": list(inputs.labels(run.task)),
            "model": inputs.checkpoint(run.method).identity,
            "train": inputs.split(run.task, run.task.train).content_hash,
            "validation": inputs.split(run.task, run.task.validation).content_hash,
            "pooler": run.method.pooler,
            "trainable": run.method.trainable,
            "adapter": dataclasses.asdict(adapter) if adapter else None,
            "training": training,
            "seed": run.seed,
        },
    )


def make(store: Store, inputs: Inputs, run: Run, listener: StepListener) -> Entry:
    """Trains a run, or finds it trained."""
    own = key(inputs, run)

    def train_it(folder: Path) -> dict[str, Any]:
        return _train(inputs, run, folder, store.workspace(own), listener)

    return STAGE.produce(store, own, train_it, describe_device())


def steps(inputs: Inputs, run: Run) -> int:
    """Optimisation steps of a training."""
    features = len(inputs.encoded(run.task, run.method, run.task.train).features)
    per_epoch = build_schedule(features, run.method.training).steps_per_epoch
    return per_epoch * run.method.training.num_train_epochs


def work(inputs: Inputs, run: Run) -> float:
    """Token passes of a training (see ``progress``)."""
    passes = 3 if run.method.adapter is None and run.method.trainable == "all" else 2
    passes = 1 if run.method.adapter is None and run.method.trainable == "head" else passes
    tokens = inputs.encoded(run.task, run.method, run.task.train).tokens
    return float(passes * tokens * run.method.training.num_train_epochs)


def _train(
    inputs: Inputs, run: Run, folder: Path, workspace: Path, listener: StepListener
) -> dict[str, Any]:
    model = inputs.fresh_model(run)
    save_file(head_state(model), folder / "initial_head.safetensors")
    facts: dict[str, Any] = {**count_parameters(model), **compute_memory(model)}
    facts["pooler"] = model.config.pooler_role  # type: ignore[union-attr]
    result = train(
        model,
        run.task.kind,
        inputs.labels(run.task),
        inputs.encoded(run.task, run.method, run.task.train),
        inputs.encoded(run.task, run.method, run.task.validation),
        inputs.tokenizer(inputs.checkpoint(run.method)),
        run.method.training,
        run.seed,
        workspace,
        listener,
    )
    with disk_errors(folder):
        save_file(trained_state(model), folder / "trained.safetensors")
    kept = (folder / "trained.safetensors").stat().st_size
    facts |= {"kept_bytes": kept, "model": run.method.model_name_or_path}
    sources = {a: inputs.source(run.task, a) for a in (run.task.train, *run.task.evaluations)}
    sources["model"] = inputs.checkpoint(run.method).source
    return {"costs": result.costs | facts, "curves": result.curves, "sources": sources}

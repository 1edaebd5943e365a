"""Training a run: its weights, curves and costs."""

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import save_file
from torch import nn

from encoders.models import (
    choose_device,
    compute_memory,
    count_parameters,
    describe_device,
    head_state,
    trained_state,
)
from encoders.packaged import CUT_FROM, pieces_before_cut
from encoders.precision import Machine, device_kind, precision_on, resolve_precision
from encoders.tokens import Collator
from runs.grid import Run, Stage
from runs.inputs import Inputs
from store.entries import Entry, Key, Store, disk_errors
from training.frozen import SplitOutputs, Splits, head_alone
from training.instruments import Instruments

if TYPE_CHECKING:
    from training.loop import StepListener

STAGE = Stage("train", 4, __name__)


def key(inputs: Inputs, run: Run) -> Key:
    """Everything that decides a training's result on this machine.

    Raises:
        StudyError: this machine cannot compute in the wanted precision.
    """
    return _key(inputs, run, device_kind(), resolve_precision(run.method.training.precision))


def key_on(inputs: Inputs, run: Run, machine: Machine) -> Key | None:
    """As ``key`` on that kind of machine, whose results may have been copied here.

    None where it cannot compute in the wanted precision.
    """
    precision = precision_on(machine, run.method.training.precision)
    return None if precision is None else _key(inputs, run, machine[0], precision)


def _key(inputs: Inputs, run: Run, device: str, precision: str) -> Key:
    training = {**dataclasses.asdict(run.method.training), "precision": precision}
    del training["per_device_eval_batch_size"]  # speed only
    if run.method.training.head_learning_rate is None:
        del training["head_learning_rate"]  # a key states only what differs
    adapter = run.method.adapter
    return STAGE.key(
        run.name,
        {
            "kind": run.task.kind,
            "labels": list(inputs.labels(run.task)),
            "model": inputs.checkpoint(run.task, run.method).identity,
            "train": inputs.split(run.task, run.task.train).content_hash,
            "validation": inputs.split(run.task, run.task.validation).content_hash,
            "pooler": run.method.pooler,
            "trainable": run.method.trainable,
            "adapter": {"peft_type": adapter.peft_type, **adapter.options} if adapter else None,
            "training": training,
            "device": device,
            "seed": run.seed,
            **({"encoder_dropout": False} if run.method.trains_head_alone else {}),
        },
    )


def make(store: Store, inputs: Inputs, run: Run, listener: "StepListener") -> Entry:
    """Trains a run, or finds it trained."""
    own = key(inputs, run)

    def train_it(folder: Path) -> dict[str, Any]:
        return _train(inputs, run, folder, store.workspace(own), listener)

    return STAGE.produce(store, own, train_it, describe_device())


def steps(inputs: Inputs, run: Run) -> int:
    """Optimisation steps of a training."""
    from training.loop import build_schedule

    features = len(inputs.encoded(run.task, run.method, run.task.train).features)
    per_epoch = build_schedule(features, run.method.training).steps_per_epoch
    return per_epoch * run.method.training.num_train_epochs


def work(inputs: Inputs, run: Run) -> float:
    """Token passes of a training (see ``progress``)."""
    passes = 3 if run.method.trains_everything else 2
    tokens = inputs.encoded(run.task, run.method, run.task.train).tokens
    epochs = 1 if run.method.trains_head_alone else passes * run.method.training.num_train_epochs
    return float(tokens * epochs)


def _train(
    inputs: Inputs, run: Run, folder: Path, workspace: Path, listener: "StepListener"
) -> dict[str, Any]:
    from transformers import set_seed

    from training.loop import train

    inputs.release()
    outputs = inputs.encoder_outputs(run.task, run.method, run.seed)
    # Python, numpy and torch are seeded after the outputs that all seeds share were computed: a run
    # draws the same numbers whether or not it was the one that computed them.
    set_seed(run.seed)
    instruments = _instruments(outputs)
    model = inputs.fresh_model(run)
    save_file(head_state(model), folder / "initial_head.safetensors")
    facts: dict[str, Any] = {**count_parameters(model), **compute_memory(model)}
    facts["pooler"] = model.config.pooler_role  # type: ignore[union-attr]
    if removed := inputs.removed_by_tokenizer(run.task, run.method):
        facts["tokenizer_removes"] = ",".join(removed)
    if whole := pieces_before_cut(inputs.checkpoint(run.task, run.method).location):
        facts |= {"pieces": model.config.vocab_size, CUT_FROM: whole}  # type: ignore[union-attr]
    facts["device_kind"] = device_kind()
    facts["precision"] = resolve_precision(run.method.training.precision)
    with _prepared(inputs, run, model, outputs) as (splits, collate):
        result = train(
            model,
            run.task.kind,
            *splits,
            inputs.tokenizer(inputs.checkpoint(run.task, run.method)),
            run.method.training,
            run.seed,
            workspace,
            listener,
            instruments,
            collate,
        )
    if run.method.trains_head_alone:
        facts["encoder_outputs_held"] = outputs is not None
    with disk_errors(folder):
        save_file(trained_state(model), folder / "trained.safetensors")
    kept = (folder / "trained.safetensors").stat().st_size
    facts |= {"kept_bytes": kept, "model": run.method.model_name_or_path}
    sources = {a: inputs.source(run.task, a) for a in (run.task.train, *run.task.evaluations)}
    sources["model"] = inputs.checkpoint(run.task, run.method).source
    return {"costs": result.costs | facts, "curves": result.curves, "sources": sources}


def _instruments(outputs: SplitOutputs | None) -> Instruments:
    """The instruments; they count the pass that computed a frozen encoder's outputs too."""
    if outputs is None:
        return Instruments(choose_device())
    training = outputs[0]
    spent = {
        "training_seconds": training.seconds,
        "training_cpu_seconds": training.cpu_seconds,
        "evaluation_seconds": outputs[1].seconds,
    }
    return Instruments(choose_device(), spent, sum(split.size for split in outputs))


def _prepared(
    inputs: Inputs, run: Run, model: nn.Module, outputs: SplitOutputs | None
) -> contextlib.AbstractContextManager[tuple[Splits, Collator | None]]:
    """What is trained and validated on, and the collator of its batches."""
    splits = inputs.training_splits(run.task, run.method)
    if run.method.trains_head_alone:
        return head_alone(model, run.task.kind, splits, outputs)
    return contextlib.nullcontext((splits, None))

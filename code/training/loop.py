"""One run trained with transformers' Trainer; time, memory and curves measured on the way.

Training time is the time of the optimisation alone: evaluations and checkpoints stop the clock. An
interrupted run goes on from its last checkpoint. The Trainer's own checkpoints (which use torch's
format) live in the run's workspace and are deleted with it; what is kept is written by the store.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PrinterCallback, TrainerCallback, TrainingArguments, get_scheduler
from transformers.trainer_utils import get_last_checkpoint

from encoders.models import head_parameters
from encoders.precision import resolve_precision
from encoders.tokens import Collator, Encoded, build_collator
from study.settings import TrainingSettings
from training.batches import LengthBatches
from training.dropout import draw_masks_in_bulk
from training.formats import keep_adapters_in_float32
from training.instruments import Instruments
from training.stopping import StopRequest
from training.trainer import StudyTrainer
from training.validation import CURVE_METRICS, choose_validation, measure_validation

LOSSES_PER_EVALUATION = 4  # points of the training curve between two of the validation curve

StepListener = Callable[[int, float | None], None]


@dataclass(frozen=True)
class Schedule:
    """Steps at which a run logs, evaluates and saves; each divides the next."""

    steps_per_epoch: int
    logging_steps: int
    eval_steps: int
    save_steps: int


@dataclass(frozen=True)
class TrainedRun:
    """What a finished training reports (the weights are in the model)."""

    curves: list[dict[str, Any]]  # rows of step, epoch, seconds, split, metric, value
    costs: dict[str, Any]  # time in seconds, memory in bytes, tokens per second, steps


def build_schedule(features: int, settings: TrainingSettings) -> Schedule:
    """Whole numbers of steps, such that a checkpoint never falls between two logged losses."""
    steps = math.ceil(features / settings.per_device_train_batch_size)
    wanted = max(1, steps // settings.evaluations_per_epoch)
    logging = max(1, wanted // LOSSES_PER_EVALUATION)
    evaluation = max(logging, wanted // logging * logging)
    return Schedule(steps, logging, evaluation, evaluation * max(1, steps // evaluation))


def learning_rates(features: int, settings: TrainingSettings) -> list[float]:
    """The rate of every step of a training, from the same schedule that the Trainer uses."""
    steps = build_schedule(features, settings).steps_per_epoch * settings.num_train_epochs
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=settings.learning_rate)
    warmup = math.ceil(steps * settings.warmup_ratio)
    scheduler: Any = get_scheduler(settings.lr_scheduler_type, optimizer, warmup, steps)
    (factor,) = scheduler.lr_lambdas
    return [settings.learning_rate * factor(step) for step in range(steps)]


def train(
    model: nn.Module,
    kind: str,
    data: Encoded,
    validation: Encoded,
    tokenizer: Any,
    settings: TrainingSettings,
    seed: int,
    workspace: Path,
    listener: StepListener = lambda _step, _loss: None,
    instruments: Instruments | None = None,
    collate: Collator | None = None,
) -> TrainedRun:
    """Trains the model in place.

    Args:
        model: built by ``encoders.models.build_model``; its dropout becomes ``BulkDropout``.
        kind: ``sequence`` or ``token``.
        data: the training split.
        validation: what the validation curve is measured on.
        tokenizer: for padding.
        settings: how to train.
        seed: decides the order of the data and the dropout.
        workspace: where checkpoints go; one found there is resumed from.
        listener: told the step and the latest training loss after every step.
        instruments: made before the model, so that its weights count as memory.
        collate: makes a batch of features, if not ``build_collator``'s of token ids.

    Raises:
        StudyError: a single sentence does not fit into memory, the loss is not finite, or the
            machine cannot compute in the wanted precision.
        Interruption: a signal came; there is a checkpoint to go on from.
    """
    draw_masks_in_bulk(model)
    keep_adapters_in_float32(model)
    settings = replace(settings, precision=resolve_precision(settings.precision))
    schedule = build_schedule(len(data.features), settings)
    chosen = choose_validation(validation, settings.validation_items)
    lengths = [len(feature["input_ids"]) for feature in data.features]
    stop, last = StopRequest(), _last_checkpoint(workspace)
    own_rate = settings.head_learning_rate
    head_rate = None if own_rate is None else (head_parameters(model), own_rate)
    trainer = StudyTrainer(
        validation=partial(
            measure_validation,
            kind=kind,
            data=chosen,
            tokenizer=tokenizer,
            batch_size=settings.per_device_eval_batch_size,
            collate=collate,
        ),
        batches=LengthBatches(lengths, settings.per_device_train_batch_size, seed),
        instruments=instruments,
        head_rate=head_rate,
        model=model,
        args=_arguments(settings, schedule, seed, workspace, measure_first=last is None),
        train_dataset=data.features,
        eval_dataset=chosen.features,
        data_collator=collate or build_collator(kind, tokenizer),
        callbacks=[_Listener(listener), stop],
    )
    trainer.remove_callback(PrinterCallback)  # one progress display shows all runs
    with stop:
        trainer.train(resume_from_checkpoint=last)
    stop.raise_if_received()
    costs = _costs(trainer, data.tokens * settings.num_train_epochs)
    return TrainedRun(_curves(trainer.state.log_history, CURVE_METRICS[kind]), costs)


class _Listener(TrainerCallback):
    def __init__(self, listener: StepListener):
        self._listener = listener

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tells the listener the step and the latest training loss."""
        losses = (record["loss"] for record in reversed(state.log_history) if "loss" in record)
        self._listener(state.global_step, next(losses, None))


def _arguments(
    settings: TrainingSettings, schedule: Schedule, seed: int, workspace: Path, measure_first: bool
) -> TrainingArguments:
    on_gpu = torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(workspace),
        learning_rate=settings.learning_rate,
        num_train_epochs=settings.num_train_epochs,
        per_device_train_batch_size=settings.per_device_train_batch_size,
        weight_decay=settings.weight_decay,
        warmup_steps=settings.warmup_ratio,  # below 1: a share of all steps
        lr_scheduler_type=settings.lr_scheduler_type,
        max_grad_norm=settings.max_grad_norm,
        optim="adamw_torch_fused",  # on a CPU too: seven times as fast for BERT-base
        bf16=settings.precision == "bfloat16",
        fp16=settings.precision == "float16",
        use_cpu=not on_gpu,
        seed=seed,
        logging_steps=schedule.logging_steps,
        logging_nan_inf_filter=False,  # a diverged run must not look like a good one
        eval_strategy="steps",
        eval_steps=schedule.eval_steps,
        eval_on_start=measure_first,
        save_steps=schedule.save_steps,
        save_total_limit=1,
        label_names=["labels"],  # without it a PeftModel reports no evaluation loss
        remove_unused_columns=False,
        dataloader_pin_memory=on_gpu,
        accelerator_config={"non_blocking": on_gpu},  # else each batch waits for the step before
        report_to="none",
        disable_tqdm=True,
    )
    # A run uses one device: several would multiply the batch that schedule and key state.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


def _last_checkpoint(workspace: Path) -> str | None:
    """The newest complete checkpoint of an interrupted run.

    The trainer's state is written last, so a checkpoint without it was cut off.
    """
    if not workspace.is_dir():
        return None
    last = get_last_checkpoint(str(workspace))
    return last if last and (Path(last) / "trainer_state.json").is_file() else None


def _curves(history: list[dict[str, Any]], metrics: tuple[str, ...]) -> list[dict[str, Any]]:
    """Log records as rows, one a value; a step that a resumption logged twice counts once."""
    rows: dict[tuple[int, str, str], dict[str, Any]] = {}
    for record in history:
        values = {("train", "loss"): record.get("loss")}
        values |= {("validation", name): record.get(f"eval_{name}") for name in ("loss", *metrics)}
        for (split, metric), value in values.items():
            if value is None or (record["step"], split, metric) in rows:
                continue
            rows[record["step"], split, metric] = {
                "step": record["step"],
                "epoch": record["epoch"],
                "seconds": record["training_seconds"],
                "split": split,
                "metric": metric,
                "value": float(value),
            }
    return list(rows.values())


def _costs(trainer: StudyTrainer, tokens: int) -> dict[str, Any]:
    readings = trainer.instruments.readings()
    return {
        **readings,
        "steps": trainer.state.global_step,
        "tokens": tokens,
        "tokens_per_second": tokens / readings["training_seconds"],
    }

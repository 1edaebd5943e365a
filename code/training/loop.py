"""One run trained with transformers' Trainer; time, memory and curves measured on the way.

Training time is the time of the optimisation alone: evaluations and checkpoints stop the clock. An
interrupted run goes on from its last checkpoint. The Trainer's own checkpoints (which use torch's
format) live in the run's workspace and are deleted with it; what is kept is written by the store.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import (
    EvalPrediction,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_scheduler,
)
from transformers.trainer_utils import get_last_checkpoint

from encoders.tokens import IGNORED, Encoded, build_collator
from evidence.scoring import score_acceptability, score_tags
from study.errors import StudyError
from study.settings import TrainingSettings
from training.instruments import Instruments

CURVE_METRICS = {
    "sequence": ("matthews_correlation", "accuracy"),
    "token": ("accuracy", "macro_f1"),
}
LOSSES_PER_EVALUATION = 4  # points of the training curve between two of the validation curve

StepListener = Callable[[int, float | None], None]
Collator = Callable[[Any], Any]


@dataclass(frozen=True)
class Schedule:
    """Steps at which a run logs, evaluates and saves; each divides the next."""

    steps_per_epoch: int
    logging_steps: int
    eval_steps: int
    save_steps: int


@dataclass(frozen=True)
class TrainedRun:
    """What a finished training reports (the weights are in the model).

    Attributes:
        curves: rows of step, epoch, seconds, split, metric, value.
        costs: time in seconds, memory in bytes, tokens per second, steps.
    """

    curves: list[dict[str, Any]]
    costs: dict[str, Any]


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
    scheduler = get_scheduler(settings.lr_scheduler_type, optimizer, warmup, steps)
    rates = []
    for _ in range(steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


def train(
    model: nn.Module,
    kind: str,
    tags: tuple[str, ...],
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
        model: built by ``modeling.build_model``.
        kind: ``sequence`` or ``token``.
        tags: the classes, for the metrics of the curve.
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
        StudyError: the GPU's memory is too small, or the loss is not finite.
    """
    schedule = build_schedule(len(data.features), settings)
    trainer = StudyTrainer(
        instruments=instruments,
        model=model,
        args=_arguments(settings, schedule, seed, workspace),
        train_dataset=data.features,
        eval_dataset=choose_validation(validation, settings.validation_items).features,
        data_collator=collate or build_collator(kind, tokenizer),
        compute_metrics=_curve_metrics(kind, tags),
        preprocess_logits_for_metrics=_argmax if kind == "token" else None,
        callbacks=[_Listener(listener)],
    )
    trainer.remove_callback(PrinterCallback)  # the progress display speaks for all runs
    with gpu_memory_errors(settings):
        trainer.train(resume_from_checkpoint=_last_checkpoint(workspace))
    costs = _costs(trainer, data.tokens * settings.num_train_epochs)
    return TrainedRun(_curves(trainer.state.log_history, CURVE_METRICS[kind]), costs)


class StudyTrainer(Trainer):
    """A Trainer whose instruments stand still while it evaluates and saves."""

    def __init__(self, *, instruments: Instruments | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.instruments = instruments or Instruments(self.args.device)
        self.add_callback(_EarlierReadings(self.instruments))

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """As the base class, off the clock."""
        with self.instruments.paused():
            return super().evaluate(*args, **kwargs)

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        with self.instruments.paused():
            super()._save_checkpoint(*args, **kwargs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """As the base class, with the instruments' readings in every record.

        Raises:
            StudyError: the training loss is not finite.
        """
        if not math.isfinite(logs.get("loss", 0.0)):
            raise _diverged()
        super().log({**logs, **self.instruments.readings()}, start_time)


class _EarlierReadings(TrainerCallback):
    """Starts the instruments; after a resumption, with the readings at the checkpoint."""

    def __init__(self, instruments: Instruments):
        self._instruments = instruments

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Continues from the last record, if there is one."""
        self._instruments.start(state.log_history[-1] if state.log_history else {})


class _Listener(TrainerCallback):
    def __init__(self, listener: StepListener):
        self._listener = listener
        self._loss: float | None = None

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remembers the latest training loss."""
        self._loss = (kwargs.get("logs") or {}).get("loss", self._loss)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tells the listener."""
        self._listener(state.global_step, self._loss)


def choose_validation(validation: Encoded, items: int) -> Encoded:
    """A fixed random subset of features for the validation curve (all of them for 0).

    Drawn with a generator of its own: the training seed does not choose what is measured.
    """
    if items == 0 or items >= len(validation.features):
        return validation
    order = np.random.default_rng(0).permutation(len(validation.features))[:items]
    chosen = sorted(order.tolist())
    return Encoded(
        [validation.features[i] for i in chosen],
        [validation.items[i] for i in chosen],
        validation.pieces,
    )


@contextlib.contextmanager
def gpu_memory_errors(settings: TrainingSettings) -> Iterator[None]:
    """Turns a full GPU into a sentence with the setting to change."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise StudyError(
            f"the GPU's memory is too small for batches of {settings.per_device_train_batch_size}",
            remedy="lower per_device_train_batch_size (or max_length) in experiments.local.toml, "
            "or free the GPU (nvidia-smi shows who uses it)",
        ) from error


def _arguments(
    settings: TrainingSettings, schedule: Schedule, seed: int, workspace: Path
) -> TrainingArguments:
    on_gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(workspace),
        learning_rate=settings.learning_rate,
        num_train_epochs=settings.num_train_epochs,
        per_device_train_batch_size=settings.per_device_train_batch_size,
        per_device_eval_batch_size=settings.per_device_eval_batch_size,
        weight_decay=settings.weight_decay,
        warmup_steps=settings.warmup_ratio,  # below 1: a share of all steps
        lr_scheduler_type=settings.lr_scheduler_type,
        max_grad_norm=settings.max_grad_norm,
        optim="adamw_torch_fused",  # on a CPU too: a step of BERT-base takes a seventh of the time
        bf16=on_gpu and torch.cuda.is_bf16_supported(including_emulation=False),
        use_cpu=not on_gpu,
        train_sampling_strategy="group_by_length",
        seed=seed,
        data_seed=seed,
        logging_strategy="steps",
        logging_steps=schedule.logging_steps,
        logging_nan_inf_filter=False,  # a diverged run must not look like a good one
        eval_strategy="steps",
        eval_steps=schedule.eval_steps,
        eval_on_start=True,
        save_strategy="steps",
        save_steps=schedule.save_steps,
        save_total_limit=1,
        label_names=["labels"],  # without it a PeftModel reports no evaluation loss
        remove_unused_columns=False,
        dataloader_pin_memory=on_gpu,
        report_to="none",
        disable_tqdm=True,
    )


def _last_checkpoint(workspace: Path) -> str | None:
    """The newest complete checkpoint of an interrupted run.

    The trainer's state is written last, so a checkpoint without it was cut off.
    """
    if not workspace.is_dir():
        return None
    last = get_last_checkpoint(str(workspace))
    return last if last and (Path(last) / "trainer_state.json").is_file() else None


def _diverged() -> StudyError:
    return StudyError(
        "the loss is not finite: the run diverged",
        remedy="lower learning_rate or raise warmup_ratio in experiments.local.toml",
    )


def _argmax(logits: torch.Tensor, _labels: torch.Tensor) -> torch.Tensor:
    return logits.argmax(dim=-1)


def _curve_metrics(
    kind: str, tags: tuple[str, ...]
) -> Callable[[EvalPrediction], dict[str, float]]:
    def acceptability(prediction: EvalPrediction) -> dict[str, float]:
        logits, labels = np.asarray(prediction.predictions), np.asarray(prediction.label_ids)
        if not np.isfinite(logits).all():
            raise _diverged()
        return score_acceptability(logits, labels)

    def tagging(prediction: EvalPrediction) -> dict[str, float]:
        predicted, gold = np.asarray(prediction.predictions), np.asarray(prediction.label_ids)
        words = gold != IGNORED
        return score_tags(predicted[words], gold[words], tags)

    score, chosen = (tagging if kind == "token" else acceptability), CURVE_METRICS[kind]

    def compute(prediction: EvalPrediction) -> dict[str, float]:
        scores = score(prediction)
        return {metric: float(scores[metric]) for metric in chosen}

    return compute


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

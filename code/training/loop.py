"""One run trained with transformers' Trainer; time, memory and curves measured on the way.

Training time is the time of the optimisation alone: evaluations and checkpoints stop the clock. An
interrupted run goes on from its last checkpoint. The Trainer's own checkpoints (which use torch's
format) live in the run's workspace and are deleted with it; what is kept is written by the store.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_scheduler,
)
from transformers.trainer_utils import get_last_checkpoint

from encoders.memory import is_out_of_memory, release_memory, too_small
from encoders.precision import resolve_precision
from encoders.tokens import IGNORED, Collator, Encoded, build_collator
from study.settings import TrainingSettings
from training.batches import LengthBatches
from training.instruments import Instruments
from training.prediction import diverged
from training.stopping import StopRequest
from training.validation import CURVE_METRICS, Validation, choose_validation

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
    settings = replace(settings, precision=resolve_precision(settings.precision))
    schedule = build_schedule(len(data.features), settings)
    chosen = choose_validation(validation, settings.validation_items)
    batch_size = settings.per_device_eval_batch_size
    lengths = [len(feature["input_ids"]) for feature in data.features]
    stop, last = StopRequest(), _last_checkpoint(workspace)
    trainer = StudyTrainer(
        validation=Validation(kind, chosen, tokenizer, batch_size, collate),
        batches=LengthBatches(lengths, settings.per_device_train_batch_size, seed),
        instruments=instruments,
        model=model,
        args=_arguments(settings, schedule, seed, workspace, measure_first=last is None),
        train_dataset=data.features,
        eval_dataset=chosen.features,
        data_collator=collate or build_collator(kind, tokenizer),
        callbacks=[_Listener(listener), stop],
    )
    trainer.remove_callback(PrinterCallback)  # the progress display speaks for all runs
    with stop:
        trainer.train(resume_from_checkpoint=last)
    stop.raise_if_received()
    costs = _costs(trainer, data.tokens * settings.num_train_epochs)
    return TrainedRun(_curves(trainer.state.log_history, CURVE_METRICS[kind]), costs)


class StudyTrainer(Trainer):
    """A Trainer with our batches, our validation, and instruments that stand still for it.

    Attributes:
        micro_batch_size: features of a forward pass; halved when memory runs out. The gradient is
            that of the whole batch all the same.
    """

    def __init__(
        self,
        *,
        validation: Validation,
        batches: LengthBatches,
        instruments: Instruments | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.validation, self.batches = validation, batches
        self.instruments = instruments or Instruments(self.args.device)
        self.micro_batch_size = self.args.per_device_train_batch_size
        self.add_callback(_Resumption(self))

    def get_train_dataloader(self) -> DataLoader:
        """Batches in the order that seed and epoch decide."""
        return DataLoader(
            self.train_dataset,  # type: ignore[arg-type]
            batch_sampler=self.batches,
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> Tensor:
        """The batch's gradient, in as many passes as memory asks for; returns its mean loss."""
        while True:
            try:
                return self._accumulate(model, inputs)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            model.zero_grad()
            release_memory()
            self._halve()

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Cross-entropy, summed over these inputs and divided by the items of the whole batch."""
        labels = inputs["labels"]
        logits = model(**{name: value for name, value in inputs.items() if name != "labels"}).logits
        flat = logits.float().view(-1, logits.shape[-1])
        total = functional.cross_entropy(
            flat, labels.view(-1), ignore_index=IGNORED, reduction="sum"
        )
        return total / num_items_in_batch

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """A point of the validation curve, off the clock."""
        with self.instruments.paused():
            measured = self.validation.measure(self.model)  # type: ignore[arg-type]
            metrics = {f"eval_{name}": value for name, value in measured.items()}
            self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        with self.instruments.paused():
            self._note_open_loss()
            super()._save_checkpoint(*args, **kwargs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """As the base class, with the instruments' readings in every record.

        Raises:
            StudyError: the training loss is not finite.
        """
        if not math.isfinite(logs.get("loss", 0.0)):
            raise diverged()
        super().log({**logs, **self._readings()}, start_time)

    def go_on_from(self, record: dict[str, Any]) -> None:
        """Takes up what a checkpoint's last record holds (empty: a new training)."""
        self.instruments.start(record)
        self.micro_batch_size = record.get("micro_batch_size", self.micro_batch_size)
        if "open_loss" in record:
            self._tr_loss += record["open_loss"]
            self._globalstep_last_logged -= record["open_steps"]

    def _readings(self) -> dict[str, Any]:
        return {**self.instruments.readings(), "micro_batch_size": self.micro_batch_size}

    def _note_open_loss(self) -> None:
        """Keeps the sum of the losses since the last logged one: a signal stops at any step."""
        steps = self.state.global_step - self._globalstep_last_logged
        if steps:
            self.state.log_history.append(
                {
                    "step": self.state.global_step,
                    "epoch": self.state.epoch,
                    "open_loss": self._tr_loss.item(),
                    "open_steps": steps,
                    **self._readings(),
                }
            )

    def _accumulate(self, model: nn.Module, inputs: dict[str, Any]) -> Tensor:
        labels, size = inputs["labels"], self.micro_batch_size
        items = int((labels != IGNORED).sum())
        parts = [
            {name: value[start : start + size] for name, value in inputs.items()}
            for start in range(0, len(labels), size)
        ]
        backward = super().training_step
        return torch.stack([backward(model, part, items) for part in parts]).sum()

    def _halve(self) -> None:
        if self.micro_batch_size == 1:
            raise too_small("the training step of a single sentence")
        self.micro_batch_size //= 2
        print(
            f"memory ran out: batches of {self.args.per_device_train_batch_size} go through the "
            f"model {self.micro_batch_size} at a time from here on",
            file=sys.stderr,
            flush=True,
        )


class _Resumption(TrainerCallback):
    """Goes on from the last record, chooses an epoch's order, measures after the last step too."""

    def __init__(self, trainer: StudyTrainer):
        self._trainer = trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Continues from the last record, if there is one."""
        self._trainer.go_on_from(state.log_history[-1] if state.log_history else {})

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Chooses the order of the data."""
        self._trainer.batches.set_epoch(state.global_step // len(self._trainer.batches))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The curve ends where the training ends."""
        if state.global_step == state.max_steps:
            control.should_log = control.should_evaluate = True


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


def _arguments(
    settings: TrainingSettings, schedule: Schedule, seed: int, workspace: Path, measure_first: bool
) -> TrainingArguments:
    on_gpu = torch.cuda.is_available()
    arguments = TrainingArguments(
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
        bf16=settings.precision == "bfloat16",
        fp16=settings.precision == "float16",
        use_cpu=not on_gpu,
        seed=seed,
        data_seed=seed,
        logging_strategy="steps",
        logging_steps=schedule.logging_steps,
        logging_nan_inf_filter=False,  # a diverged run must not look like a good one
        eval_strategy="steps",
        eval_steps=schedule.eval_steps,
        eval_on_start=measure_first,
        save_strategy="steps",
        save_steps=schedule.save_steps,
        save_total_limit=1,
        label_names=["labels"],  # without it a PeftModel reports no evaluation loss
        remove_unused_columns=False,
        dataloader_pin_memory=on_gpu,
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
        "micro_batch_size": trainer.micro_batch_size,
        "tokens": tokens,
        "tokens_per_second": tokens / readings["training_seconds"],
    }

"""A Trainer with our batches, validation and clock, that can be interrupted and halves batches."""

import math
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerCallback

from encoders.memory import is_out_of_memory, release_memory, too_small
from encoders.tokens import IGNORED
from training.batches import LengthBatches
from training.instruments import Instruments
from training.prediction import diverged


class StudyTrainer(Trainer):
    """A Trainer with our batches, our validation, and instruments that pause while it validates.

    Attributes:
        head_rate: names of the head's parameters and their learning rate, if it is one of its own.
        micro_batch_size: features of a forward pass; halved when memory runs out. The gradient is
            that of the whole batch all the same.
    """

    def __init__(
        self,
        *,
        validation: Callable[[nn.Module], dict[str, float]],
        batches: LengthBatches,
        instruments: Instruments | None = None,
        head_rate: tuple[set[str], float] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.head_rate = head_rate
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

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """As the base class; a head with a rate of its own has groups of its own."""
        optimizer = super().create_optimizer(model)
        if self.head_rate is None:
            return optimizer
        names, rate = self.head_rate
        head = {id(p) for name, p in self.model.named_parameters() if name in names}  # type: ignore[union-attr]
        for group in list(optimizer.param_groups):
            own = [p for p in group["params"] if id(p) in head]
            group["params"] = [p for p in group["params"] if id(p) not in head]
            optimizer.add_param_group({**group, "params": own, "lr": rate})
        return optimizer

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
        """Measures a point of the validation curve while the instruments pause."""
        with self.instruments.paused():
            measured = self.validation(self.model)  # type: ignore[arg-type]
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
        """Logs the losses since the last record, because a signal may stop between records."""
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
        items = (labels != IGNORED).sum()  # a tensor: a number would wait for the GPU in every step
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
        """Logs and evaluates after the last step, so that the curve ends with the training."""
        if state.global_step == state.max_steps:
            control.should_log = control.should_evaluate = True

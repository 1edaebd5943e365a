"""What training and measuring start from: checkpoints, tokenizers, encoded corpora, models."""

import functools
import sys
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor, nn

from encoders.checking import check_reading, check_window, find_removed
from encoders.models import (
    Checkpoint,
    build_model,
    choose_device,
    find_checkpoint,
    load_base,
    load_config,
    load_tokenizer,
    load_trained,
)
from encoders.skeleton import check_method
from encoders.tokens import Encoded, encode_sentences, encode_tagged
from runs.data import Data
from runs.grid import Run
from store.entries import Entry
from study.settings import MethodSettings, TaskSettings
from training.frozen import LARGEST, SplitOutputs, Splits, compute_outputs, outputs_size
from training.validation import choose_validation

# ``drift.spectra.Directions``; not imported: every stage would record that code as its own.
Directions = dict[tuple[str, str], Tensor]


class Inputs(Data):
    """The corpora, and what the encoders make of them."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self._directions: dict[Checkpoint, Directions] = {}
        self._outputs: dict[tuple[TaskSettings, MethodSettings], SplitOutputs | None] = {}

    @functools.cache  # noqa: B019 - it lives as long as the process
    def checkpoint(self, task: TaskSettings, method: MethodSettings) -> Checkpoint:
        """A method's pretrained encoder; a packaged one is cut to what the task's corpora use."""
        return find_checkpoint(method.model_name_or_path, method.revision, self.texts(task))

    @functools.cache  # noqa: B019
    def tokenizer(self, checkpoint: Checkpoint) -> Any:
        """Its tokenizer."""
        return load_tokenizer(checkpoint)

    def encoded(self, task: TaskSettings, method: MethodSettings, address: str) -> Encoded:
        """That split as the method's model reads it: the same for all methods of one encoder.

        Raises:
            StudyError: the checkpoint cannot be used with these settings and data (``checking``).
        """
        checkpoint, length = self.checkpoint(task, method), method.training.max_length
        self._check_fit(task, method)
        return self._encoded(task, checkpoint, length, address)

    @functools.lru_cache(maxsize=16)  # noqa: B019
    def _encoded(
        self, task: TaskSettings, checkpoint: Checkpoint, length: int, address: str
    ) -> Encoded:
        items, tokenizer = self.split(task, address).items, self.tokenizer(checkpoint)
        if task.kind == "token":
            encoded = encode_tagged(items, tokenizer, self.labels(task), length)
        else:
            encoded = encode_sentences(items, tokenizer, length)
        if address == task.train:
            check_reading(encoded, tokenizer, checkpoint.location)
        return encoded

    @functools.cache  # noqa: B019
    def _check_fit(self, task: TaskSettings, method: MethodSettings) -> None:
        checkpoint = self.checkpoint(task, method)
        check_window(load_config(checkpoint), method, checkpoint.location)
        check_method(checkpoint, task.kind, method)

    def removed_by_tokenizer(self, task: TaskSettings, method: MethodSettings) -> tuple[str, ...]:
        """What the method's tokenizer takes away from every text (``checking.find_removed``)."""
        return find_removed(self.tokenizer(self.checkpoint(task, method)))

    def base_directions(self, checkpoint: Checkpoint) -> Directions:
        """Directions of a base model's matrices, found with the first run that needs them."""
        return self._directions.setdefault(checkpoint, {})

    def training_splits(self, task: TaskSettings, method: MethodSettings) -> Splits:
        """The training split, and what the validation curve is measured on."""
        validation = self.encoded(task, method, task.validation)
        chosen = choose_validation(validation, method.training.validation_items)
        return self.encoded(task, method, task.train), chosen

    def encoder_outputs(
        self, task: TaskSettings, method: MethodSettings, seed: int
    ) -> SplitOutputs | None:
        """Outputs of a frozen encoder for the training and the validation split, computed once.

        None where the method trains its encoder, or, which is said, where they are too large to be
        held. They do not depend on the seed, which is only needed to build the model: all seeds
        share them.
        """
        if not method.trains_head_alone:
            return None
        if (task, method) not in self._outputs:
            self._outputs[task, method] = self._compute_outputs(Run(task, method, seed))
        return self._outputs[task, method]

    def _compute_outputs(self, run: Run) -> SplitOutputs | None:
        splits = self.training_splits(run.task, run.method)
        model = self.fresh_model(run)
        width = int(model.config.hidden_size)  # type: ignore[union-attr, arg-type]
        size = sum(outputs_size(split, run.task.kind, width) for split in splits)
        if size > LARGEST:
            print(
                f"{run.task.name}-{run.method.name}: the encoder's outputs would take "
                f"{size / 2**30:.1f} GiB, more than the {LARGEST / 2**30:.1f} GiB that are held: "
                "the frozen encoder runs for every batch",
                file=sys.stderr,
                flush=True,
            )
            return None
        tokenizer = self.tokenizer(self.checkpoint(run.task, run.method))
        batch_size = run.method.training.per_device_eval_batch_size
        model = model.to(choose_device())
        training, validation = (
            compute_outputs(model, run.task.kind, split, tokenizer, batch_size) for split in splits
        )
        return training, validation

    def fresh_model(self, run: Run) -> nn.Module:
        """The model of a run before its first step."""
        labels, checkpoint = self.labels(run.task), self.checkpoint(run.task, run.method)
        return build_model(checkpoint, run.task.kind, len(labels), run.method, run.seed)

    @functools.lru_cache(maxsize=1)  # noqa: B019
    def trained_model(self, run: Run, trained: Entry) -> nn.Module:
        """The model after training, from the run's stored weights; not to be changed.

        The last one is held, since six stages of a run read it; ``release`` lets go of it.
        """
        model = self.fresh_model(run)
        load_trained(model, load_file(trained.path("trained.safetensors")))
        return model

    def release(self) -> None:
        """Drops the last trained model, so that a training's memory is measured without it."""
        self.trained_model.cache_clear()

    def pair(self, run: Run, trained: Entry) -> tuple[nn.Module, nn.Module]:
        """The model before training, with its initial head, and after it."""
        labels, checkpoint = self.labels(run.task), self.checkpoint(run.task, run.method)
        base, _ = load_base(checkpoint, run.task.kind, len(labels), run.seed)
        return base, self.trained_model(run, trained)

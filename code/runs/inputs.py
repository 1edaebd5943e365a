"""What training and measuring start from: checkpoints, tokenizers, encoded corpora, models."""

import functools
from typing import Any

from safetensors.torch import load_file
from torch import nn

from encoders.models import (
    Checkpoint,
    build_model,
    find_checkpoint,
    load_base,
    load_tokenizer,
    load_trained,
)
from encoders.tokens import Encoded, encode_sentences, encode_tagged
from runs.data import Data
from runs.grid import Run
from store.entries import Entry
from study.settings import MethodSettings, TaskSettings


class Inputs(Data):
    """The corpora, and what the encoders make of them."""

    @functools.cache  # noqa: B019 - it lives as long as the process
    def checkpoint(self, method: MethodSettings) -> Checkpoint:
        """The pretrained encoder of a method."""
        return find_checkpoint(method.model_name_or_path, method.revision)

    @functools.cache  # noqa: B019
    def tokenizer(self, checkpoint: Checkpoint) -> Any:
        """Its tokenizer."""
        return load_tokenizer(checkpoint)

    @functools.lru_cache(maxsize=16)  # noqa: B019
    def encoded(self, task: TaskSettings, method: MethodSettings, address: str) -> Encoded:
        """That split as the method's model reads it."""
        items = self.split(task, address).items
        tokenizer = self.tokenizer(self.checkpoint(method))
        length = method.training.max_length
        if task.kind == "token":
            return encode_tagged(items, tokenizer, self.labels(task), length)
        return encode_sentences(items, tokenizer, length)

    def fresh_model(self, run: Run) -> nn.Module:
        """The model of a run before its first step."""
        labels, checkpoint = self.labels(run.task), self.checkpoint(run.method)
        return build_model(checkpoint, run.task.kind, len(labels), run.method, run.seed)

    def trained_model(self, run: Run, trained: Entry) -> nn.Module:
        """The model after training, from the run's stored weights."""
        model = self.fresh_model(run)
        load_trained(model, load_file(trained.path("trained.safetensors")))
        return model

    def pair(self, run: Run, trained: Entry) -> tuple[nn.Module, nn.Module]:
        """The model before training, with its initial head, and after it."""
        labels, checkpoint = self.labels(run.task), self.checkpoint(run.method)
        base, _ = load_base(checkpoint, run.task.kind, len(labels), run.seed)
        return base, self.trained_model(run, trained)

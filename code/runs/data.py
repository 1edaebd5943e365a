"""The corpora of a study, as its stages need them: splits, classes, gold labels, items."""

import functools
from pathlib import Path

import numpy as np
import pandas as pd

from corpora.loading import (
    UPOS_TAGS,
    Corpus,
    Split,
    acceptability_items,
    load_corpus,
    tagging_items,
    training_vocabulary,
)
from study.settings import TaskSettings

ACCEPTABILITY_LABELS = ("unacceptable", "acceptable")


class Data:
    """The corpora of all tasks, each read once."""

    def __init__(self, folder: Path):
        self._folder = folder  # where corpora that are fetched or unpacked are kept

    def labels(self, task: TaskSettings) -> tuple[str, ...]:
        """The classes of a task, in the order of the logits."""
        return UPOS_TAGS if task.kind == "token" else ACCEPTABILITY_LABELS

    def split(self, task: TaskSettings, address: str) -> Split:
        """The split at ``<corpus>:<split>``."""
        name, split = address.split(":")
        return self._corpus_of(task, name).splits[split]

    def source(self, task: TaskSettings, address: str) -> str:
        """Where that split came from, as a sentence."""
        return self._corpus_of(task, address.split(":")[0]).source

    def gold(self, task: TaskSettings, address: str) -> np.ndarray:
        """Class indices of the split's items (sentences, or words in corpus order)."""
        items = self.split(task, address).items
        if task.kind == "token":
            index = {tag: number for number, tag in enumerate(self.labels(task))}
            return np.array([index[word.upos] for item in items for word in item.words])
        return np.array([item.label for item in items])

    def items(self, task: TaskSettings, address: str, pieces: list[int]) -> pd.DataFrame:
        """The split's items as a table; words with what the training split knows of them."""
        split = self.split(task, address)
        if task.kind == "sequence":
            return acceptability_items(split)
        return tagging_items(split, pieces, training_vocabulary(self.split(task, task.train)))

    def training_sizes(self, task: TaskSettings) -> dict[str, int]:
        """``train_sentences`` and, where words are tagged, ``train_words``."""
        items = self.split(task, task.train).items
        sizes = {"train_sentences": len(items)}
        if task.kind == "token":
            sizes["train_words"] = sum(len(item.words) for item in items)
        return sizes

    def _corpus_of(self, task: TaskSettings, name: str) -> Corpus:
        wanted = sorted({a for a in (task.train, *task.evaluations) if a.startswith(f"{name}:")})
        return self._corpus(task.origin, name, tuple(a.split(":")[1] for a in wanted))

    @functools.cache  # noqa: B019 - it lives as long as the process
    def _corpus(self, origin: str, name: str, splits: tuple[str, ...]) -> Corpus:
        return load_corpus(name, origin, splits, None if origin == "local" else self._folder)

"""The corpora of a study, as its stages need them: splits, classes, gold labels, items."""

import functools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from corpora.items import UPOS_TAGS, Corpus, Sentence, Split, TaggedSentence
from corpora.loading import acceptability_items, load_corpus, tagging_items, training_vocabulary
from corpora.parts import take_part
from study.addresses import Address, parse_address
from study.errors import StudyError
from study.settings import TaskSettings

ACCEPTABILITY_LABELS = ("unacceptable", "acceptable")
SAID_OVERLAP = 0.1  # of an evaluated set with training; short sentences recur in any corpus


class Data:
    """The corpora of all tasks, each read once."""

    def __init__(self, folder: Path):
        self._folder = folder  # where corpora that are fetched or unpacked are kept

    def labels(self, task: TaskSettings) -> tuple[str, ...]:
        """The classes of a task, in the order of the logits."""
        return UPOS_TAGS if task.kind == "token" else ACCEPTABILITY_LABELS

    def split(self, task: TaskSettings, address: str) -> Split:
        """The split at ``<corpus>:<split>``.

        Raises:
            StudyError: it cannot be read, is of the other kind of task, or holds nothing but
                training data where it is to be evaluated.
        """
        if address != task.train:
            self._compare_with_training(task, address)
        return self._read(task, address)

    def _read(self, task: TaskSettings, address: str) -> Split:
        where = parse_address(address)
        found = self._part(task.origin, _splits(task, where.corpus), where)
        if isinstance(found.items[0], TaggedSentence) != (task.kind == "token"):
            wanted = "a treebank" if task.kind == "token" else "sentences with labels (cola)"
            raise StudyError(f"a task of kind {task.kind!r} needs {wanted}, got {address!r}")
        return found

    @functools.cache  # noqa: B019 - it lives as long as the process
    def _part(self, origin: str, splits: tuple[str, ...], address: Address) -> Split:
        whole = self._corpus(origin, address.corpus, splits).splits[address.split]
        return take_part(whole, address.low, address.high)

    @functools.cache  # noqa: B019 - it lives as long as the process
    def _compare_with_training(self, task: TaskSettings, address: str) -> None:
        """Refuses an evaluated set that is in the training set; says so where a part of it is."""
        known = set(map(_text, self._read(task, task.train).items))
        texts = [_text(item) for item in self._read(task, address).items]
        share = sum(text in known for text in texts) / len(texts)
        if share == 1:
            raise StudyError(
                f"every sentence of {address} is also in the training set {task.train}: "
                "what a method scores there says nothing",
                remedy="Evaluate on sentences that are held out.",
            )
        if share > SAID_OVERLAP:
            said = f"{share:.0%} of the sentences of {address} are also in {task.train}"
            print(f"{task.name}: {said}", file=sys.stderr, flush=True)

    @functools.cache  # noqa: B019 - it lives as long as the process
    def texts(self, task: TaskSettings) -> frozenset[str]:
        """All that a tokenizer is given to split: sentences, or words where words are tagged.

        Of the training split all of it, also where a part is trained on: the encoder that is cut to
        these words is the same.
        """
        whole = str(replace(parse_address(task.train), low=0.0, high=1.0))
        items = list(self._read(task, whole).items)
        for address in task.evaluations:
            items += self.split(task, address).items
        if task.kind == "token":
            return frozenset(word.form for item in items for word in item.words)
        return frozenset(item.text for item in items)

    def source(self, task: TaskSettings, address: str) -> str:
        """Where that split came from, as a sentence."""
        corpus = parse_address(address).corpus
        return self._corpus(task.origin, corpus, _splits(task, corpus)).source

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

    @functools.cache  # noqa: B019 - it lives as long as the process
    def _corpus(self, origin: str, name: str, splits: tuple[str, ...]) -> Corpus:
        return load_corpus(name, origin, splits, None if origin == "local" else self._folder)


def _splits(task: TaskSettings, corpus: str) -> tuple[str, ...]:
    """The splits of a corpus that a task uses."""
    every = map(parse_address, (task.train, *task.evaluations))
    return tuple(sorted({address.split for address in every if address.corpus == corpus}))


def _text(item: Sentence | TaggedSentence) -> str | tuple[str, ...]:
    return item.text if isinstance(item, Sentence) else tuple(word.form for word in item.words)

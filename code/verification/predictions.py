"""What the runs of a task predicted, beside what is right: read from the store, item by item."""

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpora.items import UPOS_TAGS
from runs.data import Data
from store.entries import Entry
from study.settings import TaskSettings, name_run
from verification.counting import Bools, Ints

LABELS = ("unacceptable", "acceptable")


@dataclass(frozen=True, eq=False)
class Predictions:
    """The evaluated items of a task and the stored predictions of its runs.

    Attributes:
        task: its settings.
        data: the corpora, for the controls that only count training items.
        ledger: which entries the profile shows.
        find: the entry of a name.
    """

    task: TaskSettings
    data: Data
    ledger: Mapping[str, Any]
    find: Callable[[str], Entry]

    @property
    def classes(self) -> Sequence[str]:
        """The labels or tags, in the order of their numbers."""
        return UPOS_TAGS if self.task.kind == "token" else LABELS

    def seeds(self, method: str, stage: str = "predict", variant: str = "") -> list[int | None]:
        """Seeds of a method's finished runs; of a control that is computed, None alone."""
        if variant:
            planned = self.task.experiments.seeds
            return [seed for seed in planned if stage in self.stages(method, seed, variant)]
        known = [m for m in self.task.methods if m.name == method]
        if not known:
            return [None]
        seeds = self.task.seeds_of(known[0])
        return [seed for seed in seeds if stage in self.stages(method, seed)]

    def stages(self, method: str, seed: int | None, variant: str = "") -> dict[str, Any]:
        """Stage -> entry of a run; {} of one that is not finished."""
        run = name_run(self.task.name, method, seed, variant)
        found: dict[str, Any] = self.ledger["runs"].get(run, {})
        return found

    @functools.cache  # noqa: B019  # as long as one verification
    def items(self, address: str) -> dict[str, Any]:
        """``columns`` of an evaluated set, and ``pieces`` by model."""
        return self.find(self.ledger["tasks"][self.task.name]["items"][address]).result()

    @functools.cache  # noqa: B019
    def gold(self, address: str) -> Ints:
        """(N,) numbers of the right classes."""
        columns = self.items(address)["columns"]
        if self.task.kind == "token":
            return np.array([UPOS_TAGS.index(tag) for tag in columns["tag"]])
        return np.array(columns["label"])

    @functools.cache  # noqa: B019
    def raw(self, method: str, seed: int | None, address: str, variant: str = "") -> Any:
        """Logits (N, 2) of sentences or tag indices (N,) of words."""
        if seed is None:
            return self._control(address)
        stored = self.stages(method, seed, variant)["predict"][address]
        (array,) = self.find(stored).arrays().values()
        return array

    def said(self, method: str, seed: int | None, address: str) -> Ints:
        """(N,) numbers of the classes that were given."""
        raw = self.raw(method, seed, address)
        return raw if raw.ndim == 1 else (raw[:, 1] > raw[:, 0]).astype(int)

    def members(self, method: str, address: str, grouping: str, group: str) -> Bools:
        """(N,) which items a group holds; all without a grouping."""
        columns = self.items(address)["columns"]
        if grouping == "by_length":
            low, _, high = group.partition("-")
            length = np.asarray(columns["length"])
            if group.endswith("+"):
                return length >= int(group[:-1])
            return (length >= int(low)) & (length <= int(high or low))
        if grouping == "by_label":
            return (np.asarray(columns["label"]) == self.majority) == (group == "majority")
        if grouping == "by_domain":
            return np.array([(domain or "unknown") == group for domain in columns["domain"]])
        if grouping == "by_phenomenon":
            return np.array([name == group for name in columns["phenomenon"]])
        if grouping == "by_seen":
            return np.array([bool(seen) == (group == "seen") for seen in columns["seen"]])
        if grouping == "by_pieces":
            pieces = self._pieces(method, address)
            return np.array([(str(n) if n < 4 else "4+") == group for n in pieces])
        return np.ones(len(self.gold(address)), dtype=bool)

    def _pieces(self, method: str, address: str) -> Sequence[int]:
        models = [m.model_name_or_path for m in self.task.methods if m.name == method]
        of_model: Mapping[str, Sequence[int]] = self.items(address)["pieces"]
        own: Sequence[int] = self.items(address)["columns"]["pieces"]
        return of_model.get(models[0], own) if models else own

    @functools.cached_property
    def majority(self) -> int:
        """The more frequent label of training; the smaller one of a tie."""
        labels = [item.label for item in self.data.split(self.task, self.task.train).items]
        return int(sum(labels) * 2 > len(labels))

    def _control(self, address: str) -> Any:
        """What the control that is computed gives: one label, or each form's most frequent tag."""
        if self.task.kind == "sequence":
            return np.tile(np.eye(2)[self.majority], (len(self.gold(address)), 1))
        forms = self.items(address)["columns"]["form"]
        return np.array([UPOS_TAGS.index(self._lexicon(form)) for form in forms])

    @functools.cached_property
    def _lexicon(self) -> Callable[[str], str]:
        items = self.data.split(self.task, self.task.train).items
        return _most_frequent([(word.form, word.upos) for item in items for word in item.words])


def _most_frequent(train_words: Sequence[tuple[str, str]]) -> Callable[[str], str]:
    """A form's most frequent tag; if it is new, its lower case's, else that of rare forms."""
    exact: dict[str, Counter[str]] = {}
    lower: dict[str, Counter[str]] = {}
    for form, tag in train_words:
        exact.setdefault(form, Counter())[tag] += 1
        lower.setdefault(form.lower(), Counter())[tag] += 1
    once = Counter(next(iter(tags)) for tags in exact.values() if sum(tags.values()) == 1)
    unseen = _first(once or Counter(tag for _, tag in train_words))

    def tag_of(form: str) -> str:
        for known, key in ((exact, form), (lower, form.lower())):
            if key in known:
                return _first(known[key])
        return unseen

    return tag_of


def _first(counted: Counter[str]) -> str:
    """The most frequent one, of equally frequent ones the first in the alphabet."""
    return sorted(counted, key=lambda tag: (-counted[tag], tag))[0]

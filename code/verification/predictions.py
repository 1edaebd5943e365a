"""What the runs of a task predicted, beside what is right: read from the store, item by item."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpora.items import UPOS_TAGS
from evidence.baselines import Lexicon, learn_lexicon
from facts.fact import Fact
from runs.data import Data
from store.entries import Entry
from study.settings import TaskSettings, name_run
from verification.counting import Bools, Ints

LABELS = ("unacceptable", "acceptable")


@dataclass(frozen=True, eq=False)
class Predictions:
    """The evaluated items of a task and the stored predictions of its runs."""

    task: TaskSettings  # its settings
    data: Data  # the corpora, for the controls that only count training items
    ledger: Mapping[str, Any]  # which entries the profile shows
    find: Callable[[str], Entry]  # the entry of a name

    @property
    def classes(self) -> Sequence[str]:
        """The labels or tags, in the order of their numbers."""
        return UPOS_TAGS if self.task.kind == "token" else LABELS

    def seeds(self, method: str, variant: str = "") -> list[int | None]:
        """Seeds of a method's finished runs; of a control that is computed, None alone."""
        planned = self.task.experiments.seeds
        if not variant:
            known = [m for m in self.task.methods if m.name == method]
            if not known:
                return [None]
            planned = self.task.seeds_of(known[0])
        return [seed for seed in planned if "predict" in self.stages(method, seed, variant)]

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
        return self.find(stored).array()

    def said(self, fact: Fact, seed: int | None) -> Ints:
        """(N,) numbers of the classes that were given by the method of a fact, on its set."""
        raw = self.raw(fact.method, seed, fact.evaluation, fact.variant)
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
            models = [m.model_name_or_path for m in self.task.methods if m.name == method]
            of_model = self.items(address)["pieces"]
            pieces = of_model.get(models[0] if models else "", columns["pieces"])
            return np.array([(str(n) if n < 4 else "4+") == group for n in pieces])
        return np.ones(len(self.gold(address)), dtype=bool)

    @functools.cached_property
    def majority(self) -> int:
        """The more frequent label of training; the smaller one of a tie."""
        labels = [item.label for item in self.data.split(self.task, self.task.train).items]
        return int(sum(labels) * 2 > len(labels))

    @functools.cached_property
    def _lexicon(self) -> Lexicon:
        items = self.data.split(self.task, self.task.train).items
        return learn_lexicon((word.form, word.upos) for item in items for word in item.words)

    def _control(self, address: str) -> Any:
        """What the control that is computed gives: one label, or each form's most frequent tag."""
        if self.task.kind == "sequence":
            return np.tile(np.eye(2)[self.majority], (len(self.gold(address)), 1))
        forms = self.items(address)["columns"]["form"]
        return np.array([UPOS_TAGS.index(self._lexicon.tag(form)) for form in forms])

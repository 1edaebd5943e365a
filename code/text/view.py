"""The facts of one task, asked by the roles that its methods play.

The *first* method trains every weight, the *second* an adapter, the *control* the head alone; the
*foreign* encoder is trained like the first from another checkpoint, and the *computed* control is
no model at all. Roles follow from the settings, never from names. A method that is absent is never
replaced by another: what is asked of it is a fact without a value.
"""

from dataclasses import dataclass
from typing import Any

from facts.fact import Fact
from facts.table import Facts
from store.results import Results
from study.addresses import language_of
from study.settings import TaskSettings
from text.sentence import Speaker

ABSENT = "\x00"  # the name of no method


@dataclass(frozen=True)
class TaskView:
    """What the sentences on one task ask."""

    results: Results
    task: str

    @property
    def facts(self) -> Facts:
        """All facts of the study."""
        return self.results.facts

    @property
    def settings(self) -> TaskSettings:
        """The task's settings."""
        return self.results.profile.tasks[self.task]

    @property
    def metric(self) -> str:
        """The metric that the task is judged by."""
        return self.settings.metric

    @property
    def margin(self) -> float:
        """The largest difference of that metric that does not matter."""
        return self.settings.margins.of(self.metric) or 0.0

    @property
    def first(self) -> str | None:
        """The method that trains every weight."""
        return self.results.roles(self.task).reference

    @property
    def second(self) -> str | None:
        """The method that trains an adapter."""
        return self.results.roles(self.task).adapter

    @property
    def control(self) -> str | None:
        """The method that trains the head alone."""
        return self.results.roles(self.task).control

    @property
    def foreign(self) -> str | None:
        """The method that starts from another encoder."""
        return self.results.roles(self.task).foreign

    @property
    def computed(self) -> str | None:
        """The control that is computed: the majority label, the lexicon."""
        scores = self.facts.where(quantity="score", task=self.task, seed=None, part="", group="")
        known = {method.name for method in self.settings.methods}
        return next((m for m in scores.distinct("method") if m not in known), None)

    @property
    def validation(self) -> str:
        """The evaluated set that is followed during training."""
        return self.settings.validation

    @property
    def target(self) -> str | None:
        """The first evaluated set in another language than the validation set."""
        return next(iter(self.targets), None)

    @property
    def targets(self) -> list[str]:
        """The evaluated sets in other languages than the validation set."""
        source, *others = self.settings.evaluations
        return [e for e in others if language_of(e) != language_of(source)]

    @property
    def complete(self) -> bool:
        """Whether both compared methods have results."""
        return self.first is not None and self.second is not None

    def one(self, quantity: str, method: str | None, **key: Any) -> Fact:
        """A fact of a method of this task; without a value where there is no such method."""
        return self.facts.one(quantity, task=self.task, method=method or ABSENT, **key)

    def score(
        self, method: str | None, metric: str = "", where: str | None = "", **key: Any
    ) -> Fact:
        """A method's score, by the task's own metric on the validation set if not told."""
        place = {"metric": metric or self.metric, "evaluation": self._where(where), **key}
        return self.one("score", method, **place)

    def difference(
        self,
        metric: str = "",
        where: str | None = "",
        first: str | None = "",
        second: str | None = "",
    ) -> Fact:
        """The first minus the second method, by the task's metric on the validation set."""
        return self.facts.difference(
            task=self.task,
            method=(self.first if first == "" else first) or ABSENT,
            against=(self.second if second == "" else second) or ABSENT,
            metric=metric or self.metric,
            evaluation=self._where(where),
        )

    def cost(self, method: str | None, metric: str) -> Fact:
        """A cost of a method, median over its runs."""
        return self.one("cost", method, metric=metric)

    @property
    def held_and_kept(self) -> dict[str, Fact]:
        """``{first_memory}``, ``{first_disk}`` ...: what training holds, and what it leaves."""
        return {
            f"{role}_{name}": self.cost(method, metric)
            for role, method in (("first", self.first), ("second", self.second))
            for name, metric in (("memory", "computed_bytes"), ("disk", "kept_bytes"))
        }

    def ratio(self, metric: str) -> Fact:
        """A cost of the second method in units of the first's."""
        return self.one("ratio", self.second, against=self.first or ABSENT, metric=metric)

    def learned(self, method: str | None) -> bool | None:
        """Whether a method is above its controls by more than chance; None: not known."""
        value = self.one("learned", method, evaluation=self.validation).value
        return None if value is None else bool(value)

    @property
    def longer_run(self) -> bool:
        """Whether a longer schedule was run as an experiment."""
        specified = self.settings.experiments.specifications
        longer = [n for n, own in specified.items() if dict(own[0].changes).get("num_train_epochs")]
        return bool(self.facts.where(quantity="score", task=self.task, variant=longer))

    def seeds(self, method: str | None = "") -> list[int]:
        """The seeds with results, of one method or of all."""
        costs = self.facts.where(quantity="cost", task=self.task)
        rows = costs if method == "" else costs.where(method=method or ABSENT)
        return sorted(seed for seed in rows.distinct("seed") if seed is not None)

    def _where(self, where: str | None) -> str:
        return self.validation if where == "" else where or ABSENT


@dataclass(frozen=True)
class TaskSentences:
    """Sentences on one task."""

    view: TaskView
    speak: Speaker

    @property
    def compared(self) -> dict[str, str]:
        """Placeholders for the names of the compared methods, ``{first}`` and ``{second}``."""
        return self.speak.methods(first=self.view.first, second=self.view.second)

    @property
    def paired(self) -> dict[str, str]:
        """The same where ``first`` and ``second`` are facts."""
        return self.speak.methods(one=self.view.first, other=self.view.second)

    @property
    def headline_set(self) -> dict[str, Any]:
        """The columns of the task's own metric on the validation set."""
        return {"metric": self.view.metric, "evaluation": self.view.validation}

    @property
    def made(self) -> bool:
        """Whether any experiment of the task is finished."""
        return any(run.task == self.view.task for run in self.view.results.variants)

    def change(self, method: str, variant: str) -> Fact:
        """A method with the settings of a variant minus the same method without."""
        place: dict[str, Any] = {"against": method, "variant": variant, **self.headline_set}
        return self.view.one("difference", method, **place)

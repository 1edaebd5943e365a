"""What sentences on several trained models share: which models there are, and their names."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from facts.fact import Fact
from facts.quantities import Unit
from facts.table import Facts
from store.results import Results
from study.addresses import language_of
from text.sentence import Said, Speaker
from text.view import TaskView
from words.escaping import capitalise


@dataclass(frozen=True)
class Model:
    """A method of a task."""

    view: TaskView
    method: str

    def one(self, quantity: str, **key: str) -> Fact:
        """A fact of this model, over its seeds."""
        return self.view.one(quantity, self.method, **key)  # type: ignore[arg-type]

    def runs(self, quantity: str, **key: str) -> list[Fact]:
        """The facts of its single runs."""
        found = self.view.facts.where(
            quantity=quantity, task=self.view.task, method=self.method, against="",
            **key,  # type: ignore[arg-type]
        )  # fmt: skip
        return [fact for fact in found if fact.seed is not None and fact.known]


@dataclass(frozen=True)
class ModelSentences:
    """Sentences that look at the compared models of all tasks."""

    results: Results
    speak: Speaker

    @property
    def facts(self) -> Facts:
        """All facts of the study."""
        return self.results.facts

    @cached_property
    def views(self) -> dict[str, TaskView]:
        """Task -> its facts by role."""
        return {task: TaskView(self.results, task) for task in self.results.profile.tasks}

    @cached_property
    def models(self) -> list[Model]:
        """The (up to four) models that the assignment asks about."""
        return [
            Model(view, method)
            for view in self.views.values()
            for method in (view.first, view.second)
            if method is not None
        ]

    def model(self, task: str, role: str) -> Model | None:
        """The model of a task that plays a role (``first``, ``second``), if it has finished."""
        method: str | None = getattr(self.views[task], role)
        return None if method is None else Model(self.views[task], method)

    def place(self, view: TaskView) -> Said:
        """A task as a place: ``on CoLA``, ``in POS tagging``."""
        names = {
            "task": self.speak.name(view.task),
            "task_prepositional": self.speak.name(view.task, "prepositional"),
        }
        return self.speak.say("place", view.settings.kind, **names)

    def capital(self, place: Said) -> dict[str, Said]:
        """Placeholders of a place, within a sentence and at its beginning."""
        return {"place": place, "Place": capitalise(place)}

    def set_name(self, view: TaskView, evaluation: str) -> Said:
        """An evaluated set as a place, with its language where a task has several sets."""
        if len(view.settings.evaluations) == 1:
            return self.place(view)
        language = self.speak.name(language_of(evaluation))
        return self.speak.say("set", place=self.place(view), language=language)

    def name(self, model: Model) -> Said:
        """A model in running text, after a preposition: ``full fine-tuning on CoLA``."""
        return self._named("model", model)

    def label(self, model: Model) -> Said:
        """A model that stands by itself, before a colon."""
        return self._named("model-label", model)

    def _named(self, key: str, model: Model) -> Said:
        methods = self.speak.methods(method=model.method)
        return self.speak.say(key, place=self.place(model.view), **methods)

    def estimates(self, models: Iterable[Model], of: Callable[[Model], Fact]) -> list[Said]:
        """The models, each with a number and its interval in brackets."""
        return [self.speak.say("model-estimate", model=self.name(m), fact=of(m)) for m in models]

    def sort(
        self, judged: Mapping[Model, str], of: Callable[[Model], Fact]
    ) -> dict[str, list[Said]]:
        """Outcome -> the models that have it, each with its number: what ``clauses`` takes."""
        kinds = dict.fromkeys(judged.values())
        chosen = {kind: [m for m, own in judged.items() if own == kind] for kind in kinds}
        return {kind: self.estimates(models, of) for kind, models in chosen.items()}

    def count(self, cases: Iterable[bool]) -> Said:
        """In how many runs something holds: ``in all 8 runs``, ``in 3 of 8``, ``in none``."""
        found = list(cases)
        if len(found) == 1:
            return self.speak.say("count", "one-yes" if found[0] else "one-no")
        return self.speak.say("count", extent(found), count=sum(found), runs=len(found))

    def factor(self, factor: float, digits: int = 2) -> Said:
        """A factor of the settings, which is no fact."""
        return Said(self.speak.numbers.write(factor, Unit.RATIO, digits))


def extent(cases: Iterable[bool]) -> str:
    """``all``, ``some`` or ``none`` of the cases; ``unknown`` where there are none."""
    found = list(cases)
    if not found:
        return "unknown"
    return "all" if all(found) else "some" if any(found) else "none"

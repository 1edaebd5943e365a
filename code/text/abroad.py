"""What all sentences on transfer share: facts of the first set in another language, and names.

A method is never replaced by another: what was not run is a fact without a value.
"""

from functools import cached_property
from typing import Any

from facts.fact import Fact
from facts.quantities import Unit
from facts.table import Facts
from study.addresses import language_of
from study.settings import MethodSettings
from text.rules import Verdict, judge, scope
from text.sentence import Said
from text.view import TaskSentences


class Abroad(TaskSentences):
    """What a tagger trained on one language does in another: its facts and their placeholders."""

    # ------------------------------------------------------------------------------------- facts

    @property
    def margin(self) -> float:
        """The largest difference of accuracies, and of drops, that does not matter."""
        return self.view.settings.margins.accuracy

    def drop_of(self, method: str | None, metric: str = "accuracy", tag: str = "") -> Fact:
        """How far a method falls in the other language, on all words or those of a tag."""
        return self.view.one(
            "drop", method, metric=metric, tag=tag, evaluation=self.view.target or ""
        )

    def fall_of(self, method: str) -> Verdict:
        """Whether accuracy falls."""
        return judge(self.drop_of(method), self.margin)

    def against(self, first: str | None, second: str | None) -> Fact:
        """Accuracy in the other language, first minus second."""
        return self.view.difference("accuracy", self.view.target, first=first, second=second)

    def scores(self, **roles: str | None) -> dict[str, Any]:
        """Accuracies in both languages: ``{first_source}``, ``{first_target}`` ..."""
        places = {"source": self.view.validation, "target": self.view.target}
        return {
            f"{role}_{place}": self.view.score(method, "accuracy", where)
            for role, method in roles.items()
            for place, where in places.items()
        }

    def settings_of(self, method: str | None) -> MethodSettings | None:
        """The settings of a method."""
        return next((m for m in self.view.settings.methods if m.name == method), None)

    @property
    def spoken_of(self) -> str | None:
        """The method whose drop is taken apart: the first; the second, by its name, if alone."""
        return self.view.first or self.view.second

    @property
    def whole(self) -> Fact:
        """The drop of that method on all words."""
        return self.drop_of(self.spoken_of)

    @property
    def speaks(self) -> bool:
        """Whether there is a drop to take apart, of a method that learned the task."""
        return self.whole.known and self.view.learned(self.spoken_of) is not False

    def where(self, quantity: str, **chosen: Any) -> Facts:
        """Facts of that method in the other language, over seeds."""
        return self.view.facts.where(
            quantity=quantity, task=self.view.task, method=self.spoken_of or "", seed=None,
            evaluation=self.view.target or "", **chosen,
        )  # fmt: skip

    @property
    def cells(self) -> list[Fact]:
        """The confusions of two tags that add to the drop, with what each costs of it."""
        found = [fact for fact in self.where("contribution") if fact.predicted]
        return [fact for fact in found if (fact.value or 0.0) > 0]

    # ------------------------------------------------------------------------------------- texts

    @property
    def named(self) -> dict[str, Any]:
        """Placeholders for the method that is spoken of, as ``{first}``, and for the languages."""
        return self.texts(first=self.spoken_of)

    @property
    def margin_text(self) -> str:
        """The margin, with its sign and unit."""
        return f"±{self.speak.numbers.write(self.margin, Unit.POINTS)}"

    def scope_of(self, *facts: Fact) -> Said:
        """What a verdict on these facts is about."""
        return self.speak.say("scope", scope(*facts))

    def texts(self, **roles: str | None) -> dict[str, Any]:
        """Placeholders for methods and for the two languages."""
        return {**self.speak.methods(**roles), **self.languages}

    @cached_property
    def languages(self) -> dict[str, str]:
        """``{source}`` and ``{target}``, in the form that follows "on" or "in"."""
        source, target = self.view.settings.train, self.view.target
        named = {"source": self.language(source)}
        return named | ({"target": self.language(target)} if target else {})

    @property
    def english_to_german(self) -> bool:
        """Whether what is written down of grammar is about the two languages at hand."""
        places = (self.view.settings.train, self.view.target or "")
        return [language_of(place) for place in places] == ["en", "de"]

    def language(self, evaluation: str) -> str:
        """The name of a set's language."""
        return self.speak.name(language_of(evaluation), "prepositional")

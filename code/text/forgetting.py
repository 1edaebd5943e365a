"""Sentences on what the encoders forgot of their pretraining, by the head of its task.

Where a checkpoint comes without that head, one sentence says so and nothing else is said.
"""

import math
from collections.abc import Iterator

from evidence.forgetting import METRIC, NO_HEAD
from facts.fact import BASE, Fact
from facts.quantities import Unit
from study.addresses import language_of
from text.models import ModelSentences
from text.rules import Verdict, judge, scope
from text.sentence import NOTHING, Said
from text.view import ABSENT, TaskView


class ForgettingSentences(ModelSentences):
    """Loss on masked pieces of held-out sentences: before training, after it, by method."""

    @property
    def known(self) -> bool:
        """Whether there is anything to show of any task."""
        return bool(self.facts.where(quantity="forgetting").values())

    @property
    def abroad(self) -> Said:
        """Which of two taggers kept more of the other language, and what each of them lost."""
        view = next((view for view in self.views.values() if view.target), None)
        if view is None:
            return NOTHING
        methods = [method for method in (view.first, view.second) if method]
        added = {method: self._loss(view, view.target, method, BASE) for method in methods}
        if any(fact.reason == NO_HEAD for fact in added.values()):
            return self.speak.say("no-head")
        if not any(fact.known for fact in added.values()):
            return NOTHING
        said = [self.speak.say("kept-asked"), self._retained(view, view.target)]
        language = self.speak.name(language_of(view.target or ""), "prepositional")
        for method, fact in added.items():
            verdict = judge(fact, view.settings.margins.masked_loss)
            if verdict != Verdict.UNKNOWN:
                texts = {**self.speak.methods(method=method), **self._scope(fact)}
                said.append(self.speak.say("kept", verdict, added=fact, language=language, **texts))
        return self.speak.join(said)

    @property
    def measured(self) -> Said:
        """How it is measured, and which method forgot less on each evaluated set."""
        if not self.known:
            return NOTHING
        views = self.views.values()
        margin, numbers = next(iter(views)).settings.margins.masked_loss, self.speak.numbers
        said = self.speak.say(
            "masked-loss",
            margin=numbers.write(margin, Unit.PLAIN, 2),
            perplexity=Said(numbers.write(math.expm1(margin), Unit.PERCENT, 0)),
        )
        sets = [self._retained(v, where) for v in views for where in v.settings.evaluations]
        return self.speak.join([said, *sets, *self._without_head()])

    def _without_head(self) -> Iterator[Said]:
        lacking = [f.task for f in self.facts.where(quantity="forgetting") if f.reason == NO_HEAD]
        for task in dict.fromkeys(lacking):
            yield self.speak.say("no-head-task", place=self.place(self.views[task]))

    def _retained(self, view: TaskView, where: str | None) -> Said:
        """Which of the two compared methods added less to the loss; nothing without both."""
        gap = self._loss(view, where, view.first, view.second)
        verdict = judge(gap, view.settings.margins.masked_loss)
        if verdict == Verdict.UNKNOWN:
            return NOTHING
        names = self.speak.methods(first=view.first, second=view.second)
        place = self.capital(self.set_name(view, gap.evaluation))
        return self.speak.say("retained", verdict, gap=gap, **place, **self._scope(gap), **names)

    def _scope(self, fact: Fact) -> dict[str, Said]:
        return {"scope": self.speak.say("scope", scope(fact))}

    @staticmethod
    def _loss(view: TaskView, where: str | None, method: str | None, against: str | None) -> Fact:
        """The loss of a method on a set, minus that of the base or of another method."""
        place = {"evaluation": where or "", "metric": METRIC, "against": against or ABSENT}
        return view.one("forgetting", method, **place)

"""Answers of Task 1: sentence classification (CoLA)."""

from typing import Any

from answers import findings
from answers.judging import interval_outcome
from answers.methods import MethodAnswers
from answers.voice import Phrase


class ColaAnswers(MethodAnswers):
    """What Task 1 found beyond costs and quality."""

    @property
    def items(self) -> Phrase:
        """Number of validation sentences."""
        return Phrase(self.voice.words.count(self._summary.get("items")))

    @property
    def accuracy(self) -> Phrase:
        """Reference against adapter by accuracy."""
        return self.compare("quality", self.settings.validation, "accuracy")

    @property
    def majority(self) -> Phrase:
        """What a constant answer reaches."""
        name = findings.constant_control(self.results, self.task)
        where = self.settings.validation
        accuracy, mcc = (
            self.voice.estimate(m, findings.estimate(self.results, self.task, name, m, where))
            for m in ("accuracy", "matthews_correlation")
        )
        return self.voice.say("majority", accuracy=accuracy, mcc=mcc)

    @property
    def threshold(self) -> Phrase:
        """How much MCC another threshold could add, an upper bound."""
        entry = findings.method_evidence(self.results, self.task, self.roles.reference)
        threshold = entry.get("threshold")
        if threshold is None:
            return self.voice.say("not-compared")
        number = self.voice.words.number
        return self.voice.say(
            "threshold",
            **self.methods,
            gain=number(threshold["gain"], 3),
            bound=number(threshold["upper_bound"], 3),
        )

    @property
    def domain(self) -> Phrase:
        """In-domain against out-of-domain sentences."""
        return self._two_groups("domain", "by_domain", "in", "out")

    @property
    def label(self) -> Phrase:
        """Sentences of the majority label against those of the other."""
        return self._two_groups("label", "by_label", "majority", "minority")

    def _two_groups(self, key: str, kind: str, first: str, second: str) -> Phrase:
        """Accuracy of the reference on two groups of sentences.

        The groups are of different sentences, so their intervals are compared: they differ only
        if these do not overlap.
        """
        entry = findings.method_evidence(self.results, self.task, self.roles.reference)
        rows = {row["group"]: row for row in entry.get("errors", {}).get(kind, ())}
        if first not in rows or second not in rows:
            return self.voice.say(f"{key}-unknown")
        one, other = rows[first]["accuracy"], rows[second]["accuracy"]
        if None in (one["low"], other["low"]):
            return self.voice.say(f"{key}-unknown")
        order = interval_outcome(one["low"] - other["high"], one["high"] - other["low"])
        values = {
            "first_value": self.voice.estimate("accuracy", one),
            "second_value": self.voice.estimate("accuracy", other),
        }
        return self.voice.say(f"{key}-{order}", **{**self.methods, **values})

    @property
    def always_wrong(self) -> Phrase:
        """Sentences that no run gets right."""
        found = self._summary.get("always_wrong")
        if not found:
            return self.voice.say("not-compared")
        return self.voice.say(
            "always-wrong",
            count=self.voice.words.count(found["count"]),
            share=self.voice.words.percent(found["share"]),
            expected=self.voice.words.number(found["expected"], 1),
        )

    @property
    def _summary(self) -> dict[str, Any]:
        return self.results.evidence[self.task]

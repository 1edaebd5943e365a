"""Answers of Task 1: sentence classification (CoLA)."""

from evidence.schema import AcceptabilityEvidence, AcceptabilityMethod

from answers.judging import Verdict, interval_outcome
from answers.literature import compare_with_published
from answers.methods import MethodAnswers
from answers.voice import Phrase
from evidence.outcomes import decisive_interval


class ColaAnswers(MethodAnswers):
    """What Task 1 found beyond costs and quality."""

    @property
    def items(self) -> Phrase:
        """Number of validation sentences."""
        return Phrase(self.voice.words.count(self._summary["items"] if self._summary else None))

    @property
    def accuracy(self) -> Phrase:
        """Reference against adapter by accuracy, where there is anything to compare."""
        if not all(self.learned(*self.pair)):
            return Phrase("")
        return self.compare("accuracy", self.settings.validation, "accuracy")

    @property
    def majority(self) -> Phrase:
        """What a constant answer reaches."""
        control, where = self.computed_control, self.settings.validation
        accuracy = self.estimate(control, "accuracy", where)
        mcc = self.estimate(control, "matthews_correlation", where)
        return self.voice.say("majority", accuracy=accuracy, mcc=mcc)

    @property
    def lora_literature(self) -> Phrase:
        """How the difference in quality stands to what was published."""
        verdict = self.quality_verdict
        rows = compare_with_published(self.results, self.task)
        gap = next((row for row in rows if row.published.quantity == "gap"), None)
        if gap is None or gap.covered is None or verdict not in tuple(Verdict)[:4]:
            return self.voice.say("published-gap-unknown")
        return self.voice.say(
            "published-gap",
            "covered" if gap.covered else "not-covered",
            gap=self.voice.words.number(gap.published.value, 3),
            direction=self.say("learns-less", verdict),
        )

    @property
    def threshold(self) -> Phrase:
        """How much MCC another threshold could add, an upper bound."""
        threshold = self._reference["threshold"] if self._reference else None
        if self.undefined(self.metric, self.settings.validation):
            return self.voice.say("one-label", metric=self.voice.name("metric", self.metric))
        if threshold is None:
            return self.voice.say("not-compared")
        return self.say(
            "threshold",
            gain=self.voice.words.number(threshold["gain"], 3),
            bound=self.voice.words.number(threshold["upper_bound"], 3),
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

        They differ if the interval of their difference, under the same resamples, excludes zero.
        """
        entry = self._reference
        if entry is None or kind not in entry["contrasts"]:
            return self.voice.say(f"{key}-unknown")
        rows = {row["group"]: row["accuracy"] for row in entry["groups"][kind]}
        return self.say(
            key,
            interval_outcome(*decisive_interval(entry["contrasts"][kind]["difference"])),
            first_value=self.voice.estimate("accuracy", rows[first]),
            second_value=self.voice.estimate("accuracy", rows[second]),
        )

    @property
    def always_wrong(self) -> Phrase:
        """Sentences that no run gets right."""
        if self._summary is None:
            return self.voice.say("not-compared")
        found = self._summary["always_wrong"]
        return self.voice.say(
            "always-wrong",
            count=self.voice.words.count(found["count"]),
            share=self.voice.words.percent(found["share"]),
        )

    @property
    def _summary(self) -> AcceptabilityEvidence | None:
        return self.results.acceptability(self.task) if self.task in self.results.evidence else None

    @property
    def _reference(self) -> AcceptabilityMethod | None:
        return self._summary["methods"].get(self.roles.reference or "") if self._summary else None

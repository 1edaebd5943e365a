"""Answers about one task's methods that both tasks share: how well they do."""

from dataclasses import dataclass

from evidence.schema import Comparison

from answers import findings
from answers.costs import CostAnswers
from answers.judging import Verdict, judge_comparison, judge_extent
from answers.voice import Phrase
from evidence.outcomes import ONE_LABEL, decisive_interval
from words.wording import Shown

PRIMARY = {"sequence": "matthews_correlation", "token": "accuracy"}  # what an answer speaks of
SPEAK_OF_LEARNING = ("quality", "abstract-quality")  # the others leave a failed method to these


@dataclass(frozen=True)
class MethodAnswers(CostAnswers):
    """Reference against adapter on one task."""

    @property
    def metric(self) -> str:
        """The metric that the answers speak of first."""
        return PRIMARY[self.settings.kind]

    def verdict(self, evaluation: str, metric: str) -> Verdict:
        """Reference against adapter by a metric on an evaluated set."""
        found = self.compared(evaluation, metric, *self.pair)
        return judge_comparison(found, self.learned(*self.pair))

    @property
    def quality_verdict(self) -> Verdict:
        """Reference against adapter on the validation set, by the first metric."""
        return self.verdict(self.settings.validation, self.metric)

    @property
    def quality(self) -> Phrase:
        """Whether the adapter loses or gains quality on the validation set."""
        return self.compare("quality", self.settings.validation, self.metric)

    def compare(
        self, key: str, evaluation: str | None, metric: str, rival: str | None = None
    ) -> Phrase:
        """A sentence on the reference against the adapter, or a rival, by their comparison."""
        first, second = self.roles.reference, rival or self.roles.adapter
        if first is None or second is None or evaluation is None:
            return self.voice.say("no-target" if evaluation is None else "not-compared")
        found = self.compared(evaluation, metric, first, second)
        if self.undefined(metric, evaluation):
            return self.voice.say("one-label", metric=self.voice.name("metric", metric))
        if found is None:
            return self.say(key, Verdict.UNKNOWN, **self.voice.methods(first, second))
        verdict = judge_comparison(found, self.learned(first, second))
        return self.say(
            "compare" if verdict.not_learned and key not in SPEAK_OF_LEARNING else key,
            verdict,
            **self.voice.methods(first, second),
            **self.voice.evidence(found),
            first_value=self.estimate(first, metric, evaluation),
            second_value=self.estimate(second, metric, evaluation),
            margin=self.voice.size(metric, self.settings.margins.of(metric)),
            metric=self.voice.name("metric", metric),
            language=self.voice.language(evaluation),
        )

    def undefined(self, metric: str, evaluation: str) -> bool:
        """Whether a set has one label only, which leaves the metric without a value."""
        entries = self.results.estimates(self.task, evaluation, metric).values()
        return any(entry["reason"] == ONE_LABEL for entry in entries)

    def compared(
        self, evaluation: str, metric: str, first: str | None, second: str | None
    ) -> Comparison | None:
        """The comparison of two methods by a metric on an evaluated set."""
        return findings.comparison(self.results, self.task, evaluation, metric, first, second)

    def learned(self, first: str | None, second: str | None) -> tuple[bool, bool]:
        """Whether two methods learned the task; of a control this is not asked."""
        one, other = (findings.learned(self.results, self.task, m) for m in (first, second))
        return one, other

    def estimate(self, method: str | None, metric: str, evaluation: str | None) -> Shown:
        """A method's value of a metric on an evaluated set."""
        entry = findings.estimate(self.results, self.task, method, metric, evaluation or "")
        return self.voice.estimate(metric, entry)

    @property
    def computed_control(self) -> str | None:
        """The control that is computed, not trained."""
        return findings.constant_control(self.results, self.task)

    @property
    def share_of_gain(self) -> Phrase:
        """What part of the reference's gain over the control the adapter reaches, if certain."""
        control, where = self.roles.control, self.settings.validation
        values = [self.estimate(m, self.metric, where).number for m in (control, *self.pair)]
        gain = judge_comparison(self.compared(where, self.metric, self.roles.reference, control))
        share = findings.share_of_gain(*values) if gain == Verdict.FIRST_BETTER else None
        if share is None or not self.complete or not all(self.learned(*self.pair)):
            return self.voice.say("gain-unknown")
        name = self.voice.name("method", control or "")
        return self.say("gain-share", control=name, share=self.voice.words.percent(share, 0))

    @property
    def advice(self) -> Phrase:
        """What quality and costs together speak for."""
        return self.say("advice", self.quality_verdict)

    @property
    def seeds(self) -> Phrase:
        """What the number of seeds allows to generalise over."""
        count = len(self.seeds_run)
        outcome = {1: "one", 2: "two"}.get(count, "several")
        return self.voice.say("seeds", outcome, count=count)

    @property
    def reference_interval(self) -> Phrase:
        """The interval of the reference's value."""
        where, metric = self.settings.validation, self.metric
        entry = findings.estimate(self.results, self.task, self.roles.reference, metric, where)
        shown = self.voice.interval(metric, *decisive_interval(entry)) if entry else ""
        return self.voice.say("interval" if shown else "no-interval", interval=shown)

    @property
    def adapted_beyond_control(self) -> Phrase:
        """Whether adapting the encoder pays at all, for both methods."""
        control, where = self.roles.control, self.settings.validation
        if control is None or not self.complete:
            return self.voice.say("not-compared")
        found = [self.compared(where, self.metric, method, control) for method in self.pair]
        extent = judge_extent(judge_comparison(row) == Verdict.FIRST_BETTER for row in found)
        return self.say("beyond-control", extent)

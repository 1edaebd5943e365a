"""Answers about one task's methods that both tasks share: what they cost and how well they do."""

from dataclasses import dataclass

from answers import findings
from answers.judging import Verdict, judge_comparison, judge_extent, judge_ratios
from answers.voice import Phrase, Voice
from store.frames import select
from store.results import Results
from study.settings import Roles, TaskSettings

PRIMARY = {
    "sequence": "matthews_correlation",
    "token": "accuracy",
}  # the metric an answer speaks of first


@dataclass(frozen=True)
class MethodAnswers:
    """Reference against adapter on one task.

    Attributes:
        results: the results.
        voice: the language.
        task: name of the task.
    """

    results: Results
    voice: Voice
    task: str

    @property
    def settings(self) -> TaskSettings:
        """The task's settings."""
        return self.results.profile.tasks[self.task]

    @property
    def roles(self) -> Roles:
        """Which method is the reference, the adapter, the control."""
        return self.results.roles(self.task)

    @property
    def metric(self) -> str:
        """The metric that the answers speak of first."""
        return PRIMARY[self.settings.kind]

    @property
    def methods(self) -> dict[str, str]:
        """Placeholders for the reference (first) and the adapter (second)."""
        return self.voice.methods(self.roles.reference, self.roles.adapter)

    @property
    def complete(self) -> bool:
        """Whether both methods have results."""
        return None not in (self.roles.reference, self.roles.adapter)

    # ----------------------------------------------------------------------------------- costs

    @property
    def time(self) -> Phrase:
        """How training time differs."""
        return self._costs("time", "training_seconds")

    @property
    def measured_memory(self) -> Phrase:
        """How the measured peak of memory differs."""
        return self._costs("measured-memory", "peak_memory_bytes")

    @property
    def disk(self) -> Phrase:
        """How much has to be kept for the task."""
        return self._costs("disk", "kept_bytes")

    @property
    def parameters(self) -> Phrase:
        """How many parameters are trained."""
        return self._costs("parameters", "trainable_parameters")

    def _costs(self, key: str, column: str) -> Phrase:
        """A sentence on a column of ``Study.runs``, by ratio of adapter to reference."""
        if not self.complete:
            return self.voice.say("not-compared")
        ratios = findings.cost_ratios(
            self.results, self.task, self.roles.reference, self.roles.adapter, column
        )
        first, second = (self._cost(m, column) for m in (self.roles.reference, self.roles.adapter))
        return self._cost_sentence(key, column, ratios, first, second)

    def _cost(self, method: str | None, column: str) -> float | None:
        return findings.cost(self.results, self.task, method, column)

    def _cost_sentence(
        self, key: str, column: str, ratios: list[float], first: float | None, second: float | None
    ) -> Phrase:
        outcome = judge_ratios(ratios)
        if not ratios or first is None or second is None:
            return self.voice.say(f"{key}-unknown", **self.methods)
        return self.voice.say(
            f"{key}-{outcome}",
            **self.methods,
            first_value=self._amount(column, first),
            second_value=self._amount(column, second),
            ratio=self._factor(second / first),
            inverse=self._factor(first / second),
            share=self.voice.words.percent(second / first, 2),
        )

    def _factor(self, ratio: float) -> str:
        return self.voice.words.number(ratio, 2 if ratio < 10 else 0)

    def _amount(self, column: str, value: float) -> str:
        words = self.voice.words
        if column.endswith("_seconds"):
            return words.duration(value)
        return words.megabytes(value) if column.endswith("bytes") else words.count(int(value))

    @property
    def computed_memory(self) -> Phrase:
        """How the memory of weights, gradients and optimizer state differs, by computation."""
        if not self.complete:
            return self.voice.say("not-compared")
        first, second = (
            findings.computed_memory(self.results, self.task, method)
            for method in (self.roles.reference, self.roles.adapter)
        )
        ratios = [] if first is None or second is None else [second / first]
        return self._cost_sentence("computed-memory", "bytes", ratios, first, second)

    # --------------------------------------------------------------------------------- quality

    @property
    def quality_verdict(self) -> Verdict:
        """Reference against adapter on the validation set, by the first metric."""
        return self._verdict(self.settings.validation, self.metric)

    def _verdict(self, evaluation: str, metric: str) -> Verdict:
        roles = self.roles
        return judge_comparison(
            findings.comparison(
                self.results, self.task, evaluation, metric, roles.reference, roles.adapter
            )
        )

    @property
    def quality(self) -> Phrase:
        """Whether the adapter loses or gains quality on the validation set."""
        return self.compare("quality", self.settings.validation, self.metric)

    @property
    def control(self) -> Phrase:
        """Reference against the control that trains the head alone."""
        roles, where = self.roles, self.settings.validation
        return self.compare("against", where, self.metric, roles.reference, roles.control)

    @property
    def adapter_control(self) -> Phrase:
        """Adapter against the control that trains the head alone."""
        roles, where = self.roles, self.settings.validation
        return self.compare("against", where, self.metric, roles.adapter, roles.control)

    def compare(
        self,
        key: str,
        evaluation: str | None,
        metric: str,
        first: str | None = None,
        second: str | None = None,
    ) -> Phrase:
        """A sentence on two methods (reference and adapter, unless named) by their comparison."""
        first = first or self.roles.reference
        second = second or self.roles.adapter
        if first is None or second is None or evaluation is None:
            return self.voice.say("not-compared")
        found = findings.comparison(self.results, self.task, evaluation, metric, first, second)
        if found is None:
            return self.voice.say(f"{key}-{Verdict.UNKNOWN}", **self.voice.methods(first, second))
        values = [
            findings.estimate(self.results, self.task, method, metric, evaluation)
            for method in (first, second)
        ]
        return self.voice.say(
            f"{key}-{judge_comparison(found)}",
            **self.voice.methods(first, second),
            **self.voice.evidence(found),
            first_value=self.voice.estimate(metric, values[0]),
            second_value=self.voice.estimate(metric, values[1]),
            metric=self.voice.name("metric", metric),
            task=self.voice.name("task", self.task),
            language=self.voice.language(evaluation),
        )

    @property
    def share_of_gain(self) -> Phrase:
        """What part of the reference's gain over the control the adapter reaches."""
        roles, where = self.roles, self.settings.validation
        entries = [
            findings.estimate(self.results, self.task, method, self.metric, where)
            for method in (roles.control, roles.reference, roles.adapter)
        ]
        gain = findings.comparison(
            self.results, self.task, where, self.metric, roles.reference, roles.control
        )
        control, reference, adapter = (entry["value"] if entry else None for entry in entries)
        share = findings.share_of_gain(control, reference, adapter)
        if share is None or judge_comparison(gain) != Verdict.FIRST_BETTER or not self.complete:
            return self.voice.say("gain-unknown")
        control_name = self.voice.name("method", roles.control or "")
        share_text = self.voice.words.percent(share, 0)
        return self.voice.say("gain-share", **self.methods, control=control_name, share=share_text)

    @property
    def advice(self) -> Phrase:
        """What quality and costs together speak for."""
        return self.voice.say(f"advice-{self.quality_verdict}", **self.methods)

    @property
    def lora_literature(self) -> Phrase:
        """How the difference in quality stands to what was published."""
        return self.voice.say(f"learns-less-{self.quality_verdict}", **self.methods)

    @property
    def seeds(self) -> Phrase:
        """What the number of seeds allows to generalise over."""
        count = len(set(select(self.results.runs, task=self.task)["seed"]))
        return self.voice.say("seeds-one" if count == 1 else "seeds-several", count=count)

    # --------------------------------------------------------------------- values and abstract

    @property
    def reference_value(self) -> str:
        """The reference's value of the first metric on the validation set."""
        return self._value(self.roles.reference)

    @property
    def adapter_value(self) -> str:
        """The adapter's value of the first metric on the validation set."""
        return self._value(self.roles.adapter)

    def _value(self, method: str | None) -> str:
        where = self.settings.validation
        entry = findings.estimate(self.results, self.task, method, self.metric, where)
        return Phrase(self.voice.estimate(self.metric, entry))

    @property
    def reference_interval(self) -> Phrase:
        """The interval of the reference's value."""
        where, words = self.settings.validation, self.voice.words
        entry = findings.estimate(self.results, self.task, self.roles.reference, self.metric, where)
        if entry is None or entry["low"] is None:
            return Phrase(words.interval(None, None, 0))
        scale, digits = (1, 3) if self.metric == "matthews_correlation" else (100, 1)
        return Phrase(words.interval(scale * entry["low"], scale * entry["high"], digits))

    @property
    def headline_time(self) -> Phrase:
        """Training time in half a line."""
        return self._costs("headline-time", "training_seconds")

    @property
    def headline_quality(self) -> Phrase:
        """Quality in half a line."""
        return self.compare("headline-quality", self.settings.validation, self.metric)

    @property
    def adapted_beyond_control(self) -> Phrase:
        """Whether adapting the encoder pays at all, for both methods."""
        roles, where = self.roles, self.settings.validation
        if roles.control is None or not self.complete:
            return self.voice.say("not-compared")
        verdicts = [
            judge_comparison(
                findings.comparison(self.results, self.task, where, self.metric, m, roles.control)
            )
            for m in (roles.reference, roles.adapter)
        ]
        extent = judge_extent(verdict == Verdict.FIRST_BETTER for verdict in verdicts)
        return self.voice.say(f"beyond-control-{extent}", **self.methods)

"""Answers about what the methods of one task cost: time, memory, what has to be kept."""

from dataclasses import dataclass

from answers import findings
from answers.judging import Ratio, is_disturbed, judge_ratio_interval, judge_ratios
from answers.voice import Phrase, Voice
from store.frames import select
from store.results import Results
from study.settings import Roles, TaskSettings
from words.wording import Shown


@dataclass(frozen=True)
class CostAnswers:
    """What reference and adapter cost on one task.

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
    def methods(self) -> dict[str, str]:
        """Placeholders for the reference (first) and the adapter (second)."""
        return self.voice.methods(self.roles.reference, self.roles.adapter)

    @property
    def complete(self) -> bool:
        """Whether both methods have results."""
        return None not in (self.roles.reference, self.roles.adapter)

    @property
    def seeds_run(self) -> list[int]:
        """The seeds that have results."""
        return sorted(set(select(self.results.runs, task=self.task)["seed"]))

    # ------------------------------------------------------------------------------------ time

    @property
    def time(self) -> Phrase:
        """How training time differs: the price of a step, then the wall clock of the runs."""
        if not self.complete:
            return self.voice.say("not-compared")
        return self.voice.join([self._price, self._wall])

    @property
    def _price(self) -> Phrase:
        """Steps on the same batches, where the methods took turns; nothing if not measured."""
        price = findings.price(self.results, self.task, self.roles.adapter)
        if price is None:
            return Phrase("")
        return self.voice.say(
            "price",
            judge_ratio_interval(price["ratio"], price["low"], price["high"]),
            **self.methods,
            share=self.voice.words.percent(price["ratio"], 0),
            low=self.voice.words.percent(price["low"], 0),
            high=self.voice.words.percent(price["high"], 0),
            ratio=self.voice.ratio(price["ratio"]),
            inverse=self.voice.ratio(1 / price["ratio"]),
        )

    @property
    def _wall(self) -> Phrase:
        """Wall clock of whole runs; no verdict where it was disturbed or a method learned nothing.

        It was disturbed if the seeds of a method differ by more than the methods do.
        """
        column, roles = "training_seconds", (self.roles.reference, self.roles.adapter)
        ratios = findings.cost_ratios(self.results, self.task, *roles, column)
        first, second = (self._cost(method, column) for method in roles)
        spreads = [findings.cost_spread(self.results, self.task, m, column) for m in roles]
        outcome: str = judge_ratios(ratios)
        if first and second and is_disturbed(spreads, second / first):
            outcome = "disturbed"
        elif not all(findings.learned(self.results, self.task, method) for method in roles):
            outcome = "not-learned"
        return self._cost_sentence("time", outcome, column, first, second, max(spreads))

    @property
    def speed(self) -> tuple[Ratio, Shown]:
        """How the training times stand to each other, and by what factor: of steps if measured."""
        price = findings.price(self.results, self.task, self.roles.adapter)
        if price is not None:
            outcome = judge_ratio_interval(price["ratio"], price["low"], price["high"])
            ratio = float(price["ratio"])
        else:
            column, roles = "training_seconds", (self.roles.reference, self.roles.adapter)
            ratios = findings.cost_ratios(self.results, self.task, *roles, column)
            first, second = (self._cost(method, column) for method in roles)
            spreads = [findings.cost_spread(self.results, self.task, m, column) for m in roles]
            if not first or not second:
                return Ratio.UNKNOWN, Shown("")
            ratio = second / first
            outcome = Ratio.UNKNOWN if is_disturbed(spreads, ratio) else judge_ratios(ratios)
        return outcome, self.voice.ratio(max(ratio, 1 / ratio))

    # --------------------------------------------------------------------------------- amounts

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

    @property
    def computed_memory(self) -> Phrase:
        """How the memory of weights, gradients and optimizer state differs, by computation."""
        if not self.complete:
            return self.voice.say("not-compared")
        first, second = (
            findings.computed_memory(self.results, self.task, method)
            for method in (self.roles.reference, self.roles.adapter)
        )
        share = self.memory_share
        ratios = [] if share is None else [share]
        return self._cost_sentence("computed-memory", judge_ratios(ratios), "bytes", first, second)

    @property
    def memory_share(self) -> float | None:
        """The adapter's weights, gradients and optimizer state over the reference's."""
        first, second = (
            findings.computed_memory(self.results, self.task, method)
            for method in (self.roles.reference, self.roles.adapter)
        )
        return second / first if first and second else None

    @property
    def parameter_share(self) -> float | None:
        """The adapter's trained parameters over the reference's."""
        roles, column = (self.roles.reference, self.roles.adapter), "trainable_parameters"
        first, second = (self._cost(method, column) for method in roles)
        return second / first if first and second else None

    def _costs(self, key: str, column: str) -> Phrase:
        """A sentence on a column of ``Results.runs``, by ratio of adapter to reference."""
        if not self.complete:
            return self.voice.say("not-compared")
        roles = (self.roles.reference, self.roles.adapter)
        ratios = findings.cost_ratios(self.results, self.task, *roles, column)
        first, second = (self._cost(method, column) for method in roles)
        return self._cost_sentence(key, judge_ratios(ratios), column, first, second)

    def _cost(self, method: str | None, column: str) -> float | None:
        return findings.cost(self.results, self.task, method, column)

    def _cost_sentence(
        self,
        key: str,
        outcome: str,
        column: str,
        first: float | None,
        second: float | None,
        spread: float | None = None,
    ) -> Phrase:
        if outcome == Ratio.UNKNOWN or not first or second is None:
            return self.voice.say(key, Ratio.UNKNOWN, **self.methods)
        return self.voice.say(
            key,
            outcome,
            **self.methods,
            first_value=self._amount(column, first),
            second_value=self._amount(column, second),
            ratio=self.voice.ratio(second / first),
            inverse=self.voice.ratio(first / second if second else None),
            share=self.voice.words.percent(second / first, 0 if second > first / 10 else 2),
            spread=self.voice.ratio(spread),
        )

    def _amount(self, column: str, value: float) -> Shown:
        words = self.voice.words
        if column.endswith("_seconds"):
            return Shown(words.duration(value), value)
        text = words.megabytes(value) if column.endswith("bytes") else words.count(int(value))
        return Shown(text, value)

"""Answers about what the methods of one task cost: time, memory, what has to be kept."""

from dataclasses import dataclass
from functools import cached_property

from answers import findings
from answers.findings import COMPUTED_MEMORY
from answers.judging import Ratio, is_disturbed, judge_ratio_interval, judge_ratios
from answers.voice import Phrase, Voice
from store.results import Results
from study.settings import Roles, TaskSettings
from words.wording import Shown

SECONDS, PARAMETERS = "training_seconds", "trainable_parameters"


@dataclass(frozen=True)
class CostAnswers:
    """What reference and adapter cost on one task."""

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
    def pair(self) -> tuple[str | None, str | None]:
        """The reference and the adapter."""
        return self.roles.reference, self.roles.adapter

    @property
    def target(self) -> str | None:
        """The evaluated set in another language, None where there is none."""
        return findings.find_target(self.results, self.task)

    @cached_property
    def names(self) -> dict[str, str]:
        """Placeholders of every sentence: reference (first), adapter (second), both languages."""
        return {
            "task": self.voice.name("task", self.task),
            "language": self.voice.language(self.target),
            "source_language": self.voice.language(self.settings.train),
            **self.voice.methods(*self.pair),
        }

    def say(self, key: str, outcome: str = "", **values: object) -> Phrase:
        """``Voice.say`` with ``names``, where no others are given."""
        return self.voice.say(key, outcome, **{**self.names, **values})

    @property
    def complete(self) -> bool:
        """Whether both methods have results."""
        return None not in self.pair

    @property
    def seeds_run(self) -> list[int]:
        """The seeds that have results."""
        return findings.seeds_run(self.results, self.task)

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
        share, low, high = (self.voice.words.percent(value, 0) for value in price)
        return self.say(
            "price",
            judge_ratio_interval(*price),
            share=share,
            low=low,
            high=high,
            ratio=self.voice.ratio(price[0]),
            inverse=self.voice.ratio(1 / price[0]),
        )

    @property
    def _wall(self) -> Phrase:
        """Wall clock of whole runs; no verdict where it was disturbed or a method learned nothing.

        It was disturbed if the seeds of a method differ by more than the methods do.
        """
        outcome: str = self._judge(SECONDS)
        if self._disturbed:
            outcome = "disturbed"
        elif not all(findings.learned(self.results, self.task, method) for method in self.pair):
            outcome = "not-learned"
        return self._sentence("time", SECONDS, outcome, max(self._spreads))

    @property
    def speed(self) -> tuple[Ratio, Shown]:
        """How the training times stand to each other, and by what factor: of steps if measured."""
        price = findings.price(self.results, self.task, self.roles.adapter)
        ratio = price[0] if price else self.share(SECONDS)
        if ratio is None:
            return "unknown", Shown("")
        wall = "unknown" if self._disturbed else self._judge(SECONDS)
        outcome = judge_ratio_interval(*price) if price else wall
        return outcome, self.voice.ratio(max(ratio, 1 / ratio))

    @property
    def _spreads(self) -> list[float]:
        return [findings.cost_spread(self.results, self.task, m, SECONDS) for m in self.pair]

    @property
    def _disturbed(self) -> bool:
        ratio = self.share(SECONDS)
        return ratio is not None and is_disturbed(self._spreads, ratio)

    @property
    def measured_memory(self) -> Phrase:
        """How the measured peak of memory differs."""
        return self._sentence("measured-memory", "peak_memory_bytes")

    @property
    def computed_memory(self) -> Phrase:
        """How the memory of weights, gradients and optimizer state differs, by computation."""
        return self._sentence("computed-memory", COMPUTED_MEMORY)

    @property
    def disk(self) -> Phrase:
        """How much has to be kept for the task."""
        return self._sentence("disk", "kept_bytes")

    @property
    def parameters(self) -> Phrase:
        """How many parameters are trained."""
        return self._sentence("parameters", PARAMETERS)

    def _judge(self, column: str) -> Ratio:
        return judge_ratios(findings.cost_ratios(self.results, self.task, *self.pair, column))

    def _medians(self, column: str) -> list[float | None]:
        return [findings.cost(self.results, self.task, method, column) for method in self.pair]

    def share(self, column: str) -> float | None:
        """A cost of the adapter over that of the reference."""
        first, second = self._medians(column)
        return second / first if first and second else None

    def _sentence(
        self, key: str, column: str, outcome: str | None = None, spread: float | None = None
    ) -> Phrase:
        """A sentence on a cost of the runs, by the ratio of adapter to reference if not judged."""
        if not self.complete:
            return self.voice.say("not-compared")
        first, second = self._medians(column)
        outcome = outcome or self._judge(column)
        if outcome == "unknown" or not first or second is None:
            return self.say(key, "unknown")
        return self.say(
            key,
            outcome,
            first_value=self._amount(column, first),
            second_value=self._amount(column, second),
            ratio=self.voice.ratio(second / first),
            inverse=self.voice.ratio(first / second if second else None),
            share=self.voice.words.percent(second / first, 0 if second > first / 10 else 2),
            spread=self.voice.ratio(spread),
        )

    def _amount(self, column: str, value: float) -> Shown:
        words = self.voice.words
        if column == SECONDS:
            return words.duration(value)
        return words.megabytes(value) if column.endswith("bytes") else words.count(int(value))

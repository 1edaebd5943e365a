"""Sentences on what the two methods cost: time, memory, what has to be kept."""

from dataclasses import dataclass

from text.rules import Verdict, judge
from text.sentence import NOTHING, Said, Speaker
from text.view import TaskView


@dataclass(frozen=True)
class CostSentences:
    """What the method that trains every weight and the one that trains an adapter cost."""

    view: TaskView
    speak: Speaker

    @property
    def speed(self) -> Verdict:
        """How a training step of the second method stands to one of the first, in time."""
        return judge(self.view.ratio("step_seconds"), self.view.settings.margins.cost_ratio)

    @property
    def time(self) -> Said:
        """How training time differs: the price of a step on the same batches."""
        if not self.view.complete:
            return self.speak.say("not-compared")
        step = self.view.ratio("step_seconds")
        return self.speak.say("step", self.speed, step=step, **self._methods)

    @property
    def wall(self) -> Said:
        """The clock of whole trainings, told without a verdict: nothing guards it against load.

        One sentence where the price of a step says the same direction, a warning where it does not.
        """
        first, second = (self.view.cost(m, "training_seconds") for m in self._pair)
        if first.value is None or second.value is None:
            return NOTHING
        ratio, step = self.view.ratio("training_seconds"), self.view.ratio("step_seconds")
        margin = self.view.settings.margins.cost_ratio
        apart = step.value is not None and not (
            1 / margin < (ratio.value or 1.0) / step.value < margin
        )
        outcome = "disturbed" if apart else "plain"
        return self.speak.say(
            "wall", outcome, first_time=first, second_time=second, **self._methods
        )

    @property
    def memory(self) -> Said:
        """Measured memory: of which kind it is, and what was measured."""
        first, second = (self.view.cost(m, "peak_memory_bytes") for m in self._pair)
        if first.value is None or second.value is None:
            return self.speak.say("memory-unknown")
        return self.speak.say(
            "memory", self._memory_kind, first_peak=first, second_peak=second, **self._methods
        )

    @property
    def _pair(self) -> tuple[str | None, str | None]:
        return self.view.first, self.view.second

    @property
    def _methods(self) -> dict[str, str]:
        return self.speak.methods(first=self.view.first, second=self.view.second)

    @property
    def _memory_kind(self) -> str:
        """``video`` where the runs were on a GPU, else ``resident``."""
        kinds = self.view.results.machines("memory_kind", self.view.task)
        return "resident" if "resident" in kinds else "video"

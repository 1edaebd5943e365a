"""Sentences on what the two methods cost: time, memory, what has to be kept."""

from facts.fact import Fact
from text.rules import Verdict, judge, judge_all
from text.sentence import NOTHING, Said, clauses
from text.view import ABSENT, TaskSentences

HALF = 0.5  # of the time of a step of the first method


class CostSentences(TaskSentences):
    """What the method that trains every weight and the one that trains an adapter cost."""

    @property
    def speed(self) -> Verdict:
        """How a training step of the second method stands to one of the first, in time."""
        return judge(self.view.ratio("step_seconds"), self.view.settings.margins.cost_ratio)

    @property
    def time(self) -> Said:
        """How training time differs: the price of a step on the same batches."""
        return self._time("step")

    @property
    def headline(self) -> Said:
        """The same in half a sentence."""
        return self._time("step-brief")

    @property
    def tagging(self) -> Said:
        """The same as a sentence that names the task."""
        task = self.speak.name(self.view.task, "prepositional")
        return self.speak.say("beside", task=task, cost=self.headline)

    def _time(self, key: str) -> Said:
        if not self.view.complete and key == "step":
            return self.speak.say("not-compared")
        step = self.view.ratio("step_seconds")
        kinds = self.view.results.machines("device_kind", self.view.task)
        outcome = self._how_strongly(step) if key == "step" else self.speed.value
        if step.known and step.low is None:
            outcome = "few"  # steps, too few for an interval
        return self.speak.say(
            key,
            outcome,
            step=step,
            device=self.speak.listed(kind.upper() for kind in kinds),
            **self.compared,
        )

    def _how_strongly(self, step: Fact) -> str:
        """The verdict on the price of a step; whether a saving is more or less than a half."""
        if self.speed is not Verdict.LESS or step.low is None or step.high is None:
            return self.speed.value
        side = "-slightly" if step.low > HALF else "-strongly" if step.high < HALF else ""
        return f"{self.speed}{side}"

    @property
    def wall(self) -> Said:
        """The clock of whole trainings, told without a verdict: nothing guards it against load.

        Where it says something else than the price of a step and the processor's own seconds do,
        the sentence warns.
        """
        first, second = (self.view.cost(m, "training_seconds") for m in self._pair)
        if not (first.value and second.value):
            return NOTHING
        step = self.view.ratio("step_seconds").value
        margin = self.view.settings.margins.cost_ratio
        plain = step is None or 1 / margin < second.value / first.value / step < margin
        outcome = "plain" if plain else "disturbed"
        return self.speak.say(
            "wall", outcome, first_time=first, second_time=second, **self.compared
        )

    @property
    def parameters(self) -> Said:
        """How many parameters each method trains."""
        first, second = (self.view.cost(m, "trainable_parameters") for m in self._pair)
        if not (first.known and second.known):
            return NOTHING
        share = self.view.ratio("trainable_parameters")
        return self.speak.say("parameters", first=first, second=second, share=share, **self.paired)

    @property
    def memory(self) -> Said:
        """Measured memory: of which kind it is, and what was measured."""
        first, second = (self.view.cost(m, "peak_memory_bytes") for m in self._pair)
        if not (first.known and second.known):
            return self.speak.say("memory-unknown")
        kinds = self.view.results.machines("memory_kind", self.view.task)
        outcome = "resident" if "resident" in kinds else "video"
        return self.speak.say(
            "memory", outcome, first_peak=first, second_peak=second, **self.compared
        )

    @property
    def computed(self) -> Said:
        """Memory that follows from the numbers of weights alone, and what has to be kept."""
        costs = self.view.held_and_kept
        if not all(fact.known for fact in costs.values()):
            return NOTHING
        return self.speak.say("computed", "", **costs, **self.compared)

    @property
    def latency(self) -> Said:
        """What an adapter that stays beside the weights costs when the model is used."""
        task, method = self.view.task, self.view.second or ABSENT
        measured = self.view.facts.where(
            quantity="latency", task=task, method=method, metric="unmerged_over_merged"
        )
        if not measured:
            return NOTHING
        ratios = {fact.group: fact for fact in measured}
        margin = self.view.settings.margins.cost_ratio
        found = judge_all(ratios, lambda _, ratio: judge(ratio, margin))
        told: dict[str, list[str]] = {}
        for size, verdict in found.items():
            item = self.speak.say("latency-item", ratio=ratios[size], size=size)
            told.setdefault(str(verdict), []).append(item)
        said = clauses(self.speak, "latency", told, **self.compared)
        slower = Verdict.MORE in found.values()
        same = set(found.values()) <= {Verdict.SAME, Verdict.LESS}
        choice = "merge" if slower else "apart" if same else ""
        ending = [self.speak.say("latency-choice", choice, **self.compared)] if choice else []
        return self.speak.join([said, *ending])

    @property
    def _pair(self) -> tuple[str | None, str | None]:
        return self.view.first, self.view.second

"""Answers of Task 3, second half: what the learning curves say."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from answers.convergence import summarise_convergence
from answers.judging import (
    SAME_EPOCH,
    Turn,
    judge_extent,
    judge_order,
    judge_outlook,
    judge_turn,
)
from answers.voice import Phrase, Voice
from store.results import Results

ROLES = ("reference", "adapter")


@dataclass(frozen=True)
class CurveAnswers:
    """Convergence, overfitting and what more epochs promise.

    Attributes:
        results: the results.
        voice: the language.
    """

    results: Results
    voice: Voice

    @cached_property
    def _summaries(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Task -> method -> its entry of ``convergence``."""
        return {
            task: {entry["method"]: entry for entry in summarise_convergence(self.results, task)}
            for task in self.results.profile.tasks
        }

    def _find(self, task: str, role: str) -> tuple[str | None, dict[str, Any]]:
        method = getattr(self.results.roles(task), role)
        return method, self._summaries[task].get(method, {})

    def _turn(self, task: str, role: str) -> Turn:
        _, entry = self._find(task, role)
        if not entry:
            return Turn.UNKNOWN
        return judge_turn(entry["turned"], entry["turn_known"], entry["metric_after_turn"])

    def _values(self, task: str, method: str, entry: dict[str, Any]) -> dict[str, str]:
        number, metric = self.voice.words.number, entry["metric"]
        return {
            "task": self.voice.name("task", task),
            **self.voice.methods(method),
            "metric": self.voice.name("metric", metric),
            "loss_epoch": number(entry["best_loss_epoch"]["value"], 1),
            "metric_epoch": number(entry["best_metric_epoch"]["value"], 1),
            "epochs": str(entry["epochs"]),
            "rise": number(entry["rise"]["value"], 3),
            "gap": self.voice.words.signed(entry["gap"]["value"], 3),
            "turned": str(entry["turned"]),
            "known": str(entry["turn_known"]),
            "change": self.voice.effect(metric, entry["metric_change_after_best_loss"]["value"]),
            "gain": self.voice.effect(metric, entry["extrapolated_gain"]["value"]),
        }

    def overfitting(self, task: str, role: str) -> Phrase:
        """Whether validation loss turns, and what the metric does after it."""
        method, entry = self._find(task, role)
        if method is None or not entry:
            return self.voice.say("not-compared")
        key = f"overfitting-{self._turn(task, role)}"
        return self.voice.say(key, **self._values(task, method, entry))

    def more_epochs(self, task: str, role: str) -> Phrase:
        """Whether the metric is still moving at the end."""
        method, entry = self._find(task, role)
        if method is None or not entry:
            return self.voice.say("not-compared")
        key = f"outlook-{judge_outlook(entry['outlook'])}"
        return self.voice.say(key, **self._values(task, method, entry))

    def speed(self, task: str) -> Phrase:
        """Which of reference and adapter reaches its best metric earlier."""
        (first, one), (second, other) = (self._find(task, role) for role in ROLES)
        if first is None or second is None or not one or not other:
            return self.voice.say("not-compared")
        epochs = [
            [value for value in entry["best_metric_epoch"]["per_seed"] if value is not None]
            for entry in (one, other)
        ]
        number = self.voice.words.number
        return self.voice.say(
            f"speed-{judge_order(epochs[0], epochs[1], SAME_EPOCH)}",
            task=self.voice.name("task", task),
            **self.voice.methods(first, second),
            metric=self.voice.name("metric", one["metric"]),
            first_value=number(one["best_metric_epoch"]["value"], 1),
            second_value=number(other["best_metric_epoch"]["value"], 1),
        )

    @property
    def headline(self) -> Phrase:
        """In how many of the models validation loss turns, and in how many quality falls too."""
        turns = [self._turn(task, role) for task in self.results.profile.tasks for role in ROLES]
        known = [turn for turn in turns if turn != Turn.UNKNOWN]
        turned = [turn not in (Turn.NONE, Turn.FEW) for turn in known]
        falling = sum(turn == Turn.METRIC_FALLS for turn in known)
        return self.voice.say(
            f"headline-curves-{judge_extent(turned)}",
            turned=sum(turned),
            models=len(known),
            falling=self.voice.extent("falling", falling, sum(turned)),
        )

    @property
    def falling_schedule(self) -> Phrase:
        """Whether the learning rate falls to zero, so that curves flatten by construction."""
        entries = [e for of_task in self._summaries.values() for e in of_task.values()]
        return self.voice.say(f"schedule-{judge_extent(entry['decays'] for entry in entries)}")

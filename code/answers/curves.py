"""Answers of Task 3, second half: what the learning curves say."""

from functools import cached_property

from answers import findings, judging
from answers.convergence import MethodConvergence, summarise_convergence
from answers.judging import SAME_EPOCH, Turn
from answers.models import Model, ModelAnswers
from answers.voice import Phrase


class CurveAnswers(ModelAnswers):
    """Convergence, overfitting and what more epochs promise."""

    @cached_property
    def _summaries(self) -> dict[Model, MethodConvergence]:
        """Task and method -> its entry of ``convergence``."""
        return {
            (task, entry["method"]): entry
            for task in self.results.profile.tasks
            for entry in summarise_convergence(self.results, task)
        }

    def _judged(self) -> list[Model]:
        return [model for model in self.judged() if model in self._summaries]

    def _turn(self, model: Model) -> Turn:
        entry = self._summaries[model]
        return judging.judge_turn(entry["turned"], entry["turn_known"], entry["metric_after_turn"])

    def _outlook(self, model: Model) -> str:
        return self._summaries[model]["outlook"] or "unknown"

    @property
    def epochs(self) -> Phrase:
        """Whether more epochs promise anything: over all models."""
        outlooks = {model: self._outlook(model) for model in self._judged()}
        rising = [model for model, outlook in outlooks.items() if outlook == "rising"]
        known = [outlook for outlook in outlooks.values() if outlook != "unknown"]
        return self.voice.say(
            "epochs-more",
            judging.judge_extent(outlook == "rising" for outlook in known),
            models=len(known),
            rising=self.listed(rising),
            others=self.listed([model for model in outlooks if model not in rising]),
        )

    @property
    def overfitting(self) -> Phrase:
        """In which of the models validation loss turns, and in which quality falls with it."""
        turns = {model: self._turn(model) for model in self._judged()}
        known = {model: turn for model, turn in turns.items() if turn != "unknown"}
        turned = [model for model, turn in known.items() if turn not in ("none", "few-seeds")]
        falling = [model for model in turned if known[model] == "metric-falls"]
        extent = judging.judge_extent(model in falling for model in turned)
        return self.voice.say(
            "overfitting",
            judging.judge_extent(model in turned for model in known),
            models=len(known),
            turned=self.listed(turned),
            falling=self.voice.say("falling", extent, models=self.listed(falling)),
        )

    @property
    def underfitting(self) -> Phrase:
        """Which models end while both loss and quality still improve; nothing if none does."""
        unfinished = [
            model
            for model in self._judged()
            if self._outlook(model) == "rising" and self._turn(model) == "none"
        ]
        if not unfinished:
            return Phrase("")
        return self.voice.say("underfitting", models=self.listed(unfinished))

    @property
    def onset(self) -> Phrase:
        """When each model first leaves the level of an answer without an encoder."""
        items = [self._onset(model) for model in self.models() if model in self._summaries]
        return self.voice.say(
            "onset", "known" if items else "unknown", listed=self.voice.listed(items)
        )

    def _onset(self, model: Model) -> Phrase:
        epochs = findings.onsets(self.results, *model, self._summaries[model]["metric"] or "")
        reached = [epoch for epoch in epochs if epoch is not None]
        if len(reached) < len(epochs) or not epochs:
            return self.voice.say("onset-never", model=self.model_name(*model))
        mean = self.voice.words.number(sum(reached) / len(reached), 1)
        return self.voice.say("onset-epoch", model=self.model_name(*model), epoch=mean)

    @property
    def items(self) -> Phrase:
        """On how many validation items the curves are measured."""
        counts = {
            self.voice.name("task", task): settings.methods[0].training.validation_items
            for task, settings in self.results.profile.tasks.items()
        }
        said = [
            self.voice.say("curve-count", "some" if count else "all", task=task, count=count)
            for task, count in counts.items()
        ]
        outcome = "some" if any(counts.values()) else "all"
        return self.voice.say("curve-items", outcome, counts=self.voice.listed(said))

    @property
    def falling_schedule(self) -> Phrase:
        """Whether the learning rate falls to zero, so that curves flatten by construction."""
        return self.voice.say(
            "schedule", judging.judge_extent(entry["decays"] for entry in self._summaries.values())
        )

    def model(self, task: str, role: str) -> Phrase:
        """What one model's loss does after its minimum, and where its quality is heading."""
        method = self.method(task, role)
        if method is None or (task, method) not in self._summaries:
            return self.voice.say("not-compared")
        model, values = (task, method), self._values(task, method)
        if model not in self.judged():
            return self.voice.say("curve-unlearned", **values)
        turn = self.voice.say("turn", self._turn(model), **values)
        return self.voice.join([turn, self.voice.say("outlook", self._outlook(model), **values)])

    def _values(self, task: str, method: str) -> dict[str, str]:
        entry, number = self._summaries[task, method], self.voice.words.number
        metric = entry["metric"] or ""
        return {
            **self.names(task, method),
            **self.voice.metric(metric),
            "loss_epoch": number(entry["best_loss_epoch"]["value"], 1),
            "metric_epoch": number(entry["best_metric_epoch"]["value"], 1),
            "epochs": str(entry["epochs"]),
            "rise": number(entry["rise"]["value"], 3),
            "final": number(entry["final_loss"]["value"], 3),
            "train": number(entry["final_train_loss"]["value"], 3),
            "turned": str(entry["turned"]),
            "known": str(entry["turn_known"]),
            "change": self.voice.effect(metric, entry["metric_change_after_best_loss"]["value"]),
            "gain": self.voice.effect(metric, entry["extrapolated_gain"]["value"]),
        }

    def speed(self, task: str) -> Phrase:
        """Which of reference and adapter reaches its best metric earlier."""
        names = self.names(task, *self.pair(task))
        pair = [model for model in self._judged() if model[0] == task]
        if len(pair) < 2:
            return self.voice.say("speed-unknown", **names)
        one, other = (self._summaries[model]["best_metric_epoch"] for model in pair)
        epochs = [[value for value in of["per_seed"] if value is not None] for of in (one, other)]
        return self.voice.say(
            "speed",
            judging.judge_order(epochs[0], epochs[1], SAME_EPOCH),
            **names,
            metric=self.voice.name("metric", self._summaries[pair[0]]["metric"] or ""),
            first_value=self.voice.words.number(one["value"], 1),
            second_value=self.voice.words.number(other["value"], 1),
        )

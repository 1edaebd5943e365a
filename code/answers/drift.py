"""Answers of Task 3: where the weights moved."""

from answers import findings
from answers.findings import MEASURES
from answers.judging import (
    ONLY,
    SAME_DEPTH,
    Extent,
    Trend,
    centre_of_change,
    judge_extent,
    judge_order,
    judge_ratios,
    judge_trends,
    rank_correlation,
    upper_over_lower,
)
from answers.models import Model, ModelAnswers
from answers.voice import Phrase
from study.architecture import HEAD


class DriftAnswers(ModelAnswers):
    """What fine-tuning did to the weights of both tasks' models."""

    @property
    def mean_distances(self) -> Phrase:
        """What the function returns without names, for every model."""
        found = {
            model: findings.component_values(self.results, *model, "l2") for model in self.models()
        }
        items = [
            self.voice.say(
                "model-value",
                model=self.model_name(*model),
                value=self.voice.words.number(sum(values.values()) / len(values), 2),
            )
            for model, values in found.items()
            if values
        ]
        return self.voice.say("mean-distances", listed=self.voice.listed(items))

    # ----------------------------------------------------------------------------------- depth

    def _trend(self, model: Model, measure: str = "relative") -> Trend:
        """The trend of change over depth on which the seeds agree."""
        return judge_trends(findings.seed_profiles(self.results, *model, measure))

    def _ratio(self, model: Model) -> float | None:
        return upper_over_lower(findings.layer_profile(self.results, *model, "relative"))

    def _with_trend(self) -> dict[Model, Trend]:
        found = {model: self._trend(model) for model in self.judged()}
        return {model: trend for model, trend in found.items() if trend != Trend.UNKNOWN}

    @property
    def layers(self) -> Phrase:
        """Whether fine-tuning changes only, or mainly, the upper layers: over all models."""
        trends = self._with_trend()
        ratios = [ratio for model in trends if (ratio := self._ratio(model)) is not None]
        mainly = [model for model, trend in trends.items() if trend == Trend.MAINLY_UPPER]
        extent = judge_extent(model in mainly for model in trends)
        only = extent == Extent.ALL and bool(ratios) and min(ratios) >= ONLY
        return self.voice.say(
            "layers",
            "only" if only else extent,
            models=len(trends),
            listed=self.listed(mainly),
            lowest=self.voice.ratio(min(ratios, default=None)),
            ratios=self.voice.ratios(ratios),
        )

    @property
    def agreement(self) -> Phrase:
        """Whether the seeds of a model agree on the trend."""
        models = self._with_trend()
        seeds = [len(findings.seed_profiles(self.results, *m, "relative")) for m in models]
        if max(seeds, default=0) < 2:
            return self.voice.say("agreement", "one-seed" if seeds else "unknown")
        apart = [model for model, trend in models.items() if trend == Trend.SEEDS_DISAGREE]
        return self.voice.say(
            "agreement", "some" if apart else "all", models=self.listed(apart), count=len(apart)
        )

    @property
    def depth_by_measure(self) -> Phrase:
        """Whether absolute and relative change tell the same story about depth."""
        cases = [trend == self._trend(model, "l2") for model, trend in self._with_trend().items()]
        return self.voice.say("depth-measures", judge_extent(cases))

    @property
    def depth_literature(self) -> Phrase:
        """How the finding stands to the published ones."""
        cases = [trend == Trend.MAINLY_UPPER for trend in self._with_trend().values()]
        return self.voice.say("depth-literature", judge_extent(cases))

    def depth(self, task: str, role: str) -> Phrase:
        """How one model's relative change is distributed over the depth of the encoder."""
        method = self.method(task, role)
        if method is None:
            return self.voice.say("not-compared")
        profiles = findings.seed_profiles(self.results, task, method, "relative")
        correlations = [rank_correlation(profile) for profile in profiles]
        return self.voice.say(
            "depth",
            judge_trends(profiles),
            **self.names(task, method),
            correlations="; ".join(self.voice.words.signed(c, 2) for c in correlations),
            ratio=self.voice.ratio(self._ratio((task, method))),
        )

    def largest(self, task: str, role: str) -> Phrase:
        """The component that changed most by each of the three measures."""
        method = self.method(task, role)
        values = {
            measure: findings.component_values(self.results, task, method, measure)
            for measure in MEASURES
        }
        if method is None or not all(values.values()):
            return self.voice.say("not-compared")
        top = {measure: max(of, key=of.__getitem__) for measure, of in values.items()}
        names = {measure: self.voice.layer(layer) for measure, layer in top.items()}
        agree = len(set(top.values())) == 1
        return self.voice.say(
            "largest", "agree" if agree else "disagree", **self.names(task, method), **names
        )

    # ----------------------------------------------------------------------------------- tasks

    @property
    def tasks(self) -> Phrase:
        """Whether the distribution of change over depth differs between the tasks: reference."""
        return self._tasks("tasks", "reference")

    @property
    def tasks_adapter(self) -> Phrase:
        """The same for the adapter."""
        return self._tasks("tasks-adapter", "adapter")

    def _tasks(self, key: str, role: str) -> Phrase:
        first, second = tuple(self.results.profile.tasks)[:2]
        centres = [self._centres(task, role) for task in (first, second)]
        means = [sum(of_task) / len(of_task) if of_task else None for of_task in centres]
        return self.voice.say(
            key,
            judge_order(centres[0], centres[1], SAME_DEPTH),
            **self.voice.methods(self.method(first, role)),
            first_task=self.voice.name("task", first),
            second_task=self.voice.name("task", second),
            first_value=self.voice.words.percent(means[0], 0),
            second_value=self.voice.words.percent(means[1], 0),
        )

    def _profiles(self, task: str, role: str) -> list[list[float]]:
        """The seeds' profiles of a model that learned its task; none of one that did not."""
        method = self.method(task, role)
        if method is None or not findings.learned(self.results, task, method):
            return []
        return findings.seed_profiles(self.results, task, method, "relative")

    def _centres(self, task: str, role: str) -> list[float]:
        found = map(centre_of_change, self._profiles(task, role))
        return [centre for centre in found if centre is not None]

    @property
    def tasks_size(self) -> Phrase:
        """Which task moves the encoder further, for the reference."""
        first, second = tuple(self.results.profile.tasks)[:2]
        sizes = [
            [sum(p) / len(p) for p in self._profiles(task, "reference") if p]
            for task in (first, second)
        ]
        ratios = [b / a for a, b in zip(*sizes, strict=False) if a]
        means = [sum(of_task) / len(of_task) if of_task else None for of_task in sizes]
        return self.voice.say(
            "tasks-size",
            judge_ratios(ratios),
            first_task=self.voice.name("task", first),
            second_task=self.voice.name("task", second),
            first_value=self.voice.words.percent(means[0], 1),
            second_value=self.voice.words.percent(means[1], 1),
        )

    @property
    def same_encoder(self) -> Phrase:
        """Whether both tasks start from the same encoder."""
        tasks = self.results.profile.tasks
        names = {tasks[task].method(method).model_name_or_path for task, method in self.models()}
        return self.voice.say("encoder", "same" if len(names) == 1 else "different")

    # ------------------------------------------------------------------------------------ head

    @property
    def head(self) -> Phrase:
        """In how many models the head changes most, by each of the three measures."""
        first = {measure: self._head_first(measure) for measure in MEASURES}
        return self.voice.say(
            "head",
            judge_extent(case for cases in first.values() for case in cases),
            **{measure: str(sum(cases)) for measure, cases in first.items()},
            models=len(first["relative"]),
        )

    def _head_first(self, measure: str) -> list[bool]:
        """Of each model, whether its head changed most."""
        values = [
            findings.component_values(self.results, *model, measure) for model in self.judged()
        ]
        return [max(of, key=of.__getitem__) == HEAD for of in values if HEAD in of]

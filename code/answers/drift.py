"""Answers of Task 3: where the weights moved."""

from answers import findings, judging
from answers.findings import MEASURES
from answers.judging import ONLY, SAME_DEPTH, Trend
from answers.models import Model, ModelAnswers
from answers.voice import Phrase
from study.architecture import HEAD


class DriftAnswers(ModelAnswers):
    """What fine-tuning did to the weights of both tasks' models."""

    @property
    def mean_distances(self) -> Phrase:
        """What the function returns without names, for every model."""
        items = []
        for model in self.models():
            if values := findings.component_values(self.results, *model, "l2"):
                mean = self.voice.words.number(sum(values.values()) / len(values), 2)
                name = self.model_name(*model)
                items.append(self.voice.say("model-value", model=name, value=mean))
        return self.voice.say("mean-distances", listed=self.voice.listed(items))

    def _trend(self, model: Model, measure: str = "relative") -> Trend:
        """The trend of change over depth on which the seeds agree."""
        return judging.judge_trends(findings.seed_profiles(self.results, *model, measure))

    def _ratio(self, model: Model) -> float | None:
        return judging.upper_over_lower(findings.layer_profile(self.results, *model, "relative"))

    def _with_trend(self) -> dict[Model, Trend]:
        found = {model: self._trend(model) for model in self.judged()}
        return {model: trend for model, trend in found.items() if trend != "unknown"}

    @property
    def layers(self) -> Phrase:
        """Whether fine-tuning changes only, or mainly, the upper layers: over all models."""
        return self._say_layers("layers")

    @property
    def layers_stated(self) -> Phrase:
        """The same where nobody has asked."""
        return self._say_layers("layers-stated")

    def _say_layers(self, key: str) -> Phrase:
        trends = self._with_trend()
        ratios = [ratio for model in trends if (ratio := self._ratio(model)) is not None]
        mainly = [model for model, trend in trends.items() if trend == "mainly-upper"]
        extent = judging.judge_extent(model in mainly for model in trends)
        only = extent == "all" and bool(ratios) and min(ratios) >= ONLY
        return self.voice.say(
            key,
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
        apart = [model for model, trend in models.items() if trend == "seeds-disagree"]
        return self.voice.say(
            "agreement", "some" if apart else "all", models=self.listed(apart), count=len(apart)
        )

    @property
    def depth_by_measure(self) -> Phrase:
        """Whether absolute and relative change tell the same story about depth."""
        cases = [trend == self._trend(model, "l2") for model, trend in self._with_trend().items()]
        return self.voice.say("depth-measures", judging.judge_extent(cases))

    @property
    def depth_literature(self) -> Phrase:
        """How the finding stands to the published ones."""
        cases = [trend == "mainly-upper" for trend in self._with_trend().values()]
        return self.voice.say("depth-literature", judging.judge_extent(cases))

    def depth(self, task: str, role: str) -> Phrase:
        """How one model's relative change is distributed over the depth of the encoder."""
        method = self.method(task, role)
        if method is None:
            return self.voice.say("not-compared")
        profiles = findings.seed_profiles(self.results, task, method, "relative")
        correlations = [judging.rank_correlation(profile) for profile in profiles]
        return self.voice.say(
            "depth",
            judging.judge_trends(profiles),
            **self.names(task, method),
            correlations="; ".join(self.voice.words.signed(c, 2) for c in correlations),
            ratio=self.voice.ratio(self._ratio((task, method))),
        )

    def largest(self, task: str, role: str) -> Phrase:
        """The component that changed most by each of the three measures."""
        method = self.method(task, role)
        top = {measure: self._largest(task, method, measure) for measure in MEASURES}
        if not all(top.values()):
            return self.voice.say("not-compared")
        names = {measure: self.voice.layer(layer) for measure, layer in top.items()}
        outcome = "agree" if len(set(top.values())) == 1 else "disagree"
        return self.voice.say("largest", outcome, **self.names(task, method), **names)

    def _largest(self, task: str, method: str | None, measure: str) -> str:
        """The component that changed most; "" where no weights were compared."""
        values = findings.component_values(self.results, task, method, measure)
        return max(values, key=values.__getitem__, default="")

    @property
    def tasks(self) -> Phrase:
        """Whether the distribution of change over depth differs between the tasks: reference."""
        return self._tasks("tasks", "reference")

    @property
    def tasks_adapter(self) -> Phrase:
        """The same for the adapter."""
        return self._tasks("tasks-adapter", "adapter")

    def _tasks(self, key: str, role: str) -> Phrase:
        first, second = (
            [centre for profile in of if (centre := judging.centre_of_change(profile)) is not None]
            for of in self._profiles(role)
        )
        return self.voice.say(
            key,
            judging.judge_order(first, second, SAME_DEPTH),
            **self.voice.methods(self.method(next(iter(self.results.profile.tasks)), role)),
            **self._means(first, second, 0),
        )

    def _means(self, first: list[float], second: list[float], digits: int) -> dict[str, str]:
        """Placeholders for both tasks and the means of their values."""
        found: dict[str, str] = {}
        tasks = zip(("first", "second"), self.results.profile.tasks, (first, second), strict=True)
        for place, task, values in tasks:
            mean = sum(values) / len(values) if values else None
            found[f"{place}_task"] = self.voice.name("task", task)
            found[f"{place}_value"] = self.voice.words.percent(mean, digits)
        return found

    def _profiles(self, role: str) -> list[list[list[float]]]:
        """The seeds' profiles of both tasks' models; none of one that did not learn its task."""
        models = [(task, self.method(task, role)) for task in self.results.profile.tasks]
        return [
            findings.seed_profiles(self.results, *model, "relative")
            if model in self.judged()
            else []
            for model in models
        ]

    @property
    def tasks_size(self) -> Phrase:
        """Which task moves the encoder further, for the reference."""
        first, second = ([sum(p) / len(p) for p in of if p] for of in self._profiles("reference"))
        outcome = judging.judge_ratios([b / a for a, b in zip(first, second, strict=False) if a])
        return self.voice.say("tasks-size", outcome, **self._means(first, second, 1))

    @property
    def same_encoder(self) -> Phrase:
        """Whether both tasks start from the same encoder."""
        tasks = self.results.profile.tasks
        names = {tasks[task].method(method).model_name_or_path for task, method in self.models()}
        return self.voice.say("encoder", "same" if len(names) == 1 else "different")

    @property
    def head(self) -> Phrase:
        """In how many models the head changes most, by each of the three measures."""
        first = {
            measure: [
                top == HEAD for model in self.judged() if (top := self._largest(*model, measure))
            ]
            for measure in MEASURES
        }
        return self.voice.say(
            "head",
            judging.judge_extent(case for cases in first.values() for case in cases),
            **{measure: str(sum(cases)) for measure, cases in first.items()},
            models=len(first["relative"]),
        )

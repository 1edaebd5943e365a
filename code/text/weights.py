"""Sentences of Task 3 on where the weights moved: over the depth, and between tasks.

A distance between weights has no sampling error: of the runs at hand each statement is exact, and
is said of these runs. What holds beyond their seeds is said by an interval over the seeds, and not
at all where there is one seed.
"""

import math
from collections.abc import Sequence
from functools import cached_property
from statistics import median

from facts.fact import Fact
from text.models import Model, ModelSentences, extent
from text.rules import Verdict, judge, judge_all
from text.sentence import NOTHING, Said, clauses
from text.view import TaskView

MAINLY = 2.0  # upper over lower third from which change is "mainly" above; "twice" in the wordings
ONLY = 10.0  # and from which it is "only" there
STEADY = 0.6  # rank correlation with depth from which a run's change grows or shrinks with it
DEPTH = {"metric": "upper_over_lower", "kind": "relative"}
ENDS = {"metric": "last_over_first", "kind": "relative"}
BEYOND = {
    Verdict.LESS: "no", Verdict.MORE: "yes", Verdict.UNCLEAR: "open", Verdict.UNKNOWN: "single"
}  # fmt: skip


class WeightSentences(ModelSentences):
    """Where fine-tuning moved the weights of both tasks' models."""

    @property
    def mean_distances(self) -> Said:
        """What the distance function returns without names, for every model."""
        place = {"layer": "all", "kind": "all", "metric": "l2"}
        moved = {model: model.one("distance", **place) for model in self.models}
        items = [
            self.speak.say("model-value", model=self.label(model), fact=fact)
            for model, fact in moved.items()
            if fact.known
        ]
        return (
            self.speak.say("mean-distances", listed=self.speak.listed(items)) if items else NOTHING
        )

    @property
    def unlearned(self) -> Said:
        """Which models did not rise above their controls, if any: a caveat and no exclusion."""
        lacking = [m for m in self.models if m.view.learned(m.method) is False]
        listed = self.speak.listed(self.name(model) for model in lacking)
        return self.speak.say("unlearned", listed=listed) if lacking else NOTHING

    # ----------------------------------------------------------------------------- upper layers

    @cached_property
    def _moved(self) -> list[Model]:
        """The models whose encoder's change can be compared between its thirds."""
        return [model for model in self.models if model.runs("trend", **DEPTH)]

    @cached_property
    def _thirds(self) -> list[Fact]:
        """Upper over lower third of every run."""
        return [fact for model in self._moved for fact in model.runs("trend", **DEPTH)]

    @property
    def mainly(self) -> str:
        """Whether the change of the runs at hand lies mainly in the upper layers."""
        values = [fact.value or 0.0 for fact in self._thirds]
        if len(values) == 1:
            return "one"
        found = extent(value >= MAINLY for value in values)
        return "only" if found == "all" and min(values) >= ONLY else found

    @property
    def layers(self) -> Said:
        """Whether fine-tuning changes mainly the upper layers: the runs at hand."""
        return self._say_layers("layers")

    @property
    def layers_stated(self) -> Said:
        """The same where nobody has asked: for abstract and conclusion."""
        return self._say_layers("layers-stated")

    def _say_layers(self, key: str) -> Said:
        if not self._thirds:
            return self.speak.say(key, "unknown")
        ranked = sorted(self._thirds, key=lambda fact: fact.value or 0.0)
        return self.speak.say(
            key,
            self.mainly,
            count=sum((fact.value or 0.0) >= MAINLY for fact in ranked),
            runs=len(ranked),
            least=ranked[0],
            greatest=ranked[-1],
        )

    @property
    def layers_beyond(self) -> Said:
        """What the intervals over seeds say of it, model by model."""
        if not self._thirds:
            return NOTHING
        ratios = {model: model.one("trend", **DEPTH) for model in self._moved}
        verdicts = judge_all(ratios, lambda _, ratio: self._beyond(ratio))
        judged = {model: BEYOND[verdict] for model, verdict in verdicts.items()}
        kinds = self.sort(judged, lambda model: model.one("trend", **DEPTH))
        return clauses(
            self.speak, "beyond", {k: kinds.get(k, []) for k in ("no", "yes", "open", "single")}
        )

    @staticmethod
    def _beyond(ratio: Fact) -> Verdict:
        if ratio.low is None or ratio.high is None:
            return Verdict.UNKNOWN
        if ratio.high < MAINLY:
            return Verdict.LESS
        return Verdict.MORE if ratio.low >= MAINLY else Verdict.UNCLEAR

    @property
    def shape(self) -> Said:
        """How the change is distributed from the first layer to the last, model by model."""
        shapes = {model: self._shape(model, "relative") for model in self._moved}
        said = []
        for kind in dict.fromkeys(shape for shape, _ in shapes.values()):
            own = {model: even for model, (shape, even) in shapes.items() if shape == kind}
            if kind == "tail":
                said += [
                    self.speak.say(
                        "shape-tail", model=self.name(m), layer=even, last=m.one("trend", **ENDS)
                    )
                    for m, even in own.items()
                ]
                continue
            listed = self.speak.listed(self.name(m) for m in own)
            margin = self.factor(next(iter(own)).view.settings.margins.depth_ratio)
            said.append(self.speak.say("shape", kind, listed=listed, margin=margin))
        return self.speak.join(said)

    @property
    def measure(self) -> Said:
        """Whether Euclidean distances give the models the same shapes."""
        if not self._moved:
            return NOTHING
        other = [m for m in self._moved if self._shape(m, "l2") != self._shape(m, "relative")]
        listed = self.speak.listed(self.name(model) for model in other)
        return self.speak.say("measure", "other" if other else "same", listed=listed)

    def _shape(self, model: Model, measure: str) -> tuple[str, int]:
        """The shape of a profile, and of one with a tail the last even layer.

        Even is a layer within the margin of the median layer. ``even``, ``tail`` (even up to a
        layer, all layers after it beyond the margin) or ``uneven``; with ``rising`` or ``falling``
        where every run's change grows or shrinks with depth.
        """
        profile = self._profile(model, measure)
        margin = model.view.settings.margins.depth_ratio
        scaled = [change / median(profile) for change in profile]
        even = [1 / margin <= change <= margin for change in scaled]
        first = even.index(False) if not all(even) else len(even)
        if first >= len(even) / 2 and first < len(even) and min(scaled[first:]) > margin:
            return "tail", first - 1
        runs = model.runs("trend", metric="rank_correlation", kind=measure)
        correlations = [fact.value or 0.0 for fact in runs]
        steady = min(map(abs, correlations), default=0.0) >= STEADY
        if steady and min(correlations) > 0:
            return ("even-rising" if all(even) else "rising"), 0
        if steady and max(correlations) < 0:
            return ("even-falling" if all(even) else "falling"), 0
        return ("even" if all(even) else "uneven"), 0

    def _profile(self, model: Model, measure: str) -> Sequence[float]:
        """Change of the encoder's layers from the first to the last, mean over seeds."""
        found: list[float] = []
        while True:
            layer = f"encoder.layer.{len(found)}"
            value = model.one("distance", layer=layer, kind="all", metric=measure).value
            if value is None:
                return found
            found.append(value)

    @property
    def literature(self) -> Said:
        """How the finding stands to the published ones."""
        kinds = {"all": "all", "only": "all", "some": "some", "none": "none"}
        return self.speak.say("literature", kinds[self.mainly]) if self.mainly in kinds else NOTHING

    def depth(self, task: str, role: str) -> Said:
        """The numbers of one model's profile: both ratios, and the rank correlation of its runs."""
        model = self.model(task, role)
        if model is None or model not in self._moved:
            return self.speak.say("no-model")
        runs = model.runs("trend", metric="rank_correlation", kind="relative")
        ranked = sorted(runs, key=lambda fact: fact.value or 0.0)
        return self.speak.say(
            "depth",
            "one" if len({round(fact.value or 0.0, 2) for fact in ranked}) == 1 else "several",
            label=self.label(model),
            thirds=model.one("trend", **DEPTH),
            ends=model.one("trend", **ENDS),
            least=ranked[0],
            greatest=ranked[-1],
        )

    # ------------------------------------------------------------------------------------ tasks

    @property
    def tasks(self) -> Said:
        """Whether the tasks' profiles differ: the method that trains every weight."""
        return self._tasks("tasks", "first")

    @property
    def tasks_adapter(self) -> Said:
        """The same for the adapter."""
        return self._tasks("tasks-adapter", "second")

    def _tasks(self, key: str, role: str) -> Said:
        """The last layer's change over the first's, in the last task against the first one."""
        if len(self.views) < 2:
            return self.speak.say(key, "unknown")
        one, *_, other = (self.model(task, role) for task in self.views)
        if one is None or other is None or {one, other} - set(self._moved):
            return self.speak.say(key, "unknown")
        ratio = other.one("trend", against=one.view.task, **ENDS)
        verdict = judge(ratio, other.view.settings.margins.depth_ratio)
        return self.speak.say(
            key,
            "one" if verdict == Verdict.UNKNOWN else verdict,
            first_place=self.place(one.view),
            second_place=self.place(other.view),
            first_ends=one.one("trend", **ENDS),
            second_ends=other.one("trend", **ENDS),
            ratio=ratio,
            **self.speak.methods(first=one.method),
        )

    @property
    def encoders(self) -> Said:
        """What separates the task from its encoder, where the study has anything that does."""
        views = list(self.views.values())
        if len(views) < 2:
            return NOTHING
        one, other = views[0], views[-1]
        if self._encoder(one, one.first) == self._encoder(other, other.first):
            return self.speak.say("encoders-same")
        crossed = self._encoder(other, other.foreign)
        if crossed is None or crossed != self._encoder(one, one.first):
            return self.speak.say("encoders-different")
        ends = [
            v.one("trend", m, **ENDS)
            for v, m in ((one, one.first), (other, other.first), (other, other.foreign))
        ]
        differ = self.tasks.outcome in (Verdict.MORE, Verdict.LESS)
        if not differ or not all(fact.value for fact in ends):
            return self.speak.say("encoders-different")
        near = [abs(math.log((ends[2].value or 1) / (fact.value or 1))) for fact in ends[:2]]
        return self.speak.say(
            "encoders",
            "task" if near[1] < near[0] else "encoder",
            place=self.place(one),
            other_place=self.place(other),
            ends=ends[2],
            basis=self.speak.say("basis", "one" if ends[2].seeds == 1 else "several", fact=ends[2]),
            **self.speak.methods(foreign=other.foreign),
        )

    @staticmethod
    def _encoder(view: TaskView, method: str | None) -> str | None:
        return view.settings.method(method).model_name_or_path if method else None

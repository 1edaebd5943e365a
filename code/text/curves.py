"""Sentences of Task 3 on the learning curves: how far the runs came, overfitting, more epochs."""

from collections.abc import Mapping
from functools import cached_property

from facts.fact import Fact
from text.models import Model, ModelSentences, extent
from text.rules import Verdict, judge, judge_all, scope, tally
from text.sentence import NOTHING, Said, clauses
from text.view import TaskView

DECAYING = ("linear", "cosine")  # schedules that bring the rate to zero
LATE = 0.9  # share of the schedule from which a best point lies "in its last tenth"


class CurveSentences(ModelSentences):
    """Convergence, overfitting and what more epochs promise."""

    # ----------------------------------------------------------------------------- more epochs

    @cached_property
    def _slopes(self) -> dict[Model, Verdict]:
        """Whether the metric still rises over the last third of the steps, an epoch."""
        slopes = {model: self._slope(model) for model in self.models}
        return judge_all(slopes, lambda model, slope: judge(slope, model.view.margin))

    @staticmethod
    def _slope(model: Model) -> Fact:
        return model.one("convergence", metric="slope")

    @property
    def epochs(self) -> Said:
        """Whether there is any point in more epochs: over all models."""
        return self._say_epochs("epochs")

    @property
    def epochs_stated(self) -> Said:
        """The same where nobody has asked: for the abstract."""
        return self._say_epochs("epochs-stated")

    def _say_epochs(self, key: str) -> Said:
        measured = {m: v for m, v in self._slopes.items() if v != Verdict.UNKNOWN}
        found = tally(measured)
        outcome = found.outcome
        if outcome == "mixed":
            outcome = "partly" if found.yes else "hardly"
        return self.speak.say(
            key,
            outcome,
            late=self.count(self._late("best_metric_epoch")),
            count=len(found.yes),
            models=len(measured),
            scope=self.speak.say("scope", scope(*(self._slope(model) for model in measured))),
        )

    @property
    def finished(self) -> Said:
        """Whether validation loss, too, had not passed its lowest point when schedules ended."""
        loss, metric = self._late("best_loss_epoch"), self._late("best_metric_epoch")
        if not loss or not metric:
            return NOTHING
        late = (2 * sum(loss) > len(loss), 2 * sum(metric) > len(metric))
        passed = {(True, True): "no", (False, True): "loss", (True, False): "metric"}
        return self.speak.say("finished", passed.get(late, "yes"), loss=self.count(loss))

    def _late(self, metric: str) -> list[bool]:
        """Of each run, whether its best point lies in the last tenth of the schedule."""
        return [
            (fact.value or 0.0)
            >= LATE * model.view.settings.method(model.method).training.num_train_epochs
            for model in self.models
            for fact in model.runs("convergence", metric=metric)
        ]

    @property
    def slopes(self) -> Said:
        """The slopes themselves, a clause for every verdict and one for what was not measured."""
        found: dict[str, list[Said]] = {str(verdict): [] for verdict in Verdict}
        for model, verdict in self._slopes.items():
            slope, unit = self._slope(model), self.speak.name(model.view.metric)
            if slope.known:
                kind = "unclear" if verdict == Verdict.UNKNOWN else str(verdict)
                item = self.speak.say("slope-item", model=self.name(model), fact=slope, metric=unit)
                found[kind].append(item)
            else:
                found["unknown"].append(self.name(model))
        return clauses(self.speak, "slope", found)

    @property
    def schedule(self) -> Said:
        """Whether the learning rate falls to zero, so that curves flatten by construction."""
        kinds = [
            model.view.settings.method(model.method).training.lr_scheduler_type in DECAYING
            for model in self.models
        ]
        made = any(view.longer_run for view in self.views.values())
        longer = self.speak.say("longer", "run" if made else "not-run")
        return self.speak.say("schedule", extent(kinds), longer=longer) if kinds else NOTHING

    # ----------------------------------------------------------------------------- overfitting

    @cached_property
    def _turned(self) -> dict[Model, Fact]:
        """How many runs of each model turned, of those that are long enough to tell."""
        facts = {model: model.one("convergence", metric="turned") for model in self.models}
        return {model: fact for model, fact in facts.items() if fact.known and fact.n}

    @property
    def overfitting(self) -> Said:
        """In how many runs validation loss turns, and what that can show."""
        known = sum(fact.n or 0 for fact in self._turned.values())
        turned = [model for model, fact in self._turned.items() if fact.value]
        count = sum(int(self._turned[model].value or 0) for model in turned)
        outcome = (
            "unknown" if not known else "all" if count == known else "some" if count else "none"
        )
        items = []
        for model in turned:
            runs = self._turned[model].n or 0
            cases = [number < (self._turned[model].value or 0) for number in range(runs)]
            rise = model.one("convergence", metric="rise")
            said = {"model": self.name(model), "turned": self.count(cases)}
            items.append(self.speak.say("turned-item", rise=rise, **said))
        listed = self.speak.listed(items)
        points = max((len(self._points(model)) for model in self._turned), default=0)
        return self.speak.say(
            "overfitting", outcome, runs=known, count=count, listed=listed, points=points
        )

    @staticmethod
    def _points(model: Model) -> set[int | None]:
        """The steps at which validation loss was measured."""
        return {f.step for f in model.runs("curve", split="validation", metric="loss")}

    @property
    def after_turn(self) -> Said:
        """What quality does where validation loss has turned; nothing where none has."""
        directions = [
            fact.value or 0.0
            for model, turned in self._turned.items()
            if turned.value
            for fact in self._own(model, "direction_after_best_loss")
        ]
        if not directions:
            return NOTHING
        falls = [direction < 0 for direction in directions]
        outcome = "falls" if any(falls) else "holds"
        return self.speak.say("after-turn", outcome, falls=self.count(falls))

    def _own(self, model: Model, metric: str) -> list[Fact]:
        """The facts of those runs of a model whose validation loss turned."""
        turned = {f.seed for f in model.runs("convergence", metric="turned") if f.value}
        return [fact for fact in model.runs("convergence", metric=metric) if fact.seed in turned]

    @property
    def short(self) -> Said:
        """Which models' curves have too few points to tell a turn."""
        short = [model for model in self.models if model not in self._turned]
        listed = self.speak.listed(self.name(model) for model in short)
        return self.speak.say("short", listed=listed) if short else NOTHING

    @property
    def gaps(self) -> Said:
        """Validation loss minus training loss at the end: a clause for each direction."""
        found: dict[str, list[Said]] = {"above": [], "below": [], "mixed": []}
        for model in self.models:
            gap = model.one("convergence", metric="gap")
            runs = model.runs("convergence", metric="gap")
            if gap.known and runs:
                signs = {(fact.value or 0.0) > 0 for fact in runs}
                kind = "mixed" if len(signs) > 1 else "above" if True in signs else "below"
                form = "range" if len(runs) > 1 else "one"
                found[kind].append(
                    self.speak.say("gap-item", form, model=self.name(model), fact=gap)
                )
        return clauses(self.speak, "gap", found)

    # ------------------------------------------------------------------------------ convergence

    @property
    def convergences(self) -> Said:
        """``convergence`` of every task."""
        return self.speak.join(self.convergence(task) for task in self.views)

    def convergence(self, task: str) -> Said:
        """How far both methods of a task came: their losses at the end, seed by seed."""
        view = self.views[task]
        ends: dict[str, Fact] = {}
        for role, method in (("first", view.first), ("second", view.second)):
            ends[f"{role}_loss"] = view.one("convergence", method, metric="final_loss")
            ends[f"{role}_train"] = view.one("convergence", method, metric="final_train_loss")
        if not all(fact.known for fact in ends.values()):
            return NOTHING
        outcome = self._order(view)
        names = self.speak.methods(first=view.first, second=view.second)
        place = self.capital(self.place(view))
        return self.speak.say("convergence", outcome, **place, **ends, **names)

    @staticmethod
    def _order(view: TaskView) -> str:
        """Which method ends at a lower loss in every seed that both have."""
        losses: list[Mapping[int | None, float]] = [
            {
                f.seed: f.value or 0.0
                for f in Model(view, method or "").runs("convergence", metric="final_loss")
            }
            for method in (view.first, view.second)
        ]
        shared = losses[0].keys() & losses[1].keys()
        lower = {losses[0][seed] < losses[1][seed] for seed in shared}
        if len(shared) == 1:
            return "one"
        if len(lower) != 1:
            return "open"
        return "first" if True in lower else "second"

    @property
    def items(self) -> Said:
        """On how many validation items the curves are measured, and at how many points."""
        items = []
        for view in self.views.values():
            method = view.first or view.second
            if method is None:
                continue
            count = view.settings.method(method).training.validation_items
            points = len(self._points(Model(view, method)))
            outcome = "some" if count else "all"
            items.append(
                self.speak.say(
                    "curve-items", outcome, place=self.place(view), count=count, points=points
                )
            )
        return self.speak.say("curves", listed=self.speak.listed(items)) if items else NOTHING

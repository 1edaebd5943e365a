"""Facts of experiments once more, from stored predictions and settings, by plain counting."""

import itertools
import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from evidence.experiments import BEST
from facts.fact import Fact
from study.settings import TaskSettings, Variant
from verification.counting import score_run
from verification.predictions import Predictions

Side = tuple[str, str]  # method, variant
METRIC: Mapping[str, str] = {"sequence": "matthews_correlation", "token": "accuracy"}


class Retrial:
    """The values of what experiments measured, counted anew.

    Args:
        predictions: of the task.
        task: its settings.
    """

    def __init__(self, predictions: Predictions, task: TaskSettings):
        self._of, self._task = predictions, task
        self._metric = METRIC[task.kind]
        self._ways: dict[str, Callable[[Fact], float | None]] = {
            "score": self._score,
            "difference": self._difference,
            "setting": self._setting,
            "ratio": self._ratio,
            "expected best": self._expected,
            "crossing": self._crossing,
            "search": self._search,
        }

    def knows(self, fact: Fact) -> bool:
        """Whether a fact is of an experiment and counted here."""
        own = fact.variant or fact.quantity in ("crossing", "search")
        return bool(own) and fact.quantity in self._ways

    def value(self, fact: Fact) -> float | None:
        """What the fact's value should be; None: there is none."""
        return self._ways[fact.quantity](fact)

    def _score(self, fact: Fact) -> float | None:
        side = (fact.method, fact.variant)
        seeds = self._seeds(side) if fact.seed is None else [fact.seed]
        return self._mean(side, fact.evaluation, fact.metric, seeds)

    def _seeds(self, side: Side) -> list[int]:
        method, variant = side
        if not variant and method not in {m.name for m in self._task.methods}:
            return []
        seeds = self._of.seeds(method, variant=variant)
        return [seed for seed in seeds if seed is not None]

    def _mean(self, side: Side, address: str, metric: str, seeds: list[int]) -> float:
        """The mean over seeds of a metric; ``drop``: from the validation set to this one."""
        if metric == "drop":
            ends = [self._mean(side, a, "accuracy", seeds) for a in (self._source, address)]
            return ends[0] - ends[1]
        columns = self._of.items(address)["columns"]
        values = []
        for seed in seeds:
            raw = self._of.raw(side[0], seed, address, side[1])
            values.append(score_run(self._task.kind, raw, columns)[metric])
        return math.fsum(values) / len(values)

    @property
    def _source(self) -> str:
        return self._task.validation

    def _difference(self, fact: Fact) -> float:
        first, second = self._sides(fact)
        seeds = [seed for seed in self._seeds(first) if seed in self._seeds(second)]
        one, other = (
            self._mean(side, fact.evaluation, fact.metric, seeds) for side in (first, second)
        )
        return one - other

    def _sides(self, fact: Fact) -> tuple[Side, Side]:
        """A method against itself: with the variant's settings and without; else both with them."""
        first, second = (self._arm(method, fact.variant) for method in (fact.method, fact.against))
        if fact.method != fact.against:
            return first, second
        if fact.variant != BEST:
            return first, (fact.method, "")
        own = next(v for v in self._task.experiments.tries[fact.method] if v.own_rate)
        return first, (fact.method, own.name)

    def _arm(self, method: str, variant: str) -> Side:
        """A method in a variant; as in the comparison where the variant is not of this method."""
        if variant == BEST:
            return method, self._best[method].name
        own = self._task.experiments.specifications.get(variant, [])
        return method, variant if method in {v.method.name for v in own} else ""

    @cached_property
    def _best(self) -> dict[str, Variant]:
        """The try with the highest score where tries are selected; of equal ones the own rate."""
        found = {}
        for method, tries in self._task.experiments.tries.items():
            scores = {variant.name: self._selecting(variant) for variant in tries}
            highest = [v for v in tries if scores[v.name] == max(scores.values())]
            found[method] = next((v for v in highest if v.own_rate), highest[0])
        return found

    def _selecting(self, variant: Variant) -> float:
        return self._of_try(variant, variant.held_out)

    def _of_try(self, variant: Variant, address: str) -> float:
        side = (variant.method.name, variant.name)
        return self._mean(side, address, self._metric, self._seeds(side))

    def _setting(self, fact: Fact) -> float:
        if fact.variant == BEST:
            return self._best[fact.method].method.training.learning_rate
        own = (v for v in self._task.experiments.variants if v.name == fact.variant)
        changes = dict(next(v for v in own if v.method.name == fact.method).changes)
        return float(changes[fact.metric])  # type: ignore[arg-type]

    def _ratio(self, fact: Fact) -> float:
        rates = [self._best[m].method.training.learning_rate for m in (fact.method, fact.against)]
        return rates[0] / rates[1]

    def _expected(self, fact: Fact) -> float:
        """The mean over all ways to draw so many tries of what the best of them reports."""
        tries = self._task.experiments.tries[fact.method]
        scores = [(self._selecting(variant), place) for place, variant in enumerate(tries)]
        reported = [self._of_try(variant, fact.evaluation) for variant in tries]
        drawn = itertools.product(scores, repeat=fact.step or 1)
        return float(np.mean([reported[max(draw)[1]] for draw in drawn]))

    def _crossing(self, fact: Fact) -> float | None:
        """Where the straight line between two shares, on a logarithmic axis, passes zero."""
        shares = {"": 1.0}
        for name, variants in self._task.experiments.specifications.items():
            changes = dict(variants[0].changes)
            if list(changes) == ["train_share"]:
                shares[name] = float(changes["train_share"])  # type: ignore[arg-type]
        points = []
        for name, share in sorted(shares.items(), key=lambda item: -item[1]):
            first, second = (self._arm(m, name) for m in (fact.method, fact.against))
            seeds = [seed for seed in self._seeds(first) if seed in self._seeds(second)]
            ends = [self._mean(s, fact.evaluation, fact.metric, seeds) for s in (first, second)]
            points.append((math.log(share), ends[0] - ends[1]))
        for (high, upper), (low, lower) in itertools.pairwise(points):
            if upper * lower < 0:
                return math.exp(high - (high - low) * upper / (upper - lower))
        return None

    def _search(self, fact: Fact) -> float:
        """Seconds and number of the finished runs of tries, or of all other experiments."""
        tried = {
            (v.method.name, v.name) for own in self._task.experiments.tries.values() for v in own
        }
        total = 0.0
        for variant in self._task.experiments.variants:
            side = (variant.method.name, variant.name)
            if (side in tried) == (fact.group == "tries") and fact.method in ("", side[0]):
                total += sum(self._recorded(side, seed, fact.metric) for seed in self._seeds(side))
        return total

    def _recorded(self, side: Side, seed: int, metric: str) -> float:
        if metric == "runs":
            return 1.0
        stages: dict[str, Any] = self._of.stages(side[0], seed, side[1])
        return float(self._of.find(stages["train"]).result()["costs"][metric])

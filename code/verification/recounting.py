"""Scores and what follows from them once more, by key and without the functions of ``evidence``.

Each quantity is what its definition says, counted plainly from stored predictions. Intervals and p
values rest on random resamples and are not made a second time; their point estimates are. What no
score decides (costs, spectra, what curves say) is ``UNCOUNTED``.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from evidence.experiments import BEST
from facts.fact import Fact
from study.settings import Variant
from verification.counting import Bools, score_run
from verification.predictions import Predictions

Seed = int | None
Side = tuple[str, str]  # method, variant
UNCOUNTED: Final = math.nan
"""Stands for the value of a fact that is not counted again."""


class Recount:
    """The values of a task's facts, counted anew."""

    def __init__(self, predictions: Predictions):
        self._of, self._task = predictions, predictions.task
        self._of_seed: dict[str, Callable[[Fact, Seed], float | None]] = {
            "score": self._score,
            "drop": self._drop,
            "contrast": self._contrast,
        }

    def value(self, fact: Fact) -> float | None:
        """What the fact's value should be; None: there is none; ``UNCOUNTED``."""
        if fact.part or fact.metric in ("seqeval_f1", "cka"):  # set back; by a library; of states
            return UNCOUNTED
        if fact.quantity == "difference":
            return self._difference(fact)
        measure = self._of_seed.get(fact.quantity)
        if measure is None:
            return UNCOUNTED
        own = self._of.seeds(fact.method, fact.variant) if fact.seed is None else [fact.seed]
        values = [value for seed in own if (value := measure(fact, seed)) is not None]
        return float(np.mean(values)) if values else None

    def _score(self, fact: Fact, seed: Seed) -> float | None:
        gold = self._of.gold(fact.evaluation)
        if fact.metric == "f1" and fact.tag:
            said = self._of.said(fact, seed) == self._number(fact.tag)
            there = gold == self._number(fact.tag)
            found = 2 * int((there & said).sum()) / max(1, int(there.sum() + said.sum()))
            return found if there.any() else None
        items = self._members(fact)
        if not items.any() or (fact.metric == "loss" and seed is None):
            return None  # a constant answer gives no probabilities
        if fact.metric == "accuracy":
            return float((self._of.said(fact, seed) == gold)[items].mean())
        columns = self._of.items(fact.evaluation)["columns"]
        raw = self._of.raw(fact.method, seed, fact.evaluation, fact.variant)
        return score_run(self._task.kind, raw[items], columns, items).get(fact.metric)

    def _members(self, fact: Fact) -> Bools:
        """The items of a fact: of its tag, or of its group."""
        if fact.tag:
            return self._of.gold(fact.evaluation) == self._number(fact.tag)
        return self._of.members(fact.method, fact.evaluation, fact.grouping, fact.group)

    def _number(self, name: str) -> int:
        return list(self._of.classes).index(name)

    def _drop(self, fact: Fact, seed: Seed) -> float | None:
        """From the validation set to the fact's; macro-F1 over the tags that both sets have."""
        sets = [replace(fact, evaluation=e) for e in (self._task.validation, fact.evaluation)]
        ends = [self._score(of_set, seed) for of_set in sets]
        if fact.metric == "macro_f1":
            common = set.intersection(*(set(self._of.gold(f.evaluation).tolist()) for f in sets))
            tags = [replace(fact, metric="f1", tag=self._of.classes[tag]) for tag in common]
            of_tags = [
                [self._score(replace(tag, evaluation=f.evaluation), seed) for tag in tags]
                for f in sets
            ]
            ends = [float(np.mean([f1 for f1 in own if f1 is not None])) for own in of_tags]
        one, other = ends
        return None if one is None or other is None else one - other

    def _contrast(self, fact: Fact, seed: Seed) -> float | None:
        one, other = (
            self._score(replace(fact, group=group, against=""), seed)
            for group in (fact.group, fact.against)
        )
        return None if one is None or other is None else one - other

    def _difference(self, fact: Fact) -> float | None:
        """Mean over the seeds that both sides have; a control's one value goes with each."""
        sides = self._sides(fact)
        seeds = [self._of.seeds(*side) for side in sides]
        shared = [seed for seed in seeds[0] if seed in seeds[1]]
        if not shared and [None] not in seeds:
            return None
        measure, metric = self._score, fact.metric
        if metric == "drop":
            measure, metric = self._drop, "accuracy"
        means = []
        for (method, variant), own in zip(sides, seeds, strict=True):
            side = replace(fact, method=method, variant=variant, against="", metric=metric)
            values = [measure(side, seed) for seed in shared or own]
            means.append(float(np.mean([value for value in values if value is not None])))
        return means[0] - means[1]

    # --------------------------------------------------------------------------- experiments

    def _sides(self, fact: Fact) -> tuple[Side, Side]:
        """Both methods in the fact's variant; a method against itself: with it and without it."""
        first, second = (self._arm(method, fact.variant) for method in (fact.method, fact.against))
        if not fact.variant or fact.method != fact.against:
            return first, second
        own_rate = next((v for v in self._tries(fact.method) if v.own_rate), None)
        own = own_rate.name if own_rate and fact.variant == BEST else ""
        return first, (fact.method, own)

    def _arm(self, method: str, variant: str) -> Side:
        """A method in a variant; as in the comparison where the variant is not of this method."""
        if variant == BEST:
            return method, self._best(method)
        own = self._task.experiments.specifications.get(variant, [])
        return method, variant if method in {v.method.name for v in own} else ""

    def _tries(self, method: str) -> list[Variant]:
        return list(self._task.experiments.tries.get(method, ()))

    def _best(self, method: str) -> str:
        """The try with the highest score where tries are selected; of equal ones the own rate."""
        place: dict[str, Any] = {"quantity": "score", "method": method, "metric": self._task.metric}
        tries = self._tries(method)
        facts = [Fact(**place, variant=v.name, evaluation=v.held_out) for v in tries]
        scores = [self.value(fact) or 0.0 for fact in facts]
        best = [v for v, score in zip(tries, scores, strict=True) if score == max(scores)]
        return next((v for v in best if v.own_rate), best[0]).name

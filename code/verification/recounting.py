"""Facts once more by their key, from stored predictions, and without the functions of ``evidence``.

Each quantity is what its definition says, counted plainly. Intervals and p values rest on random
resamples and are not made a second time; their point estimates are. Quantities that nothing here
counts (spectra, similarities, what curves say) are ``UNCOUNTED``.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from facts.fact import Fact
from facts.table import Facts
from verification.counting import Bools, score_run, score_sentences
from verification.forgetting import Forgetting
from verification.predictions import Predictions

Seed = int | None
UNCOUNTED: Final = math.nan
"""Stands for the value of a fact that is not counted again."""


class Recount:
    """The values of a task's facts, counted anew.

    Args:
        predictions: of the task.
        facts: of the study, for the parts that must add up to a whole.
    """

    def __init__(self, predictions: Predictions, facts: Facts):
        self._of, self._facts, costs = predictions, facts, Costs(predictions)
        self._ways: dict[str, Callable[[Fact], float | None]] = {
            "score": self._over_seeds(self._score),
            "difference": self._difference,
            "drop": self._over_seeds(self._drop),
            "contrast": self._over_seeds(self._contrast),
            "contribution": self._contribution,
            "rate": self._rate,
            "confusion": self._confusion,
            "size": self._size,
            "share": self._share,
            "shared errors": self._shared_errors,
            "threshold": self._over_seeds(functools.partial(threshold, predictions)),
            "restoration": self._over_seeds(self._restoration),
            "forgetting": Forgetting(predictions).loss,
            "cost": costs.cost,
            "step": costs.step,
            "ratio": costs.ratio,
            "latency": costs.latency,
        }

    def value(self, fact: Fact) -> float | None:
        """What the fact's value should be; None: there is none; ``UNCOUNTED``."""
        way = self._ways.get(fact.quantity)
        return way(fact) if way else UNCOUNTED

    def _over_seeds(
        self, of_seed: Callable[[Fact, Seed], float | None]
    ) -> Callable[[Fact], float | None]:
        """The value of the fact's seed, or the mean over all seeds that have one."""

        def value(fact: Fact) -> float | None:
            stage = "restored" if fact.part else "predict"
            seeds = self._of.seeds(fact.method, stage) if fact.seed is None else [fact.seed]
            values = [v for v in (of_seed(fact, seed) for seed in seeds) if v is not None]
            return float(np.mean(values)) if values else None

        return value

    # ------------------------------------------------------------------------------------ scores

    def _score(self, fact: Fact, seed: Seed) -> float | None:
        method, address, metric = fact.method, fact.evaluation, fact.metric
        if fact.part:
            return self._restored(fact, seed)[0]
        if metric == "seqeval_f1":
            return UNCOUNTED  # the library's own
        if metric == "f1" and fact.tag:
            return self._f1(method, seed, address, fact.tag)
        if metric == "accuracy":
            return self._accuracy(method, seed, address, self._members(fact))
        if metric == "loss" and seed is None:
            return None  # a constant answer gives no probabilities
        return self._metric(method, seed, address, metric, self._members(fact))

    def _metric(
        self, method: str, seed: Seed, address: str, metric: str, items: Bools
    ) -> float | None:
        if not items.any():
            return None
        raw, columns = self._of.raw(method, seed, address), self._of.items(address)["columns"]
        return score_run(self._of.task.kind, raw[items], columns, items).get(metric)

    def _members(self, fact: Fact, group: str = "", address: str = "") -> Bools:
        """The items of a fact: of its tag, or of a group."""
        address = address or fact.evaluation
        if fact.tag:
            return self._of.gold(address) == self._number(fact.tag)
        return self._of.members(fact.method, address, fact.grouping, group or fact.group)

    def _number(self, name: str) -> int:
        return list(self._of.classes).index(name)

    def _accuracy(self, method: str, seed: Seed, address: str, items: Bools) -> float | None:
        right = self._of.said(method, seed, address) == self._of.gold(address)
        return float(right[items].mean()) if items.any() else None

    def _f1(self, method: str, seed: Seed, address: str, tag: str) -> float | None:
        there = self._of.gold(address) == self._number(tag)
        given = self._of.said(method, seed, address) == self._number(tag)
        both = int((there & given).sum())
        return 2 * both / int(there.sum() + given.sum()) if there.any() else None

    # --------------------------------------------------------------------- differences and drops

    def _difference(self, fact: Fact) -> float | None:
        """Mean over the seeds that both methods have; a control's one value goes with each."""
        if fact.metric == "cka":
            return UNCOUNTED
        sides = [self._of.seeds(method) for method in (fact.method, fact.against)]
        shared = [seed for seed in sides[0] if seed in sides[1]]
        if not shared and [None] not in sides:
            return None
        measure, metric = self._score, fact.metric
        if metric == "drop":
            measure, metric = self._drop, "accuracy"
        means = []
        for method, seeds in zip((fact.method, fact.against), sides, strict=True):
            own = replace(fact, method=method, against="", metric=metric)
            values = [measure(own, seed) for seed in shared or seeds]
            means.append(float(np.mean([value for value in values if value is not None])))
        return means[0] - means[1]

    @property
    def _source(self) -> str:
        return self._of.task.validation

    def _drop(self, fact: Fact, seed: Seed) -> float | None:
        source, target = (self._on(fact, seed, a) for a in (self._source, fact.evaluation))
        return None if source is None or target is None else source - target

    def _on(self, fact: Fact, seed: Seed, address: str) -> float | None:
        if fact.metric == "macro_f1":
            of_tags = [self._f1(fact.method, seed, address, tag) for tag in self._common(fact)]
            return float(np.mean([f1 for f1 in of_tags if f1 is not None]))
        members = self._members(fact, address=address)
        return self._accuracy(fact.method, seed, address, members)

    def _common(self, fact: Fact) -> list[str]:
        there = [set(self._of.gold(a).tolist()) for a in (self._source, fact.evaluation)]
        return [self._of.classes[number] for number in sorted(set.intersection(*there))]

    def _contrast(self, fact: Fact, seed: Seed) -> float | None:
        one, other = (
            self._accuracy(fact.method, seed, fact.evaluation, self._members(fact, group))
            for group in (fact.group, fact.against)
        )
        return None if one is None or other is None else one - other

    # ------------------------------------------------------------------------- parts of the drop

    def _contribution(self, fact: Fact) -> float | None:
        """A division's share of all words that are wrong: in the target minus in the source."""
        if fact.metric:
            return UNCOUNTED  # parts of what is counted without a metric
        if fact.cause:
            whole = replace(fact, quantity="drop", metric="accuracy", cause="")
            return self._rest(fact, "contribution", self.value(whole) or 0.0)
        of_sets = [self._wrong(fact, address) for address in (fact.evaluation, self._source)]
        return of_sets[0] - of_sets[1]

    def _rate(self, fact: Fact) -> float | None:
        address = fact.against or fact.evaluation
        if fact.cause:
            return self._rest(
                fact, "rate", self._wrong(Fact(quantity="", method=fact.method), address)
            )
        return self._wrong(fact, address)

    def _wrong(self, fact: Fact, address: str) -> float:
        """Share of a set's words that are wrong in this way, mean over seeds."""
        own, gold = self._members(fact, address=address), self._of.gold(address)
        rates = []
        for seed in self._of.seeds(fact.method):
            said = self._of.said(fact.method, seed, address)
            wrong = said == self._number(fact.predicted) if fact.predicted else said != gold
            rates.append(float((own & wrong).mean()))
        return float(np.mean(rates))

    def _rest(self, fact: Fact, quantity: str, whole: float) -> float | None:
        """Causes are not assigned a second time: the last one is what the others leave."""
        if fact.cause != "remaining" or fact.seed is not None:
            return UNCOUNTED
        rows = self._facts.where(quantity=quantity, seed=None, against=fact.against, **_place(fact))
        return whole - math.fsum(r.value or 0.0 for r in rows if r.cause not in ("", fact.cause))

    def _confusion(self, fact: Fact) -> float:
        gold, counts = self._of.gold(fact.evaluation) == self._number(fact.tag), []
        for seed in self._of.seeds(fact.method):
            given = self._of.said(fact.method, seed, fact.evaluation)
            counts.append(int((gold & (given == self._number(fact.predicted))).sum()))
        return float(np.mean(counts))

    # ----------------------------------------------------------------------- sizes, shared errors

    def _size(self, fact: Fact) -> float:
        if fact.metric == "sentences":
            return len(set(self._of.items(fact.evaluation)["columns"]["sentence"]))
        if fact.metric == "words" and self._of.task.kind == "sequence":
            return sum(self._of.items(fact.evaluation)["columns"]["length"])
        return int(self._members(fact).sum())

    def _share(self, fact: Fact) -> float | None:
        if fact.metric == "given majority":
            given = self._over_seeds(
                lambda f, s: float(
                    (self._of.said(f.method, s, f.evaluation) == self._of.majority).mean()
                )
            )
            return given(fact)
        if fact.metric not in ("items", "majority"):
            return UNCOUNTED
        return float(self._members(fact).mean())

    def _shared_errors(self, fact: Fact) -> float:
        methods = [fact.method] if fact.method else [m.name for m in self._of.task.methods]
        wrong = np.stack(
            [
                self._of.said(method, seed, fact.evaluation) != self._of.gold(fact.evaluation)
                for method in methods
                for seed in self._of.seeds(method)
            ]
        )
        if fact.metric == "count":
            return int(wrong.all(axis=0).sum())
        return wrong.shape[1] * float(np.prod(wrong.mean(axis=1)))

    # -------------------------------------------------------------------- restorations and prices

    def _restored(self, fact: Fact, seed: Seed) -> tuple[float, float]:
        """The metric with a part set back, and as trained, on the items that were scored again."""
        arrays = self._of.find(self._of.stages(fact.method, seed)["restored"]).arrays()
        ending = fact.evaluation.replace(":", "-")
        kept = arrays[f"items {ending}"]
        whole = self._of.raw(fact.method, seed, fact.evaluation)[kept]
        columns = self._of.items(fact.evaluation)["columns"]
        back, trained = (
            score_run(self._of.task.kind, raw, columns, kept)[fact.metric]
            for raw in (arrays[f"{fact.part} {ending}"], whole)
        )
        return back, trained

    def _restoration(self, fact: Fact, seed: Seed) -> float:
        back, trained = self._restored(fact, seed)
        if fact.against:  # how much more than without that part
            trained, _ = self._restored(replace(fact, part=fact.against), seed)
        return trained - back


@dataclass(frozen=True)
class Costs:
    """What trainings and their steps cost, from what single runs and steps recorded."""

    predictions: Predictions

    def cost(self, fact: Fact) -> float | None:
        """What each run recorded, of several the median."""
        seeds = self.predictions.seeds(fact.method, "train") if fact.seed is None else [fact.seed]
        values = []
        for seed in seeds:
            costs = self.predictions.find(
                self.predictions.stages(fact.method, seed)["train"]
            ).result()["costs"]
            if fact.metric == "computed_bytes":
                parts = ("parameters", "gradients", "optimizer")
                values.append(sum(costs[f"memory_{part}_bytes"] for part in parts))
            else:
                values.append(costs.get(fact.metric, UNCOUNTED))
        return float(np.median([value for value in values if value is not None]))

    def _price(self, fact: Fact) -> dict[str, Any]:
        return self.predictions.find(self.predictions.ledger["tasks"][fact.task]["price"]).result()

    def step(self, fact: Fact) -> float:
        """Median seconds of a step."""
        if fact.metric != "seconds":
            return UNCOUNTED  # the single steps' seconds alone are stored
        return float(np.median(self._price(fact)["seconds"][fact.method]))

    def ratio(self, fact: Fact) -> float:
        """Median ratio of the seconds that the same batches took."""
        if fact.metric != "step_seconds":
            return UNCOUNTED
        own, other = (np.log(self._price(fact)["seconds"][m]) for m in (fact.method, fact.against))
        return float(np.exp(np.median(own - other)))

    def latency(self, fact: Fact) -> float:
        """Median seconds of a forward pass, or the median ratio of the passes on one batch."""
        name = self.predictions.ledger["tasks"][fact.task]["latency"]
        sizes = self.predictions.find(name).result()["methods"][fact.method]
        seconds = next(s["seconds"] for s in sizes if str(s["size"]) == fact.group)
        if fact.metric.endswith("_seconds"):
            return float(np.median(seconds[fact.metric.removesuffix("_seconds")]))
        ratios = np.log(seconds["unmerged"]) - np.log(seconds["merged"])
        return float(np.exp(np.median(ratios)))


def threshold(predictions: Predictions, fact: Fact, seed: Seed) -> float | None:
    """Quality where another margin between the two logits decides, or with the best of them."""
    raw = predictions.raw(fact.method, seed, fact.evaluation).astype(np.float64)
    margins, gold = raw[:, 1] - raw[:, 0], predictions.gold(fact.evaluation)

    def at(margin: float) -> float:
        said = np.stack([margins <= margin, margins > margin], axis=-1).astype(np.float64)
        return score_sentences(said, gold).get("matthews_correlation", UNCOUNTED)

    if fact.step is not None:
        share = fact.step / 100
        return at(math.log(share / (1 - share)) if 0 < share < 1 else (share - 0.5) * math.inf)
    best = max(at(cut) for cut in (-math.inf, 0.0, *margins))
    found = {"argmax": at(0.0), "upper_bound": best, "gain": best - at(0.0)}
    return found.get(fact.metric, UNCOUNTED)


def _place(fact: Fact) -> dict[str, Any]:
    return {"task": fact.task, "method": fact.method, "evaluation": fact.evaluation}

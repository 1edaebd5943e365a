"""Facts of the experiments: tries that select a rate, and specifications that the verdict may fail.

Tries are scored on the tenth of the training sentences that they were not trained on, which selects
the best rate of each method, and on the evaluated sets, which only report: what is said of the best
rates is not biased by having chosen them. An arm is a method with a variant's settings; "" is the
method of the comparison.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evidence import intervals, outcomes, panels
from evidence.arrays import CountMetric, Floats
from evidence.comparisons import compare
from evidence.intervals import Replicated
from evidence.panels import Panel
from facts.fact import Fact
from study.addresses import language_of
from study.settings import TaskSettings, Variant

Arm = tuple[str, str]  # method, name of the variant
BEST = "best rates"
"""The variant of what is known of the best rates together: each method at its own."""


@dataclass(frozen=True)
class EvaluatedSet:
    """The arms on one evaluated set."""

    counts: Mapping[Arm, Floats]  # arm -> (S, U, K), as the metrics take them
    # name -> metric, those that are defined on the set; the task's own first
    metrics: Mapping[str, CountMetric]


def summarise_experiments(
    task: TaskSettings,
    sets: Mapping[str, EvaluatedSet],
    seeds: Mapping[Arm, Sequence[int]],
    seconds: Mapping[Arm, float],
    rng_seed: int = 0,
    resamples: int = intervals.RESAMPLES,
) -> list[Fact]:
    """Facts of a task's experiments.

    Args:
        task: its settings, with those of the experiments.
        sets: evaluated set -> the arms on it; the set that selects is one of them.
        seeds: arm -> its S seeds, in the order of the counts.
        seconds: arm -> training time of all its runs.
        rng_seed: seed of resamples and exchanges.
        resamples: how many of each.
    """
    rng = np.random.default_rng(rng_seed)
    found = {
        name: panels.build_panel(
            {_label(arm): counts for arm, counts in own.counts.items()},
            own.metrics, list(own.metrics), rng, resamples,
        )
        for name, own in sets.items()
    }  # fmt: skip
    study = _Study(task, found, seeds, seconds)
    facts = [*study.scores(), *study.settings(), *study.specifications()]
    tries = task.experiments.tries.values()
    if tries and all(map(study.finished, tries)):
        facts += study.selection()
    return [*facts, *study.crossing(facts), *study.search()]


def expected_best(selecting: Sequence[float], reported: Sequence[float]) -> list[float]:
    """Score that the best of k tries is expected to report, for k = 1 .. n, given (n,) scores.

    Of k tries drawn from the n with replacement, the one with the highest selecting score is the
    i-th smallest with probability (i / n)^k - ((i - 1) / n)^k (Dodge et al. 2019, section 3); its
    reported score counts, so that choosing does not flatter.
    """
    tries = len(selecting)
    steps = np.arange(tries + 1) / tries
    ordered = np.asarray(reported, dtype=float)[np.argsort(selecting, kind="stable")]
    return [float(np.diff(steps**k) @ ordered) for k in range(1, tries + 1)]


def crossing(shares: Sequence[float], differences: Sequence[float]) -> float | None:
    """The largest share of the data at which a difference changes its sign, None if it does not.

    Between two measured shares, (n,) ascending, the difference (n,) is taken as a straight line in
    the logarithm of the share.
    """
    places = list(zip(np.log(shares), differences, strict=True))
    for (low, one), (high, other) in reversed(list(itertools.pairwise(places))):
        if one * other < 0:
            return float(np.exp(low + (high - low) * one / (one - other)))
    return None


@dataclass(frozen=True)
class _Selected:
    """The best try of a method, the one at its own rate, and (B,) the best rates by resample.

    Where several are equally good in a resample, ``lowest`` and ``highest`` differ.
    """

    best: Variant
    own: Variant
    lowest: Floats
    highest: Floats

    @property
    def range(self) -> tuple[float, float]:
        """Between which rates the best one lies in nearly every resample."""
        return _central(self.lowest)[0], _central(self.highest)[1]


@dataclass(frozen=True)
class _Study:
    task: TaskSettings
    panels: Mapping[str, Panel]
    seeds: Mapping[Arm, Sequence[int]]
    seconds: Mapping[Arm, float]

    @property
    def reported(self) -> list[str]:
        """The sets that report."""
        return [name for name in self.panels if name in self.task.evaluations]

    @property
    def metric(self) -> str:
        """The task's own."""
        return next(iter(self.panels[self.task.validation].compared))

    def finished(self, tries: Sequence[Variant]) -> bool:
        """Whether all tries have the same seeds: budgets are equal only then."""
        seeds = [self.seeds.get((t.method.name, t.name)) for t in tries]
        return bool(seeds) and all(own == list(self.task.experiments.seeds) for own in seeds)

    # ------------------------------------------------------------------- scores, settings

    def scores(self) -> Iterator[Fact]:
        """Scores of all variants on all their sets."""
        for address, panel in self.panels.items():
            for arm, seeds in self.seeds.items():
                for metric in panel.compared if arm[1] and _label(arm) in panel.counts else ():
                    key: dict[str, Any] = {"method": arm[0], "variant": arm[1], "metric": metric}
                    key |= {"quantity": "score", "task": self.task.name, "evaluation": address}
                    key["n"] = panel.counts[_label(arm)].shape[1]
                    yield from panels.estimate(panel.quantities[_label(arm)][metric], seeds, **key)

    def settings(self) -> Iterator[Fact]:
        """What differs in each variant that was run, where it is a number."""
        for variant in self.task.experiments.variants:
            arm = (variant.method.name, variant.name)
            for name, value in variant.changes if arm in self.seeds else ():
                if isinstance(value, int | float):
                    place: dict[str, Any] = {"method": arm[0], "variant": arm[1], "metric": name}
                    yield Fact(quantity="setting", task=self.task.name, **place, value=float(value))

    # ------------------------------------------------------------------- specifications

    def specifications(self) -> Iterator[Fact]:
        """The reference minus an adapter under each, and each method against the comparison."""
        roles = self.task.roles
        for name, variants in self.task.experiments.specifications.items():
            varied = [variant.method.name for variant in variants]
            for method in varied:
                yield from self._compare(name, (method, name), (method, ""))
            adapters = [v.method.name for v in variants if v.method.adapter is not None]
            for adapter in adapters or [roles.adapter or ""]:
                if roles.reference is not None:
                    sides = [(m, name if m in varied else "") for m in (roles.reference, adapter)]
                    yield from self._compare(name, sides[0], sides[1])

    def _compare(self, variant: str, first: Arm, second: Arm) -> Iterator[Fact]:
        """Two arms on all sets that report, as the difference of their methods in a variant."""
        if not {first, second} <= self.seeds.keys():
            return
        source, *others = self.reported
        targets = [a for a in others if language_of(a) != language_of(source)]
        drops = [(source, target) for target in targets]
        own = {name: self.panels[name] for name in self.reported}
        seeds = {_label(arm): self.seeds[arm] for arm in (first, second)}
        labels = _label(first), _label(second)
        for fact in compare(self.task.name, *labels, own, drops, seeds):
            margin = self.task.margins.of(fact.metric)
            outcome = outcomes.decide((fact.low, fact.high), fact.p, fact.metric, margin)
            names = {"method": first[0], "against": second[0], "variant": variant}
            yield replace(fact, **names, outcome=outcome)  # type: ignore[arg-type]

    # ------------------------------------------------------------------- selection

    def selection(self) -> Iterator[Fact]:
        """The best rate of each method, and each method at its own; nothing on one label."""
        tries = self.task.experiments.tries
        held_out = next(iter(tries.values()))[0].held_out
        if self.metric not in self.panels[held_out].compared:
            return
        chosen = {method: self._select(own, held_out) for method, own in tries.items()}
        seeds = len(self.task.experiments.seeds)
        for method, selected in chosen.items():
            low, high = selected.range
            yield Fact(
                quantity="setting", task=self.task.name, method=method, variant=BEST,
                metric="learning_rate", value=_rate(selected.best), low=low, high=high,
                covers="items", seeds=seeds, n=len(tries[method]),
            )  # fmt: skip
            yield from self._expected(tries[method], held_out)
            if selected.best is not selected.own:
                yield from self._compare(BEST, _arm(selected.best), _arm(selected.own))
        first = chosen.get(self.task.roles.reference or "")
        for method, second in chosen.items() if first else ():
            if first is None or second is first:
                continue
            yield from self._compare(BEST, _arm(first.best), _arm(second.best))
            low = _central(second.lowest / first.highest)[0]
            high = _central(second.highest / first.lowest)[1]
            yield Fact(
                quantity="ratio", task=self.task.name, method=method, variant=BEST,
                against=first.best.method.name, metric="learning_rate",
                value=_rate(second.best) / _rate(first.best), low=low, high=high,
                covers="items", seeds=seeds,
            )  # fmt: skip

    def _select(self, tries: Sequence[Variant], held_out: str) -> "_Selected":
        """The try with the highest score; of equal ones the method's own, then the first.

        A tie is no reason to change a setting.
        """
        ordered = sorted(tries, key=lambda variant: not variant.own_rate)  # the first of equal ones
        quantities = [self._quantity(variant, held_out) for variant in ordered]
        best = ordered[int(np.argmax([quantity.value for quantity in quantities]))]
        replicates = np.array([quantity.replicates.mean(axis=1) for quantity in quantities])
        rates = np.array([_rate(variant) for variant in ordered])
        among = replicates == replicates.max(axis=0)  # (rates, B); several if they are equal
        lowest = np.where(among, rates[:, None], np.inf).min(axis=0)
        return _Selected(best, ordered[0], lowest, (among * rates[:, None]).max(axis=0))

    def _expected(self, tries: Sequence[Variant], held_out: str) -> Iterator[Fact]:
        """What the best of k tries is expected to reach on the set that reports."""
        selecting, reported = (
            [self._quantity(variant, address).value for variant in tries]
            for address in (held_out, self.task.validation)
        )
        for k, value in enumerate(expected_best(selecting, reported), 1):
            yield Fact(
                quantity="expected best", task=self.task.name, method=tries[0].method.name,
                variant=BEST, evaluation=self.task.validation, metric=self.metric, step=k,
                value=value, seeds=len(self.task.experiments.seeds),
            )  # fmt: skip

    def _quantity(self, variant: Variant, address: str) -> Replicated:
        return self.panels[address].quantities[_label(_arm(variant))][self.metric]

    # ------------------------------------------------------------------- data, cost

    def crossing(self, facts: Sequence[Fact]) -> Iterator[Fact]:
        """The share of the training data at which the two methods do equally well."""
        roles, shares = self.task.roles, {"": 1.0}
        for name, variants in self.task.experiments.specifications.items():
            changed = dict(variants[0].changes)
            if isinstance(share := changed.get("train_share"), int | float) and len(changed) == 1:
                shares[name] = float(share)
        if len(shares) == 1 or roles.reference is None or roles.adapter is None:
            return
        main = self._compare("", (roles.reference, ""), (roles.adapter, ""))
        place: dict[str, Any] = {"metric": self.metric, "evaluation": self.task.validation}
        of_share = {
            shares[fact.variant]: fact.value
            for fact in (*main, *facts)
            if fact.quantity == "difference" and fact.value is not None
            and (fact.metric, fact.evaluation) == (self.metric, self.task.validation)
            and (fact.method, fact.against) == (roles.reference, roles.adapter)
            and fact.variant in shares
        }  # fmt: skip
        if len(of_share) < len(shares):
            return
        ordered = sorted(of_share)
        value = crossing(ordered, [of_share[share] for share in ordered])
        yield Fact(
            quantity="crossing", task=self.task.name, method=roles.reference,
            against=roles.adapter, **place, value=value,
            reason="" if value is not None else "the lines do not meet",
        )  # fmt: skip

    def search(self) -> Iterator[Fact]:
        """What the tries and the other experiments took: seconds of training, runs."""
        tried = {_arm(v) for own in self.task.experiments.tries.values() for v in own}
        others = [arm for arm in self.seeds if arm[1] and arm not in tried]
        for group, arms in (("tries", [a for a in self.seeds if a in tried]), ("rest", others)):
            for method in dict.fromkeys(["", *(arm[0] for arm in arms)]):
                own = [arm for arm in arms if method in ("", arm[0])]
                values = {
                    "training_seconds": sum(self.seconds[arm] for arm in own),
                    "runs": float(sum(len(self.seeds[arm]) for arm in own)),
                }
                for metric, value in values.items() if own else ():
                    yield Fact(
                        quantity="search", task=self.task.name, method=method, group=group,
                        metric=metric, value=value,
                    )  # fmt: skip


def _arm(variant: Variant) -> Arm:
    return variant.method.name, variant.name


def _label(arm: Arm) -> str:
    """An arm as one name, as panels want them."""
    return "\x1f".join(arm)


def _rate(variant: Variant) -> float:
    return variant.method.training.learning_rate


def _central(values: Floats) -> tuple[float, float]:
    """Ends of the central 95 per cent, both of them values that occur."""
    tail = (1 - intervals.LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)

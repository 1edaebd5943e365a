"""Facts that follow from facts of single runs: how change is distributed over depth, and how costs,
states and updates of two methods stand to each other.

Runs differ in their seed alone, so an interval over seeds is Student's t of a mean; of a ratio, of
the mean of its logarithms. One seed has no interval: its value is a point and no verdict.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import scipy  # its modules are loaded when they are used

from evidence.arrays import Floats
from evidence.intervals import LEVEL
from facts.fact import Covers, Fact
from facts.table import Facts
from study.layers import HEAD

MEASURES = ("relative", "l2")  # of distance, by which depth is judged
SPECTRA = ("effective_rank", "top8_share")  # of an update, averaged over its matrices
RATIOS = ("upper_over_lower", "last_over_first", "head_over_next")
EXACT = ("trainable_parameters", "computed_bytes", "kept_bytes")  # costs that no clock disturbs
PREFIX = "encoder.layer."
Pair = tuple[str, str]  # the method that trains every weight, the one that trains an adapter


def derived_facts(facts: Facts, pairs: Mapping[str, Pair]) -> Iterator[Fact]:
    """All derived facts; ``pairs`` holds the two compared methods of the tasks that have both."""
    distances = facts.where(quantity="distance", kind="all")
    models = dict.fromkeys((fact.task, fact.method) for fact in distances)
    trends = [
        fact
        for task, method in models
        for fact in _trends(distances.where(task=task, method=method), task, method)
    ]
    yield from trends
    yield from _task_ratios(Facts(trends))
    spectra = list(_mean_spectra(facts))
    yield from spectra
    for task, pair in pairs.items():
        of_task = facts.where(task=task)
        costs = of_task.where(quantity="cost")
        compared = {metric: costs.where(metric=metric) for metric in costs.distinct("metric")}
        changes = of_task.where(quantity="distance", kind="encoder", metric="relative")
        ranks = Facts(spectra).where(task=task, metric="effective_rank")
        for metric, rows in {**compared, "relative": changes, "effective_rank": ranks}.items():
            one, other = (_by_seed(rows.where(method=method)) for method in pair)
            yield from _ratio(one, other, task, pair, metric)
        yield from _moved_ratio(facts, task, pair)
        yield from _state_differences(facts, task, pair)


# ----------------------------------------------------------------------------------------- depth


def rank_correlation(profile: Sequence[float]) -> float | None:
    """Spearman's correlation of a profile with depth; 0 for a constant one, None below 3 layers."""
    if len(profile) < 3:
        return None
    if len(set(profile)) == 1:
        return 0.0
    return float(scipy.stats.spearmanr(range(len(profile)), profile).statistic)


def upper_over_lower(profile: Sequence[float]) -> float | None:
    """Mean of the upper third of a profile over that of the lower third."""
    third = len(profile) // 3
    if not third or not sum(profile[:third]) or not sum(profile[-third:]):
        return None
    return sum(profile[-third:]) / sum(profile[:third])


def last_over_first(profile: Sequence[float]) -> float | None:
    """The last value of a profile over the first."""
    return profile[-1] / profile[0] if len(profile) > 1 and profile[0] and profile[-1] else None


def _trends(distances: Facts, task: str, method: str) -> Iterator[Fact]:
    """Where along the depth one model's change is, by seed and over seeds."""
    for measure in MEASURES:
        found: dict[str, dict[int, float]] = {}
        own = distances.where(metric=measure)
        for seed in own.distinct("seed"):
            if seed is None:
                continue
            rows = own.where(seed=seed)
            layers = {int(f.layer.removeprefix(PREFIX)): f.value for f in rows if PREFIX in f.layer}
            profile = [value for _, value in sorted(layers.items()) if value is not None]
            values = {
                "rank_correlation": rank_correlation(profile),
                "upper_over_lower": upper_over_lower(profile),
                "last_over_first": last_over_first(profile),
                "head_over_next": _head_over_next(rows),
            }
            for metric, value in values.items():
                if value is not None:
                    found.setdefault(metric, {})[seed] = value
        for metric, by_seed in found.items():
            key: dict[str, Any] = {
                "quantity": "trend",
                "task": task,
                "method": method,
                "metric": metric,
            }
            yield from seed_facts(by_seed, metric in RATIOS, **key, kind=measure)


def _head_over_next(rows: Facts) -> float | None:
    """The head's change over that of the layer that changed most beside it."""
    values = {f.layer: f.value for f in rows if f.layer != "all" and f.value}
    head = values.pop(HEAD, None)
    most = max((value for value in values.values() if value), default=None)
    return head / most if head and most else None


def _task_ratios(trends: Facts) -> Iterator[Fact]:
    """A trend of a method in a later task over that of the method of the same name in an earlier.

    The tasks' runs are independent samples: Welch's interval of the difference of logarithms.
    """
    for one, other in itertools.combinations(trends.distinct("task"), 2):
        for row in trends.where(task=other, seed=None, metric=RATIOS):
            chosen: dict[str, Any] = {"method": row.method, "metric": row.metric, "kind": row.kind}
            groups = [_by_seed(trends.where(task=task, **chosen)) for task in (other, one)]
            if all(groups):
                samples = [np.log(list(group.values())) for group in groups]
                yield _welch(
                    samples[0], samples[1], quantity="trend", task=other, against=one, **chosen
                )


def _welch(first: Floats, second: Floats, **key: Any) -> Fact:
    """How many times larger the first of two samples is, given the logarithms (n,), (m,)."""
    value = float(first.mean() - second.mean())
    seeds = len(first) + len(second)
    if min(len(first), len(second)) < 2:
        reason = "one seed: the spread over seeds is unknown"
        return Fact(**key, value=math.exp(value), seeds=seeds, reason=reason)
    half = 0.0
    if np.ptp(first) or np.ptp(second):
        interval = scipy.stats.ttest_ind(first, second, equal_var=False).confidence_interval(LEVEL)
        half = float(interval.high - interval.low) / 2
    return Fact(
        **key, value=math.exp(value), low=math.exp(value - half),
        high=math.exp(min(value + half, 700.0)), covers="seeds", seeds=seeds,
    )  # fmt: skip


# ------------------------------------------------------------------------------ shape of the update


def _mean_spectra(facts: Facts) -> Iterator[Fact]:
    """What describes the update of a matrix, averaged over all matrices of a run that changed."""
    spectra = facts.where(quantity="spectrum", metric=SPECTRA)
    for task, method in dict.fromkeys((fact.task, fact.method) for fact in spectra):
        for metric in SPECTRA:
            own = spectra.where(task=task, method=method, metric=metric)
            runs = {seed: own.where(seed=seed).values() for seed in own.distinct("seed")}
            means = {seed: float(np.mean(values)) for seed, values in runs.items() if values}
            key: dict[str, Any] = {"quantity": "spectrum", "task": task, "method": method}
            yield from seed_facts(means, False, **key, layer="all", kind="all", metric=metric)


# --------------------------------------------------------------------------- two methods of a task


def _moved_ratio(facts: Facts, task: str, pair: Pair) -> Iterator[Fact]:
    """How far the second method moves the matrices that it adapts, in units of the first's way.

    Mean Euclidean distance over these matrices, seed by seed.
    """
    moved = facts.where(quantity="distance", task=task, metric="l2")
    matrices = {
        fact.kind
        for fact in moved.where(method=pair[1])
        if fact.kind != "all" and PREFIX in fact.layer and fact.value
    }
    means: list[dict[int, float]] = []
    for method in pair:
        rows = [f for f in moved.where(method=method, kind=matrices) if PREFIX in f.layer]
        seeds = dict.fromkeys(f.seed for f in rows if f.seed is not None)
        of = {s: [f.value for f in rows if f.seed == s and f.value is not None] for s in seeds}
        means.append({seed: float(np.mean(values)) for seed, values in of.items() if values})
    yield from _ratio(means[0], means[1], task, pair, "moved")


def _state_differences(facts: Facts, task: str, pair: Pair) -> Iterator[Fact]:
    """Similarity to the base model's states at the last layer, first minus second, by set."""
    similar = facts.where(quantity="similarity", task=task)
    for evaluation in similar.distinct("evaluation"):
        rows = similar.where(evaluation=evaluation)
        last = max(rows.distinct("layer"), key=int)
        one, other = (_by_seed(rows.where(method=m, layer=last)) for m in pair)
        gaps = {seed: one[seed] - other[seed] for seed in one if seed in other}
        key: dict[str, Any] = {
            "quantity": "difference",
            "task": task,
            "method": pair[0],
            "against": pair[1],
        }
        yield from seed_facts(gaps, False, **key, evaluation=evaluation, metric="cka")


# ------------------------------------------------------------------------------------ over seeds


def seed_facts(by_seed: Mapping[int, float], ratio: bool, **key: Any) -> Iterator[Fact]:
    """A fact for each seed, and one over them with Student's interval, of ratios in logarithms."""
    if not by_seed:
        return
    values = np.array(list(by_seed.values()))
    scale = np.log(values) if ratio else values
    value, low, high = float(scale.mean()), None, None
    back = math.exp if ratio else float
    covers: Covers = ""
    if len(values) > 1:
        error = float(scale.std(ddof=1)) / math.sqrt(len(values))
        half = float(scipy.stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * error
        low, high, covers = back(value - half), back(min(value + half, 700.0)), "seeds"
    yield Fact(
        **key, value=back(value), low=low, high=high, covers=covers, seeds=len(values),
        sd=float(values.std(ddof=1)) if len(values) > 1 else None,
        reason="" if len(values) > 1 else "one seed: the spread over seeds is unknown",
    )  # fmt: skip
    for seed, own in by_seed.items():
        yield Fact(**key, seed=seed, value=float(own), seeds=1)


def _ratio(
    one: Mapping[int, float], other: Mapping[int, float], task: str, pair: Pair, metric: str
) -> Iterator[Fact]:
    """What the second method of a pair has in units of the first's, seed by seed."""
    ratios = {s: other[s] / one[s] for s in one if one[s] > 0 and other.get(s, 0.0) > 0}
    key: dict[str, Any] = {"quantity": "ratio", "task": task, "method": pair[1], "against": pair[0]}
    if metric in EXACT and ratios:
        value = float(np.median(list(ratios.values())))
        yield Fact(**key, metric=metric, value=value, seeds=len(ratios))
    else:
        yield from seed_facts(ratios, True, **key, metric=metric)


def _by_seed(facts: Facts) -> dict[int, float]:
    return {f.seed: f.value for f in facts if f.seed is not None and f.value is not None}

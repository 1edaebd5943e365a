"""Methods side by side on one evaluated set: what each is estimated at, as facts.

A panel holds the counts of all methods on one set under the same bootstrap resamples and the same
exchanges of units, so that every difference is a paired one. An estimate is a fact over seeds, with
the interval that decides (over items and seeds where there are enough seeds, else over items), and
a fact for each seed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evidence import intervals, scoring
from evidence.arrays import CountMetric, Floats, Ints
from evidence.intervals import Replicated
from facts.fact import Covers, Fact

ENOUGH_SEEDS = 3  # fewer say too little about their spread for an interval
ONE_SEED = "one seed: the spread over seeds is unknown"
TWO_SEEDS = "two seeds: too few to estimate their spread"
NO_SEEDS = "a control has no seeds"
NO_ITEMS = "no such items"
RARE = "too rare: some resamples hold no such item"


@dataclass(frozen=True)
class Panel:
    """All methods on one evaluated set, under the same resamples and exchanges of units."""

    compared: Mapping[str, CountMetric]  # name -> metric, those by which methods are compared
    weights: Floats  # (B, U) of ``intervals.resample_weights``
    masks: Floats  # (P, U) of ``intervals.exchange_masks``
    counts: Mapping[str, Floats]  # method -> (S, U, K)
    # method -> metric -> the metric with its replicates
    quantities: Mapping[str, Mapping[str, Replicated]]

    def replicate(self, counts: Floats, metric: CountMetric) -> Replicated:
        """A metric of any counts (S, U, K) on this set's units."""
        return replicate(self.weights, counts, [metric])[0]


def build_panel(
    counts: Mapping[str, Floats],
    metrics: Mapping[str, CountMetric],
    compared: Sequence[str],
    rng: np.random.Generator,
    resamples: int,
) -> Panel:
    """Resample one evaluated set for all methods and metrics at once."""
    units = next(iter(counts.values())).shape[1]
    weights = intervals.resample_weights(units, resamples, rng)
    masks = intervals.exchange_masks(units, resamples, rng)
    quantities = {
        method: dict(zip(metrics, replicate(weights, own, metrics.values()), strict=True))
        for method, own in counts.items()
    }
    return Panel({name: metrics[name] for name in compared}, weights, masks, counts, quantities)


def replicate(weights: Floats, counts: Floats, metrics: Iterable[CountMetric]) -> list[Replicated]:
    """Metrics of counts (S, U, K) under resamples (B, U) of their units."""
    totals = intervals.weighted_totals(weights, counts)
    return [
        intervals.replicate(counts, metric, totals, bounds=scoring.bounds_of(metric))
        for metric in metrics
    ]


# ----------------------------------------------------------------------------------------- facts


def estimate(quantity: Replicated, seeds: Sequence[int], /, **key: Any) -> list[Fact]:
    """A quantity with its interval, and its value in each seed; a control has no seeds."""
    several = len(quantity.values) >= ENOUGH_SEEDS
    ends = intervals.seed_interval(quantity) if several else intervals.item_interval(quantity)
    whole, *runs = points(quantity.values.tolist(), seeds, missing_reason(seeds), **key)
    known: dict[str, Any] = {"value": quantity.value, "low": ends.low, "high": ends.high}
    return [replace(whole, **known, covers=covers(len(quantity.values))), *runs]


def points(values: Sequence[float], seeds: Sequence[int], reason: str, **key: Any) -> list[Fact]:
    """Values without an interval, for a reason: their mean, and each; no values give no number."""
    whole = Fact(
        **key,
        value=float(np.mean(values)) if len(values) else None,
        seeds=len(seeds),
        sd=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        reason=reason,
    )
    runs = zip(seeds, values, strict=False)
    return [whole, *(Fact(**key, seed=int(s), value=float(v), seeds=1) for s, v in runs)]


def covers(seeds: int) -> Covers:
    """What the interval and p of so many seeds can be about."""
    return "items and seeds" if seeds >= ENOUGH_SEEDS else "items"


def missing_reason(seeds: Sequence[int]) -> str:
    """Why there is no interval over seeds; "" where there is one."""
    return {0: NO_SEEDS, 1: ONE_SEED, 2: TWO_SEEDS}.get(len(seeds), "")


class Part(NamedTuple):
    """A metric on some of the items, with its replicates where every resample holds such items."""

    facts: list[Fact]
    quantity: Replicated | None


def measure_part(
    panel: Panel,
    counts: Floats,
    size: NDArray[Any],
    measure: CountMetric,
    seeds: Sequence[int],
    **key: Any,
) -> Part:
    """A metric of the counts (S, U, K) of some items, ``size`` (U,) of them a unit."""
    if not size.sum():
        return Part(points([], (), NO_ITEMS, **key), None)
    if np.min(panel.weights @ size.astype(np.float32)) <= 0:
        values = measure(counts.sum(axis=1, dtype=np.float64)).tolist()
        return Part(points(values, seeds, RARE, **key), None)
    quantity = panel.replicate(counts, measure)
    return Part(estimate(quantity, seeds, **key), quantity)


def contrast(one: Part, other: Part, seeds: Sequence[int], **key: Any) -> list[Fact]:
    """The quantity of one part minus that of another, on the same units."""
    if one.quantity is not None and other.quantity is not None:
        return estimate(one.quantity.minus(other.quantity), seeds, **key)
    reason = next(p.facts[0].reason for p in (one, other) if p.quantity is None)
    return points(differences(one, other), seeds, reason, **key)


def differences(one: Part, other: Part) -> list[float]:
    """Values of one part minus those of another, seed by seed; of a control the one value."""
    values = [
        [f.value for f in part.facts[1:] or part.facts if f.value is not None]
        for part in (one, other)
    ]
    return [a - b for a, b in zip(*values, strict=False)]


def ratio(counts: Floats) -> Floats:
    """First column over second, (..., 2) -> (...)."""
    return scoring.divide(counts[..., 0], counts[..., 1])


def mean_confusion(gold: Ints, predicted: Ints, classes: int) -> Floats:
    """Confusion matrix averaged over seeds, gold in rows: gold (W,), predicted (S, W)."""
    tables = [scoring.confusion_matrix(gold, of_seed, classes) for of_seed in predicted]
    mean: Floats = np.mean(tables, axis=0)
    return mean

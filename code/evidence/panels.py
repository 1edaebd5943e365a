"""Methods side by side on one evaluated set: what each is estimated at.

A panel holds the counts of all methods on one set under the same bootstrap resamples and the same
exchanges of units, so that every difference is a paired one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evidence import intervals, scoring
from evidence.arrays import CountMetric, Floats, Ints
from evidence.intervals import Replicated
from evidence.schema import Contrast, Covers, Estimate

ENOUGH_SEEDS = 3  # fewer say too little about their spread for an interval
ONE_SEED = "one seed: the spread over seeds is unknown"
TWO_SEEDS = "two seeds: too few to estimate their spread"
NO_SEEDS = "a control has no seeds"
NO_ITEMS = "no such items"
RARE = "too rare: some resamples hold no such item"


@dataclass(frozen=True)
class Panel:
    """All methods on one evaluated set, under the same resamples and exchanges of units.

    Attributes:
        compared: name -> metric, those by which methods are compared.
        weights: (B, U) of ``intervals.resample_weights``.
        masks: (P, U) of ``intervals.exchange_masks``.
        counts: method -> (S, U, K).
        quantities: method -> metric -> the metric with its replicates.
    """

    compared: Mapping[str, CountMetric]
    weights: Floats
    masks: Floats
    counts: Mapping[str, Floats]
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


# --------------------------------------------------------------------------------------- entries


def estimate_entry(quantity: Replicated, *, seeded: bool = True) -> Estimate:
    """A quantity with its intervals.

    Args:
        quantity: the quantity with its replicates.
        seeded: whether its values come from training seeds (a control's do not).
    """
    seeds = len(quantity.values)
    inner = intervals.item_interval(quantity)
    outer = intervals.seed_interval(quantity) if seeds >= ENOUGH_SEEDS else inner
    shown = seeds >= ENOUGH_SEEDS or not seeded
    return {
        **point_entry(quantity.values.tolist(), missing_reason(seeds) if seeded else NO_SEEDS),
        "value": inner.value,
        "low": outer.low if shown else None,
        "high": outer.high if shown else None,
        "low_items": inner.low,
        "high_items": inner.high,
    }


def point_entry(values: Sequence[float], reason: str | None) -> Estimate:
    """An estimate without intervals, for ``reason``; no values at all give None throughout."""
    return {
        "value": float(np.mean(values)) if len(values) else None,
        "low": None,
        "high": None,
        "low_items": None,
        "high_items": None,
        "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "per_seed": [float(value) for value in values],
        "covers": covers(len(values)),
        "reason": reason,
    }


def covers(seeds: int) -> Covers:
    """What the interval and p of so many seeds can be about."""
    return "items and seeds" if seeds >= ENOUGH_SEEDS else "items"


def missing_reason(seeds: int) -> str | None:
    """Why there is no interval over seeds."""
    return {1: ONE_SEED, 2: TWO_SEEDS}.get(seeds)


class Part(NamedTuple):
    """A metric on some of the items, with its replicates where every resample holds such items."""

    entry: Estimate
    quantity: Replicated | None


def measure_part(
    panel: Panel, counts: Floats, size: NDArray[Any], metric: CountMetric, seeded: bool
) -> Part:
    """A metric on some of the items, whose number may be 0 in a resample.

    Args:
        panel: the evaluated set.
        counts: (S, U, K) of these items alone.
        size: (U,) how many of them each unit holds.
        metric: (..., K) -> (...).
        seeded: as for ``estimate_entry``.
    """
    if not size.sum():
        return Part(point_entry([], NO_ITEMS), None)
    if np.min(panel.weights @ size.astype(np.float32)) <= 0:
        return Part(point_entry(metric(counts.sum(axis=1, dtype=np.float64)).tolist(), RARE), None)
    quantity = panel.replicate(counts, metric)
    return Part(estimate_entry(quantity, seeded=seeded), quantity)


def contrast_parts(
    pairs: Mapping[str, tuple[str, str]], parts: Mapping[str, Mapping[str, Part]], seeded: bool
) -> dict[str, Contrast]:
    """One group's quantity minus another's, of each kind that has both.

    Args:
        pairs: kind -> two of its groups.
        parts: kind -> group -> the quantity on it.
        seeded: as for ``estimate_entry``.
    """
    return {
        kind: _contrast((one, other), parts[kind][one], parts[kind][other], seeded)
        for kind, (one, other) in pairs.items()
        if {one, other} <= parts[kind].keys()
    }


def _contrast(names: tuple[str, str], one: Part, other: Part, seeded: bool) -> Contrast:
    # On the same units under the same resamples.
    if one.quantity is not None and other.quantity is not None:
        difference = estimate_entry(one.quantity.minus(other.quantity), seeded=seeded)
    else:
        entries = (one.entry, other.entry)
        values = zip(entries[0]["per_seed"], entries[1]["per_seed"], strict=False)
        reason = next(e["reason"] for e in entries if e["low_items"] is None) or NO_ITEMS
        difference = point_entry([a - b for a, b in values], reason)
    return {"first": names[0], "second": names[1], "difference": difference}


def ratio(counts: Floats) -> Floats:
    """First column over second, (..., 2) -> (...)."""
    return scoring.divide(counts[..., 0], counts[..., 1])


def mean_confusion(gold: Ints, predicted: Ints, classes: int) -> list[list[float]]:
    """Confusion matrix averaged over seeds, gold in rows: gold (W,), predicted (S, W)."""
    tables = [scoring.confusion_matrix(gold, of_seed, classes) for of_seed in predicted]
    mean: list[list[float]] = np.mean(tables, axis=0).tolist()
    return mean

"""Methods side by side on one evaluated set: what each is estimated at.

A panel holds the counts of all methods on one set under the same bootstrap resamples and the same
exchanges of units, so that every difference is a paired one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evidence import intervals, scoring
from evidence.intervals import Replicated
from evidence.schema import Contrast, Covers, Estimate

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

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
        evaluation: name of the set.
        metrics: name -> metric, those that are estimated.
        compared: names of the metrics by which methods are compared.
        weights: (B, U) of ``intervals.resample_weights``.
        masks: (P, U) of ``intervals.exchange_masks``.
        counts: method -> (S, U, K).
        quantities: method -> metric -> the metric with its replicates.
    """

    evaluation: str
    metrics: Mapping[str, scoring.CountMetric]
    compared: Sequence[str]
    weights: Floats
    masks: Floats
    counts: Mapping[str, Floats]
    quantities: Mapping[str, Mapping[str, Replicated]]

    def replicate(self, counts: Floats, metric: scoring.CountMetric) -> Replicated:
        """A metric of any counts (S, U, K) on this set's units."""
        totals = intervals.weighted_totals(self.weights, counts)
        return intervals.replicate(counts, metric, totals, bounds=scoring.bounds_of(metric))

    def always_has(self, size: Floats) -> bool:
        """Whether every resample holds some of the items that each unit has so many of, (U,)."""
        return bool(np.min(self.weights @ size.astype(np.float32)) > 0)


def build_panel(
    evaluation: str,
    counts: Mapping[str, Floats],
    metrics: Mapping[str, scoring.CountMetric],
    compared: Sequence[str],
    rng: np.random.Generator,
    resamples: int,
) -> Panel:
    """Resample one evaluated set for all methods and metrics at once."""
    units = next(iter(counts.values())).shape[1]
    weights = intervals.resample_weights(units, resamples, rng)
    masks = intervals.exchange_masks(units, resamples, rng)
    quantities = {method: _replicate_all(c, metrics, weights) for method, c in counts.items()}
    return Panel(evaluation, metrics, compared, weights, masks, counts, quantities)


def _replicate_all(
    counts: Floats, metrics: Mapping[str, scoring.CountMetric], weights: Floats
) -> dict[str, Replicated]:
    totals = intervals.weighted_totals(weights, counts)
    left_out = intervals.jackknife_totals(counts)
    return {
        name: intervals.replicate(
            counts, metric, totals, left_out=left_out, bounds=scoring.bounds_of(metric)
        )
        for name, metric in metrics.items()
    }


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
        "value": inner.value,
        "low": outer.low if shown else None,
        "high": outer.high if shown else None,
        "low_items": inner.low,
        "high_items": inner.high,
        "sd": _sd(quantity.values),
        "per_seed": quantity.values.tolist(),
        "covers": covers(seeds),
        "reason": missing_reason(seeds) if seeded else NO_SEEDS,
    }


def point_entry(values: Sequence[float], reason: str) -> Estimate:
    """An estimate without intervals, for ``reason``; no values at all give None throughout."""
    return {
        "value": float(np.mean(values)) if len(values) else None,
        "low": None,
        "high": None,
        "low_items": None,
        "high_items": None,
        "sd": _sd(values),
        "per_seed": [float(value) for value in values],
        "covers": covers(len(values)),
        "reason": reason,
    }


def _sd(values: Sequence[float] | Floats) -> float | None:
    """Sample standard deviation over seeds."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def covers(seeds: int) -> Covers:
    """What the interval and p of so many seeds can be about."""
    return "items and seeds" if seeds >= ENOUGH_SEEDS else "items"


def missing_reason(seeds: int) -> str | None:
    """Why there is no interval over seeds."""
    return {1: ONE_SEED, 2: TWO_SEEDS}.get(seeds)


def part_entry(
    panel: Panel, counts: Floats, size: NDArray[Any], metric: scoring.CountMetric, seeded: bool
) -> Estimate:
    """A metric on some of the items, whose number may be 0 in a resample.

    Args:
        panel: the evaluated set.
        counts: (S, U, K) of these items alone.
        size: (U,) how many of them each unit holds.
        metric: (..., K) -> (...).
        seeded: as for ``estimate_entry``.
    """
    if not size.sum():
        return point_entry([], NO_ITEMS)
    if not panel.always_has(size):
        return point_entry(metric(counts.sum(axis=1, dtype=np.float64)).tolist(), RARE)
    return estimate_entry(panel.replicate(counts, metric), seeded=seeded)


def contrast(
    names: tuple[str, str],
    entries: tuple[Estimate, Estimate],
    quantities: tuple[Replicated | None, Replicated | None],
    seeded: bool,
) -> Contrast:
    """One group's quantity minus another's, on the same units under the same resamples.

    Args:
        names: of the two groups.
        entries: their estimates.
        quantities: the replicates behind them, None for a group too rare to resample.
        seeded: as for ``estimate_entry``.
    """
    first, second = quantities
    if first is not None and second is not None:
        difference = estimate_entry(first.minus(second), seeded=seeded)
    else:
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

"""How sure a mean over seeds is: bootstrap intervals, paired tests, correction, seed spread.

A metric is a function of counts that add up over *units*: the items of CoLA, the sentences of a
treebank (words of one sentence are not independent, so whole sentences are drawn). Counts have the
shape (S seeds, U units, K columns). A bootstrap resample is then one row of integer weights times
the counts, a permutation one row of exchanges: all of them are one matrix product. scipy's
``bootstrap`` and ``permutation_test`` gather rows instead, which at 2,000 sentences, 51 columns and
thousands of resamples needs gigabytes; the tests check this module against them on small data.

Two questions, two answers, both given:

* **Items** (seeds held fixed): how much would the figures of *these trained models* move on other
  items? BCa bootstrap over units (Efron 1987), the seeds of a unit kept together; and a paired
  permutation test in which the two methods exchange their predictions on a unit, for all seeds at
  once. BCa rather than the percentile interval, because macro-F1 over rare tags is biased under
  resampling.
* **Items and seeds**: how much would the *method's* mean move on other items and other seeds? With
  s^2 the variance over seeds, C the bootstrap covariance (S, S) of the seeds' values over items,
  v = mean(C) the item variance of the mean over seeds, and c = (trace(C) - S v) / (S - 1) the part
  of s^2 that is item noise,

      variance = v + max(0, s^2 - c) / S,
      degrees of freedom = variance^2 / ((s^2 / S)^2 / (S - 1))      (Satterthwaite 1946),

  the moment estimator of a crossed two-way random-effects model. Below ``ENOUGH`` seeds c is not
  taken off: three seeds that lie close by chance would otherwise be said to differ by item noise
  alone. The variance is then too large on average. The item interval is stretched about the value
  by the ratio of the two half-widths, which keeps its asymmetry, on a scale without bounds: log
  odds for fractions, which is Fisher's z (1915) for correlations and differences. The p value is
  the larger of the permutation test's and the t test's. If the seeds differ no more than item
  noise explains, both answers are the same.

Simulation (tests, and the log) shows why the second is needed: with a seed spread of 2 to 3 points
of MCC the first test calls two equal methods different in a fifth to a quarter of all studies. Two
seeds are too few to estimate a spread, one has none: then only the first answer is given, and
results say so (``panels``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy  # its modules are loaded when they are used

from evidence.arrays import CountMetric, Floats

Bounds = tuple[float, float]

UNIT: Bounds = (0.0, 1.0)
NARROW = 1e-6  # of a half-width: so close to the value every scale is a straight line
LEVEL = 0.95
RESAMPLES = 4000
ENOUGH = 5  # seeds from which item noise is taken off their variance


class Interval(NamedTuple):
    """A value with a confidence interval, in the metric's own unit."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Replicated:
    """A quantity with what is needed for its uncertainty."""

    values: Floats  # (S,) the quantity for each seed
    replicates: Floats  # (B, S) under B bootstrap resamples of units
    influence: Floats  # (U, S) how much each unit moves each value (jackknife, mean 0)
    bounds: Bounds = UNIT  # the least and the greatest value that the quantity can have

    @property
    def value(self) -> float:
        """Mean over seeds."""
        return float(self.values.mean())

    def take(self, seeds: Sequence[int]) -> "Replicated":
        """The quantity for these positions of the seed axis, in this order, repeats allowed."""
        parts = (self.values, self.replicates, self.influence)
        values, replicates, influence = (part[..., list(seeds)] for part in parts)
        return Replicated(values, replicates, influence, self.bounds)

    def minus(self, other: "Replicated") -> "Replicated":
        """Difference on the *same* units under the same resamples (two methods)."""
        return Replicated(
            self.values - other.values,
            self.replicates - other.replicates,
            self.influence - other.influence,
            self._bounds_of_difference(other),
        )

    def drop_to(self, target: "Replicated") -> "Replicated":
        """Difference on *different*, independently resampled units (two evaluated sets)."""
        return Replicated(
            self.values - target.values,
            self.replicates - target.replicates,
            np.concatenate([self.influence, -target.influence]),
            self._bounds_of_difference(target),
        )

    def _bounds_of_difference(self, other: "Replicated") -> Bounds:
        return self.bounds[0] - other.bounds[1], self.bounds[1] - other.bounds[0]


# ------------------------------------------------------------------------------------ resampling


def resample_weights(units: int, resamples: int, rng: np.random.Generator) -> Floats:
    """How often each unit is drawn, (B, U): B times U units with replacement."""
    drawn = rng.integers(0, units, size=(resamples, units))
    drawn += np.arange(resamples)[:, None] * units
    counted = np.bincount(drawn.ravel(), minlength=resamples * units)
    return counted.reshape(resamples, units).astype(np.float32)


def exchange_masks(units: int, permutations: int, rng: np.random.Generator) -> Floats:
    """Which units exchange the methods' labels, (P, U) of 0 and 1, each with probability 1/2."""
    return rng.integers(0, 2, size=(permutations, units), dtype=np.int8).astype(np.float32)


def weighted_totals(weights: Floats, counts: Floats) -> Floats:
    """Counts summed under each row of weights: (B, U), (S, U, K) -> (B, S, K), float64."""
    seeds, units, columns = counts.shape
    flat = np.moveaxis(counts, 1, 0).reshape(units, seeds * columns)
    product = weights.astype(flat.dtype, copy=False) @ flat
    return product.reshape(len(weights), seeds, columns).astype(np.float64)


def replicate(
    counts: Floats, metric: CountMetric, totals: Floats, *, bounds: Bounds = UNIT
) -> Replicated:
    """A metric of counts (S, U, K), and its bootstrap replicates from their totals (B, S, K)."""
    exact = np.moveaxis(counts, 1, 0).astype(np.float64)
    leave_one_out = metric(exact.sum(axis=0) - exact)
    units = len(leave_one_out)
    return Replicated(
        values=metric(counts.sum(axis=1, dtype=np.float64)),
        replicates=metric(totals),
        influence=(units - 1) / units * (leave_one_out.mean(axis=0) - leave_one_out),
        bounds=bounds,
    )


# ------------------------------------------------------------------------------------- intervals


def item_interval(quantity: Replicated) -> Interval:
    """BCa interval over units, seeds held fixed (Efron 1987, section 3)."""
    draws = quantity.replicates.mean(axis=1)
    value = quantity.value
    if np.ptp(draws) == 0:
        return Interval(value, value, value)
    # Ties count half: counts are discrete, and a value equal to the estimate lies on no side.
    below = (np.sum(draws < value) + 0.5 * np.sum(draws == value)) / len(draws)
    bias = scipy.stats.norm.ppf(np.clip(below, 0.5 / len(draws), 1 - 0.5 / len(draws)))
    tails = bias + scipy.stats.norm.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    adjusted = scipy.stats.norm.cdf(bias + tails / (1 - _acceleration(quantity.influence) * tails))
    low, high = np.quantile(draws, adjusted)
    return Interval(value, float(low), float(high))


def _acceleration(influence: Floats) -> float:
    of_mean = influence.mean(axis=1)
    squares = float(np.sum(of_mean**2))
    return float(np.sum(of_mean**3)) / (6 * squares**1.5) if squares > 0 else 0.0


@dataclass(frozen=True, slots=True)
class VarianceParts:
    """Variance of the mean over seeds, and its degrees of freedom (module docstring)."""

    items: float
    total: float
    degrees_of_freedom: float


def variance_parts(quantity: Replicated) -> VarianceParts:
    """Moment estimate of the two-way random-effects variance; items alone for a single seed."""
    covariance = np.atleast_2d(np.cov(quantity.replicates, rowvar=False))
    seeds = len(quantity.values)
    items = max(0.0, float(covariance.mean()))  # below zero only by rounding
    if seeds == 1:
        return VarianceParts(items, items, np.inf)
    observed = float(quantity.values.var(ddof=1))
    item_noise = (float(np.trace(covariance)) - seeds * items) / (seeds - 1)
    if seeds < ENOUGH:
        item_noise = 0.0
    total = items + max(0.0, observed - item_noise) / seeds
    if observed <= max(0.0, item_noise):  # below zero only by rounding
        return VarianceParts(items, total, np.inf)
    return VarianceParts(items, total, total**2 * (seeds - 1) / (observed / seeds) ** 2)


def seed_interval(quantity: Replicated) -> Interval:
    """Interval over units and seeds: ``item_interval`` stretched (module docstring)."""
    parts = variance_parts(quantity)
    inner = item_interval(quantity)
    upper_tail = (1 + LEVEL) / 2
    half_width = float(
        scipy.stats.t.ppf(upper_tail, parts.degrees_of_freedom) * np.sqrt(parts.total)
    )
    item_half_width = float(scipy.stats.norm.ppf(upper_tail) * np.sqrt(parts.items))
    if half_width == 0 or inner.value in quantity.bounds:  # all seeds are alike, at the bound
        return inner
    if item_half_width == 0:
        narrow = NARROW * half_width
        inner = Interval(inner.value, inner.value - narrow, inner.value + narrow)
        return _stretch(inner, 1 / NARROW, quantity.bounds)
    return _stretch(inner, half_width / item_half_width, quantity.bounds)


def _stretch(inner: Interval, factor: float, bounds: Bounds) -> Interval:
    """The ends moved away from the value by a factor, on a scale without bounds."""
    middle = _unbounded(inner.value, bounds)
    ends = (middle + factor * (_unbounded(end, bounds) - middle) for end in (inner.low, inner.high))
    low, high = (_bounded(end, bounds) for end in ends)
    return Interval(inner.value, low, high)


def _unbounded(value: float, bounds: Bounds) -> float:
    """Log odds between two bounds, the logarithm above one, the value itself without any."""
    low, high = bounds
    value = float(np.clip(value, low, high))
    if np.isfinite(high):
        return float(scipy.special.logit((value - low) / (high - low)))
    return float(np.log(value - low)) if np.isfinite(low) else value


def _bounded(position: float, bounds: Bounds) -> float:
    low, high = bounds
    if np.isfinite(high):
        return float(low + (high - low) * scipy.special.expit(position))
    return float(low + np.exp(position)) if np.isfinite(low) else position


# ----------------------------------------------------------------------------------------- tests


def exchanged_totals(first: Floats, second: Floats, masks: Floats) -> tuple[Floats, Floats]:
    """Totals (P, S, K) of two methods' counts (S, U, K) after exchanging units by masks (P, U)."""
    moved = weighted_totals(masks, second - first)
    one, other = (counts.sum(axis=1, dtype=np.float64) for counts in (first, second))
    return one + moved, other - moved


def null_effects(metric: CountMetric, totals: tuple[Floats, Floats]) -> Floats:
    """Effects (P,), mean over seeds, under exchanged labels: ``exchanged_totals`` -> (P,)."""
    effects: Floats = (metric(totals[0]) - metric(totals[1])).mean(axis=-1)
    return effects


def item_p(difference: Replicated, null: Floats) -> float:
    """Two-sided Monte Carlo p value, the observed labelling counted as one of them."""
    # The margin makes equal values equal that differ only in the order of summation.
    as_extreme = np.sum(np.abs(null) >= abs(difference.value) - 1e-12)
    return float((1 + as_extreme) / (1 + len(null)))


def seed_p(difference: Replicated, p_items: float) -> float:
    """P value over units and seeds: seeds can only add doubt to the permutation test's."""
    parts = variance_parts(difference)
    if not np.isfinite(parts.degrees_of_freedom) or parts.total == 0:
        return p_items
    statistic = abs(difference.value) / np.sqrt(parts.total)
    return max(p_items, float(2 * scipy.stats.t.sf(statistic, parts.degrees_of_freedom)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down correction: family-wise error rate, any dependence; order kept."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    found: list[float] = np.minimum(corrected, 1.0).tolist()
    return found

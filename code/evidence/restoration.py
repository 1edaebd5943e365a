"""What is lost when a part of a tuned model is set back to its values before training.

A part whose weights moved far need not matter: what shows whether it does is the metric without its
change. The loss is the tuned model's metric minus that of the model with the part set back, on the
same items and for the same seeds: a paired difference with the intervals of ``intervals``.
"""

from collections.abc import Mapping
from typing import TypedDict

import numpy as np

from evidence import intervals
from evidence.arrays import CountMetric, Floats
from evidence.panels import estimate_entry, replicate
from evidence.schema import Estimate


class RestorationRow(TypedDict):
    """One part on one evaluated set.

    ``value``: metric with the part set back, mean over seeds; ``drop``: how much lower that is than
    the tuned model's, with ``low`` and ``high`` over items and seeds, ``low_items`` and
    ``high_items`` over items alone (None for the ``reason`` given); ``units``: items that were
    resampled (sentences).
    """

    part: str
    value: float
    drop: float
    low: float | None
    high: float | None
    low_items: float | None
    high_items: float | None
    covers: str
    reason: str | None
    seeds: int
    units: int


def summarise_restoration(
    tuned: Floats,
    restored: Mapping[str, Floats],
    metric: CountMetric,
    rng_seed: int = 0,
    resamples: int = intervals.RESAMPLES,
) -> list[RestorationRow]:
    """A row for each part.

    Args:
        tuned: counts (S, U, K) of the tuned models: seeds, units, columns of the metric.
        restored: part -> counts of the same shape with the part set back.
        metric: (..., K) -> (...).
        rng_seed: of the resampling.
        resamples: bootstrap resamples of the units.

    Raises:
        ValueError: the shapes differ.
    """
    for part, counts in restored.items():
        if counts.shape != tuned.shape:
            raise ValueError(f"expected counts {tuned.shape} for {part!r}, got {counts.shape}")
    weights = intervals.resample_weights(tuned.shape[1], resamples, np.random.default_rng(rng_seed))
    (whole,) = replicate(weights, tuned, [metric])
    rows = []
    for part, counts in restored.items():
        (without,) = replicate(weights, counts, [metric])
        rows.append(_row(part, counts, without.value, estimate_entry(whole.minus(without))))
    return rows


def _row(part: str, counts: Floats, value: float, drop: Estimate) -> RestorationRow:
    return {
        "part": part,
        "value": value,
        "drop": drop["value"] or 0.0,
        "low": drop["low"],
        "high": drop["high"],
        "low_items": drop["low_items"],
        "high_items": drop["high_items"],
        "covers": drop["covers"],
        "reason": drop["reason"],
        "seeds": counts.shape[0],
        "units": counts.shape[1],
    }

"""What is lost when a part of a tuned model is set back to its values before training.

A part whose weights moved far need not matter: what shows whether it does is the metric without its
change. The loss is the tuned model's metric minus that of the model with the part set back, on the
same items and for the same seeds: a paired difference with the intervals of ``intervals``. Two
parts are compared by their losses in the same way.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evidence import intervals
from evidence.arrays import CountMetric, Floats
from evidence.panels import estimate, replicate
from facts.fact import Fact

THIRDS = ("lower", "middle", "upper")


def summarise_restoration(
    tuned: Floats,
    restored: Mapping[str, Floats],
    measure: CountMetric,
    seeds: Sequence[int],
    rng_seed: int = 0,
    resamples: int = intervals.RESAMPLES,
    **key: Any,
) -> list[Fact]:
    """The score without each part, what is lost, and the losses of two thirds against each other.

    From counts (S, U, K) of the tuned models, and of the same shape with each part set back.

    Raises:
        ValueError: the shapes differ.
    """
    for part, counts in restored.items():
        if counts.shape != tuned.shape:
            raise ValueError(f"expected counts {tuned.shape} for {part!r}, got {counts.shape}")
    weights = intervals.resample_weights(tuned.shape[1], resamples, np.random.default_rng(rng_seed))
    (whole,) = replicate(weights, tuned, [measure])
    key |= {"n": tuned.shape[1]}
    without = {p: replicate(weights, counts, [measure])[0] for p, counts in restored.items()}
    found = []
    for part, quantity in without.items():
        place = {**key, "part": part}
        found.append(Fact(quantity="score", **place, value=quantity.value, seeds=len(seeds)))
        found.append(estimate(whole.minus(quantity), seeds, quantity="restoration", **place)[0])
    for one, other in itertools.permutations([p for p in THIRDS if p in without], 2):
        # What one third is worth beyond the other: the score without the other minus without it.
        more = without[other].minus(without[one])
        place = {**key, "quantity": "restoration", "part": one, "against": other}
        found.append(estimate(more, seeds, **place)[0])
    return found

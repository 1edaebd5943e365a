"""What a training step costs with one method, in units of another's: a paired, robust ratio.

Methods take turns on the same batches, so that each batch gives one ratio. The estimate is the
median of the ratios: a step that the machine interrupted counts as one step, not by its length,
and the ratio of A to B is the inverse of B to A. Its interval is the percentile bootstrap over
batches, which are few and need not be alike. Fewer than six have no such interval: even the one
between the smallest and the largest ratio holds the median in less than 95 % of the cases.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evidence.arrays import Floats, Ints
from evidence.intervals import LEVEL

FEWEST_STEPS = 6
"""1 - 2 / 2^n, how often n ratios lie on both sides of their median, exceeds 95 % from here on."""


@dataclass(frozen=True, slots=True)
class StepPrice:
    """The price of a method's training step."""

    seconds: float  # median over batches
    ratio: float  # median over batches of its seconds in units of the reference's
    low: float | None  # with ``high`` the 95 % interval of the ratio, from FEWEST_STEPS on
    high: float | None
    steps: int  # batches


def price_steps(
    seconds: Mapping[str, Floats], reference: str, rng_seed: int = 0, resamples: int = 2000
) -> dict[str, StepPrice]:
    """Prices of all methods from (N,) seconds of their steps, step i of all being on batch i.

    Raises:
        ValueError: the methods were not measured on the same number of batches, or a step took no
            time.
    """
    steps = len(seconds[reference])
    for method, values in seconds.items():
        if values.shape != (steps,) or steps == 0 or not (values > 0).all():
            raise ValueError(f"expected {steps} times above 0 of {method!r}, got {values}")
    drawn = np.random.default_rng(rng_seed).integers(0, steps, size=(resamples, steps))
    return {
        method: _price(values, values / seconds[reference], drawn)
        for method, values in seconds.items()
    }


def _price(seconds: Floats, ratios: Floats, drawn: Ints) -> StepPrice:
    # The logarithm keeps the inverse of a ratio symmetric where two middle values are averaged.
    logarithms = np.log(ratios)
    ratio, steps = float(np.exp(np.median(logarithms))), len(ratios)
    if steps < FEWEST_STEPS:
        return StepPrice(float(np.median(seconds)), ratio, None, None, steps)
    medians = np.median(logarithms[drawn], axis=1)
    low, high = np.exp(np.quantile(medians, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    return StepPrice(float(np.median(seconds)), ratio, float(low), float(high), steps)

"""What an encoder lost of its pretraining: its loss on masked pieces, minus the loss before.

The loss of a set is the mean over its masked pieces, in nats. Both encoders of a difference have
the same head, sentences and masks, so that it is paired over sentences (``intervals``). For large
language models LoRA was found to forget less than full fine-tuning (Biderman et al. 2024).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evidence import intervals
from evidence.arrays import Floats, Ints
from evidence.panels import estimate, ratio
from facts.fact import BASE, Fact

NO_HEAD = "the checkpoint has no masked-language-model head"
METRIC = "masked_loss"


@dataclass(frozen=True)
class MaskedLosses:
    """The losses of a method's encoders on one set, summed over the masked pieces of a sentence."""

    seeds: Sequence[int]  # of the trained encoders
    base: Floats  # (U,) losses before training, in nats
    tuned: Floats  # (S, U) losses after it
    pieces: Ints  # (U,) how many pieces are masked


def summarise_forgetting(
    losses: Mapping[str, MaskedLosses],
    pair: tuple[str | None, str | None],
    rng_seed: int = 0,
    resamples: int = intervals.RESAMPLES,
    **key: Any,
) -> list[Fact]:
    """The loss before training (``base_loss``) and after it, what was added, and by which more.

    All losses are of the same sentences; the first method of the pair is compared with the second.
    """
    if not losses:
        return []
    units = len(next(iter(losses.values())).base)
    weights = intervals.resample_weights(units, resamples, np.random.default_rng(rng_seed))
    key |= {"quantity": "forgetting", "n": units}

    def measure(sums: Floats, own: MaskedLosses, seeds: Sequence[int], **place: str) -> list[Fact]:
        counts = np.stack([sums, np.broadcast_to(own.pieces, sums.shape)], axis=-1)
        totals = intervals.weighted_totals(weights, counts)
        quantity = intervals.replicate(counts, ratio, totals, bounds=(-np.inf, np.inf))
        return estimate(quantity, seeds, metric=METRIC, **place, **key)

    found = []
    for method, own in losses.items():
        before = float(own.base.sum() / own.pieces.sum())
        found.append(Fact(**key, method=method, metric="base_loss", value=before))
        found += measure(own.tuned, own, own.seeds, method=method)
        found += measure(own.tuned - own.base, own, own.seeds, method=method, against=BASE)
    first, second = pair
    if first is not None and second is not None and {first, second} <= losses.keys():
        one, other = losses[first], losses[second]
        shared = [seed for seed in one.seeds if seed in other.seeds]
        rows = [[list(of.seeds).index(seed) for seed in shared] for of in (one, other)]
        if shared:
            more = one.tuned[rows[0]] - other.tuned[rows[1]]
            found += measure(more, one, shared, method=first, against=second)
    return found

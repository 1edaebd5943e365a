"""Losses on masked pieces, from the stored losses of the sentences."""

import math
from dataclasses import dataclass

from facts.fact import BASE, Fact
from verification.predictions import Predictions


@dataclass(frozen=True)
class Forgetting:
    """What encoders lost of their pretraining, in nats a masked piece."""

    predictions: Predictions

    def loss(self, fact: Fact) -> float | None:
        """Mean over the seeds that the fact's methods have; None where there is no head."""
        others = [fact.against] if fact.against not in ("", BASE) else []
        of_methods = [self.predictions.seeds(m, "masked") for m in (fact.method, *others)]
        shared = [seed for seed in of_methods[0] if all(seed in own for own in of_methods)]
        values = []
        for seed in shared if fact.seed is None else [fact.seed]:
            sums = self._sums(fact.method, seed, fact.evaluation)
            if not sums:
                return None
            loss = sums["base" if fact.metric == "base_loss" else "tuned"]
            if fact.against == BASE:
                loss -= sums["base"]
            loss -= math.fsum(self._sums(m, seed, fact.evaluation)["tuned"] for m in others)
            values.append(loss / sums["pieces"])
        return math.fsum(values) / len(values)

    def _sums(self, method: str, seed: int | None, address: str) -> dict[str, float]:
        """Losses before and after training and masked pieces, of all sentences of a set."""
        entry = self.predictions.find(self.predictions.stages(method, seed)["masked"])
        if not entry.result()["head"]:
            return {}
        ending, arrays = address.replace(":", "-"), entry.arrays()
        return {n: math.fsum(arrays[f"{n} {ending}"]) for n in ("base", "tuned", "pieces")}

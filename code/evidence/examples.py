"""Single items that a report shows, chosen by rule and not by hand."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evidence import transfer
from evidence.arrays import Bools, Ints

SHORTEST = 5  # words of a sentence that shows an error in its place
ERRORS = 4


def always_wrong(correct: Bools, evaluation: str) -> list[dict[str, Any]]:
    """Items that every run gets wrong: correct (R, N), whether run r is right on item n."""
    wrong = np.flatnonzero(~np.asarray(correct, dtype=bool).any(axis=0))
    return [{"kind": "always wrong", "evaluation": evaluation, "item": int(n)} for n in wrong]


def typical_errors(
    items: pd.DataFrame, predicted: Ints, tags: Sequence[str], evaluation: str, method: str
) -> list[dict[str, Any]]:
    """One error of each of the most frequent kinds, from (S, W) predicted indices into ``tags``.

    Counted are words that every seed gives the same wrong tag. Of each kind the one in the shortest
    sentence of at least ``SHORTEST`` words is taken, the first of equals.
    """
    same = (predicted == predicted[0]).all(axis=0)
    causes = transfer.assign_causes(items, predicted[:1], tags)[0]
    lengths = items["length"].to_numpy()
    shared = same & (causes >= 0) & (lengths >= SHORTEST)
    counted = Counter(causes[shared].tolist())
    counted.pop(transfer.CAUSE_NAMES.index(transfer.REMAINING), None)
    found = []
    for cause, count in counted.most_common(ERRORS):
        words = np.flatnonzero(shared & (causes == cause))
        item = int(words[np.argmin(lengths[words])])
        tag = tags[int(predicted[0, item])]
        place = {"kind": "typical error", "evaluation": evaluation, "item": item}
        kind = {"cause": transfer.CAUSE_NAMES[cause], "count": count}
        found.append({**place, "method": method, "predicted": tag, **kind})
    return found

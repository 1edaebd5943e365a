"""What an interval allows us to say: outcomes of comparisons, and whether a method learned at all.

Pure functions; every comparative word of the report rests on one of these.
"""

from facts.fact import Outcome

ALPHA = 0.05  # level of the tests, after Holm's correction
#: Why a metric has no value where ``scoring.undefined_metrics`` names it.
ONE_LABEL = "one label only: all items of the set have it"
LESS_IS_BETTER = ("drop", "loss")


def decide(
    interval: tuple[float | None, float | None], p: float | None, metric: str, margin: float | None
) -> Outcome:
    """Outcome of first minus second: what the whole interval agrees on.

    Args:
        interval: of the difference.
        p: corrected for the comparisons of its family; a difference also needs p < ``ALPHA``. None
            for a comparison that stands alone, where the interval decides.
        metric: for which side of zero is better.
        margin: of what does not matter; with the whole interval within it the two are equivalent.

    Returns:
        "" where there is no interval.
    """
    low, high = interval
    if low is None or high is None:
        return ""
    if metric in LESS_IS_BETTER:
        low, high = -high, -low
    if margin is not None and -margin < low <= high < margin:
        return "equivalent"  # wherever zero is: a difference that does not matter
    if not low <= 0 <= high and (p is None or p < ALPHA):
        return "better" if low > 0 else "worse"
    return "undecided"

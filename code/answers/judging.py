"""What the numbers allow us to say: outcomes that the prose is chosen by.

Pure functions from effects, intervals and profiles to an outcome; no text, no study. Every
comparative word of the report comes from one of these, so the rules are stated here and nowhere
else. ``None`` stands for what is not known, and makes the outcome unknown, never favourable.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from statistics import median
from typing import Literal

import scipy  # its modules are loaded when they are used
from evidence.schema import Comparison

from evidence.outcomes import decisive_interval

TOLERANCE = 1.1  # costs that differ by less than ten per cent count as equal
MONOTONE = 0.6  # Spearman correlation with depth from which a profile rises or falls
MAINLY = 1.5  # upper third over lower third from which change is "mainly" there
ONLY = 10.0  # and from which it is "only" there
SAME_DEPTH = 0.03  # centres of change closer than this (share of the depth) are the same
SAME_EPOCH = 0.5  # best points closer than this (epochs) are reached equally early
SAME_SIMILARITY = 0.02  # values of CKA closer than this are the same
LITTLE = 0.1  # parts of a whole below this are little
MOST = 0.5  # and from this on most of it


class Verdict(StrEnum):
    """Outcome of comparing two methods."""

    FIRST_BETTER = "first-better"
    SECOND_BETTER = "second-better"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"
    FIRST_NOT_LEARNED = "first-not-learned"
    SECOND_NOT_LEARNED = "second-not-learned"
    NEITHER_LEARNED = "neither-learned"
    UNKNOWN = "unknown"

    @property
    def reliable(self) -> bool:
        """Whether one of the two is ahead beyond chance."""
        return self in (Verdict.FIRST_BETTER, Verdict.SECOND_BETTER)

    @property
    def not_learned(self) -> bool:
        """Whether there is nothing to compare, because a method did not learn the task."""
        return self.endswith("learned")


Ratio = Literal["less", "about-the-same", "more", "unknown"]
"""How the second of two costs stands to the first."""

Agreement = Literal[
    "both-first",
    "both-second",
    "one-first",
    "one-second",
    "opposite",
    "neither",
    "equivalent",
    "not-learned",
    "unknown",
]
"""Whether two criteria name the same method."""

Trend = Literal[
    "mainly-upper", "rises", "flat", "falls", "mainly-lower", "seeds-disagree", "unknown"
]
"""How change is distributed over the depth of the encoder."""

Extent = Literal["all", "some", "none", "unknown"]
"""In how many of several cases something holds."""

Part = Literal["little", "some", "most", "unknown"]
"""How large a part is beside the whole."""

Order = Literal["first-larger", "second-larger", "similar", "unknown"]
"""Which of two values is larger, beyond a tolerance."""

Turn = Literal["none", "few-seeds", "metric-rises", "metric-falls", "metric-flat", "unknown"]
"""What validation loss does after its minimum, and the metric with it."""


def judge_comparison(
    comparison: Comparison | None, learned: tuple[bool, bool] = (True, True)
) -> Verdict:
    """Verdict on a comparison by its stored outcome (``evidence.outcomes``).

    Args:
        comparison: the stored comparison.
        learned: whether the first and the second method learned the task; nothing else is said of
            one that did not.
    """
    if comparison is None:
        return Verdict.UNKNOWN
    if not any(learned):
        return Verdict.NEITHER_LEARNED
    if not all(learned):
        return Verdict.SECOND_NOT_LEARNED if learned[0] else Verdict.FIRST_NOT_LEARNED
    sides = {"better": Verdict.FIRST_BETTER, "worse": Verdict.SECOND_BETTER, None: Verdict.UNKNOWN}
    outcome = comparison["outcome"]
    return sides.get(outcome) or Verdict(str(outcome))


def judge_reservation(comparison: Comparison) -> str:
    """Which condition fails where a comparison is undecided: the interval, or p alone."""
    low, high = decisive_interval(comparison)
    return "interval" if low is None or high is None or low <= 0 <= high else "p"


def judge_ratio_interval(ratio: float | None, low: float | None, high: float | None) -> Ratio:
    """Second over first of a cost: different beyond the tolerance, if low to high excludes 1."""
    if ratio is None or low is None or high is None:
        return "unknown"
    if ratio >= TOLERANCE and low > 1:
        return "more"
    return "less" if ratio <= 1 / TOLERANCE and high < 1 else "about-the-same"


def is_disturbed(spreads: Sequence[float], ratio: float) -> bool:
    """Whether the runs of one method (longest over shortest) differ by more than the methods do."""
    return max(spreads, default=1.0) > max(ratio, 1 / ratio, TOLERANCE)


def judge_part(part: float | None, whole: float | None) -> Part:
    """How much of a whole a part makes up; unknown where there is no positive whole."""
    if part is None or whole is None or whole <= 0:
        return "unknown"
    share = part / whole
    if share < LITTLE:
        return "little"
    return "most" if share >= MOST else "some"


def judge_ratios(ratios: Sequence[float]) -> Ratio:
    """Second over first of a cost, one value a seed: by the median, if every seed agrees."""
    if not ratios:
        return "unknown"
    return judge_ratio_interval(median(ratios), min(ratios), max(ratios))


def judge_agreement(first: Verdict, second: Verdict) -> Agreement:
    """What two verdicts on the same pair of methods say together."""
    if Verdict.UNKNOWN in (first, second):
        return "unknown"
    if first.not_learned or second.not_learned:
        return "not-learned"
    if first == second == Verdict.EQUIVALENT:
        return "equivalent"
    named = {verdict for verdict in (first, second) if verdict.reliable}
    if len(named) != 1:
        return "opposite" if named else "neither"
    if named == {Verdict.FIRST_BETTER}:
        return "both-first" if first == second else "one-first"
    return "both-second" if first == second else "one-second"


def rank_correlation(profile: Sequence[float]) -> float | None:
    """Spearman's correlation of a profile with depth; 0 for a constant one, None below 3 layers."""
    if len(profile) < 3:
        return None
    if len(set(profile)) == 1:
        return 0.0
    return float(scipy.stats.spearmanr(range(len(profile)), profile).statistic)


def upper_over_lower(profile: Sequence[float]) -> float | None:
    """Mean change of the upper third of the layers over that of the lower third."""
    third = len(profile) // 3
    if not third or not sum(profile[:third]):
        return None
    return sum(profile[-third:]) / sum(profile[:third])


def judge_trend(profile: Sequence[float]) -> Trend:
    """Where along the depth, from input to output, the change is.

    It rises (falls) with depth from a rank correlation of ``MONOTONE``; it is mainly in the upper
    (lower) layers if, besides, the upper third moves ``MAINLY`` times as far as the lower third
    (the reverse).
    """
    correlation = rank_correlation(profile)
    if correlation is None or not any(profile):
        return "unknown"
    if abs(correlation) < MONOTONE:
        return "flat"
    ratio = upper_over_lower(profile)
    if correlation > 0:
        return "mainly-upper" if ratio is None or ratio >= MAINLY else "rises"
    return "mainly-lower" if ratio is not None and ratio <= 1 / MAINLY else "falls"


def judge_trends(profiles: Iterable[Sequence[float]]) -> Trend:
    """The trend on which the profiles of all seeds agree, the weaker one where one is stronger."""
    found = set(map(judge_trend, profiles)) - {"unknown"}
    if not found:
        return "unknown"
    pairs: tuple[tuple[Trend, Trend], ...] = (("mainly-upper", "rises"), ("mainly-lower", "falls"))
    for strong, weak in pairs:
        if found <= {strong, weak}:
            return strong if found == {strong} else weak
    return "flat" if found == {"flat"} else "seeds-disagree"


def judge_extent(cases: Iterable[bool]) -> Extent:
    """In how many cases something holds."""
    found = list(cases)
    if not found:
        return "unknown"
    if all(found):
        return "all"
    return "some" if any(found) else "none"


def judge_order(first: Sequence[float], second: Sequence[float], tolerance: float) -> Order:
    """Which of two groups of values, one a seed, is larger.

    Larger only if the means differ by ``tolerance`` or more and the groups do not overlap.
    """
    if not first or not second:
        return "unknown"
    difference = sum(first) / len(first) - sum(second) / len(second)
    if difference >= tolerance and min(first) > max(second):
        return "first-larger"
    if difference <= -tolerance and max(first) < min(second):
        return "second-larger"
    return "similar"


def centre_of_change(profile: Sequence[float]) -> float | None:
    """Mean depth of the change, 0 at the first encoder layer and 1 at the last.

    Layers are weighted by their change; None for fewer than two layers or no change at all.
    """
    total = sum(profile)
    if len(profile) < 2 or not total:
        return None
    last = len(profile) - 1
    return sum(depth / last * change for depth, change in enumerate(profile)) / total


def interval_outcome(low: float | None, high: float | None) -> Order:
    """Whether a quantity is above zero, below it, or neither beyond its interval."""
    if low is None or high is None:
        return "unknown"
    if low > 0:
        return "first-larger"
    return "second-larger" if high < 0 else "similar"


def judge_parts(
    losses: Mapping[str, tuple[float, float | None, float | None]], moved: Mapping[str, float]
) -> str:
    """Whether the part without whose change most is lost is the one that moved furthest.

    "same", "other", or "none" where no part's interval lies above those of all others; losses have
    the ends of their interval.
    """
    ranked = sorted(losses, key=lambda part: -losses[part][0])
    low, high = losses[ranked[0]][1], losses[ranked[1]][2]
    if low is None or high is None or not low > max(high, 0.0):
        return "none"
    return "same" if ranked[0] == max(moved, key=moved.__getitem__) else "other"


def judge_turn(turned: int, known: int, metric_after: str | None) -> Turn:
    """Whether validation loss turns in most seeds, and what the metric does from there on.

    Args:
        turned: seeds whose validation loss rises after its minimum by more than noise.
        known: seeds whose curve is long enough to tell.
        metric_after: "rises", "falls" or "flat" in most seeds that turned.
    """
    if not known:
        return "unknown"
    if 2 * turned <= known:
        return "few-seeds" if turned else "none"
    after: dict[str | None, Turn] = {"rises": "metric-rises", "falls": "metric-falls"}
    return after.get(metric_after, "metric-flat")

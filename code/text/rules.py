"""What an interval allows us to say: the one vocabulary of verdicts, and the rules behind them.

Every statement that compares or denies has one of three outcomes. *The same*: the whole interval
lies within the margin of what does not matter, wherever zero is. *More* or *less*: it lies beyond
zero and is not within the margin. *Unclear*: anything else. What was not measured is *unknown*,
which is never told as one of the other three. Pure functions; no text.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Generic, TypeVar

import scipy  # its modules are loaded when they are used

from evidence.intervals import LEVEL
from facts.fact import Fact
from facts.quantities import Unit, unit_of

Member = TypeVar("Member")
TAIL = (1 - LEVEL) / 2
ALPHA = 0.05  # a difference also needs p below it, after the correction of its family


class Verdict(StrEnum):
    """Outcome of comparing a number with another, or with none."""

    MORE = "more"
    LESS = "less"
    SAME = "same"
    UNCLEAR = "unclear"
    UNKNOWN = "unknown"

    @property
    def decided(self) -> bool:
        """Whether the interval settles the question, one way or the other."""
        return self in (Verdict.MORE, Verdict.LESS, Verdict.SAME)

    @property
    def differs(self) -> bool:
        """Whether there is a difference beyond the interval that may matter."""
        return self in (Verdict.MORE, Verdict.LESS)

    def turned(self) -> "Verdict":
        """The verdict told from the other side."""
        return {Verdict.MORE: Verdict.LESS, Verdict.LESS: Verdict.MORE}.get(self, self)


def judge(fact: Fact, margin: float) -> Verdict:
    """Verdict on a difference, or on a ratio against 1, by its interval.

    Args:
        fact: the difference, slope or ratio with its interval.
        margin: the largest difference that does not matter, above 0; of a ratio, the largest factor
            that does not matter, above 1.
    """
    if fact.low is None or fact.high is None or fact.covers == "range":
        return Verdict.UNKNOWN
    low, high = fact.low, fact.high
    if unit_of(fact) is Unit.RATIO:
        if low <= 0:
            return Verdict.UNKNOWN
        low, high, margin = math.log(low), math.log(high), math.log(margin)
    if -margin < low <= high < margin:
        return Verdict.SAME
    if (fact.p is None or fact.p < ALPHA) and not low <= 0 <= high:
        return Verdict.MORE if low > 0 else Verdict.LESS
    return Verdict.UNCLEAR


def judge_all(
    facts: Mapping[Member, Fact], decide: Callable[[Member, Fact], Verdict]
) -> dict[Member, Verdict]:
    """Verdicts on several cases of which a sentence says in which something holds.

    By Holm's (1979) procedure: as long as some are decided at the level of those that are left,
    these are taken out and the others judged again. So the whole sentence has the level of one
    verdict; a list of n single verdicts would hold a false one up to n times as often. ``decide``
    is given facts whose intervals are as wide as the list needs.
    """
    found = {case: decide(case, fact) for case, fact in facts.items()}
    left = [case for case, verdict in found.items() if verdict is not Verdict.UNKNOWN]
    told = left
    while told:
        found |= {case: decide(case, widen(facts[case], len(left))) for case in left}
        told = [case for case in left if found[case].decided]
        left = [case for case in left if case not in told]
    return found


def widen(fact: Fact, family: int) -> Fact:
    """A fact as one of so many of which no verdict may be false: a wider interval, a larger p.

    The interval grows about its value, of ratios on a logarithmic scale, by Student's t.
    """
    if fact.low is None or fact.high is None:
        return fact
    scale: Callable[[float], float] = float
    back: Callable[[float], float] = float
    if unit_of(fact) is Unit.RATIO and fact.low > 0:
        scale, back = math.log, _exp
    low, high = scale(fact.low), scale(fact.high)
    value = (low + high) / 2 if fact.value is None else scale(fact.value)
    one, all_of_them = scipy.stats.t.isf([TAIL, TAIL / family], _degrees(fact))
    wider = float(all_of_them / one)
    return replace(
        fact,
        low=back(value + wider * (low - value)),
        high=back(value + wider * (high - value)),
        p=None if fact.p is None else min(1.0, family * fact.p),
    )


def _degrees(fact: Fact) -> float:
    """Degrees of freedom of the standard error behind an interval.

    Over items and seeds they are Satterthwaite's (1946), which follow from the half-width and the
    spread of the runs. Where several numbers fit, the smallest is taken: the widest interval.
    """
    least = {"items": math.inf, "batches": math.inf, "points": 2}.get(fact.covers, fact.seeds - 1)
    degrees = least = max(1, least)
    if fact.covers == "items and seeds" and fact.sd and fact.low is not None and fact.high:
        for _ in range(10):  # each step is closer, from below
            error = (fact.high - fact.low) / 2 / scipy.stats.t.isf(TAIL, degrees)
            degrees = max(least, least * (error**2 * fact.seeds / fact.sd**2) ** 2)
    return float(degrees)


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))  # the greatest that a float holds


def out_of_reach(fact: Fact, margin: float) -> bool:
    """Whether this design could not have said "the same": the interval is wider than the margins.

    True also where there is no interval.
    """
    if fact.low is None or fact.high is None or fact.covers == "range":
        return True
    width = fact.high - fact.low
    if unit_of(fact) is Unit.RATIO and fact.low > 0:
        width, margin = math.log(fact.high / fact.low), math.log(margin)
    return width >= 2 * margin


@dataclass(frozen=True)
class Tally(Generic[Member]):
    """In which of several cases something holds, in which it does not, and which cannot be told."""

    yes: Sequence[Member] = field(default_factory=tuple)  # the cases in which it holds
    no: Sequence[Member] = field(default_factory=tuple)  # in which it is excluded
    untold: Sequence[Member] = field(default_factory=tuple)  # unclear and unknown ones

    @property
    def outcome(self) -> str:
        """``all``, ``none``, ``untold`` or ``mixed``; ``unknown`` without cases."""
        kinds = [name for name in ("yes", "no", "untold") if getattr(self, name)]
        if len(kinds) > 1:
            return "mixed"
        return {"yes": "all", "no": "none", "untold": "untold"}[kinds[0]] if kinds else "unknown"


def tally(
    verdicts: Mapping[Member, Verdict], yes: Sequence[Verdict] = (Verdict.MORE,)
) -> Tally[Member]:
    """Sorts cases by whether their verdict is one of ``yes``, another decided one, or neither."""
    return Tally(
        yes=[case for case, verdict in verdicts.items() if verdict in yes],
        no=[case for case, v in verdicts.items() if v.decided and v not in yes],
        untold=[case for case, v in verdicts.items() if not v.decided],
    )


def scope(*facts: Fact) -> str:
    """What a verdict on these facts is about: the method (``seeds``) or these runs (``items``).

    The narrowest of them decides; ``items`` too where there is no interval.
    """
    wide = all(fact.covers in ("items and seeds", "seeds") for fact in facts)
    return "seeds" if facts and wide else "items"

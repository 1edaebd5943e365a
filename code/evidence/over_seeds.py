"""Facts of single runs summed up over the seeds of a method."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator

from facts.fact import COLUMNS, KEY, Fact

_SEED = KEY.index("seed")


def over_seeds(facts: Iterable[Fact]) -> Iterator[Fact]:
    """A fact over the seeds for all facts that differ in their seed alone.

    Its value is the mean, of costs the median, since a disturbed clock is an outlier; ``low`` and
    ``high`` are the least and the greatest run, ``sd`` the standard deviation of the sample. Facts
    without a value count as absent.
    """
    groups: dict[tuple[str | int | None, ...], list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.seed is not None and fact.value is not None:
            groups[fact.key[:_SEED] + fact.key[_SEED + 1 :]].append(fact)
    for own in groups.values():
        values = [fact.value for fact in own if fact.value is not None]
        centre = statistics.median if own[0].quantity == "cost" else statistics.fmean
        kept = {name: getattr(own[0], name) for name in (*KEY, "n", "epoch") if name in COLUMNS}
        yield Fact(
            **{**kept, "seed": None},
            value=float(centre(values)),
            low=min(values),
            high=max(values),
            covers="range",
            seeds=len(values),
            sd=statistics.stdev(values) if len(values) > 1 else None,
            entry=entry_of_all(own[0].entry),
        )


def entry_of_all(entry: str) -> str:
    """The entries of all seeds, given that of one: ``drift/cola-full-seed*``; "" for none."""
    return entry.partition("seed")[0] + "seed*" if entry else ""

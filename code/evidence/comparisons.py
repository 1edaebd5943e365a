"""Methods against each other: paired differences, corrected, with their outcomes."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from evidence import intervals, outcomes
from evidence.arrays import Floats
from evidence.intervals import Replicated
from evidence.panels import ENOUGH_SEEDS, Panel, covers, missing_reason
from facts.fact import Fact
from study.settings import Margins, Roles

Paired = tuple[Replicated, Floats]  # a difference and its null distribution (P,)
NO_COMMON_SEED = "the two methods have no seed in common"


def compare_all(
    task: str,
    panels: Mapping[str, Panel],
    drops: Sequence[tuple[str, str]],
    seeds: Mapping[str, Sequence[int]],
    roles: Roles,
    margins: Margins,
) -> list[Fact]:
    """All pairs of methods, those with a control corrected within metric and evaluation.

    The reference against the adapter is the primary comparison and not corrected. ``drops`` are
    (source, target) evaluations whose difference in accuracy is compared too.
    """
    primary = {roles.reference, roles.adapter}
    families: dict[tuple[str, str], list[Fact]] = {}
    for first, second in itertools.combinations(seeds, 2):
        for fact in compare(task, first, second, panels, drops, seeds):
            families.setdefault((fact.evaluation, fact.metric), []).append(fact)
    found = []
    for family in families.values():
        others = [f for f in family if {f.method, f.against} != primary and f.p is not None]
        corrected = intervals.holm([fact.p or 0.0 for fact in others])
        p_values = {fact.key: p for fact, p in zip(others, corrected, strict=True)}
        for fact in family:
            p, margin = p_values.get(fact.key, fact.p), margins.of(fact.metric)
            outcome = outcomes.decide((fact.low, fact.high), p, fact.metric, margin)
            found.append(replace(fact, p=p, outcome=outcome))
    return found


def compare(
    task: str,
    first: str,
    second: str,
    panels: Mapping[str, Panel],
    drops: Sequence[tuple[str, str]],
    seeds: Mapping[str, Sequence[int]],
) -> list[Fact]:
    """Two methods by every compared metric on every set that both have, and by their drops.

    Not corrected for other comparisons, and without an outcome.
    """
    shared = {name: p for name, p in panels.items() if first in p.counts and second in p.counts}
    drops = [drop for drop in drops if set(drop) <= shared.keys()]
    names = [(name, metric) for name, p in shared.items() for metric in p.compared]
    names += [(target, "drop") for _, target in drops]
    common, take_first, take_second = shared_seeds(seeds[first], seeds[second])
    empty = [
        Fact(
            quantity="difference", task=task, method=first, against=second, evaluation=name,
            metric=metric, seeds=len(common), reason=NO_COMMON_SEED,
        )
        for name, metric in names
    ]  # fmt: skip
    if not take_first:
        return empty
    pairs = {name: _pair(p, first, second, take_first, take_second) for name, p in shared.items()}
    found = [difference for pair in pairs.values() for difference in pair.values()]
    for source, target in drops:
        (one, null), (other, other_null) = (pairs[name]["accuracy"] for name in (source, target))
        found.append((one.drop_to(other), null - other_null))
    return [_fill(fact, common, *pair) for fact, pair in zip(empty, found, strict=True)]


def shared_seeds(
    first: Sequence[int], second: Sequence[int]
) -> tuple[list[int], list[int], list[int]]:
    """Seeds in common and their positions in both lists; a control ([]) goes with every seed."""
    if not first or not second:
        common = [int(seed) for seed in (*first, *second)]
        every, same = list(range(max(1, len(common)))), [0] * max(1, len(common))
        return common, every if first else same, every if second else same
    common = [int(seed) for seed in first if seed in second]
    return common, [list(first).index(s) for s in common], [list(second).index(s) for s in common]


def _pair(
    panel: Panel, first: str, second: str, take_first: list[int], take_second: list[int]
) -> dict[str, Paired]:
    """Two methods on one evaluated set by metric."""
    totals = intervals.exchanged_totals(
        panel.counts[first][take_first], panel.counts[second][take_second], panel.masks
    )
    one, other = panel.quantities[first], panel.quantities[second]
    return {
        metric: (
            one[metric].take(take_first).minus(other[metric].take(take_second)),
            intervals.null_effects(of_counts, totals),
        )
        for metric, of_counts in panel.compared.items()
    }


def _fill(fact: Fact, common: Sequence[int], difference: Replicated, null: Floats) -> Fact:
    """A difference with its interval and p, over items and seeds where there are enough seeds."""
    ends, p = intervals.item_interval(difference), intervals.item_p(difference, null)
    values = len(difference.values)
    if values >= ENOUGH_SEEDS:
        ends, p = intervals.seed_interval(difference), intervals.seed_p(difference, p)
    reason = missing_reason(common) if common else ""
    return replace(
        fact, value=ends.value, low=ends.low, high=ends.high, covers=covers(values), p=p,
        n=len(difference.influence), reason=reason,
    )  # fmt: skip


def learned_fact(
    comparisons: Sequence[Fact],
    method: str,
    evaluation: str,
    metric: str,
    roles: Roles,
    control: str,
) -> Fact | None:
    """Whether a method is above the controls by more than the interval: 1 or 0; None: not known."""
    rivals = {control} if method == roles.control else {control, roles.control}
    own = [f for f in comparisons if (f.evaluation, f.metric) == (evaluation, metric) and f.known]
    told = [f if f.method == method else f.turned() for f in own if method in (f.method, f.against)]
    above = [fact.low is not None and fact.low > 0 for fact in told if fact.against in rivals]
    if not above:
        return None
    value = float(all(above))
    return Fact(
        quantity="learned", task=told[0].task, method=method, evaluation=evaluation, value=value
    )

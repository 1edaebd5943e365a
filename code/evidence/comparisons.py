"""Methods against each other: paired differences, corrected, with their outcomes."""

import itertools
from collections.abc import Mapping, Sequence

from evidence import intervals, outcomes
from evidence.arrays import Floats
from evidence.intervals import Replicated
from evidence.panels import ENOUGH_SEEDS, Panel, covers, missing_reason
from evidence.schema import Comparison
from study.settings import Margins, Roles

Paired = tuple[Replicated, Floats]  # a difference and its null distribution (P,)


def compare_all(
    panels: Mapping[str, Panel],
    drops: Sequence[tuple[str, str]],
    seeds: Mapping[str, Sequence[int]],
    roles: Roles,
    margins: Margins,
) -> list[Comparison]:
    """All pairs of methods, those with a control corrected within metric and evaluation.

    Args:
        panels: evaluation -> panel.
        drops: (source, target) evaluations whose difference in accuracy is compared too.
        seeds: method -> seeds, [] for a control.
        roles: whose comparison is the primary one.
        margins: of equivalence.
    """
    rows: list[Comparison] = []
    for first, second in itertools.combinations(seeds, 2):
        rows += _compare(first, second, panels, drops, seeds)
    families: dict[tuple[str, str], list[Comparison]] = {}
    for row in rows:
        row["primary"] = {row["first"], row["second"]} == {roles.reference, roles.adapter}
        families.setdefault((row["evaluation"], row["metric"]), []).append(row)
    for family in families.values():
        _correct([row for row in family if not row["primary"] and row["p"] is not None])
        for row in family:
            row["margin"] = margins.of(row["metric"])
            row["outcome"] = outcomes.decide(
                outcomes.decisive_interval(row), row["p_corrected"], row["metric"], row["margin"]
            )
    return [row for family in families.values() for row in family]


def _correct(family: Sequence[Comparison]) -> None:
    corrected = intervals.holm([row["p"] or 0.0 for row in family])
    of_items = intervals.holm([row["p_items"] or 0.0 for row in family])
    for row, p, p_items in zip(family, corrected, of_items, strict=True):
        row["p_corrected"], row["p_items_corrected"] = p, p_items
        row["family"] = len(family)


def _compare(
    first: str,
    second: str,
    panels: Mapping[str, Panel],
    drops: Sequence[tuple[str, str]],
    seeds: Mapping[str, Sequence[int]],
) -> list[Comparison]:
    shared = {name: p for name, p in panels.items() if first in p.counts and second in p.counts}
    drops = [drop for drop in drops if set(drop) <= shared.keys()]
    names = [(name, metric) for name, p in shared.items() for metric in p.compared]
    names += [(target, "drop") for _, target in drops]
    common, take_first, take_second = shared_seeds(seeds[first], seeds[second])
    if not take_first:
        return [_comparison(name, first, second, [], None, 0) for name in names]
    pairs = {name: _pair(p, first, second, take_first, take_second) for name, p in shared.items()}
    found = [difference for pair in pairs.values() for difference in pair.values()]
    for source, target in drops:
        (one, null), (other, other_null) = (pairs[name]["accuracy"] for name in (source, target))
        found.append((one.drop_to(other), null - other_null))
    return [
        _comparison(name, first, second, common, pair, len(take_first))
        for name, pair in zip(names, found, strict=True)
    ]


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


def _comparison(
    name: tuple[str, str],
    first: str,
    second: str,
    common: list[int],
    found: Paired | None,
    values: int,
) -> Comparison:
    """One comparison by its difference and null distribution, before roles and correction."""
    row: Comparison = {
        "evaluation": name[0],
        "metric": name[1],
        "first": first,
        "second": second,
        "primary": False,
        "outcome": None,
        "margin": None,
        "effect": None,
        "low": None,
        "high": None,
        "p": None,
        "p_corrected": None,
        "low_items": None,
        "high_items": None,
        "p_items": None,
        "p_items_corrected": None,
        "family": 0,
        "n": 0,
        "seeds": common,
        "covers": covers(values),
        "reason": "the two methods have no seed in common",
    }
    if found:
        _fill(row, *found, values)
    return row


def _fill(row: Comparison, difference: Replicated, null: Floats, values: int) -> None:
    inner, p_items = intervals.item_interval(difference), intervals.item_p(difference, null)
    outer, p = inner, p_items
    if values >= ENOUGH_SEEDS:
        outer, p = intervals.seed_interval(difference), intervals.seed_p(difference, p_items)
    if values >= ENOUGH_SEEDS or not row["seeds"]:  # between controls there are no seeds
        row["low"], row["high"] = outer.low, outer.high
    row["effect"], row["low_items"], row["high_items"] = inner
    row["p"], row["p_corrected"] = p, p
    row["p_items"], row["p_items_corrected"] = p_items, p_items
    row["family"], row["n"], row["reason"] = 1, len(difference.influence), missing_reason(values)


def has_learned(
    comparisons: Sequence[Comparison],
    method: str,
    evaluation: str,
    metric: str,
    roles: Roles,
    control: str,
) -> bool | None:
    """Whether a method is above the controls by more than the interval (``schema.Method``).

    Args:
        comparisons: of the task.
        method: a trained method.
        evaluation: the validation set.
        metric: by which.
        roles: whose ``control`` trains the head alone.
        control: the one that is computed.
    """
    rivals = {control} if method == roles.control else {control, roles.control}
    above = []
    for row in comparisons:
        if (row["evaluation"], row["metric"]) != (evaluation, metric) or row["effect"] is None:
            continue
        low, high = outcomes.decisive_interval(row)
        if row["first"] == method and row["second"] in rivals:
            above.append(low is not None and low > 0)
        elif row["second"] == method and row["first"] in rivals:
            above.append(high is not None and high < 0)
    return all(above) if above else None

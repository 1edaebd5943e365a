"""Methods side by side on one evaluated set: estimates and comparisons as plain dictionaries.

A panel holds the counts of all methods on one set under the same bootstrap resamples and the same
exchanges of units, so that every difference is a paired one. ESTIMATE and COMPARISON, the entries
made here, are described in ``evidence``.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evidence import intervals, scoring
from evidence.intervals import Replicated

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Summary = dict[str, Any]

ONE_SEED = "one seed: the spread over seeds is unknown"
NO_SEEDS = "a control has no seeds"
RARE = "too rare: some resamples hold no such item"


@dataclass(frozen=True)
class Panel:
    """All methods on one evaluated set, under the same resamples and exchanges of units.

    Attributes:
        evaluation: name of the set.
        metrics: name -> metric, those that are estimated.
        compared: names of the metrics by which methods are compared.
        weights: (B, U) of ``intervals.resample_weights``.
        masks: (P, U) of ``intervals.exchange_masks``.
        counts: method -> (S, U, K).
        quantities: method -> metric -> the metric with its replicates.
    """

    evaluation: str
    metrics: Mapping[str, scoring.CountMetric]
    compared: Sequence[str]
    weights: Floats
    masks: Floats
    counts: Mapping[str, Floats]
    quantities: Mapping[str, Mapping[str, Replicated]]

    def replicate(self, counts: Floats, metric: scoring.CountMetric) -> Replicated:
        """A metric of any counts (S, U, K) on this set's units."""
        return intervals.replicate(counts, metric, intervals.weighted_totals(self.weights, counts))


def build_panel(
    evaluation: str,
    counts: Mapping[str, Floats],
    metrics: Mapping[str, scoring.CountMetric],
    compared: Sequence[str],
    rng: np.random.Generator,
    resamples: int,
) -> Panel:
    """Resample one evaluated set for all methods and metrics at once."""
    units = next(iter(counts.values())).shape[1]
    weights = intervals.resample_weights(units, resamples, rng)
    masks = intervals.exchange_masks(units, resamples, rng)
    quantities = {method: _replicate_all(c, metrics, weights) for method, c in counts.items()}
    return Panel(evaluation, metrics, compared, weights, masks, counts, quantities)


def _replicate_all(
    counts: Floats, metrics: Mapping[str, scoring.CountMetric], weights: Floats
) -> dict[str, Replicated]:
    totals = intervals.weighted_totals(weights, counts)
    left_out = intervals.jackknife_totals(counts)
    return {
        name: intervals.replicate(counts, metric, totals, left_out=left_out)
        for name, metric in metrics.items()
    }


# --------------------------------------------------------------------------------------- entries


def estimate_entry(quantity: Replicated, *, seeded: bool = True) -> Summary:
    """ESTIMATE of the module docstring.

    Args:
        quantity: the quantity with its replicates.
        seeded: whether its values come from training seeds (a control's do not).
    """
    spread = intervals.seed_spread(quantity.values.tolist())
    inner = intervals.item_interval(quantity)
    outer = intervals.seed_interval(quantity)
    return {
        "value": outer.value,
        "low": outer.low,
        "high": outer.high,
        "low_items": inner.low,
        "high_items": inner.high,
        "sd": spread.sd,
        "per_seed": quantity.values.tolist(),
        "covers": _covers(spread.n),
        "reason": None if spread.n > 1 else ONE_SEED if seeded else NO_SEEDS,
    }


def point_entry(values: Sequence[float], reason: str) -> Summary:
    """ESTIMATE without intervals, for ``reason``; no values at all give None throughout."""
    spread = intervals.seed_spread(values) if len(values) else None
    return {
        "value": spread.mean if spread else None,
        **dict.fromkeys(("low", "high", "low_items", "high_items")),
        "sd": spread.sd if spread else None,
        "per_seed": [float(value) for value in values],
        "covers": _covers(len(values)),
        "reason": reason,
    }


def _covers(seeds: int) -> str:
    return "items and seeds" if seeds > 1 else "items"


def part_entry(
    panel: Panel, counts: Floats, size: NDArray[Any], metric: scoring.CountMetric, seeded: bool
) -> Summary:
    """ESTIMATE of a metric on some of the items, whose number may be 0 in a resample.

    Args:
        panel: the evaluated set.
        counts: (S, U, K) of these items alone.
        size: (U,) how many of them each unit holds.
        metric: (..., K) -> (...).
        seeded: as for ``estimate_entry``.
    """
    if not size.sum():
        return point_entry([], "no such items")
    if np.min(panel.weights @ size.astype(np.float32)) <= 0:
        return point_entry(metric(counts.sum(axis=1, dtype=np.float64)).tolist(), RARE)
    return estimate_entry(panel.replicate(counts, metric), seeded=seeded)


def ratio(counts: Floats) -> Floats:
    """First column over second, (..., 2) -> (...)."""
    return scoring.divide(counts[..., 0], counts[..., 1])


# ----------------------------------------------------------------------------------- comparisons


@dataclass(frozen=True)
class Pair:
    """Two methods on one evaluated set: metric -> difference, and -> its null distribution (P,)."""

    differences: Mapping[str, Replicated]
    nulls: Mapping[str, Floats]


def compare_all(
    panels: Mapping[str, Panel],
    drops: Sequence[tuple[str, str]],
    seeds: Mapping[str, Sequence[int]],
) -> list[Summary]:
    """COMPARISON of all pairs of methods, corrected within metric and evaluation.

    Args:
        panels: evaluation -> panel.
        drops: (source, target) evaluations whose difference in accuracy is compared too.
        seeds: method -> seeds, [] for a control.
    """
    rows: list[Summary] = []
    for first, second in itertools.combinations(seeds, 2):
        rows += _compare(first, second, panels, drops, seeds)
    families: dict[tuple[str, str], list[Summary]] = {}
    for row in rows:
        families.setdefault((row["evaluation"], row["metric"]), []).append(row)
    for family in families.values():
        _correct(family, "p")
        _correct(family, "p_items")
    return [row for family in families.values() for row in family]


def _correct(family: Sequence[Summary], column: str) -> None:
    known = [row for row in family if row[column] is not None]
    corrected = intervals.holm([row[column] for row in known])
    for row, p in zip(known, corrected, strict=True):
        row[f"{column}_corrected"] = p
        row["family"] = len(known)


def _compare(
    first: str,
    second: str,
    panels: Mapping[str, Panel],
    drops: Sequence[tuple[str, str]],
    seeds: Mapping[str, Sequence[int]],
) -> list[Summary]:
    shared = {name: p for name, p in panels.items() if first in p.counts and second in p.counts}
    drops = [drop for drop in drops if set(drop) <= shared.keys()]
    names = [(name, metric) for name, p in shared.items() for metric in p.compared]
    names += [(target, "drop") for _, target in drops]
    common, take_first, take_second = shared_seeds(seeds[first], seeds[second])
    if not take_first:
        return [_labelled(_no_comparison(), name, first, second, []) for name in names]
    pairs = {name: _pair(p, first, second, take_first, take_second) for name, p in shared.items()}
    entries = [
        _comparison_entry(pair.differences[metric], pair.nulls[metric])
        for name, pair in pairs.items()
        for metric in shared[name].compared
    ]
    entries += [_drop_comparison(pairs[source], pairs[target]) for source, target in drops]
    return [
        _labelled(entry, name, first, second, common)
        for entry, name in zip(entries, names, strict=True)
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
) -> Pair:
    totals = intervals.exchanged_totals(
        panel.counts[first][take_first], panel.counts[second][take_second], panel.masks
    )
    one, other = panel.quantities[first], panel.quantities[second]
    return Pair(
        {m: one[m].take(take_first).minus(other[m].take(take_second)) for m in panel.compared},
        {m: intervals.null_effects(panel.metrics[m], totals) for m in panel.compared},
    )


def _drop_comparison(source: Pair, target: Pair) -> Summary:
    return _comparison_entry(
        source.differences["accuracy"].drop_to(target.differences["accuracy"]),
        source.nulls["accuracy"] - target.nulls["accuracy"],
    )


def _comparison_entry(difference: Replicated, null: Floats) -> Summary:
    outer = intervals.seed_comparison(difference, null)
    inner = intervals.item_comparison(difference, null)
    return {
        "effect": outer.effect,
        "low": outer.low,
        "high": outer.high,
        "p": outer.p,
        "p_corrected": outer.p_corrected,
        "low_items": inner.low,
        "high_items": inner.high,
        "p_items": inner.p,
        "p_items_corrected": inner.p_corrected,
        "family": 1,
        "n": outer.n,
        "covers": _covers(len(difference.values)),
        "reason": None if len(difference.values) > 1 else ONE_SEED,
    }


def _no_comparison() -> Summary:
    effect = ("effect", "low", "high", "p", "p_corrected")
    items = ("low_items", "high_items", "p_items", "p_items_corrected")
    reason = "the two methods have no seed in common"
    empty: Summary = dict.fromkeys((*effect, *items))
    return {**empty, "family": 0, "n": 0, "covers": "items", "reason": reason}


def _labelled(
    entry: Summary, name: tuple[str, str], first: str, second: str, common: Sequence[int]
) -> Summary:
    labels = {"evaluation": name[0], "metric": name[1], "first": first, "second": second}
    return {**labels, **entry, "seeds": list(common)}


# ------------------------------------------------------------------------------------ both tasks


def procedure(rng_seed: int, resamples: int) -> Summary:
    """How the intervals of a summary were made."""
    return {"level": intervals.LEVEL, "resamples": resamples, "rng_seed": rng_seed}


def check_methods(
    shapes: Mapping[str, tuple[int, ...]],
    seeds: Mapping[str, Sequence[int]],
    items: int,
    control: str,
) -> None:
    """Refuse predictions that do not fit seeds and items.

    Args:
        shapes: method -> (seeds, items) of its predictions.
        seeds: method -> its seeds.
        items: items of the evaluated set.
        control: the name that no method may have.

    Raises:
        ValueError: for the first method that does not fit.
    """
    if not shapes or control in shapes:
        raise ValueError(f"expected methods, none called {control!r}, got {list(shapes)}")
    for method, shape in shapes.items():
        wanted = (len(seeds[method]), items)
        if shape != wanted or not wanted[0] or len(set(seeds[method])) < wanted[0]:
            raise ValueError(
                f"expected predictions of {method!r} for {wanted} (distinct seeds, items), got "
                f"{shape} for the seeds {list(seeds[method])}"
            )


def mean_confusion(gold: Ints, predicted: Ints, classes: int) -> list[list[float]]:
    """Confusion matrix averaged over seeds, gold in rows: gold (W,), predicted (S, W)."""
    tables = [scoring.confusion_matrix(gold, of_seed, classes) for of_seed in predicted]
    return np.mean(tables, axis=0).tolist()

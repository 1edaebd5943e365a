"""What stored evidence claims, beside what it should be: the point estimates behind every interval.

Intervals and p values rest on random resamples and are not computed a second time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from verification.counting import Bools, Ints

Scores = Mapping[str, float]


@dataclass(frozen=True)
class Claim:
    """A stored number, and the same number computed here."""

    where: str
    found: float | None
    expected: float | None


def claim_estimate(where: str, entry: Mapping[str, Any], of_seeds: ArrayLike) -> Iterator[Claim]:
    """Each seed's value, their mean and their standard deviation."""
    values = [float(value) for value in np.asarray(of_seeds, dtype=np.float64)]
    found = list(entry["per_seed"])
    yield Claim(f"{where}, number of seeds", len(found), len(values))
    for number, (stored, value) in enumerate(zip(found, values, strict=False)):
        yield Claim(f"{where}, value of seed number {number}", stored, value)
    yield Claim(f"{where}, mean", entry["value"], float(np.mean(values)) if values else None)
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    yield Claim(f"{where}, standard deviation", entry["sd"], sd)


def claim_answers(
    where: str,
    entry: Mapping[str, Any],
    gold: Ints,
    predicted: Ints,
    scores: Sequence[Scores],
    columns: Mapping[str, Any],
    majority: int | None,
) -> Iterator[Claim]:
    """A method on an evaluated set: its metrics, confusions, groups and their contrasts.

    Args:
        where: method and set.
        entry: what the evidence says of them.
        gold: (N,) classes.
        predicted: (S, N) classes.
        scores: metrics of each of the S seeds.
        columns: of the items.
        majority: class of the control, where there is one.
    """
    for metric, estimate in entry["metrics"].items():
        if metric in scores[0] and estimate["per_seed"]:
            values = [of_seed[metric] for of_seed in scores]
            yield from claim_estimate(f"{where}, {metric}", estimate, values)
        elif not estimate["per_seed"]:
            yield Claim(f"{where}, {metric}, which is undefined", estimate["value"], None)
    for g, row in enumerate(entry["confusion"]):
        for p, stored in enumerate(row):
            count = float(np.mean([np.sum((gold == g) & (of_seed == p)) for of_seed in predicted]))
            yield Claim(f"{where}, confusion {g} as {p}", stored, count)
    right = predicted == gold
    for kind, groups in entry["groups"].items():
        for group in groups:
            member = members(kind, group["group"], columns, majority)
            place = f"{where}, {kind}, {group['group']}"
            yield Claim(f"{place}, size", group.get("items", group.get("words")), int(member.sum()))
            yield Claim(f"{place}, share", group["share"], float(member.mean()))
            if member.any():
                accuracies = right[:, member].mean(axis=1)
                yield from claim_estimate(f"{place}, accuracy", group["accuracy"], accuracies)
    for kind, pair in entry["contrasts"].items():
        sides = [members(kind, pair[side], columns, majority) for side in ("first", "second")]
        if all(side.any() for side in sides):
            one, other = (right[:, side].mean(axis=1) for side in sides)
            yield from claim_estimate(f"{where}, {kind}, contrast", pair["difference"], one - other)


def claim_effects(
    comparisons: Sequence[Mapping[str, Any]],
    values: Mapping[tuple[str, str], Mapping[str, Sequence[float]]],
    seeds: Mapping[str, Sequence[int]],
) -> Iterator[Claim]:
    """First minus second method, mean over the seeds that both have.

    Args:
        comparisons: of the evidence.
        values: (evaluation, metric) -> method -> value of each of its seeds.
        seeds: method -> its seeds; a control, whose one value goes with every seed, has none.
    """
    for row in comparisons:
        first, second = row["first"], row["second"]
        of_metric = values[row["evaluation"], row["metric"]]
        shared = set(seeds[first]) & set(seeds[second])
        control = not (seeds[first] and seeds[second])  # its one value goes with every seed
        means = [
            np.mean([v for v, seed in zip(of_metric[m], seeds[m], strict=True) if seed in shared])
            if shared
            else np.mean(of_metric[m])
            for m in (first, second)
        ]
        effect = float(means[0] - means[1]) if shared or control else None
        where = f"{row['evaluation']}, {row['metric']}, {first} minus {second}"
        yield Claim(where, row["effect"], effect)


def members(kind: str, group: str, columns: Mapping[str, Any], majority: int | None) -> Bools:
    """Which items (sentences or words) a group of a kind holds."""
    if kind == "by_length":
        low, _, high = group.partition("-")
        length = np.asarray(columns["length"])
        if group.endswith("+"):
            return length >= int(group[:-1])
        return (length >= int(low)) & (length <= int(high or low))
    if kind == "by_label":
        return (np.asarray(columns["label"]) == majority) == (group == "majority")
    if kind == "by_domain":
        return np.array([(domain or "unknown") == group for domain in columns["domain"]])
    if kind == "by_phenomenon":
        return np.array([name == group for name in columns["phenomenon"]])
    if kind == "by_seen":
        return np.array([bool(seen) == (group == "seen") for seen in columns["seen"]])
    if kind == "by_pieces":
        return np.array([(str(n) if n < 4 else "4+") == group for n in columns["pieces"]])
    return np.array([tag == group for tag in columns["tag"]])

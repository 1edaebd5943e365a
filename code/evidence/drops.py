"""Facts on the transfer of one method to one target: the drop, and what it is made of."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from evidence import scoring, transfer
from evidence.panels import NO_ITEMS, RARE, differences, estimate, mean_confusion, points, replicate
from evidence.word_groups import Group, Parts, Tagging
from facts.fact import Fact


def transfer_facts(
    study: Tagging, method: str, target: str, groups: Mapping[str, Mapping[str, Parts]]
) -> Iterator[Fact]:
    """The drop from source to target, in all and by tag, group, confusion and cause."""
    seeds = study.seeds[method]
    key: dict[str, Any] = {"task": study.task, "method": method, "evaluation": target}
    one, other = (study.panels[n].quantities[method] for n in (study.source, target))
    drop = one["accuracy"].drop_to(other["accuracy"])
    whole, *of_runs = estimate(drop, seeds, quantity="drop", metric="accuracy", **key)
    yield from (whole, *of_runs)
    yield from _macro_drop(study, method, target, key)
    yield from _tag_drops(groups[study.source]["by_tag"], groups[target]["by_tag"], key, seeds)
    yield from _cells(study, method, target, key)
    yield from _causes(study, method, target, key, whole)


def _macro_drop(study: Tagging, method: str, target: str, key: Mapping[str, Any]) -> Iterator[Fact]:
    """The drop in macro-F1 over the tags that both sets have."""
    common = np.ones(len(study.tags), dtype=bool)
    for name in (study.source, target):
        common &= np.bincount(study.sets[name].gold, minlength=len(study.tags)) > 0
    place = {**key, "quantity": "drop", "metric": "macro_f1", "n": int(common.sum())}
    if not common.any():
        yield from points([], (), "the two sets have no tag in common", **place)
        return
    metric = scoring.macro_f1_over(common)
    both = (study.panels[study.source], study.panels[target])
    one, other = (panel.replicate(panel.counts[method], metric) for panel in both)
    yield from estimate(one.drop_to(other), study.seeds[method], **place)


def _tag_drops(
    source: Parts, target: Parts, key: Mapping[str, Any], seeds: Sequence[int]
) -> Iterator[Fact]:
    """The drop on each tag, and what it adds to the whole by lower accuracy and by frequency."""
    for tag in source:
        place: dict[str, Any] = {**key, "tag": tag, "quantity": "drop", "metric": "accuracy"}
        yield from _group_drop(source[tag], target[tag], seeds, place)
    rows = transfer.drop_by_group(
        [g.row for g in source.values()], [g.row for g in target.values()]
    )
    divided = [(row.group, {"rate": row.rate, "mix": row.mix}) for row in rows]
    whole = {metric: sum(parts[metric] for _, parts in divided) for metric in ("rate", "mix")}
    for tag, parts in (*divided, ("", whole)):
        for metric, value in parts.items():
            part = {**key, "quantity": "contribution", "metric": metric, "grouping": "by_tag"}
            yield Fact(**part, tag=tag, value=value, seeds=len(seeds))


def _group_drop(one: Group, other: Group, seeds: Any, place: dict[str, Any]) -> list[Fact]:
    if one.part.quantity is not None and other.part.quantity is not None:
        return estimate(one.part.quantity.drop_to(other.part.quantity), seeds, **place)
    if None in (one.row.accuracy, other.row.accuracy):
        return points([], (), f"{NO_ITEMS} in one of the sets", **place)
    return points(differences(one.part, other.part), seeds, RARE, **place)


def _cells(study: Tagging, method: str, target: str, key: Mapping[str, Any]) -> Iterator[Fact]:
    """Confusions: points of the drop."""
    source_table, target_table = (
        mean_confusion(study.sets[n].gold, study.predicted[method][n], len(study.tags))
        for n in (study.source, target)
    )
    for cell in transfer.decompose_drop(source_table, target_table, study.tags):
        place = {**key, "tag": cell.gold, "predicted": cell.predicted}
        place["seeds"] = len(study.seeds[method])
        yield Fact(quantity="contribution", **place, value=cell.points)


def _causes(
    study: Tagging, method: str, target: str, key: Mapping[str, Any], drop: Fact
) -> Iterator[Fact]:
    """Kinds of error, the dearest first: points of the drop with interval.

    Shares of the drop are told where the drop is more than chance.
    """
    seeds = study.seeds[method]
    metrics = [transfer.cause_rate(kind) for kind in range(len(transfer.CAUSE_NAMES))]
    rates = []
    for name in (study.source, target):
        words, panel = study.sets[name], study.panels[name]
        found = transfer.assign_causes(words.items, study.predicted[method][name], study.tags)
        counts = transfer.cause_counts(found, words.sentence)
        rates.append(replicate(panel.weights, counts, metrics))
    told = drop.low is None or drop.low > 0
    share: dict[str, Any] = {**key, "quantity": "share", "metric": "drop", "seeds": len(seeds)}
    share["reason"] = "" if told else "the drop cannot be told from zero"
    yield Fact(**share, value=1.0 if told else None)
    rows = zip(transfer.CAUSE_NAMES, *rates, strict=True)
    for cause, source, to in sorted(rows, key=lambda row: row[1].value - row[2].value):
        place = {**key, "cause": cause}
        points_of, *of_runs = estimate(to.drop_to(source), seeds, quantity="contribution", **place)
        yield from (points_of, *of_runs)
        part = (points_of.value or 0.0) / (drop.value or 1.0) if told else None
        yield Fact(**share, cause=cause, value=part)

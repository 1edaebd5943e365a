"""Evidence of the transfer of one method to one target (``schema.Transfer``)."""

from collections.abc import Mapping, Sequence

import numpy as np

from evidence import scoring, transfer
from evidence.arrays import CountMetric
from evidence.intervals import Replicated
from evidence.panels import RARE, Part, estimate_entry, mean_confusion, point_entry, replicate
from evidence.schema import CausePart, Cell, DropGroup, Estimate, Transfer
from evidence.word_groups import Group, Tagging


def describe_transfer(
    study: Tagging, method: str, target: str, groups: Mapping[str, Mapping[str, Sequence[Group]]]
) -> Transfer:
    """The drop from source to target, and what it is made of.

    Args:
        study: what all methods share.
        method: one with predictions for both sets.
        target: the evaluation in the other language.
        groups: evaluation -> kind -> the method's groups.
    """
    seeded = bool(study.seeds[method])
    source_q, target_q = (study.panels[n].quantities[method] for n in (study.source, target))
    drop = estimate_entry(source_q["accuracy"].drop_to(target_q["accuracy"]), seeded=seeded)
    common = np.ones(len(study.tags), dtype=bool)
    for name in (study.source, target):
        common &= np.bincount(study.sets[name].gold, minlength=len(study.tags)) > 0
    return {
        "drop": drop,
        "drop_macro_f1": _drop_over(study, method, target, scoring.macro_f1_over(common))
        if common.any()
        else point_entry([], "the two sets have no tag in common"),
        "tags_in_both": [tag for tag, both in zip(study.tags, common, strict=True) if both],
        "groups": {
            kind: _drop_rows(of_kind, groups[target][kind], seeded)
            for kind, of_kind in groups[study.source].items()
        },
        "cells": _cells(study, method, target),
        "causes": _causes(study, method, target, drop["value"]),
    }


def _drop_over(study: Tagging, method: str, target: str, metric: CountMetric) -> Estimate:
    panels = (study.panels[study.source], study.panels[target])
    one, other = (panel.replicate(panel.counts[method], metric) for panel in panels)
    return estimate_entry(one.drop_to(other), seeded=bool(study.seeds[method]))


def _drop_rows(source: Sequence[Group], target: Sequence[Group], seeded: bool) -> list[DropGroup]:
    rows = transfer.drop_by_group([g.row for g in source], [g.row for g in target])
    pairs = zip(rows, source, target, strict=True)
    return [{**row, "drop": _group_drop(a.part, b.part, seeded)} for row, a, b in pairs]


def _group_drop(source: Part, target: Part, seeded: bool) -> Estimate:
    if source.quantity is not None and target.quantity is not None:
        return estimate_entry(source.quantity.drop_to(target.quantity), seeded=seeded)
    if None in (source.entry["value"], target.entry["value"]):
        return point_entry([], "no such items in one of the sets")
    values = zip(source.entry["per_seed"], target.entry["per_seed"], strict=True)
    return point_entry([a - b for a, b in values], RARE)


def _cells(study: Tagging, method: str, target: str) -> list[Cell]:
    source_table, target_table = (
        np.asarray(mean_confusion(study.sets[n].gold, study.predicted[method][n], len(study.tags)))
        for n in (study.source, target)
    )
    return transfer.decompose_drop(source_table, target_table, study.tags)


def _causes(study: Tagging, method: str, target: str, drop: float | None) -> list[CausePart]:
    seeded = bool(study.seeds[method])
    metrics = [transfer.cause_rate(kind) for kind in range(len(transfer.CAUSE_NAMES))]
    rates = []
    for name in (study.source, target):
        words, panel = study.sets[name], study.panels[name]
        found = transfer.assign_causes(words.items, study.predicted[method][name], study.tags)
        counts = transfer.cause_counts(found, words.sentence)
        rates.append(replicate(panel.weights, counts, metrics))
    rows = [
        _cause_entry(cause, source, to, drop, seeded)
        for cause, source, to in zip(transfer.CAUSE_NAMES, *rates, strict=True)
    ]
    return sorted(rows, key=lambda row: -(row["points"]["value"] or 0.0))


def _cause_entry(
    cause: str, source: Replicated, target: Replicated, drop: float | None, seeded: bool
) -> CausePart:
    points = estimate_entry(target.drop_to(source), seeded=seeded)
    return {
        "cause": cause,
        "source_rate": source.value,
        "target_rate": target.value,
        "points": points,
        "share": (target.value - source.value) / drop if drop else None,
    }

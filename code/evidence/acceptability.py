"""Evidence of Task 1 from stored logits (``schema.AcceptabilityEvidence``)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from evidence import baselines, intervals, panels, schema, scoring
from evidence.arrays import Bools, Floats, Groups, Ints
from evidence.checks import check_methods, check_scores
from evidence.comparisons import compare_all, has_learned
from evidence.outcomes import ONE_LABEL
from study.settings import Margins, Roles, find_roles

MAJORITY = "majority class"
LENGTHS = (5, 8, 11, 15)
COMPARED = ("matthews_correlation", "accuracy")
CONTRASTS = {"by_domain": ("in", "out"), "by_label": ("majority", "minority")}


def summarise_acceptability(
    items: pd.DataFrame,
    logits: Mapping[str, Floats],
    seeds: Mapping[str, Sequence[int]],
    rng_seed: int = 0,
    resamples: int = intervals.RESAMPLES,
    *,
    train_labels: Sequence[int] | None = None,
    evaluation: str = "cola:validation",
    roles: Roles | None = None,
    margins: Margins | None = None,
    scores: Mapping[str, Sequence[Mapping[str, float | None]]] | None = None,
) -> schema.AcceptabilityEvidence:
    """Evidence of Task 1.

    Args:
        items: one row per sentence: ``label, domain, phenomenon, length``.
        logits: method -> (S, N, 2).
        seeds: method -> its S seeds, in the order of the logits.
        rng_seed: seed of resamples and exchanges.
        resamples: how many of each.
        train_labels: labels of the training split, for the majority control.
        evaluation: name of the evaluated set.
        roles: which comparison is the primary one, and which method trains the head alone.
        margins: of equivalence.
        scores: method -> the stored scores of its runs, which the metrics must agree with.

    Raises:
        ValueError: if shapes, seeds and items do not fit together, or a name is taken.
        StudyError: if a metric differs from the stored score.
    """
    labels = items["label"].to_numpy(dtype=np.int64)
    check_methods({m: a.shape[:2] for m, a in logits.items()}, seeds, len(items), MAJORITY)
    majority = None if train_labels is None else baselines.majority_label(train_labels)
    every = {method: np.asarray(of_method) for method, of_method in logits.items()}
    all_seeds: dict[str, Sequence[int]] = {method: list(seeds[method]) for method in logits}
    if majority is not None:
        every[MAJORITY] = baselines.majority_logits(majority, len(items))
        all_seeds[MAJORITY] = []
    counts = {m: scoring.acceptability_counts(a, labels) for m, a in every.items()}
    rng = np.random.default_rng(rng_seed)
    undefined = scoring.undefined_metrics(labels)
    metrics = {n: m for n, m in scoring.ACCEPTABILITY_METRICS.items() if n not in undefined}
    compared = [name for name in COMPARED if name not in undefined]
    panel = panels.build_panel(counts, metrics, compared, rng, resamples)
    roles, margins = roles or find_roles(()), margins or Margins()
    comparisons = compare_all({evaluation: panel}, [], all_seeds, roles, margins)
    groups = _acceptability_groups(items, majority)
    methods = {
        method: _acceptability_method(
            panel, method, all_seeds[method], of_method, labels, groups, majority
        )
        for method, of_method in every.items()
    }
    for method in logits:
        methods[method]["learned"] = has_learned(
            comparisons, method, evaluation, COMPARED[0], roles, MAJORITY
        )
        check_scores(method, methods[method]["metrics"], (scores or {}).get(method, ()))
    trained = [scoring.predicted_labels(of_method) == labels for of_method in logits.values()]
    return {
        "evaluation": evaluation,
        "items": len(items),
        "level": intervals.LEVEL,
        "resamples": resamples,
        "rng_seed": rng_seed,
        "reasons": [] if majority is not None else ["no training labels: no majority control"],
        "majority_label": majority,
        "methods": methods,
        "always_wrong": scoring.always_wrong(np.concatenate(trained)),
        "comparisons": comparisons,
    }


def _acceptability_groups(items: pd.DataFrame, majority: int | None) -> Groups:
    bins, names = scoring.length_bins(items["length"], LENGTHS)
    domain = np.array([value or "unknown" for value in items["domain"]], dtype=str)
    phenomenon = items["phenomenon"].to_numpy(dtype=str)
    label = np.where(items["label"].to_numpy() == majority, "majority", "minority")
    return {
        "by_domain": (domain, [d for d in ("in", "out", "unknown") if d in domain]),
        "by_length": (np.asarray(names)[bins], names),
        "by_label": (label, [] if majority is None else ["majority", "minority"]),
        "by_phenomenon": (phenomenon, sorted(set(phenomenon.tolist()) - {""})),
    }


def _acceptability_method(
    panel: panels.Panel,
    method: str,
    seeds: Sequence[int],
    logits: Floats,
    labels: Ints,
    groups: Groups,
    majority: int | None,
) -> schema.AcceptabilityMethod:
    seeded = bool(seeds)
    quantities = panel.quantities[method]
    metrics = {
        name: panels.estimate_entry(quantities[name], seeded=seeded)
        if name in quantities
        else panels.point_entry([], ONE_LABEL)
        for name in scoring.ACCEPTABILITY_METRICS
    }
    if not seeded:
        metrics["loss"] = panels.point_entry([], "a constant control gives no probabilities")
    predicted = scoring.predicted_labels(logits)
    two_labels = not scoring.undefined_metrics(labels)
    measured = {
        kind: [_measure_group(panel, method, seeded, names == g, labels, g) for g in order]
        for kind, (names, order) in groups.items()
    }
    parts = {kind: {row["group"]: part for row, part in own} for kind, own in measured.items()}
    return {
        "control": not seeded,
        "seeds": [int(seed) for seed in seeds],
        "learned": None,
        "metrics": metrics,
        "confusion": panels.mean_confusion(labels, predicted, 2),
        "threshold": _threshold_entry(logits, labels) if seeded and two_labels else None,
        "groups": {kind: [row for row, _ in own] for kind, own in measured.items()},
        "contrasts": panels.contrast_parts(CONTRASTS, parts, seeded),
        "agreement": _agreement(panel, predicted, majority, seeded),
        "always_wrong": scoring.always_wrong(predicted == labels),
    }


def _agreement(
    panel: panels.Panel, predicted: Ints, majority: int | None, seeded: bool
) -> schema.Estimate | None:
    if majority is None:
        return None
    agree = (predicted == majority).astype(np.float64)
    counts = np.stack([agree, np.ones_like(agree)], axis=-1)
    return panels.estimate_entry(panel.replicate(counts, panels.ratio), seeded=seeded)


def _measure_group(
    panel: panels.Panel, method: str, seeded: bool, member: Bools, labels: Ints, group: str
) -> tuple[schema.ItemGroup, panels.Part]:
    counts = panel.counts[method] * member[:, None]
    accuracy = panels.measure_part(panel, counts, member, scoring.accuracy, seeded)
    mcc = (
        panels.measure_part(panel, counts, member, scoring.matthews_correlation, seeded).entry
        if len(set(labels[member].tolist())) == 2
        else panels.point_entry([], "MCC needs items of both labels")
    )
    row: schema.ItemGroup = {
        "group": group,
        "items": int(member.sum()),
        "share": float(member.mean()),
        "accuracy": accuracy.entry,
        "matthews_correlation": mcc,
    }
    return row, accuracy


def _threshold_entry(logits: Floats, labels: Ints) -> schema.Threshold:
    grid = np.linspace(0.0, 1.0, 101)
    curves = [scoring.threshold_curve(of_seed, labels) for of_seed in logits]
    mcc = np.stack([curve.at(grid) for curve in curves])
    argmax = float(np.mean([curve.argmax for curve in curves]))
    bound = float(np.mean([curve.upper_bound for curve in curves]))
    return {
        "thresholds": grid.tolist(),
        "matthews_correlation": mcc.mean(axis=0).tolist(),
        "sd": mcc.std(axis=0, ddof=1).tolist() if len(mcc) > 1 else None,
        "argmax": argmax,
        "upper_bound": bound,
        "gain": bound - argmax,
        "best_thresholds": [curve.best_threshold for curve in curves],
    }

"""Evidence of Task 1 from stored logits; the result is described in ``evidence``."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evidence import baselines, intervals, scoring
from evidence.panels import (
    Panel,
    Summary,
    build_panel,
    check_methods,
    compare_all,
    estimate_entry,
    mean_confusion,
    part_entry,
    point_entry,
    procedure,
    ratio,
)

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

MAJORITY = "majority class"
LENGTHS = (5, 8, 11, 15)
COMPARED = ("matthews_correlation", "accuracy")


def summarise_acceptability(
    items: pd.DataFrame,
    logits: Mapping[str, Floats],
    seeds: Mapping[str, Sequence[int]],
    rng_seed: int = 0,
    resamples: int = intervals.RESAMPLES,
    *,
    train_labels: Sequence[int] | None = None,
    evaluation: str = "cola:validation",
) -> Summary:
    """Evidence of Task 1, as in the module docstring.

    Args:
        items: one row per sentence: ``label, domain, phenomenon, length``.
        logits: method -> (S, N, 2).
        seeds: method -> its S seeds, in the order of the logits.
        rng_seed: seed of resamples and exchanges.
        resamples: how many of each.
        train_labels: labels of the training split, for the majority control.
        evaluation: name of the evaluated set.

    Raises:
        ValueError: if shapes, seeds and items do not fit together, or a name is taken.
    """
    labels = items["label"].to_numpy(dtype=np.int64)
    check_methods({m: a.shape[:2] for m, a in logits.items()}, seeds, len(items), MAJORITY)
    majority = None if train_labels is None else baselines.majority_label(train_labels)
    every = {method: np.asarray(of_method) for method, of_method in logits.items()}
    all_seeds: dict[str, Sequence[int]] = {method: list(seeds[method]) for method in logits}
    if majority is not None:
        every[MAJORITY] = baselines.majority_logits(majority, len(items))
        all_seeds[MAJORITY] = []
    counts = {m: scoring.acceptability_counts(scores, labels) for m, scores in every.items()}
    rng = np.random.default_rng(rng_seed)
    metrics = scoring.ACCEPTABILITY_METRICS
    panel = build_panel(evaluation, counts, metrics, COMPARED, rng, resamples)
    groups = _acceptability_groups(items, majority)
    trained = [scoring.predicted_labels(scores) == labels for scores in logits.values()]
    return {
        "evaluation": evaluation,
        "items": len(items),
        **procedure(rng_seed, resamples),
        "reasons": [] if majority is not None else ["no training labels: no majority control"],
        "majority_label": majority,
        "methods": {
            method: _acceptability_method(
                panel, method, all_seeds[method], scores, labels, groups, majority
            )
            for method, scores in every.items()
        },
        "always_wrong": scoring.always_wrong(np.concatenate(trained)),
        "comparisons": compare_all({evaluation: panel}, [], all_seeds),
    }


def _acceptability_groups(
    items: pd.DataFrame, majority: int | None
) -> dict[str, tuple[NDArray[np.str_], list[str]]]:
    bins, names = scoring.length_bins(items["length"], LENGTHS)
    domain = np.array([value or "unknown" for value in items["domain"]], dtype=str)
    phenomenon = items["phenomenon"].to_numpy(dtype=str)
    groups = {
        "by_domain": (domain, [d for d in ("in", "out", "unknown") if d in domain]),
        "by_length": (np.asarray(names)[bins], names),
        "by_label": (domain, []),
        "by_phenomenon": (phenomenon, sorted(set(phenomenon.tolist()) - {""})),
    }
    if majority is not None:
        is_majority = items["label"].to_numpy() == majority
        kinds = np.where(is_majority, "majority", "minority")
        groups["by_label"] = (kinds, ["majority", "minority"])
    return groups


def _acceptability_method(
    panel: Panel,
    method: str,
    seeds: Sequence[int],
    logits: Floats,
    labels: Ints,
    groups: Mapping[str, tuple[NDArray[np.str_], list[str]]],
    majority: int | None,
) -> Summary:
    seeded = bool(seeds)
    quantities = panel.quantities[method]
    metrics = {name: estimate_entry(q, seeded=seeded) for name, q in quantities.items()}
    if not seeded:
        metrics["loss"] = point_entry([], "a constant control gives no probabilities")
    predicted = scoring.predicted_labels(logits)
    errors: Summary = {
        kind: [_acceptability_group(panel, method, seeded, names == g, labels, g) for g in order]
        for kind, (names, order) in groups.items()
    }
    errors["agreement"] = _agreement(panel, predicted, majority, seeded)
    errors["always_wrong"] = scoring.always_wrong(predicted == labels)
    return {
        "control": not seeded,
        "seeds": [int(seed) for seed in seeds],
        "metrics": metrics,
        "confusion": mean_confusion(labels, predicted, 2),
        "threshold": _threshold_entry(logits, labels) if seeded else None,
        "errors": errors,
    }


def _agreement(panel: Panel, predicted: Ints, majority: int | None, seeded: bool) -> Summary | None:
    if majority is None:
        return None
    agree = (predicted == majority).astype(np.float64)
    counts = np.stack([agree, np.ones_like(agree)], axis=-1)
    return estimate_entry(panel.replicate(counts, ratio), seeded=seeded)


def _acceptability_group(
    panel: Panel,
    method: str,
    seeded: bool,
    member: NDArray[np.bool_],
    labels: Ints,
    group: str,
) -> Summary:
    counts = panel.counts[method] * member[:, None]
    mcc = (
        part_entry(panel, counts, member, scoring.matthews_correlation, seeded)
        if len(set(labels[member].tolist())) == 2
        else point_entry([], "MCC needs items of both labels")
    )
    return {
        "group": group,
        "items": int(member.sum()),
        "share": float(member.mean()),
        "accuracy": part_entry(panel, counts, member, scoring.accuracy, seeded),
        "matthews_correlation": mcc,
    }


def _threshold_entry(logits: Floats, labels: Ints) -> Summary:
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

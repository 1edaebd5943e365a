"""Facts of Task 1 from stored logits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evidence import baselines, intervals, panels, scoring
from evidence.arrays import Bools, Floats, Groups, Ints
from evidence.checks import check_methods, check_scores
from evidence.comparisons import compare_all, learned_fact
from evidence.outcomes import ONE_LABEL
from evidence.panels import Panel, Part
from facts.fact import Fact
from study.settings import Margins, Roles, find_roles

MAJORITY = "majority class"
LABELS = ("unacceptable", "acceptable")
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
    task: str = "cola",
    train_labels: Sequence[int] | None = None,
    evaluation: str = "cola:validation",
    roles: Roles | None = None,
    margins: Margins | None = None,
    scores: Mapping[str, Sequence[Mapping[str, float | None]]] | None = None,
) -> list[Fact]:
    """Facts of Task 1.

    Args:
        items: one row per sentence: ``label, domain, phenomenon, length``.
        logits: method -> (S, N, 2).
        seeds: method -> its S seeds, in the order of the logits.
        rng_seed: seed of resamples and exchanges.
        resamples: how many of each.
        task: the task's name.
        train_labels: labels of the training split, for the majority control.
        evaluation: name of the evaluated set.
        roles: which comparison is the primary one, and which method trains the head alone.
        margins: of what does not matter.
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
    comparisons = compare_all(task, {evaluation: panel}, [], all_seeds, roles, margins)
    groups = _groups(items, majority)
    found: list[Fact] = []
    for method, of_method in every.items():
        key: dict[str, Any] = {"task": task, "method": method, "evaluation": evaluation}
        found += _method_facts(panel, all_seeds[method], of_method, labels, groups, key)
        if method in logits:
            learned = (comparisons, method, evaluation, COMPARED[0], roles, MAJORITY)
            found += [fact] if (fact := learned_fact(*learned)) else []
            check_scores(method, found, key, (scores or {}).get(method, ()))
    trained = [scoring.predicted_labels(of_method) == labels for of_method in logits.values()]
    set_key: dict[str, Any] = {"task": task, "evaluation": evaluation}
    found += _shared_errors(np.concatenate(trained), set_key)
    if majority is not None:
        share = float(np.mean(labels == majority))
        key = {"tag": LABELS[majority], "metric": "majority", **set_key}
        found.append(Fact(quantity="share", value=share, **key))
    return [*found, *comparisons, *procedure_facts(task, resamples)]


def procedure_facts(task: str, resamples: int) -> list[Fact]:
    """How the intervals of a task were made."""
    values = {"level": intervals.LEVEL, "resamples": float(resamples)}
    return [Fact(quantity="procedure", task=task, metric=m, value=v) for m, v in values.items()]


def _groups(items: pd.DataFrame, majority: int | None) -> Groups:
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


def _method_facts(
    panel: Panel,
    seeds: Sequence[int],
    logits: Floats,
    labels: Ints,
    groups: Groups,
    key: dict[str, Any],
) -> Iterator[Fact]:
    """Everything about one method: metrics, groups, contrasts, errors, the best threshold."""
    method, predicted = key["method"], scoring.predicted_labels(logits)
    undefined = scoring.undefined_metrics(labels)
    for metric in scoring.ACCEPTABILITY_METRICS:
        place: dict[str, Any] = {**key, "quantity": "score", "metric": metric, "n": len(labels)}
        if metric in undefined:
            yield from panels.points([], (), ONE_LABEL, **place)
        elif metric == "loss" and not seeds:
            yield from panels.points([], (), "a constant control gives no probabilities", **place)
        else:
            yield from panels.estimate(panel.quantities[method][metric], seeds, **place)
    confusion = panels.mean_confusion(labels, predicted, len(LABELS))
    for (gold, given), value in np.ndenumerate(confusion):
        cell: dict[str, Any] = {"tag": LABELS[gold], "predicted": LABELS[given]}
        yield Fact(
            quantity="confusion", **key, **cell, value=float(value), n=len(labels), seeds=len(seeds)
        )
    for grouping, (names, order) in groups.items():
        parts: dict[str, Part] = {}
        for group in order:
            place = {**key, "grouping": grouping, "group": group}
            member = names == group
            place |= {"quantity": "score", "metric": "accuracy", "n": int(member.sum())}
            counts = panel.counts[method] * member[:, None]
            parts[group] = panels.measure_part(
                panel, counts, member, scoring.accuracy, seeds, **place
            )
            yield from parts[group].facts
        pair = CONTRASTS.get(grouping, ())
        if pair and set(pair) <= parts.keys():
            one, other = pair
            place = {**key, "grouping": grouping, "group": one, "against": other}
            place |= {"quantity": "contrast", "metric": "accuracy"}
            yield from panels.contrast(parts[one], parts[other], seeds, **place)
    yield from _shared_errors(predicted == labels, key)
    if seeds and not undefined:
        best = [scoring.best_matthews(of_seed, labels) for of_seed in logits]
        bound: dict[str, Any] = {"metric": "upper_bound", "value": float(np.mean(best))}
        yield Fact(quantity="threshold", **key, **bound, seeds=len(seeds))


def _shared_errors(correct: Bools, key: dict[str, Any]) -> list[Fact]:
    """Items that all runs get wrong: how many, and how many if their errors were independent."""
    wrong = ~correct
    items = wrong.shape[1]
    values = {
        "count": float(wrong.all(axis=0).sum()),
        "expected": float(items * np.prod(wrong.mean(axis=1))),
    }
    return [
        Fact(quantity="shared errors", **key, metric=metric, value=value, n=items)
        for metric, value in values.items()
    ]

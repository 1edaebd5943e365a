"""The evidence of a task of sentences once more, from stored logits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verification.claims import Bools, Claim, claim_effects, claim_estimate, claim_scores, members
from verification.counting import score_sentences

Logits = NDArray[np.floating[Any]]
MCC = "matthews_correlation"


def claim_sentences(
    evidence: Mapping[str, Any],
    columns: Mapping[str, Any],
    logits: Mapping[str, Logits],
    train_labels: Sequence[int],
) -> Iterator[Claim]:
    """Every point estimate of the evidence of a task of sentences.

    Args:
        evidence: as it is stored.
        columns: of the evaluated sentences: ``label``, ``domain``, ``phenomenon``, ``length``.
        logits: method -> (S, N, 2), its seeds in the evidence's order.
        train_labels: of the training split; the control always gives the most frequent one.
    """
    gold = np.asarray(columns["label"])
    majority = int(sum(train_labels) * 2 > len(train_labels))
    yield Claim("majority label", evidence["majority_label"], majority)
    control = np.tile(np.eye(2)[majority], (1, len(gold), 1))
    values: dict[tuple[str, str], dict[str, list[float]]] = {}
    for method, entry in evidence["methods"].items():
        own = logits[method] if entry["seeds"] else control
        scores = [score_sentences(of_seed, gold) for of_seed in own]
        yield from claim_scores(method, entry["metrics"], scores)
        for metric in (MCC, "accuracy"):
            of_metric = values.setdefault((evidence["evaluation"], metric), {})
            of_metric[method] = [of_seed[metric] for of_seed in scores]
        yield from _claim_method(method, entry, columns, own, gold, majority)
    seeds = {method: entry["seeds"] for method, entry in evidence["methods"].items()}
    yield from claim_effects(evidence["comparisons"], values, seeds)
    right = np.concatenate([_said(logits[m]) == (gold == 1) for m in logits])
    yield from _claim_always_wrong("all methods", evidence["always_wrong"], right)


def _said(logits: Logits) -> Bools:
    said: Bools = logits[..., 1] > logits[..., 0]
    return said


def _claim_method(
    method: str,
    entry: Mapping[str, Any],
    columns: Mapping[str, Any],
    logits: Logits,
    gold: NDArray[np.integer[Any]],
    majority: int,
) -> Iterator[Claim]:
    said = _said(logits)
    right = said == (gold == 1)
    for g in (0, 1):
        for p in (0, 1):
            count = float(np.mean([np.sum((gold == g) & (s == p)) for s in said]))
            yield Claim(f"{method}, confusion {g} as {p}", entry["confusion"][g][p], count)
    for kind, groups in entry["groups"].items():
        for group in groups:
            member = members(kind, group["group"], columns, majority)
            yield from _claim_group(
                f"{method}, {kind}, {group['group']}", group, member, logits, gold
            )
    for kind, pair in entry["contrasts"].items():
        sides = [members(kind, pair[side], columns, majority) for side in ("first", "second")]
        one, other = (right[:, member].mean(axis=1) for member in sides)
        yield from claim_estimate(f"{method}, {kind}, contrast", pair["difference"], one - other)
    agreement = (said == (majority == 1)).mean(axis=1)
    yield from claim_estimate(f"{method}, agreement", entry["agreement"], agreement)
    yield from _claim_always_wrong(method, entry["always_wrong"], right)
    if entry["threshold"]:
        yield from _claim_threshold(f"{method}, threshold", entry["threshold"], logits, gold)


def _claim_group(
    where: str,
    group: Mapping[str, Any],
    member: Bools,
    logits: Logits,
    gold: NDArray[np.integer[Any]],
) -> Iterator[Claim]:
    yield Claim(f"{where}, items", group["items"], int(member.sum()))
    yield Claim(f"{where}, share", group["share"], float(member.mean()))
    if not member.any():
        return
    scores = [score_sentences(of_seed[member], gold[member]) for of_seed in logits]
    metrics = ("accuracy", MCC) if len(set(gold[member].tolist())) == 2 else ("accuracy",)
    for metric in metrics:
        values = [of_seed[metric] for of_seed in scores]
        yield from claim_estimate(f"{where}, {metric}", group[metric], values)


def _claim_always_wrong(where: str, entry: Mapping[str, Any], right: Bools) -> Iterator[Claim]:
    wrong = ~right
    missed = np.flatnonzero(wrong.all(axis=0))
    yield Claim(f"{where}, always wrong", entry["count"], len(missed))
    yield Claim(f"{where}, items always wrong", sum(entry["indices"]), int(missed.sum()))
    yield Claim(f"{where}, share always wrong", entry["share"], len(missed) / wrong.shape[1])
    chance = wrong.shape[1] * float(np.prod(wrong.mean(axis=1)))
    yield Claim(f"{where}, always wrong by chance", entry["expected"], chance)


def _claim_threshold(
    where: str, entry: Mapping[str, Any], logits: Logits, gold: NDArray[np.integer[Any]]
) -> Iterator[Claim]:
    exact = logits.astype(np.float64)
    margins = exact[..., 1] - exact[..., 0]
    with np.errstate(over="ignore"):
        probabilities = 1 / (1 + np.exp(-margins))
    for at, stored in zip(entry["thresholds"], entry["matthews_correlation"], strict=True):
        mean = float(np.mean([_mcc(of_seed > at, gold) for of_seed in probabilities]))
        yield Claim(f"{where} {at:g}", stored, mean)
    best = [
        max(_mcc(of_seed > cut, gold) for cut in (-np.inf, 0.0, *of_seed)) for of_seed in margins
    ]
    argmax = float(np.mean([_mcc(of_seed > 0, gold) for of_seed in margins]))
    yield Claim(f"{where} at the arg max", entry["argmax"], argmax)
    yield Claim(f"{where} at its best", entry["upper_bound"], float(np.mean(best)))
    yield Claim(f"{where}, gain", entry["gain"], float(np.mean(best)) - argmax)


def _mcc(said: Bools, gold: NDArray[np.integer[Any]]) -> float:
    return score_sentences(np.stack([~said, said], axis=-1).astype(np.float64), gold)[MCC]

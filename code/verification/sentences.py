"""The evidence of a task of sentences once more, from stored logits."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from verification.claims import Claim, claim_answers, claim_effects, claim_estimate, members
from verification.counting import Bools, Floats, Ints, score_sentences

MCC = "matthews_correlation"


def claim_sentences(
    evidence: Mapping[str, Any],
    columns: Mapping[str, Any],
    logits: Mapping[str, Floats],
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
    values: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(dict)
    for method, entry in evidence["methods"].items():
        own = logits[method] if entry["seeds"] else control
        scores = [score_sentences(of_seed, gold) for of_seed in own]
        for metric in scores[0]:
            values[evidence["evaluation"], metric][method] = [of[metric] for of in scores]
        said = _said(own).astype(int)
        yield from claim_answers(method, entry, gold, said, scores, columns, majority)
        yield from _claim_method(method, entry, columns, own, gold, majority)
    seeds = {method: entry["seeds"] for method, entry in evidence["methods"].items()}
    yield from claim_effects(evidence["comparisons"], values, seeds)
    right = np.concatenate([_said(logits[m]) == (gold == 1) for m in logits])
    yield from _claim_always_wrong("all methods", evidence["always_wrong"], right)


def _said(logits: Floats) -> Bools:
    said: Bools = logits[..., 1] > logits[..., 0]
    return said


def _claim_method(
    method: str,
    entry: Mapping[str, Any],
    columns: Mapping[str, Any],
    logits: Floats,
    gold: Ints,
    majority: int,
) -> Iterator[Claim]:
    for kind, groups in entry["groups"].items():
        for group in groups:
            member = members(kind, group["group"], columns, majority)
            if len(set(gold[member].tolist())) == 2:
                of_seeds = [score_sentences(of[member], gold[member])[MCC] for of in logits]
                place = f"{method}, {kind}, {group['group']}, {MCC}"
                yield from claim_estimate(place, group[MCC], of_seeds)
    said = _said(logits)
    agreement = (said == (majority == 1)).mean(axis=1)
    yield from claim_estimate(f"{method}, agreement", entry["agreement"], agreement)
    yield from _claim_always_wrong(method, entry["always_wrong"], said == (gold == 1))
    if entry["threshold"]:
        yield from _claim_threshold(f"{method}, threshold", entry["threshold"], logits, gold)


def _claim_always_wrong(where: str, entry: Mapping[str, Any], right: Bools) -> Iterator[Claim]:
    wrong = ~right
    missed = np.flatnonzero(wrong.all(axis=0))
    yield Claim(f"{where}, always wrong", entry["count"], len(missed))
    yield Claim(f"{where}, items always wrong", sum(entry["indices"]), int(missed.sum()))
    yield Claim(f"{where}, share always wrong", entry["share"], len(missed) / wrong.shape[1])
    chance = wrong.shape[1] * float(np.prod(wrong.mean(axis=1)))
    yield Claim(f"{where}, always wrong by chance", entry["expected"], chance)


def _claim_threshold(
    where: str, entry: Mapping[str, Any], logits: Floats, gold: Ints
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


def _mcc(said: Bools, gold: Ints) -> float:
    return score_sentences(np.stack([~said, said], axis=-1).astype(np.float64), gold)[MCC]

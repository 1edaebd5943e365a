"""Evidence of Task 2 from stored tag predictions; the result is described in ``evidence``."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evidence import baselines, intervals, scoring, transfer
from evidence.intervals import Replicated
from evidence.panels import (
    RARE,
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

LEXICAL = "most frequent tag"
LENGTHS = (5, 10, 20, 30)
COMPARED = ("accuracy", "macro_f1")


@dataclass(frozen=True)
class WordSet:
    """The words of one evaluated set.

    Attributes:
        items: one row per word, as in ``summarise_tagging``.
        gold: (W,) indices into the tag set.
        sentence: (W,) sentence numbers 0..U-1.
        groups: kind -> (name of each word's group, the groups in order).
    """

    items: pd.DataFrame
    gold: Ints
    sentence: Ints
    groups: Mapping[str, tuple[NDArray[np.str_], list[str]]]


def build_word_set(items: pd.DataFrame, tags: Sequence[str]) -> WordSet:
    """Index tags and sentences, and group the words.

    Raises:
        ValueError: if a word has a tag outside ``tags``.
    """
    index = {tag: number for number, tag in enumerate(tags)}
    if unknown := set(items["tag"]) - index.keys():
        raise ValueError(f"expected gold tags out of {list(tags)}, got also {sorted(unknown)}")
    gold = np.array([index[tag] for tag in items["tag"]], dtype=np.int64)
    sentence = np.unique(items["sentence"].to_numpy(), return_inverse=True)[1]
    bins, names = scoring.length_bins(items["length"], LENGTHS)
    pieces, piece_order = transfer.piece_groups(items["pieces"])
    seen, seen_order = transfer.seen_groups(items["seen"])
    groups = {
        "by_tag": (items["tag"].to_numpy(dtype=str), list(tags)),
        "by_seen": (np.asarray(seen), seen_order),
        "by_pieces": (np.asarray(pieces), piece_order),
        "by_length": (np.asarray(names)[bins], names),
    }
    return WordSet(items, gold, sentence, groups)


def summarise_tagging(
    items: Mapping[str, pd.DataFrame],
    languages: Mapping[str, str],
    predicted: Mapping[str, Mapping[str, Ints]],
    seeds: Mapping[str, Sequence[int]],
    tags: Sequence[str],
    source_evaluation: str,
    train_words: Iterable[tuple[str, str]] | Mapping[tuple[str, str], int] | None = None,
    rng_seed: int = 0,
    resamples: int = intervals.RESAMPLES,
) -> Summary:
    """Evidence of Task 2, as in the module docstring.

    Args:
        items: evaluation -> one row per word: ``sentence, position, form, tag, deprel, xpos,
            pieces, seen, length``.
        languages: evaluation -> language code.
        predicted: method -> evaluation -> (S, W) indices into ``tags``.
        seeds: method -> its S seeds, in the order of the predictions.
        tags: the tag set.
        source_evaluation: the set in the language of training.
        train_words: (form, tag) pairs of the training split, or how often each occurs, for the
            most-frequent-tag control.
        rng_seed: seed of resamples and exchanges.
        resamples: how many of each.

    Raises:
        ValueError: if shapes, seeds, tags and items do not fit together, or a name is taken.
    """
    sets = {name: build_word_set(frame, tags) for name, frame in items.items()}
    if source_evaluation not in sets:
        raise ValueError(f"expected a source out of {list(sets)}, got {source_evaluation!r}")
    for name, words in sets.items():
        shapes = {m: of[name].shape for m, of in predicted.items() if name in of}
        check_methods(shapes, seeds, len(words.gold), LEXICAL)
    every, all_seeds, reasons = _with_lexical_control(predicted, seeds, items, tags, train_words)
    rng = np.random.default_rng(rng_seed)
    panels = {
        name: _tag_panel(name, words, every, len(tags), rng, resamples)
        for name, words in sets.items()
    }
    targets = [n for n in sets if languages[n] != languages[source_evaluation]]
    study = _Tagging(sets, panels, every, all_seeds, tuple(tags), source_evaluation, targets)
    return {
        "tags": list(tags),
        "source": source_evaluation,
        **procedure(rng_seed, resamples),
        "reasons": reasons,
        "evaluations": {n: _set_entry(words, languages[n], tags) for n, words in sets.items()},
        "targets": targets,
        "cause_meanings": dict(transfer.cause_meanings()),
        "seqeval_trap": scoring.seqeval_trap_example(),
        "methods": {method: _tag_method(study, method) for method in every},
        "comparisons": compare_all(panels, [(source_evaluation, t) for t in targets], all_seeds),
    }


@dataclass(frozen=True)
class _Tagging:
    """What the entries of all methods share."""

    sets: Mapping[str, WordSet]
    panels: Mapping[str, Panel]
    predicted: Mapping[str, Mapping[str, Ints]]
    seeds: Mapping[str, Sequence[int]]
    tags: tuple[str, ...]
    source: str
    targets: Sequence[str]


def _with_lexical_control(
    predicted: Mapping[str, Mapping[str, Ints]],
    seeds: Mapping[str, Sequence[int]],
    items: Mapping[str, pd.DataFrame],
    tags: Sequence[str],
    train_words: Iterable[tuple[str, str]] | Mapping[tuple[str, str], int] | None,
) -> tuple[dict[str, Mapping[str, Ints]], dict[str, Sequence[int]], list[str]]:
    every = dict(predicted)
    all_seeds: dict[str, Sequence[int]] = {method: list(seeds[method]) for method in predicted}
    reasons = [
        f"no predictions of {method} for {name}"
        for method, of_method in predicted.items()
        for name in items
        if name not in of_method
    ]
    if train_words is None:
        return every, all_seeds, [*reasons, "no training words: no most-frequent-tag control"]
    lexicon = baselines.learn_lexicon(train_words)
    every[LEXICAL] = {n: baselines.tag_words(lexicon, f["form"], tags) for n, f in items.items()}
    all_seeds[LEXICAL] = []
    return every, all_seeds, reasons


def _tag_panel(
    name: str,
    words: WordSet,
    predicted: Mapping[str, Mapping[str, Ints]],
    tags: int,
    rng: np.random.Generator,
    resamples: int,
) -> Panel:
    counts = {
        method: scoring.tag_counts(of_method[name], words.gold, words.sentence, tags)
        for method, of_method in predicted.items()
        if name in of_method
    }
    return build_panel(name, counts, scoring.TAG_METRICS, COMPARED, rng, resamples)


def _set_entry(words: WordSet, language: str, tags: Sequence[str]) -> Summary:
    support = np.bincount(words.gold, minlength=len(tags)).tolist()
    return {
        "language": language,
        "words": len(words.gold),
        "sentences": int(words.sentence.max()) + 1,
        "support": dict(zip(tags, support, strict=True)),
    }


def _tag_method(study: _Tagging, method: str) -> Summary:
    here = [name for name in study.sets if name in study.predicted[method]]
    groups = {name: _grouped(study, method, name) for name in here}
    targets = [t for t in study.targets if t in here and study.source in here]
    return {
        "control": not study.seeds[method],
        "seeds": [int(seed) for seed in study.seeds[method]],
        "evaluations": {n: _tag_evaluation(study, method, n, groups[n]) for n in here},
        "transfer": {t: _transfer_entry(study, method, t, groups) for t in targets},
    }


@dataclass(frozen=True)
class _Group:
    """Accuracy on one group of words: the plain row, and the replicates where none is empty."""

    row: transfer.GroupRow
    entry: Summary
    quantity: Replicated | None


def _grouped(study: _Tagging, method: str, name: str) -> dict[str, list[_Group]]:
    words, panel = study.sets[name], study.panels[name]
    correct = study.predicted[method][name] == words.gold
    seeded = bool(study.seeds[method])
    found = {}
    for kind, (names, order) in words.groups.items():
        rows = transfer.accuracy_by_group(correct, names, order)
        found[kind] = [_group(panel, words, correct, names == r.group, r, seeded) for r in rows]
    return found


def _group(
    panel: Panel,
    words: WordSet,
    correct: NDArray[np.bool_],
    member: NDArray[np.bool_],
    row: transfer.GroupRow,
    seeded: bool,
) -> _Group:
    counts = _hits_by_sentence(correct[:, member], words.sentence[member], panel.weights.shape[1])
    if not row.words:
        return _Group(row, point_entry([], "no such items"), None)
    if np.min(panel.weights @ counts[0, :, 1]) <= 0:
        of_seed = correct[:, member].mean(axis=1)
        return _Group(row, point_entry(of_seed.tolist(), RARE), None)
    quantity = panel.replicate(counts, ratio)
    return _Group(row, estimate_entry(quantity, seeded=seeded), quantity)


def _hits_by_sentence(correct: NDArray[np.bool_], sentence: Ints, units: int) -> Floats:
    """Correct and all words of each sentence: (S, M), (M,) -> (S, U, 2)."""
    size = np.bincount(sentence, minlength=units)
    hits = [np.bincount(sentence[of_seed], minlength=units) for of_seed in correct]
    return np.stack([np.stack([h, size], axis=-1) for h in hits]).astype(np.float32)


def _tag_evaluation(
    study: _Tagging, method: str, name: str, groups: Mapping[str, Sequence[_Group]]
) -> Summary:
    words, panel, tags = study.sets[name], study.panels[name], study.tags
    predicted, seeded = study.predicted[method][name], bool(study.seeds[method])
    metrics = {
        metric: estimate_entry(quantity, seeded=seeded)
        for metric, quantity in panel.quantities[method].items()
    }
    metrics["seqeval_f1"] = point_entry(
        _seqeval(words, predicted, tags), "not resampled: it stands beside the others only"
    )
    return {
        "metrics": metrics,
        "per_tag": _per_tag(panel, method, tags, seeded),
        "confusion": mean_confusion(words.gold, predicted, len(tags)),
        **{
            kind: [_group_entry(group) for group in of_kind]
            for kind, of_kind in groups.items()
            if kind != "by_tag"  # accuracy on the words of a tag is its recall, in per_tag
        },
    }


def _group_entry(group: _Group) -> Summary:
    row = group.row
    return {"group": row.group, "words": row.words, "share": row.share, "accuracy": group.entry}


def _seqeval(words: WordSet, predicted: Ints, tags: Sequence[str]) -> list[float]:
    starts = np.flatnonzero(np.diff(words.sentence)) + 1
    names = np.asarray(tags, dtype=str)

    def sentences(indices: Ints) -> list[list[str]]:
        return [part.tolist() for part in np.split(names[indices], starts)]

    gold = sentences(words.gold)
    return [scoring.seqeval_f1(gold, sentences(of_seed)) for of_seed in predicted]


def _per_tag(panel: Panel, method: str, tags: Sequence[str], seeded: bool) -> list[Summary]:
    counts = panel.counts[method]
    of_seed = [
        scoring.per_tag_scores(totals, tags) for totals in counts.sum(axis=1, dtype=np.float64)
    ]
    return [
        _tag_entry(panel, counts, t, [s[tag] for s in of_seed], tag, seeded)
        for t, tag in enumerate(tags)
    ]


def _tag_entry(
    panel: Panel,
    counts: Floats,
    index: int,
    scores: Sequence[Mapping[str, float | None]],
    tag: str,
    seeded: bool,
) -> Summary:
    columns = [index, counts.shape[-1] // 3 + index, 2 * counts.shape[-1] // 3 + index]
    own = counts[..., columns]
    return {
        "tag": tag,
        "support": int(scores[0]["support"] or 0),
        "precision": _mean_or_none([s["precision"] for s in scores]),
        "recall": _mean_or_none([s["recall"] for s in scores]),
        "f1": part_entry(panel, own, own[0, :, 2], _single_f1, seeded),
    }


def _single_f1(counts: Floats) -> Floats:
    return scoring.tag_f1(counts)[..., 0]


def _mean_or_none(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


# -------------------------------------------------------------------------------------- transfer


def _transfer_entry(
    study: _Tagging, method: str, target: str, groups: Mapping[str, Mapping[str, Sequence[_Group]]]
) -> Summary:
    seeded = bool(study.seeds[method])
    source_q = study.panels[study.source].quantities[method]
    target_q = study.panels[target].quantities[method]
    drops = {
        name: estimate_entry(source_q[metric].drop_to(target_q[metric]), seeded=seeded)
        for name, metric in (("drop", "accuracy"), ("drop_macro_f1", "macro_f1"))
    }
    return {
        **drops,
        **{
            kind: _drop_rows(of_kind, groups[target][kind], seeded)
            for kind, of_kind in groups[study.source].items()
        },
        "cells": _cells(study, method, target),
        "causes": _causes(study, method, target, drops["drop"]["value"]),
    }


def _drop_rows(source: Sequence[_Group], target: Sequence[_Group], seeded: bool) -> list[Summary]:
    rows = transfer.drop_by_group([g.row for g in source], [g.row for g in target])
    return [
        {**dataclasses.asdict(row), "drop": _group_drop(a, b, row, seeded)}
        for row, a, b in zip(rows, source, target, strict=True)
    ]


def _group_drop(source: _Group, target: _Group, row: transfer.DropRow, seeded: bool) -> Summary:
    if source.quantity is not None and target.quantity is not None:
        return estimate_entry(source.quantity.drop_to(target.quantity), seeded=seeded)
    if row.drop is None:
        return point_entry([], "no such items in one of the sets")
    values = zip(source.entry["per_seed"], target.entry["per_seed"], strict=True)
    return point_entry([a - b for a, b in values], RARE)


def _cells(study: _Tagging, method: str, target: str) -> list[Summary]:
    tables = [
        np.asarray(mean_confusion(study.sets[n].gold, study.predicted[method][n], len(study.tags)))
        for n in (study.source, target)
    ]
    rows = transfer.decompose_drop(tables[0], tables[1], study.tags)
    return [dataclasses.asdict(row) for row in rows]


def _causes(study: _Tagging, method: str, target: str, drop: float) -> list[Summary]:
    seeded = bool(study.seeds[method])
    rates = []
    for name in (study.source, target):
        words, panel = study.sets[name], study.panels[name]
        found = transfer.assign_causes(words.items, study.predicted[method][name], study.tags)
        counts = transfer.cause_counts(found, words.sentence)
        kinds = range(len(transfer.cause_names()))
        rates.append([panel.replicate(counts, transfer.cause_rate(kind)) for kind in kinds])
    rows = [
        _cause_entry(cause, source, to, drop, seeded)
        for cause, source, to in zip(transfer.cause_names(), *rates, strict=True)
    ]
    return sorted(rows, key=lambda row: -row["points"]["value"])


def _cause_entry(
    cause: str, source: Replicated, target: Replicated, drop: float, seeded: bool
) -> Summary:
    points = estimate_entry(target.drop_to(source), seeded=seeded)
    return {
        "cause": cause,
        "source_rate": source.value,
        "target_rate": target.value,
        "points": points,
        "share": points["value"] / drop if drop else None,
    }

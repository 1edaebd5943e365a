"""Facts of Task 2 from stored tag predictions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evidence import baselines, intervals, panels, scoring
from evidence.acceptability import procedure_facts
from evidence.arrays import Ints
from evidence.checks import check_methods, check_scores
from evidence.comparisons import compare_all, learned_fact
from evidence.drops import transfer_facts
from evidence.word_groups import Parts, Tagging, WordSet, build_word_set, measure_groups
from facts.fact import Fact
from study.settings import Margins, Roles, find_roles

LEXICAL = "most frequent tag"
COMPARED = ("accuracy", "macro_f1")
FEWEST_PIECES, MOST_PIECES = "1", "4+"


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
    *,
    task: str = "pos",
    pieces: Mapping[str, Mapping[str, Ints]] | None = None,
    roles: Roles | None = None,
    margins: Margins | None = None,
    scores: Mapping[str, Mapping[str, Sequence[Mapping[str, float | None]]]] | None = None,
) -> list[Fact]:
    """Facts of Task 2.

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
        task: the task's name.
        pieces: method -> evaluation -> (W,) word pieces by the method's own tokenizer, where it is
            not the one of the items' column.
        roles: which comparison is the primary one, and which method trains the head alone.
        margins: of what does not matter.
        scores: method -> evaluation -> the stored scores of its runs, which the metrics must agree
            with.

    Raises:
        ValueError: if shapes, seeds, tags and items do not fit together, or a name is taken.
        StudyError: if a metric differs from the stored score.
    """
    sets = {name: build_word_set(frame, tags) for name, frame in items.items()}
    if source_evaluation not in sets:
        raise ValueError(f"expected a source out of {list(sets)}, got {source_evaluation!r}")
    for name, words in sets.items():
        shapes = {m: of[name].shape for m, of in predicted.items() if name in of}
        check_methods(shapes, seeds, len(words.gold), LEXICAL)
    every: dict[str, Mapping[str, Ints]] = dict(predicted)
    all_seeds: dict[str, Sequence[int]] = {method: list(seeds[method]) for method in predicted}
    if train_words is not None:
        lexicon = baselines.learn_lexicon(train_words)
        forms = {name: frame["form"] for name, frame in items.items()}
        every[LEXICAL] = {n: baselines.tag_words(lexicon, own, tags) for n, own in forms.items()}
        all_seeds[LEXICAL] = []
    rng = np.random.default_rng(rng_seed)
    of_sets = {}
    for name, words in sets.items():
        counts = {
            method: scoring.tag_counts(of[name], words.gold, words.sentence, len(tags))
            for method, of in every.items()
            if name in of
        }
        of_sets[name] = panels.build_panel(counts, scoring.TAG_METRICS, COMPARED, rng, resamples)
    targets = [n for n in sets if languages[n] != languages[source_evaluation]]
    study = Tagging(
        task, sets, of_sets, every, all_seeds, pieces or {}, tuple(tags), source_evaluation, targets
    )
    drops = [(source_evaluation, target) for target in targets]
    roles, margins = roles or find_roles(()), margins or Margins()
    comparisons = compare_all(task, of_sets, drops, all_seeds, roles, margins)
    found: list[Fact] = []
    for method in every:
        found += _method_facts(study, method)
        if method in predicted:
            learned = (comparisons, method, source_evaluation, COMPARED[0], roles, LEXICAL)
            found += [fact] if (fact := learned_fact(*learned)) else []
        for name, stored in (scores or {}).get(method, {}).items():
            key: dict[str, Any] = {"task": task, "method": method, "evaluation": name}
            check_scores(f"{method} on {name}", found, key, stored)
    found += _example_facts(task)
    return [*found, *comparisons, *procedure_facts(task, resamples)]


def _example_facts(task: str) -> Iterator[Fact]:
    """Accuracy and seqeval's F1 of two made-up cases."""
    for group, (_, right, given) in scoring.SEQEVAL_TRAP.items():
        gold, predicted = right.split(), given.split()
        same = np.mean([g == p for g, p in zip(gold, predicted, strict=True)])
        values = {"accuracy": float(same), "seqeval_f1": scoring.seqeval_f1([gold], [predicted])}
        for metric, value in values.items():
            yield Fact(quantity="example", task=task, group=group, metric=metric, value=value)


def _method_facts(study: Tagging, method: str) -> Iterator[Fact]:
    """Everything about one method on the sets and targets that it has predictions for."""
    here = [name for name in study.sets if name in study.predicted[method]]
    groups = {name: measure_groups(study, method, name) for name in here}
    for name in here:
        yield from _set_facts(study, method, name, groups[name])
    for target in (t for t in study.targets if t in here and study.source in here):
        yield from transfer_facts(study, method, target, groups)


def _set_facts(
    study: Tagging, method: str, name: str, groups: Mapping[str, Parts]
) -> Iterator[Fact]:
    words, panel, seeds = study.sets[name], study.panels[name], study.seeds[method]
    predicted, size = study.predicted[method][name], len(words.gold)
    key: dict[str, Any] = {"task": study.task, "method": method, "evaluation": name}
    place: dict[str, Any] = {**key, "quantity": "score", "n": size}
    for metric, quantity in panel.quantities[method].items():
        yield from panels.estimate(quantity, seeds, metric=metric, **place)
    seqeval = _seqeval(words, predicted, study.tags)
    reason = "not resampled: it stands beside the others only"
    yield from panels.points(seqeval, seeds, reason, metric="seqeval_f1", **place)
    yield from _tag_facts(study, method, name, key)
    for kind, parts in groups.items():
        if kind == "by_tag":  # told as tags
            continue
        for group, (row, part) in parts.items():
            yield from part.facts
            share: dict[str, Any] = {"grouping": kind, "group": group, "n": row.words}
            yield Fact(quantity="share", **key, **share, metric="items", value=row.share)
    whole, cut = (groups["by_pieces"][group].part for group in (FEWEST_PIECES, MOST_PIECES))
    pair: dict[str, Any] = {"grouping": "by_pieces", "group": FEWEST_PIECES, "against": MOST_PIECES}
    pair |= {"quantity": "contrast", "metric": "accuracy", **key}
    yield from panels.contrast(whole, cut, seeds, **pair)
    confusion = panels.mean_confusion(words.gold, predicted, len(study.tags))
    for gold, given in np.argwhere(confusion):
        cell: dict[str, Any] = {"tag": study.tags[gold], "predicted": study.tags[given]}
        value = float(confusion[gold, given])
        yield Fact(quantity="confusion", **key, **cell, value=value, n=size, seeds=len(seeds))


def _tag_facts(study: Tagging, method: str, name: str, key: dict[str, Any]) -> Iterator[Fact]:
    """F1 of each tag with its interval, and its accuracy, which is the tag's recall."""
    panel, tags, seeds = study.panels[name], study.tags, study.seeds[method]
    counts = panel.counts[method]
    recall = scoring.tag_recall(counts.sum(axis=1, dtype=np.float64))
    for index, tag in enumerate(tags):
        own = counts[..., [index, len(tags) + index, 2 * len(tags) + index]]
        words = own[0, :, 2]
        place: dict[str, Any] = {**key, "quantity": "score", "tag": tag, "n": int(words.sum())}
        f1 = scoring.tag_macro_f1  # of one tag: its own
        yield from panels.measure_part(panel, own, words, f1, seeds, metric="f1", **place).facts
        known = recall[:, index][~np.isnan(recall[:, index])]
        value = float(known.mean()) if len(known) else None
        yield Fact(**place, metric="accuracy", value=value, seeds=len(seeds))


def _seqeval(words: WordSet, predicted: Ints, tags: Sequence[str]) -> list[float]:
    starts = np.flatnonzero(np.diff(words.sentence)) + 1
    names = np.asarray(tags, dtype=str)

    def sentences(indices: Ints) -> list[list[str]]:
        return [part.tolist() for part in np.split(names[indices], starts)]

    gold = sentences(words.gold)
    return [scoring.seqeval_f1(gold, sentences(of_seed)) for of_seed in predicted]

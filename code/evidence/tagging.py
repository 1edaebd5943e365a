"""Evidence of Task 2 from stored tag predictions (``schema.TaggingEvidence``)."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from evidence import baselines, intervals, panels, scoring, transfer
from evidence.arrays import Floats, Ints
from evidence.checks import check_methods, check_scores
from evidence.comparisons import compare_all, has_learned
from evidence.drops import describe_transfer
from evidence.schema import EvaluatedSet, TaggingEvidence, TaggingMethod, TaggingOnSet, TagScores
from evidence.word_groups import Group, Tagging, WordSet, build_word_set, measure_groups
from study.settings import Margins, Roles, find_roles

LEXICAL = "most frequent tag"
COMPARED = ("accuracy", "macro_f1")
CONTRASTS = {"by_seen": ("seen", "unseen"), "by_pieces": ("1", "4+")}


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
    pieces: Mapping[str, Mapping[str, Ints]] | None = None,
    roles: Roles | None = None,
    margins: Margins | None = None,
    scores: Mapping[str, Mapping[str, Sequence[Mapping[str, float | None]]]] | None = None,
) -> TaggingEvidence:
    """Evidence of Task 2.

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
        pieces: method -> evaluation -> (W,) word pieces by the method's own tokenizer, where it is
            not the one of the items' column.
        roles: which comparison is the primary one, and which method trains the head alone.
        margins: of equivalence.
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
    every, all_seeds, reasons = _with_lexical_control(predicted, seeds, items, tags, train_words)
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
        sets, of_sets, every, all_seeds, pieces or {}, tuple(tags), source_evaluation, targets
    )
    drops = [(source_evaluation, target) for target in targets]
    roles = roles or find_roles(())
    comparisons = compare_all(of_sets, drops, all_seeds, roles, margins or Margins())
    methods = {method: _tag_method(study, method) for method in every}
    for method in predicted:
        methods[method]["learned"] = has_learned(
            comparisons, method, source_evaluation, COMPARED[0], roles, LEXICAL
        )
        for name, of_set in methods[method]["evaluations"].items():
            stored = (scores or {}).get(method, {}).get(name, ())
            check_scores(f"{method} on {name}", of_set["metrics"], stored)
    return {
        "tags": list(tags),
        "source": source_evaluation,
        "level": intervals.LEVEL,
        "resamples": resamples,
        "rng_seed": rng_seed,
        "reasons": reasons,
        "evaluations": {n: _set_entry(words, languages[n], tags) for n, words in sets.items()},
        "targets": targets,
        "cause_meanings": dict(transfer.CAUSE_MEANINGS),
        "seqeval_trap": scoring.seqeval_trap_example(),
        "methods": methods,
        "comparisons": comparisons,
    }


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


def _set_entry(words: WordSet, language: str, tags: Sequence[str]) -> EvaluatedSet:
    support = np.bincount(words.gold, minlength=len(tags)).tolist()
    return {
        "language": language,
        "words": len(words.gold),
        "sentences": int(words.sentence.max()) + 1,
        "support": dict(zip(tags, support, strict=True)),
    }


def _tag_method(study: Tagging, method: str) -> TaggingMethod:
    here = [name for name in study.sets if name in study.predicted[method]]
    groups = {name: measure_groups(study, method, name) for name in here}
    targets = [t for t in study.targets if t in here and study.source in here]
    return {
        "control": not study.seeds[method],
        "seeds": [int(seed) for seed in study.seeds[method]],
        "learned": None,
        "evaluations": {n: _tag_evaluation(study, method, n, groups[n]) for n in here},
        "transfer": {t: describe_transfer(study, method, t, groups) for t in targets},
    }


def _tag_evaluation(
    study: Tagging, method: str, name: str, groups: Mapping[str, Sequence[Group]]
) -> TaggingOnSet:
    words, panel, tags = study.sets[name], study.panels[name], study.tags
    predicted, seeded = study.predicted[method][name], bool(study.seeds[method])
    metrics = {
        metric: panels.estimate_entry(quantity, seeded=seeded)
        for metric, quantity in panel.quantities[method].items()
    }
    metrics["seqeval_f1"] = panels.point_entry(
        _seqeval(words, predicted, tags), "not resampled: it stands beside the others only"
    )
    parts = {kind: {g.group: part for g, part in of_kind} for kind, of_kind in groups.items()}
    return {
        "metrics": metrics,
        "per_tag": _per_tag(panel, method, tags, seeded),
        "confusion": panels.mean_confusion(words.gold, predicted, len(tags)),
        "groups": {
            kind: [
                {"group": g.group, "words": g.words, "share": g.share, "accuracy": part.entry}
                for g, part in of_kind
            ]
            for kind, of_kind in groups.items()
            if kind != "by_tag"  # accuracy on the words of a tag is its recall, in per_tag
        },
        "contrasts": panels.contrast_parts(CONTRASTS, parts, seeded),
    }


def _seqeval(words: WordSet, predicted: Ints, tags: Sequence[str]) -> list[float]:
    starts = np.flatnonzero(np.diff(words.sentence)) + 1
    names = np.asarray(tags, dtype=str)

    def sentences(indices: Ints) -> list[list[str]]:
        return [part.tolist() for part in np.split(names[indices], starts)]

    gold = sentences(words.gold)
    return [scoring.seqeval_f1(gold, sentences(of_seed)) for of_seed in predicted]


def _per_tag(
    panel: panels.Panel, method: str, tags: Sequence[str], seeded: bool
) -> list[TagScores]:
    counts, found = panel.counts[method], []
    precision, recall = scoring.precision_and_recall(counts.sum(axis=1, dtype=np.float64))
    for index, tag in enumerate(tags):
        own = counts[..., [index, len(tags) + index, 2 * len(tags) + index]]
        f1 = scoring.tag_macro_f1  # of one tag: its own
        found.append(
            TagScores(
                tag=tag,
                support=int(own[0, :, 2].sum()),
                precision=_mean_or_none(precision[:, index]),
                recall=_mean_or_none(recall[:, index]),
                f1=panels.measure_part(panel, own, own[0, :, 2], f1, seeded).entry,
            )
        )
    return found


def _mean_or_none(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None

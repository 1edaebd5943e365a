"""Words of evaluated sets in groups, and how a method does on each group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from evidence import transfer
from evidence.arrays import Groups, Ints
from evidence.panels import Panel, Part, measure_part, ratio


@dataclass(frozen=True)
class WordSet:
    """The words of one evaluated set."""

    items: pd.DataFrame  # one row per word, as in ``tagging.summarise_tagging``
    gold: Ints  # (W,) indices into the tag set
    sentence: Ints  # (W,) sentence numbers 0..U-1
    groups: Groups  # kind -> (name of each word's group, the groups in order)


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
    groups = {
        "by_tag": (items["tag"].to_numpy(dtype=str), list(tags)),
        "by_seen": transfer.seen_groups(items["seen"]),
        "by_pieces": transfer.piece_groups(items["pieces"]),
    }
    return WordSet(items, gold, sentence, groups)


@dataclass(frozen=True)
class Tagging:
    """What the entries of all methods share."""

    task: str  # the task's name
    sets: Mapping[str, WordSet]  # evaluation -> its words
    panels: Mapping[str, Panel]  # evaluation -> its panel
    predicted: Mapping[str, Mapping[str, Ints]]  # method -> evaluation -> (S, W) tag indices
    seeds: Mapping[str, Sequence[int]]  # method -> its seeds, [] for a control
    # method -> evaluation -> (W,) word pieces by the method's own tokenizer; the sets' own where a
    # method has none
    pieces: Mapping[str, Mapping[str, Ints]]
    tags: tuple[str, ...]  # the tag set
    source: str  # the evaluation in the language of training
    targets: Sequence[str]  # those in other languages

    def groups(self, method: str, name: str) -> Groups:
        """The groups of a set's words as they are for a method."""
        own = self.pieces.get(method, {}).get(name)
        groups = self.sets[name].groups
        return groups if own is None else {**groups, "by_pieces": transfer.piece_groups(own)}


class Group(NamedTuple):
    """One group of words: the plain row, and its accuracy."""

    row: transfer.GroupRow
    part: Part


Parts = dict[str, Group]  # group -> what is measured on it


def measure_groups(study: Tagging, method: str, name: str) -> dict[str, Parts]:
    """Accuracy on every group of every kind, of one method on one set."""
    words, panel, seeds = study.sets[name], study.panels[name], study.seeds[method]
    correct = study.predicted[method][name] == words.gold
    key = {"task": study.task, "method": method, "evaluation": name, "metric": "accuracy"}
    found: dict[str, Parts] = {}
    for kind, (names, order) in study.groups(method, name).items():
        found[kind] = {}
        for row in transfer.accuracy_by_group(correct, names, order):
            own, sentence = correct[:, names == row.group], words.sentence[names == row.group]
            units = panel.weights.shape[1]
            size = np.bincount(sentence, minlength=units)
            hits = [np.bincount(sentence[of_seed], minlength=units) for of_seed in own]
            counts = np.stack([np.stack([h, size], axis=-1) for h in hits]).astype(np.float32)
            place = {"quantity": "score", "grouping": kind, "group": row.group, "n": row.words}
            part = measure_part(panel, counts, counts[0, :, 1], ratio, seeds, **key, **place)
            found[kind][row.group] = Group(row, part)
    return found

"""The evidence of a task of words once more, from stored tags.

The kinds of error behind a drop are not assigned a second time: what is checked is that they
account for the whole of it. Seqeval's F1 is that library's own.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from verification.claims import Claim, claim_answers, claim_effects, claim_estimate, members
from verification.counting import Ints, score_words

Columns = Mapping[str, Any]


class Words:
    """What all methods of a task share.

    Args:
        evidence: as it is stored.
        columns: evaluated set -> its words: ``form``, ``tag``, ``sentence``, ``length``, ``seen``,
            ``pieces``.
        pieces: method -> evaluated set -> word pieces by its own tokenizer, where it is another.
        predicted: method -> evaluated set -> (S, W) indices of tags, seeds in the evidence's order.
        train_words: form and tag of every word of training, for the control.
    """

    def __init__(
        self,
        evidence: Mapping[str, Any],
        columns: Mapping[str, Columns],
        pieces: Mapping[str, Mapping[str, Sequence[int]]],
        predicted: Mapping[str, Mapping[str, Ints]],
        train_words: Sequence[tuple[str, str]],
    ):
        self.evidence, self.columns, self.pieces = evidence, columns, pieces
        self.number = {tag: index for index, tag in enumerate(evidence["tags"])}
        self.gold = {a: np.array([self.number[t] for t in c["tag"]]) for a, c in columns.items()}
        tagger = _most_frequent(train_words)
        control = {
            address: np.array([[self.number[tagger(form)] for form in own["form"]]])
            for address, own in columns.items()
        }
        self.predicted = {m: predicted.get(m, control) for m in evidence["methods"]}

    def columns_for(self, method: str, address: str) -> Columns:
        """The words of a set, with the pieces that this method reads."""
        own = self.pieces.get(method, {}).get(address)
        return self.columns[address] if own is None else {**self.columns[address], "pieces": own}


def claim_words(words: Words) -> Iterator[Claim]:
    """Every point estimate of the evidence of a task of words."""
    evidence = words.evidence
    for address, described in evidence["evaluations"].items():
        columns = words.columns[address]
        sentences = len(set(columns["sentence"]))
        yield Claim(f"{address}, words", described["words"], len(columns["tag"]))
        yield Claim(f"{address}, sentences", described["sentences"], sentences)
        counted: Counter[str] = Counter(columns["tag"])
        for tag, support in described["support"].items():
            yield Claim(f"{address}, {tag}, support", support, counted[tag])
    values: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(dict)
    for method, entry in evidence["methods"].items():
        for address, of_set in entry["evaluations"].items():
            gold, predicted = words.gold[address], words.predicted[method][address]
            scores = [score_words(of_seed, gold) for of_seed in predicted]
            for metric in scores[0]:
                values[address, metric][method] = [of_seed[metric] for of_seed in scores]
            place, columns = f"{method}, {address}", words.columns_for(method, address)
            yield from claim_answers(place, of_set, gold, predicted, scores, columns, None)
            for of_tag in of_set["per_tag"]:
                yield from _claim_tag(place, of_tag, words, predicted, gold)
        for target, transfer in entry["transfer"].items():
            drops = _accuracy_drop(words, method, target)
            values[target, "drop"][method] = drops
            yield from _claim_transfer(f"{method}, {target}", transfer, words, method, target)
    seeds = {method: entry["seeds"] for method, entry in evidence["methods"].items()}
    yield from claim_effects(evidence["comparisons"], values, seeds)


def _claim_tag(
    where: str, entry: Mapping[str, Any], words: Words, predicted: Ints, gold: Ints
) -> Iterator[Claim]:
    where, own = f"{where}, {entry['tag']}", words.number[entry["tag"]]
    hits = [int(np.sum((of_seed == own) & (gold == own))) for of_seed in predicted]
    given = [int(np.sum(of_seed == own)) for of_seed in predicted]
    there = int(np.sum(gold == own))
    yield Claim(f"{where}, support", entry["support"], there)
    precision = [h / g if g else 0.0 for h, g in zip(hits, given, strict=True) if g or there]
    recall = [hit / there for hit in hits] if there else []
    for name, of_seeds in (("precision", precision), ("recall", recall)):
        mean = float(np.mean(of_seeds)) if of_seeds else None
        yield Claim(f"{where}, {name}", entry[name], mean)
    f1 = [2 * h / (g + there) for h, g in zip(hits, given, strict=True)] if there else []
    yield from claim_estimate(f"{where}, F1", entry["f1"], f1)


def _accuracy_drop(words: Words, method: str, target: str) -> list[float]:
    source = words.evidence["source"]
    one, other = (
        (words.predicted[method][a] == words.gold[a]).mean(axis=1) for a in (source, target)
    )
    drops: list[float] = (one - other).tolist()
    return drops


def _claim_transfer(
    where: str, entry: Mapping[str, Any], words: Words, method: str, target: str
) -> Iterator[Claim]:
    source = words.evidence["source"]
    drops = _accuracy_drop(words, method, target)
    yield from claim_estimate(f"{where}, drop", entry["drop"], drops)
    both = sorted(set(words.columns[source]["tag"]) & set(words.columns[target]["tag"]))
    yield Claim(f"{where}, tags in both", len(entry["tags_in_both"]), len(both))
    of_sets = [
        np.array([_mean_f1(words, of_seed, a, both) for of_seed in words.predicted[method][a]])
        for a in (source, target)
    ]
    macro = of_sets[0] - of_sets[1]
    yield from claim_estimate(f"{where}, drop of macro-F1", entry["drop_macro_f1"], macro)
    whole = float(np.mean(drops))
    for kind, rows in entry["groups"].items():
        yield Claim(f"{where}, {kind}, all points", sum(row["points"] for row in rows), whole)
        for row in rows:
            place = f"{where}, {kind}, {row['group']}"
            yield from _claim_drop_of_group(place, row, words, method, (source, target), kind)
    for row in entry["cells"]:
        rates = [_rate(words, method, a, row["gold"], row["predicted"]) for a in (source, target)]
        place = f"{where}, {row['gold']} as {row['predicted']}"
        yield Claim(f"{place}, in the source", row["source_rate"], rates[0])
        yield Claim(f"{place}, in the target", row["target_rate"], rates[1])
        yield Claim(f"{place}, points", row["points"], rates[1] - rates[0])
    cells = sum(cell["points"] for cell in entry["cells"])
    causes = sum(cause["points"]["value"] for cause in entry["causes"])
    yield Claim(f"{where}, points of all cells", cells, whole)
    yield Claim(f"{where}, points of all causes", causes, whole)


def _claim_drop_of_group(
    where: str, row: Mapping[str, Any], words: Words, method: str, sets: tuple[str, str], kind: str
) -> Iterator[Claim]:
    accuracies = []
    for side, address in zip(("source", "target"), sets, strict=True):
        member = members(kind, row["group"], words.columns_for(method, address), None)
        yield Claim(f"{where}, {side} words", row[f"{side}_words"], int(member.sum()))
        if not member.any():
            yield Claim(f"{where}, {side} accuracy", row[f"{side}_accuracy"], None)
            continue
        right = words.predicted[method][address][:, member] == words.gold[address][member]
        accuracies.append(right.mean(axis=1))
        mean = float(accuracies[-1].mean())
        yield Claim(f"{where}, {side} accuracy", row[f"{side}_accuracy"], mean)
    if len(accuracies) == 2:
        yield from claim_estimate(f"{where}, drop", row["drop"], accuracies[0] - accuracies[1])
    parts = row["points_rate"] + row["points_mix"]
    yield Claim(f"{where}, points of rate and mix", row["points"], parts)


def _mean_f1(words: Words, predicted: Ints, address: str, tags: Sequence[str]) -> float:
    gold = words.gold[address]
    of_tags = []
    for tag in (words.number[name] for name in tags):
        there, given = gold == tag, predicted == tag
        of_tags.append(2 * np.sum(there & given) / (np.sum(there) + np.sum(given)))
    return float(np.mean(of_tags))


def _rate(words: Words, method: str, address: str, gold: str, predicted: str) -> float:
    """Share of a set's words with that gold tag that are given the other, mean over seeds."""
    own = words.gold[address] == words.number[gold]
    return float(np.mean(own & (words.predicted[method][address] == words.number[predicted])))


def _most_frequent(train_words: Sequence[tuple[str, str]]) -> Callable[[str], str]:
    """The control: a form's most frequent tag; if it is new, its lower case's, else rare forms'."""
    exact: dict[str, Counter[str]] = {}
    lower: dict[str, Counter[str]] = {}
    for form, tag in train_words:
        exact.setdefault(form, Counter())[tag] += 1
        lower.setdefault(form.lower(), Counter())[tag] += 1
    once = Counter(next(iter(tags)) for tags in exact.values() if sum(tags.values()) == 1)
    unseen = _first(once or Counter(tag for _, tag in train_words))

    def tag_of(form: str) -> str:
        for known, key in ((exact, form), (lower, form.lower())):
            if key in known:
                return _first(known[key])
        return unseen

    return tag_of


def _first(counted: Counter[str]) -> str:
    """The most frequent one, of equally frequent ones the first in the alphabet."""
    return sorted(counted, key=lambda tag: (-counted[tag], tag))[0]

"""Miniature corpora that the project makes itself, written in the layout of the real ones.

English acceptability sentences (as CoLA's TSV) and a pair of POS-tagged corpora, English and German
(CoNLL-U). The words come from ``lexicon_en.toml`` and ``lexicon_de.toml``, the sentences from
``acceptability.toml``, ``grammar_en`` and ``grammar_de``; none is taken from a corpus. They
exercise every step of the study without a download. They measure how well a grammar of this size
can be learnt, not how well a model knows a language.
"""

from __future__ import annotations

import pathlib
import random
from collections.abc import Iterator
from typing import Protocol

from corpora.miniature.acceptability import Example, Seen, build_examples, phenomena
from corpora.miniature.grammar_de import GermanGrammar
from corpora.miniature.grammar_en import EnglishGrammar
from corpora.miniature.lexicon import hold_out, load_english
from corpora.miniature.lexicon_german import load_german
from corpora.miniature.trees import Phrase, text_of, to_conllu

MINIATURE_VERSION = 2
"""Raised whenever a change here or in the lexicons changes the files."""

SOURCE_PREFIX = "mini-"
"""Source codes of the acceptability files are this and the name of the phenomenon."""

LONGEST = 25
"""Words in the longest tagged sentence."""

_SEED = 20240607
_HELD_OUT = "person thing device place document female male fix eat carry person_adj thing_adj intr"
_HELD_OUT_EVERY = 9
_FREQUENT = frozenset(["auxiliaries", "comparatives", "npi", "passive", "questions", "word-order"])
"""Phenomena with local signs of error: enough of them that a small encoder starts to learn."""

_EACH = {"train": (140, 48), "dev": (24, 12), "out": (20, 20)}
"""Sentences of a frequent and of another phenomenon."""

_TAGGED = {"train": 900, "dev": 250, "test": 250}


class Grammar(Protocol):
    """What draws sentences with their trees."""

    def sentence(self) -> Phrase:
        """Draws one sentence."""


def write_miniature(folder: pathlib.Path) -> None:
    """Writes all miniature corpora; the bytes are the same every time.

    Args:
        folder: gets ``cola/{in_domain_train,in_domain_dev,out_of_domain_dev}.tsv``,
            ``ud/UD_English-Miniature/en_mini-ud-{train,dev}.conllu`` and
            ``ud/UD_German-Miniature/de_mini-ud-test.conllu``; existing files are replaced.

    Raises:
        OSError: the folder can't be written.
    """
    files = {**_acceptability_files(), **_tagged_files()}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))


def _acceptability_files() -> dict[str, str]:
    """Draws the three parts; training leaves out an eighth of the words of large classes."""
    generator, seen, classes = random.Random(_SEED), Seen(), load_english()
    smaller = hold_out(classes, _HELD_OUT.split(), _HELD_OUT_EVERY)
    plan = {
        "in_domain_train": ("in", "train", smaller),
        "in_domain_dev": ("in", "dev", classes),
        "out_of_domain_dev": ("out", "out", classes),
    }
    parts = {
        name: build_examples(part, _counts(part, size), generator, lexicon, seen)
        for name, (part, size, lexicon) in plan.items()
    }
    return {f"cola/{name}.tsv": "".join(map(_row, part)) for name, part in parts.items()}


def _counts(part: str, size: str) -> dict[str, int]:
    frequent, other = _EACH[size]
    return {name: frequent if name in _FREQUENT else other for name in phenomena(part)}


def _row(example: Example) -> str:
    """Returns a line in CoLA's raw format: source code, label, the author's mark, sentence."""
    mark = "" if example.label else "*"
    return f"{SOURCE_PREFIX}{example.phenomenon}\t{example.label}\t{mark}\t{example.text}\n"


def _tagged_files() -> dict[str, str]:
    generator, english = random.Random(_SEED + 1), load_english()
    smaller = hold_out(english, _HELD_OUT.split(), _HELD_OUT_EVERY)
    taken: set[str] = set()
    plan: dict[str, Grammar] = {
        "English/en:train": EnglishGrammar(generator, smaller),
        "English/en:dev": EnglishGrammar(generator, english),
        "German/de:test": GermanGrammar(generator, load_german()),
    }
    files = {}
    for key, grammar in plan.items():
        place, split = key.split(":")
        language, code = place.split("/")
        name = f"ud/UD_{language}-Miniature/{code}_mini-ud-{split}.conllu"
        files[name] = "".join(_blocks(grammar, f"{code}-{split}", _TAGGED[split], taken))
    return files


def _blocks(grammar: Grammar, prefix: str, count: int, taken: set[str]) -> Iterator[str]:
    """Yields ``count`` sentences that are not in ``taken`` and not too long; adds them to it."""
    written = 0
    while written < count:
        phrase = grammar.sentence()
        text = text_of(phrase)
        words = sum(not node.empty for node in phrase.nodes)
        if words > LONGEST or text.lower() in taken:
            continue
        taken.add(text.lower())
        written += 1
        yield to_conllu(f"{prefix}-{written:04d}", phrase)

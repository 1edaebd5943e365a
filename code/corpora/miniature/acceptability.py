"""English acceptability sentences from the paradigms in ``acceptability.toml``.

A paradigm sets sentences that speakers accept beside close variants that they reject, all filled
with the same words, in the manner of BLiMP (Warstadt et al. 2020). Every sentence was written for
this project. The labels are judgements on sentence structure: an odd meaning alone does not make a
sentence unacceptable.
"""

from __future__ import annotations

import dataclasses
import functools
import random
import re
import tomllib

from corpora.miniature.lexicon import FOLDER, Lexeme, Lexicon

CONTEXT_SHARE = 0.15
"""Share of the embeddable frames that are put under "Anna said that ..." or the like."""

ACCEPTABLE_SHARE = 0.7
"""CoLA's own share is 0.70 in its training part."""

_SLOT = re.compile(r"\{(\w*?)(\d*)(?::(\w+))?\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiou])(?!useful|uni|one\b|european)")
_FIRST_LETTER = re.compile(r"[a-z]")


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """One paradigm: sentence patterns that are accepted and patterns that are rejected."""

    phenomenon: str
    good: tuple[str, ...]
    bad: tuple[str, ...]
    context: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A labelled sentence.

    Attributes:
        text: the sentence.
        label: 1 accepted, 0 rejected.
        phenomenon: the paradigm's name.
        group: what the sentence shares with its siblings: frame number and words drawn.
    """

    text: str
    label: int
    phenomenon: str
    group: tuple[str, ...]


@functools.cache
def load_frames(part: str) -> tuple[Frame, ...]:
    """Reads the paradigms of ``part``: "in" or "out"."""
    tables = tomllib.loads((FOLDER / "acceptability.toml").read_text(encoding="utf-8"))
    return tuple(
        Frame(name, tuple(frame["good"]), tuple(frame["bad"]), frame.get("context", False))
        for name, frames in tables[part].items()
        for frame in frames
    )


class _Draw:
    """The words drawn for one group of sentences: a slot keeps its word in all of them."""

    def __init__(self, generator: random.Random, classes: Lexicon):
        self._generator = generator
        self._classes = classes
        self._words: dict[str, Lexeme] = {}

    def _word(self, name: str, index: str) -> Lexeme:
        slot = name + index
        if slot not in self._words:
            taken = {lexeme.lemma for lexeme in self._words.values() if lexeme.lemma}
            free = [lexeme for lexeme in self._classes[name] if lexeme.lemma not in taken]
            self._words[slot] = self._generator.choice(free)
        return self._words[slot]

    def fill(self, pattern: str) -> str:
        """Replaces slots by word forms, nested slots (those of a context) included."""
        while "{" in pattern:
            pattern = _SLOT.sub(lambda m: self._word(m[1], m[2]).form(m[3] or ""), pattern)
        return pattern

    def words(self) -> tuple[str, ...]:
        """Returns the content of the draw, for telling groups apart."""
        return tuple(sorted({lexeme.lemma for lexeme in self._words.values() if lexeme.lemma}))


def _polish(text: str) -> str:
    """Removes empty slots, chooses "an" before a vowel, capitalises the first letter."""
    text = _ARTICLE.sub(r"\1n ", re.sub(r" +", " ", text).strip())
    return _FIRST_LETTER.sub(lambda m: m[0].upper(), text, count=1) if text[0].islower() else text


def phenomena(part: str) -> tuple[str, ...]:
    """Returns the phenomena of a part, in the order of the file."""
    return tuple(dict.fromkeys(frame.phenomenon for frame in load_frames(part)))


def draw_group(
    frame: Frame, number: int, paired: bool, generator: random.Random, classes: Lexicon
) -> tuple[Example, ...]:
    """Draws the words of one group and one sentence of each wanted label.

    Args:
        frame: the paradigm.
        number: its number, part of the group's identity.
        paired: an accepted sentence with a rejected sibling, or an accepted one alone.
        generator: the source of all choices.
        classes: the lexicon to draw from.
    """
    draw = _Draw(generator, classes)
    embedded = frame.context and generator.random() < CONTEXT_SHARE
    context = draw.fill("{context}") if embedded else ""
    chosen = [(generator.choice(frame.good), 1)]
    if paired:
        chosen.append((generator.choice(frame.bad), 0))
    filled = [(_polish(context + draw.fill(pattern)), label) for pattern, label in chosen]
    group = (str(number), *draw.words())
    return tuple(Example(text, label, frame.phenomenon, group) for text, label in filled)


@dataclasses.dataclass(slots=True)
class Seen:
    """Sentences and groups that are already in some split."""

    texts: set[str] = dataclasses.field(default_factory=set)
    groups: set[tuple[str, ...]] = dataclasses.field(default_factory=set)

    def admits(self, examples: tuple[Example, ...]) -> bool:
        """Says whether a group and its sentences are new, and remembers them if so."""
        texts = {example.text.lower() for example in examples}
        fresh = len(texts) == len(examples) and not texts & self.texts
        if not fresh or examples[0].group in self.groups:
            return False
        self.texts |= texts
        self.groups.add(examples[0].group)
        return True


def build_examples(
    part: str, counts: dict[str, int], generator: random.Random, classes: Lexicon, seen: Seen
) -> list[Example]:
    """Draws one part of the corpus, shuffled, about 70 % accepted in every phenomenon.

    Args:
        part: "in" or "out", the set of paradigms.
        counts: phenomenon -> sentences (a multiple of 10 gives exactly 70 %).
        generator: the source of all choices.
        classes: the lexicon to draw from.
        seen: what other splits hold; the new sentences are added to it.
    """
    frames = load_frames(part)
    examples: list[Example] = []
    for phenomenon, count in counts.items():
        own = [(n, frame) for n, frame in enumerate(frames) if frame.phenomenon == phenomenon]
        examples += _draw_phenomenon(own, count, generator, classes, seen)
    generator.shuffle(examples)
    return examples


def _draw_phenomenon(
    numbered: list[tuple[int, Frame]],
    count: int,
    generator: random.Random,
    classes: Lexicon,
    seen: Seen,
) -> list[Example]:
    pairs = round(count * (1 - ACCEPTABLE_SHARE))
    plan = [True] * pairs + [False] * (count - 2 * pairs)
    examples: list[Example] = []
    for turn, paired in enumerate(plan):
        number, frame = numbered[turn % len(numbered)]
        group = draw_group(frame, number, paired, generator, classes)
        while not seen.admits(group):
            group = draw_group(frame, number, paired, generator, classes)
        examples += group
    return examples

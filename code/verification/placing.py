"""Where a number of ``results.json`` stands in a document, and whether it is the one that belongs.

A document's text is words and numbers. A passage (a table's row, a sentence between citations) is
looked for by its words, with any numbers between them; the numbers found there must be its own.
A figure, a page's head or a footnote may stand inside it and tear it into parts. Where its words
cannot be found, those on one side of a number will do; a number that cannot be placed in this way
must at least occur often enough.
"""

import bisect
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from words.wording import MINUS, NARROW_SPACE, NO_BREAK_SPACE

_NUMBER = r"\d[\d\u202f]*(?:[.,]\d+)?"
_TOKEN = re.compile(rf"{_NUMBER}|[^\W\d_]+")
_TORN = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad\u0002\ufffe]\s*(?=[^\W\d_])")  # a word's hyphen
_ELSEWHERE = re.compile(
    r"\[-?@[^\]]*\]|@(?:fig|tbl|sec)-[\w-]+|<!--.*?-->"
)  # written by a renderer
_LINK = re.compile(r"\]\(#?[^)\s]*\)")
_ESCAPE = re.compile(r"\\([^\w\s])")
_PLAIN = str.maketrans(  # Typst 0.13 sets superscripts as characters of their own
    f"{MINUS}{NO_BREAK_SPACE}⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "- -0123456789"
)
_ANY = "#"  # stands for a number
_NEAR = (6, 3)  # words on either side of a number by which it is looked for, if need be
_TEARS = 2  # in one sentence: a figure at the page's head and a footnote at its foot
_BETWEEN = 400  # tokens: what may stand there, a short table and captions


@dataclass(frozen=True)
class Passage:
    """A part of a document: where it belongs, and its words and numbers."""

    place: str
    tokens: tuple[str, ...]

    @property
    def numbers(self) -> list[str]:
        """Its numbers, as they are written, without signs."""
        return [token for token in self.tokens if token[0].isdigit()]


@dataclass
class Placing:
    """What was found: how many numbers in their place, and what is wrong."""

    expected: int = 0
    placed: int = 0
    wrong: list[str] = field(default_factory=list)


def tokens_of(text: str) -> tuple[str, ...]:
    """Words in lower case, and numbers without thousands' separators."""
    plain = _TORN.sub("", text.translate(_PLAIN))
    found = (
        token.replace(NARROW_SPACE, "").rstrip(".,").lower() for token in _TOKEN.findall(plain)
    )
    return tuple(found)


def passages_of(exported: dict[str, Any], language: str) -> list[Passage]:
    """The sentences of all answers, those that hold numbers."""
    found = []
    for expression, answer in exported["answers"][language].items():
        for text in _ELSEWHERE.split(answer["text"]):
            found.append(Passage(expression, _tokens_of_source(text)))
    return [passage for passage in found if passage.numbers]


def _tokens_of_source(text: str) -> tuple[str, ...]:
    return tokens_of(_ESCAPE.sub(r"\1", _LINK.sub(" ", text)))


class _Document:
    """The text of a document, in which passages are looked for."""

    def __init__(self, text: str):
        self.tokens = tokens_of(text)
        masked = [_masked(token) for token in self.tokens]
        self._text = f" {' '.join(masked)} "
        self._starts = list(itertools.accumulate((len(word) + 1 for word in masked), initial=1))
        self._claimed: set[tuple[int, int]] = set()

    def find(self, tokens: Sequence[str]) -> Iterator[int]:
        """Where these words stand, whatever the numbers between them; claimed places not."""
        wanted = f" {' '.join(map(_masked, tokens))} "
        place = self._text.find(wanted)
        while place >= 0:
            index = bisect.bisect_left(self._starts, place + 1)
            if (index, len(tokens)) not in self._claimed:
                yield index
            place = self._text.find(wanted, place + 1)

    def differing(self, tokens: Sequence[str], index: int) -> list[tuple[str, str]]:
        """Number found there and number expected, where they are not the same."""
        there = self.tokens[index : index + len(tokens)]
        return [(a, b) for a, b in zip(there, tokens, strict=True) if a != b]

    def holds_in_parts(self, tokens: Sequence[str]) -> bool:
        """Whether these words and numbers stand here in order, with something else in between.

        Only where nothing is claimed: else the numbers of an equal sentence would do.
        """
        claimed = {at for index, length in self._claimed for at in range(index, index + length)}
        free = ["" if at in claimed else token for at, token in enumerate(self.tokens)]
        starts = (at for at, token in enumerate(free) if token and tokens[0].startswith(token))
        return any(_continues(free, at, tokens, _TEARS) for at in starts)

    def claim(self, tokens: Sequence[str], index: int) -> None:
        """The place is this passage's."""
        self._claimed.add((index, len(tokens)))


def _continues(there: Sequence[str], at: int, tokens: Sequence[str], tears: int) -> bool:
    """Whether the tokens stand there from a place on, torn apart so many times at most."""
    pairs = zip(there[at:], tokens, strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    if same == len(tokens):
        return True
    at, rest = at + same, tokens[same:]
    if not tears or at >= len(there):
        return False
    for later in range(at + 1, min(at + _BETWEEN, len(there))):
        if there[later] == rest[0] and _continues(there, later, rest, tears - 1):
            return True
        hyphenated = there[at] and there[at] + there[later] == rest[0]
        if hyphenated and _continues(there, later + 1, rest[1:], tears - 1):
            return True
    return False


def _masked(token: str) -> str:
    return _ANY if token[0].isdigit() else token


def place_numbers(text: str, passages: Sequence[Passage]) -> Placing:
    """Looks for every passage's numbers in a document's text."""
    document, placing = _Document(text), Placing(sum(len(p.numbers) for p in passages))
    inexact = [passage for passage in passages if not _exact(document, passage, placing)]
    loose: list[Passage] = []
    for passage in inexact:
        if not _closest(document, passage, placing):
            loose += _near_numbers(document, passage, placing)
    lacking = Counter(n for passage in passages for n in passage.numbers)
    lacking -= Counter(token for token in document.tokens if token[0].isdigit())
    for passage in loose:
        for number in passage.numbers:
            if lacking[number] > 0:
                lacking[number] -= 1
                placing.wrong.append(f"{passage.place}: {number} is not there")
    return placing


def _exact(document: _Document, passage: Passage, placing: Placing) -> bool:
    for index in document.find(passage.tokens):
        if not document.differing(passage.tokens, index):
            document.claim(passage.tokens, index)
            placing.placed += len(passage.numbers)
            return True
    return False


def _closest(document: _Document, passage: Passage, placing: Placing) -> bool:
    """The place with the passage's words whose numbers differ least; one number must agree.

    Where they differ, the passage itself may stand elsewhere, torn apart.
    """
    found = [(document.differing(passage.tokens, i), i) for i in document.find(passage.tokens)]
    if not found:
        return False
    differing, index = min(found, key=lambda pair: len(pair[0]))
    words = len(passage.tokens) - len(passage.numbers)
    if len(differing) == len(passage.numbers) and words < _NEAR[0]:
        return False
    placing.placed += len(passage.numbers)
    if differing and document.holds_in_parts(passage.tokens):
        return True  # the place is another's, in the same words
    document.claim(passage.tokens, index)
    placing.wrong += [
        f"{passage.place}: {shown} is shown, {expected} is in results.json"
        for shown, expected in differing
    ]
    return True


def _near_numbers(document: _Document, passage: Passage, placing: Placing) -> list[Passage]:
    """Places each number by the words beside it; those that cannot be placed come back."""
    left = []
    for index, token in enumerate(passage.tokens):
        if not token[0].isdigit():
            continue
        beside = (
            passage.tokens[max(0, index - before) : index + after + 1]
            for near in _NEAR
            for before, after in ((near, near), (near, 0), (0, near))
        )
        if any(_stands(document, window) for window in beside if len(window) > min(_NEAR)):
            placing.placed += 1
        else:
            left.append(Passage(passage.place, (token,)))
    return left


def _stands(document: _Document, window: Sequence[str]) -> bool:
    return any(not document.differing(window, at) for at in document.find(window))

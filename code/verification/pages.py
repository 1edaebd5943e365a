"""The numbers of a rendered page by their keys, and the same numbers in its PDF."""

import functools
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pypdfium2

from facts.fact import Fact
from facts.quantities import Unit
from words.numbers import LETTERS, Numbers, unmark
from words.wording import MINUS, MISSING, NARROW_SPACE, NO_BREAK_SPACE

BLOCKS = {"p", "li", "tr", "dd", "dt", "figcaption", "h1", "h2", "h3", "h4", "div", "section"}
COLUMNS = {letter: column for column, letter in LETTERS.items()}
DERIVED = ("error", "inverse", "share")  # what follows from a value alone
# A measure of a curve has the unit of its metric; a ratio may be written in per cent.
UNITS = (None, Unit.PERCENT, Unit.POINTS, Unit.PLAIN)
CONTEXT = 4  # words and numbers on one side of a number that tell its place
FAR = 24  # beyond which nothing is beside a number
MOST = 0.75  # share of a row's words that tell the row

_TOKEN = re.compile(r"\d[\d\u202f]*(?:[.,]\d+)?|[^\W\d_]+")
_BLANKS = re.compile(r"[ \n]+")  # a line of the source may end anywhere
_TORN = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad\u0002\ufffe]\s*(?=[^\W\d_])")  # a word's hyphen
_PLAIN = str.maketrans(  # Typst 0.13 sets superscripts as characters of their own
    f"{MINUS}{NO_BREAK_SPACE}⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "- -0123456789"
)


@dataclass(frozen=True)
class Mark:
    """A number on a page: its fact, the column, what is shown, and the text on either side."""

    fact: str
    column: str
    text: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass
class Page:
    """What a page shows of facts: its marked numbers, and the facts that it embeds by their id."""

    marks: list[Mark] = field(default_factory=list)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)


def documents(folder: Path) -> Iterator[tuple[str, str]]:
    """Stems of the rendered pages that are there, with their languages."""
    for stem, language in (("report", "en"), ("report.ru", "ru")):
        if (folder / f"{stem}.html").is_file():
            yield stem, language


def read_page(file: Path) -> Page:
    """Reads an HTML file."""
    reader = _Reader()
    reader.feed(file.read_text(encoding="utf-8"))
    reader.end_block()
    return reader.page


def read_pdf(file: Path) -> tuple[str, ...]:
    """Words and numbers of a PDF in order."""
    with pypdfium2.PdfDocument(file) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
    return tokens_of("\n".join(pages))


def tokens_of(text: str) -> tuple[str, ...]:
    """Words in lower case, and numbers without thousands' separators."""
    found = _TOKEN.findall(_TORN.sub("", text.translate(_PLAIN)))
    return tuple(token.replace(NARROW_SPACE, "").lower() for token in found)


class _Reader(HTMLParser):
    """Collects marked numbers with the text of the block that they stand in."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._pieces: list[str | tuple[str, list[str]]] = []  # of a block: text, or a number
        self._open: list[str] | None = None
        self._hidden = 0
        self._is_facts = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enters what holds numbers, facts, or no text of ours."""
        given = dict(attrs)
        self._hidden += tag in ("script", "style", "svg")
        self._is_facts = tag == "script" and given.get("id") == "shown-facts"
        if tag in BLOCKS:
            self.end_block()
        if tag == "data" and "data-f" in given:
            self._open = []
            self._pieces.append((given["data-f"] or "", self._open))

    def handle_endtag(self, tag: str) -> None:
        """Leaves it again."""
        self._hidden -= tag in ("script", "style", "svg")
        if tag == "data":
            self._open = None
        if tag in BLOCKS:
            self.end_block()
        if tag in ("td", "th"):
            self._pieces.append(" ")

    def handle_data(self, data: str) -> None:
        """Keeps what a reader reads."""
        if self._is_facts:
            self.page.facts = json.loads(data)
            self._is_facts = False
        elif self._open is not None:
            self._open.append(data)
        elif not self._hidden:
            self._pieces.append(data)

    def end_block(self) -> None:
        """Places the numbers of a block between its words."""
        whole = (p if isinstance(p, str) else "".join(p[1]) for p in self._pieces)
        texts = [_BLANKS.sub(" ", text) for text in whole]
        for index, piece in enumerate(self._pieces):
            if not isinstance(piece, str):
                name, column = piece[0][:8], COLUMNS.get(piece[0][8:], "")
                sides = ("".join(texts[:index]), "".join(texts[index + 1 :]))
                before, after = map(tokens_of, sides)
                self.page.marks.append(Mark(name, column, texts[index], before, after))
        self._pieces = []


def forms_of(numbers: Numbers, fact: Fact, mark: Mark) -> set[str]:
    """How the page's language may write that column with the digits shown; empty: not at all."""
    found = re.search(r"\d[.,](\d+)", mark.text)
    digits = len(found[1]) if found else 0
    units = UNITS if fact.quantity in ("convergence", "ratio") else (None,)
    if mark.column == "interval":
        written = {numbers.interval(fact, digits=digits, unit=unit) for unit in units}
    elif mark.column in DERIVED:
        written = {numbers.derived(fact, mark.column, digits=digits)} - {MISSING}
    elif not mark.column or getattr(fact, mark.column) is None:
        written = set()
    else:
        value = functools.partial(numbers.value, fact, column=mark.column, digits=digits)
        ways = itertools.product((False, True), (False, True), (False, True), units)
        written = {value(signed=a, size=b, bare=c, unit=unit) for a, b, c, unit in ways}
        written |= {numbers.p_value(fact)} if mark.column == "p" else set()
    return {re.sub(r"[\\^]", "", unmark(text)) for text in written} - {""}


def missing_in_pdf(page: Page, pdf: Sequence[str]) -> Iterator[str]:
    """Numbers of the page that do not stand in the PDF amid the same words.

    Each place in the PDF is one number's, the best placed first.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for index, token in enumerate(pdf):
        places[token].append(index)
    found = []
    for number, mark in enumerate(page.marks):
        own = tokens_of(mark.text)
        for at in places[own[0]] if own else ():
            end = at + len(own)
            # A page may end between a number and its unit.
            torn = set(own[1:]) <= set(pdf[at + 1 : at + FAR]) if len(own) > 1 else False
            if torn or tuple(pdf[at:end]) == own:
                fit = _fit(mark, pdf[max(0, at - FAR) : at], pdf[end : end + FAR])
                found.append((fit, number, at))
    placed: set[int] = set()
    taken: set[int] = set()
    for fit, number, at in sorted(found, key=lambda row: (-row[0], row[1], row[2])):
        if fit and number not in placed and at not in taken:
            placed.add(number)
            taken.add(at)
    for number, mark in enumerate(page.marks):
        if number not in placed:
            sides = (" ".join(mark.before[-CONTEXT:]), " ".join(mark.after[:CONTEXT]))
            yield f"{mark.text} does not stand there after {sides[0]!r} and before {sides[1]!r}"


def _fit(mark: Mark, before: Sequence[str], after: Sequence[str]) -> float:
    """How well a place in the PDF is a number's; 0: not at all.

    Figures, tables and page breaks tear sentences apart, so that the words on one side are enough.
    A row's cells may be read in another order: then most of its words must stand close by.
    """
    near = _agreeing(reversed(mark.before), reversed(before))
    then = _agreeing(mark.after, after)
    whole = near == min(FAR, len(mark.before)) and then == min(FAR, len(mark.after))
    if whole or max(near, then) >= CONTEXT:
        return 1 + near + then
    beside = {*mark.before[-2 * CONTEXT :], *mark.after[: 2 * CONTEXT]}
    share = len(beside & {*before, *after}) / max(1, len(beside))
    return share if share >= MOST else 0


def _agreeing(one: Iterable[str], other: Iterable[str]) -> int:
    """How many of two sequences agree from their beginning."""
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in pairs)

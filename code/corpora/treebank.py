"""Reads syntactic words from CoNLL-U files (universaldependencies.org/format.html).

The ``conllu`` package splits a sentence into fields; before that every line is checked here,
because the package knows no line numbers and accepts most damage in silence. Multiword ranges
(``5-6``) and empty nodes (``8.1``) are checked and left out: a word is a line with an integer id.
Lemmas, features and enhanced dependencies are not kept.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import conllu
from conllu.exceptions import ParseException

from corpora.items import UNKNOWN_HEAD, UPOS_TAGS, TaggedSentence, Word
from study.errors import StudyError
from study.reading import read_text

#: What a file holds in place of a form that its licence does not allow to publish.
WITHHELD = "_"

_COLUMNS = 10
_USED_COLUMNS = frozenset({0, 1, 3, 4, 6, 7})  # id form upos xpos head deprel
_WORD_ID = re.compile(r"[1-9][0-9]*")
_RANGE_ID = re.compile(r"([1-9][0-9]*)-([1-9][0-9]*)")
_EMPTY_ID = re.compile(r"(0|[1-9][0-9]*)\.([1-9][0-9]*)")
_HEAD = re.compile(r"_|0|[1-9][0-9]*")
_TAGS = frozenset(UPOS_TAGS)
_REMEDY = "Restore the file from its UD release (universaldependencies.org)."


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of one sentence and the place they stand at."""

    path: Path
    first_line: int
    lines: list[str]

    def error(self, offset: int, problem: str) -> StudyError:
        where = f"{self.path}:{self.first_line + offset}"
        return StudyError(problem, where=where, remedy=_REMEDY)


def read_conllu(path: Path) -> list[TaggedSentence]:
    """Reads all sentences of a file, in order.

    A sentence without ``# sent_id`` is called by its 0-based number, as the hub's loader does.

    Raises:
        StudyError: with file and line where the file is missing, empty, cut off or malformed, or
            holds no word forms.
    """
    sentences = [_parse_block(block, number) for number, block in enumerate(_split_blocks(path))]
    if not sentences:
        raise StudyError("expected CoNLL-U sentences, got none", where=str(path), remedy=_REMEDY)
    refuse_withheld_forms(sentences, str(path))
    return sentences


def refuse_withheld_forms(sentences: Sequence[TaggedSentence], where: str) -> None:
    """Refuses a treebank whose texts may not be published: ``_`` stands for the forms.

    A single ``_`` is a word like others. Forms are withheld if most words are ``_``, or if at least
    a hundredth of the sentences have two words or more and nothing but ``_``.

    Raises:
        StudyError: the forms are withheld.
    """
    words = [word.form for sentence in sentences for word in sentence.words]
    whole = sum(
        len(sentence.words) > 1 and all(word.form == WITHHELD for word in sentence.words)
        for sentence in sentences
    )
    count = words.count(WITHHELD)
    if 2 * count > len(words) or (whole and 100 * whole >= len(sentences)):
        raise StudyError(
            f"the forms are withheld: {count} of {len(words)} words are {WITHHELD!r}, "
            f"{whole} sentences from end to end",
            where=where,
            remedy="Fill in the texts as the treebank's README says, or choose another treebank.",
        )


def conllu_name(treebank: str, split: str, part: str = "") -> str:
    """A split's file in a release: ``en_ewt-ud-dev.conllu``, or ``de_hdt-ud-train-a-1.conllu``."""
    name = "dev" if split == "validation" else split
    return f"{treebank}-ud-{name}{'-' if part else ''}{part}.conllu"


def known(value: str | None) -> str:
    """A column's value, or ``""`` where CoNLL-U says ``_`` (not given)."""
    return "" if value is None or value == "_" else value


def _split_blocks(path: Path) -> Iterator[_Block]:
    lines = read_text(path).replace("\r\n", "\n").split("\n")
    start = 0
    for number, line in enumerate(lines):
        if line:
            continue
        if number > start:
            # "a\n" splits into ["a", ""]: the empty last element is no blank line.
            if number == len(lines) - 1:
                problem = "the blank line that closes the last sentence is missing"
                raise _truncated(path, number, problem)
            yield _Block(path, start + 1, lines[start:number])
        start = number + 1
    if lines[-1]:
        raise _truncated(path, len(lines), "the last line has no end")


def _truncated(path: Path, line: int, problem: str) -> StudyError:
    return StudyError(f"{problem}: the file is cut off", where=f"{path}:{line}", remedy=_REMEDY)


def _parse_block(block: _Block, number: int) -> TaggedSentence:
    body = next((i for i, line in enumerate(block.lines) if not line.startswith("#")), None)
    if body is None:
        raise block.error(0, "expected words after the comments, got none")
    rows = [_split_columns(block, i) for i in range(body, len(block.lines))]
    words = _check_order(block, body, [row[0] for row in rows])
    for offset, row in enumerate(rows, body):
        if row[0].isdigit() and (problem := _find_word_problem(row, words)):
            raise block.error(offset, problem)
    tokens = _parse_with_conllu(block, block.lines[:body], rows)
    found = tuple(_build_word(token) for token in tokens if isinstance(token["id"], int))
    return TaggedSentence(str(tokens.metadata.get("sent_id") or number), found)


def _split_columns(block: _Block, offset: int) -> list[str]:
    columns = block.lines[offset].split("\t")
    if len(columns) != _COLUMNS:
        problem = f"expected {_COLUMNS} tab-separated columns, got {len(columns)}"
        raise block.error(offset, problem)
    if not columns[1].strip() or not all(columns):
        raise block.error(offset, "expected a value or _ in every column, got an empty one")
    if any("  " in columns[i] for i in _USED_COLUMNS):
        raise block.error(offset, "two spaces in a row within a column")
    return columns


def _check_order(block: _Block, body: int, identifiers: list[str]) -> int:
    """Refuses ids out of order (in order: ``1  2-3  2  3  3.1  4``); returns how many are words."""
    word = empty = range_end = 0
    for offset, identifier in enumerate(identifiers, body):
        if bounds := _RANGE_ID.fullmatch(identifier):
            first, last = int(bounds[1]), int(bounds[2])
            if first != word + 1 or last < first or first <= range_end:
                problem = f"the range {first}-{last} does not fit after word {word}"
                raise block.error(offset, problem)
            range_end = last
            continue
        if _WORD_ID.fullmatch(identifier):
            word, empty = word + 1, 0
        elif _EMPTY_ID.fullmatch(identifier):
            empty += 1
        else:
            problem = f"expected an id such as 5, 5-6 or 5.1, got {identifier!r}"
            raise block.error(offset, problem)
        expected = f"{word}.{empty}" if empty else str(word)
        if identifier != expected:
            raise block.error(offset, f"expected the id {expected}, got {identifier}")
    if range_end > word or not word:
        raise block.error(len(block.lines) - 1, "the sentence ends before its last word")
    return word


def _find_word_problem(row: list[str], words: int) -> str:
    identifier, tag, head = row[0], row[3], row[6]
    if tag not in _TAGS:
        return f"unknown tag {tag!r}; the tags are {' '.join(UPOS_TAGS)}"
    if not _HEAD.fullmatch(head):
        return f"expected a word index as head, got {head!r}"
    if head != "_" and (int(head) > words or head == identifier):
        return f"the head {head} of word {identifier} is no other word of its {words}"
    return ""


def _parse_with_conllu(
    block: _Block, comments: list[str], rows: list[list[str]]
) -> conllu.TokenList:
    # conllu also splits at two spaces, which unused columns may hold.
    used = [[value if i in _USED_COLUMNS else "_" for i, value in enumerate(row)] for row in rows]
    try:
        (tokens,) = conllu.parse("\n".join([*comments, *map("\t".join, used)]))
    except (ParseException, ValueError) as error:
        raise block.error(0, f"the sentence cannot be parsed ({error})") from error
    return tokens


def _build_word(token: conllu.Token) -> Word:
    head = token["head"]
    return Word(
        form=token["form"],
        upos=token["upos"],
        xpos=known(token["xpos"]),
        deprel=known(token["deprel"]),
        head=UNKNOWN_HEAD if head is None else head,
    )

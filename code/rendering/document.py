"""A ``.qmd`` as it is written: its settings, and its prose and chunks in order."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml

from study.errors import StudyError

INLINE = re.compile(r"(?<!`)`\{python\}[ \t]+([^`]+)`")  # an expression amid prose
HEADER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*\n", re.DOTALL)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")


@dataclass(frozen=True)
class Prose:
    """Markdown between chunks."""

    text: str  # the Markdown, inline expressions included
    line: int  # its first line in the document, 1-based


@dataclass(frozen=True)
class Chunk:
    """One executable chunk."""

    source: str  # the code, its ``#|`` lines included
    line: int  # the line of the code's first line in the document, 1-based
    # the chunk's own options over the document's defaults
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The chunk's label, or "" where it has none."""
        return str(self.options.get("label", ""))

    @property
    def code(self) -> str:
        """The code without its option lines."""
        return re.sub(r"\A(#\|.*(\n|\Z))*", "", self.source).strip("\n")


Piece = Prose | Chunk


def read_settings(document: Path, text: str, profile: str) -> dict[str, Any]:
    """Merges ``_quarto.yml``, ``_quarto-<profile>.yml`` and the document's header (last wins)."""
    settings: dict[str, Any] = {}
    for name in ("_quarto.yml", f"_quarto-{profile}.yml"):
        path = document.parent / name
        if path.is_file():
            settings = _merge(settings, _yaml(read_document(path), name))
    header = HEADER.match(text)
    return _merge(settings, _yaml(header.group(1), document.name, 1) if header else {})


def parse(text: str, name: str, defaults: Mapping[str, Any]) -> list[Piece]:
    """Splits a document into prose and chunks.

    Raises:
        StudyError: options are no YAML mapping, a label is used twice, a block has no end.
    """
    lines = text.split("\n")
    pieces: list[Piece] = []
    seen: dict[str, int] = {}
    position = 0
    for opening, closing in _chunk_spans(lines, name):
        pieces.append(Prose("\n".join(lines[position:opening]), position + 1))
        chunk = _chunk(lines[opening + 1 : closing], opening + 2, name, defaults)
        if chunk.label and chunk.label in seen:
            raise StudyError(
                f"the label {chunk.label!r} is already used in line {seen[chunk.label]}",
                where=f"{name}:{chunk.line}",
                remedy="give each chunk a label of its own",
            )
        seen[chunk.label] = chunk.line
        pieces.append(chunk)
        position = closing + 1
    pieces.append(Prose("\n".join(lines[position:]), position + 1))
    return pieces


def _chunk_spans(lines: Sequence[str], name: str) -> Iterator[tuple[int, int]]:
    """Index of the opening and the closing fence of each chunk; other fenced blocks are skipped."""
    fence, opening, is_chunk = "", 0, False
    for number, row in enumerate(lines):
        match = _FENCE.match(row)
        if match is None:
            continue
        marks, rest = match[1], match[2].strip()
        if not fence:
            fence, opening, is_chunk = marks, number, rest == "{python}"
        elif marks.startswith(fence) and not rest:
            if is_chunk:
                yield opening, number
            fence = ""
    if fence:
        raise StudyError(
            f"the block that {fence} opens is never closed", where=f"{name}:{opening + 1}"
        )


def _chunk(lines: Sequence[str], line: int, name: str, defaults: Mapping[str, Any]) -> Chunk:
    options = list(takewhile(lambda row: row.startswith("#|"), lines))
    own = _yaml("\n".join(row[2:] for row in options), name, line - 1)
    return Chunk("\n".join(lines), line, {**defaults, **own})


def read_document(path: Path) -> str:
    """Its text; a file that cannot be read ends with a sentence."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"cannot be read: {error}", where=str(path)) from error


def _yaml(text: str, name: str, lines_before: int = 0) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = lines_before + (mark.line if mark else 0) + 1
        problem = getattr(error, "problem", None) or str(error)
        raise StudyError(
            f"expected YAML, but {problem}",
            where=f"{name}:{line}",
            remedy="quote a value that contains a colon, a bracket or a quotation mark",
        ) from error
    if not isinstance(values, dict):
        raise StudyError(
            f"expected 'name: value' lines, got {values!r}", where=f"{name}:{lines_before + 1}"
        )
    return values


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged

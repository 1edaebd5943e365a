"""The numbers in the text of a rendered document."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from words.wording import MINUS, NARROW_SPACE, NO_BREAK_SPACE

_NUMBER = re.compile(r"\d[\d\u202f]*(?:[.,]\d+)?")
_ESCAPE = re.compile(r"\\([^\w\s])")


def numbers_of(text: str) -> Counter[str]:
    """How often each number stands in a text, as it is written, without its sign."""
    plain = text.replace(MINUS, "-").replace(NO_BREAK_SPACE, " ")
    return Counter(found.replace(NARROW_SPACE, "").rstrip(".,") for found in _NUMBER.findall(plain))


def shown_numbers(exported: dict[str, Any], language: str) -> Counter[str]:
    """The numbers in the tables and answers of ``results.json``."""
    found: Counter[str] = Counter()
    for table in exported["tables"][language].values():
        for row in table["rows"]:
            for cell in row.values():
                found += numbers_of(_ESCAPE.sub(r"\1", cell["text"]))
    for answer in exported["answers"][language].values():
        found += numbers_of(_ESCAPE.sub(r"\1", answer["text"]))
    return found


def read_document(file: Path) -> str | None:
    """The text of an HTML or PDF file; None for a PDF where no library reads it."""
    if file.suffix == ".html":
        reader = _Text()
        reader.feed(file.read_text(encoding="utf-8"))
        return " ".join(reader.pieces)
    return _read_pdf(file)


def _read_pdf(file: Path) -> str | None:
    try:
        import pypdfium2
    except ImportError:
        print(f"not verified: the numbers of {file.name} (pip install pypdfium2)", file=sys.stderr)
        return None
    with pypdfium2.PdfDocument(file) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


class _Text(HTMLParser):
    """Text between tags; scripts and styles are none, figures' labels are none of the tables'."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._inside = 0

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        """Counts the depth inside what shows no text of ours."""
        self._inside += tag in ("script", "style", "svg")

    def handle_endtag(self, tag: str) -> None:
        """Leaves it again."""
        self._inside -= tag in ("script", "style", "svg")

    def handle_data(self, data: str) -> None:
        """Keeps what a reader reads."""
        if not self._inside:
            self.pieces.append(data)


def documents(folder: Path) -> Iterator[tuple[Path, str]]:
    """The rendered documents that are there, with their languages."""
    for language in ("en", "ru"):
        stem = "report" if language == "en" else f"report.{language}"
        for suffix in (".html", ".pdf"):
            file = folder / f"{stem}{suffix}"
            if file.is_file():
                yield file, language

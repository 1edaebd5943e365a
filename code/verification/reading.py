"""The text of a rendered document."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pypdfium2


def read_document(file: Path) -> str:
    """The text of an HTML or PDF file."""
    if file.suffix == ".html":
        reader = _Text()
        reader.feed(file.read_text(encoding="utf-8"))
        return " ".join(reader.pieces)
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

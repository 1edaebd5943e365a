"""The report's PDF: fonts, outline, paper, and how the pages are filled."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rendered import Rendered

pdfium = pytest.importorskip("pypdfium2", reason="needs pypdfium2 (PyPI)")
raw = pytest.importorskip("pypdfium2.raw")

A4 = (595.28, 841.89)  # points
MAIN_PAGES = 14
LEAST_USED = 0.5  # of the height of a page's text block
SCALE = 0.5


@pytest.fixture(scope="module")
def document(rendered: Rendered) -> Iterator[Any]:
    opened = pdfium.PdfDocument(rendered.pdf)
    yield opened
    opened.close()


def used_height(page: Any) -> float:
    """Share of the text block's height down to the last mark, without head and page number."""
    image = np.asarray(page.render(scale=SCALE, grayscale=True).to_pil())
    top, bottom = (int(SCALE * 28.35 * cm) for cm in (2.3, 29.7 - 2.1))
    rows = np.flatnonzero((image[top:bottom] < 200).any(axis=1))
    return 0.0 if not len(rows) else float(rows[-1] + 1) / (bottom - top)


def test_paper_is_a4_and_nothing_is_printed_outside(document: Any) -> None:
    assert len(document) > 10
    for page in document:
        assert page.get_size() == pytest.approx(A4, abs=1)
        for entry in page.get_objects(max_depth=1):
            if entry.type == raw.FPDF_PAGEOBJ_TEXT:
                left, bottom, right, top = entry.get_bounds()
                assert left > -1 and bottom > -1 and right < A4[0] + 1 and top < A4[1] + 1


def test_fonts_are_embedded_and_text_can_be_selected(document: Any, rendered: Rendered) -> None:
    seen = 0
    for page in document:
        for entry in page.get_objects(max_depth=3):
            if entry.type == raw.FPDF_PAGEOBJ_TEXT:
                font = raw.FPDFTextObj_GetFont(entry.raw)
                assert raw.FPDFFont_GetIsEmbedded(font) == 1
                seen += 1
    assert seen > 100
    text = "".join(page.get_textpage().get_text_range() for page in document)
    assert ("Разница" in text or "задач" in text) == (rendered.language == "ru")
    assert "\ufffd" not in text


def test_the_outline_leads_to_the_sections(document: Any) -> None:
    marks = list(document.get_toc())
    levels = {mark.level for mark in marks}
    assert len(marks) > 15 and levels >= {0, 1}
    pages = [mark.get_dest().get_index() for mark in marks]
    assert pages == sorted(pages) and pages[-1] > 5


def test_the_running_head_begins_on_page_two(document: Any) -> None:
    heads = [
        page.get_textpage().get_text_bounded(bottom=A4[1] - 50, top=A4[1]) for page in document
    ]
    assert not heads[0].strip()
    assert all(head.strip() for head in heads[1:])
    numbers = [page.get_textpage().get_text_bounded(bottom=0, top=45).strip() for page in document]
    assert numbers == [str(n) for n in range(1, len(document) + 1)]


def test_pages_are_filled(document: Any) -> None:
    marks = [mark for mark in document.get_toc() if mark.level == 0]
    begins = {mark.get_dest().get_index() for mark in marks}
    used = [used_height(page) for page in document]
    # The last page of a part may be short: the one before a page that begins with a part.
    short = [
        (number + 1, round(share, 2))
        for number, share in enumerate(used[:-1])
        if share < LEAST_USED and number + 1 not in begins
    ]
    assert short == []

"""A picture is kept: a second render draws nothing."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from conftest import FinishedStudy
from plots.deferred import Drawing
from rendering import presenting
from rendering.presenting import show_figure
from store.results import Results, _Reader
from words.wording import load_wording


@pytest.fixture
def study(
    finished: FinishedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Results]:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("FIGURES_DIR", str(tmp_path / "figures"))
    yield _Reader(finished.profile, finished.store, finished.ledger).read()


def drawing_of(study: Results, drawn: list[str], language: str) -> Drawing:
    def draw(results: Results, words: Any) -> Figure:
        drawn.append(words.language)
        figure = Figure()
        figure.subplots().set_title(words.language)
        return figure

    return Drawing(draw, study, (load_wording(language),))


def test_switching_the_language_copies(study: Results, tmp_path: Path) -> None:
    drawn: list[str] = []
    pictures = []
    for language in ("en", "ru", "en", "ru"):
        show_figure("x", drawing_of(study, drawn, language))
        pictures.append((tmp_path / "figures" / "x.svg").read_bytes())
    assert drawn == ["en", "ru"]
    assert pictures[0] == pictures[2] != pictures[1] == pictures[3]
    assert (tmp_path / "figures" / "x.png").exists()


@pytest.mark.parametrize(
    ("wanted", "shown"), [(None, "svg+xml"), ("svg", "svg+xml"), ("png", "png"), ("pdf", "png")]
)
def test_a_format_without_svg_gets_a_png(
    study: Results, monkeypatch: pytest.MonkeyPatch, wanted: str | None, shown: str
) -> None:
    """``quarto render --to docx`` lost every figure."""
    if wanted is not None:  # as Quarto says it to its kernels
        monkeypatch.setenv("QUARTO_FIG_FORMAT", wanted)
    displayed: list[dict[str, str]] = []
    monkeypatch.setattr(presenting, "display", lambda data, raw: displayed.append(data))
    show_figure("x", drawing_of(study, [], "en"))
    assert [list(data) for data in displayed] == [[f"image/{shown}"]]
    if shown == "png":
        assert base64.b64decode(displayed[0]["image/png"]).startswith(b"\x89PNG")


def test_a_picture_that_was_changed_by_hand_is_put_back(study: Results, tmp_path: Path) -> None:
    file = tmp_path / "figures" / "x.svg"
    show_figure("x", drawing_of(study, [], "en"))
    whole = file.read_bytes()
    file.write_bytes(whole[:99])
    show_figure("x", drawing_of(study, [], "en"))
    assert file.read_bytes() == whole


def test_a_cache_that_cannot_be_written_costs_time_only(
    study: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "file"))
    drawn: list[str] = []
    for _ in range(2):
        show_figure("x", drawing_of(study, drawn, "en"))
    assert drawn == ["en", "en"] and (tmp_path / "figures" / "x.svg").exists()

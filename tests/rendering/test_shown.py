"""What is shown is kept: a second render draws nothing and answers nothing anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import FinishedStudy
from rendering import export, shown
from rendering.shown import find_shown
from store.results import Results, _Reader


@pytest.fixture
def study(
    finished: FinishedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Results]:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("FIGURES_DIR", str(tmp_path / "figures"))
    yield _Reader(finished.profile, finished.store, finished.ledger).read()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The languages whose document was evaluated."""
    languages: list[str] = []

    def count(text: str, results: Results, words: Any) -> Any:
        languages.append(words.language)
        return original(text, results, words)

    original = shown.read_shown
    monkeypatch.setattr(shown, "read_shown", count)
    return languages


def test_a_document_is_evaluated_once(study: Results, read: list[str], tmp_path: Path) -> None:
    first = export.export_results(study, tmp_path / "first").read_bytes()
    assert sorted(read) == ["en", "ru"]
    again = export.export_results(study, tmp_path / "again").read_bytes()
    assert sorted(read) == ["en", "ru"] and first == again


def test_every_answer_of_the_documents_is_kept(study: Results) -> None:
    kept = {language: find_shown(study, language)["answers"] for language in ("en", "ru")}
    assert "answers.pos.tag_notes" in kept["en"] and len(kept["en"]) > 50
    assert kept["en"].keys() == kept["ru"].keys()

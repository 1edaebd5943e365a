"""Both reports, rendered once a session from the finished tiny study."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rendering import preview
from tiny_study import PROFILE

if TYPE_CHECKING:
    from conftest import FinishedStudy

ROOT = Path(__file__).parents[1]
DOCUMENTS = {"en": "report.qmd", "ru": "report.ru.qmd"}


@dataclass(frozen=True)
class Rendered:
    """What a render left behind."""

    language: str
    source: str
    folder: Path
    figures: Path

    @property
    def stem(self) -> str:
        return DOCUMENTS[self.language].removesuffix(".qmd")

    @property
    def page(self) -> Path:
        return self.folder / f"{self.stem}.html"

    @property
    def pdf(self) -> Path:
        return self.folder / f"{self.stem}.pdf"

    @property
    def html(self) -> str:
        return self.page.read_text(encoding="utf-8")

    @property
    def text(self) -> str:
        """The page's visible text, without the code that it shows."""
        body = re.sub(r"<(script|style|svg|pre)\b.*?</\1>", " ", self.html, flags=re.DOTALL)
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.fixture(scope="session", params=list(DOCUMENTS), name="rendered")
def rendered_fixture(
    request: pytest.FixtureRequest,
    finished: "FinishedStudy",
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Rendered]:
    folder = tmp_path_factory.mktemp("report")
    (folder / "experiments.toml").write_text(PROFILE, encoding="utf-8")
    document = ROOT / DOCUMENTS[request.param]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPERIMENTS_FILE", str(folder / "experiments.toml"))
        patch.setenv("CACHE_DIR", str(finished.store.root))
        patch.setenv("OUTPUT_DIR", str(folder / "out"))
        patch.setenv("FIGURES_DIR", str(folder / "figures"))
        preview.render(document, folder / "out", "tiny")
    source = document.read_text(encoding="utf-8")
    yield Rendered(request.param, source, folder / "out", folder / "figures")

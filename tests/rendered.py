"""Both reports of the finished tiny study, rendered once a session: without Quarto, and by Quarto.

Quarto's render is left out where there is no ``quarto`` on the PATH. ``REPORT_DIR`` names a folder
with reports that it has rendered already, of any profile, with their figures in ``figures/``.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from rendering import preview
from tiny_study import PROFILE
from waiting import PATIENCE, run_process

if TYPE_CHECKING:
    from conftest import FinishedStudy

ROOT = Path(__file__).parents[1]
DOCUMENTS = {"en": "report.qmd", "ru": "report.ru.qmd"}


@dataclass(frozen=True)
class Rendered:
    """What a render left behind."""

    language: str
    folder: Path
    figures: Path

    @property
    def source(self) -> str:
        return (ROOT / DOCUMENTS[self.language]).read_text(encoding="utf-8")

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


Renderer = Callable[[str, Path], Rendered]


def _without_quarto(language: str, folder: Path) -> Rendered:
    preview.render(ROOT / DOCUMENTS[language], folder / "out", "tiny")
    return Rendered(language, folder / "out", folder / "figures")


def copy_project(project: Path) -> None:
    """What a render reads of this checkout."""
    shutil.copytree(ROOT / "code", project / "code", ignore=shutil.ignore_patterns("__pycache__"))
    for pattern in ("*.qmd", "_quarto*.yml", "*.bib", "*.csl", "*.cff", "experiments.toml"):
        for file in ROOT.glob(pattern):
            shutil.copy(file, project)


def _by_quarto(language: str, folder: Path) -> Rendered:
    quarto = shutil.which("quarto")
    if quarto is None:
        pytest.skip("needs quarto on the PATH, or REPORT_DIR, a folder with its reports")
    # Quarto writes beside the document: a copy keeps two renders at once apart.
    project = folder / "project"
    copy_project(project)
    (project / "_quarto-tiny.yml").write_text("project: {output-dir: out}", encoding="utf-8")
    command = [quarto, "render", DOCUMENTS[language], "--profile", "tiny"]
    environment = {**os.environ, "QUARTO_PYTHON": sys.executable, "FINISHED_ONLY": "1"}
    done = run_process(command, cwd=project, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr[-4000:]
    for file in (folder / "out").glob("results*"):
        shutil.copy(file, project / "out")
    return Rendered(language, project / "out", folder / "figures")


RENDERERS: dict[str, Renderer] = {"preview": _without_quarto, "quarto": _by_quarto}
CASES = [(renderer, language) for renderer in RENDERERS for language in DOCUMENTS]


@pytest.fixture(scope="session", params=CASES, ids="-".join, name="rendered")
def rendered_fixture(request: pytest.FixtureRequest, common: Path) -> Rendered:
    renderer, language = request.param
    given = os.environ.get("REPORT_DIR")
    if given and renderer == "quarto":
        reports = Path(given).resolve()  # a page's address is made of its whole path
        return Rendered(language, reports, reports.parents[1] / "figures")
    finished: FinishedStudy = request.getfixturevalue("finished")
    folder = common / f"report-{renderer}-{language}"
    with FileLock(f"{folder}.lock", PATIENCE):
        return _rendered_once(finished, RENDERERS[renderer], language, folder)


def _rendered_once(
    finished: "FinishedStudy", renderer: Renderer, language: str, folder: Path
) -> Rendered:
    """The report of the tiny study, rendered by the first process that needs it."""
    kept = folder / "rendered.json"
    if not kept.exists():
        folder.mkdir(exist_ok=True)
        (folder / "experiments.toml").write_text(PROFILE, encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EXPERIMENTS_FILE", str(folder / "experiments.toml"))
            patch.setenv("CACHE_DIR", str(finished.store.root))
            patch.setenv("OUTPUT_DIR", str(folder / "out"))
            patch.setenv("FIGURES_DIR", str(folder / "figures"))
            made = renderer(language, folder)
        kept.write_text(json.dumps([str(made.folder), str(made.figures)]))
    return Rendered(language, *map(Path, json.loads(kept.read_text())))

"""The hosted notebook: its three cells on stored results, as a second session would run them."""

import html
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from conftest import FinishedStudy
from rendered import ROOT, copy_project
from tiny_study import PROFILE
from waiting import PATIENCE

NOTEBOOK = ROOT / "colab.ipynb"


def write_environment(folder: Path) -> Path:
    """A set-up that is done, as ``make`` knows it: this interpreter, no Quarto."""
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for made in (".base", ".demo", ".quarto"):
        (folder / made).write_text("")
    return folder


@pytest.mark.slow
def test_the_notebooks_cells_render_and_show_what_is_stored(
    finished: FinishedStudy,
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clone is left out, by the cell itself: the folder is there, as after a lost session."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    project = tmp_path / "full-or-lora"
    project.mkdir()
    copy_project(project)
    for name in ("Makefile", "requirements.txt", "requirements-demo.txt", "requirements.lock"):
        shutil.copy(ROOT / name, project)
    (tmp_path / "tiny.toml").write_text(PROFILE)
    cache = shutil.copytree(finished.store.root, tmp_path / "cache")
    for name, value in {
        "PROFILE": "tiny",
        "REPOSITORY": str(tmp_path / "nowhere"),
        "VENV": str(write_environment(tmp_path / "environment")),
        "CACHE_DIR": str(cache),
        "FIGURES_DIR": str(tmp_path / "figures"),
        "EXPERIMENTS_FILE": str(tmp_path / "tiny.toml"),
        "FINISHED_ONLY": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("OUTPUT_DIR", raising=False)
    before = sorted((cache / "train").iterdir())

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=PATIENCE, resources=resources).execute()

    clone, render, show = notebook.cells
    assert clone.outputs == [], "nothing was cloned"
    said = "".join(output.get("text", "") for output in render.outputs)
    assert "rendering without a Quarto binary" in said and "report.html" in said, said[-2000:]
    assert sorted((cache / "train").iterdir()) == before, "nothing was trained"
    page = (project / "_output" / "tiny" / "report.html").read_text(encoding="utf-8")
    (shown,) = (output.data["text/html"] for output in show.outputs)
    inside = shown.partition('srcdoc="')[2].partition('" style=')[0]
    assert html.unescape(inside) == page and len(page) > 100_000


def test_the_notebook_is_three_cells_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["code"] * 3
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells)
    clone, render, _ = (cell.source for cell in notebook.cells)
    assert "git clone" in clone and '"single"' in clone
    assert "make report PROFILE={PROFILE}" in render

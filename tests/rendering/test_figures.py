"""A figure is drawn where something behind it changed, and nowhere else."""

import base64
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

import plots
from conftest import FinishedStudy
from facts.table import Facts
from rendering import figures
from rendering.figures import code_behind, identify, show_figure
from store import provenance
from store.reading import read_results
from store.results import Results
from study.paths import project_root
from synthetic_study import Traits, build_study
from words.wording import Wording, load_wording

EN, RU = load_wording("en"), load_wording("ru")
SMALL: Any = {"sentences": 60, "words": 300, "resamples": 20}


@pytest.fixture
def study(
    finished: FinishedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Results]:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("FIGURES_DIR", str(tmp_path / "figures"))
    yield read_results(finished.profile, finished.store)


@pytest.fixture
def drawn() -> list[str]:
    """The languages in which ``plot`` drew."""
    return []


@pytest.fixture
def plot(drawn: list[str]) -> Callable[..., Figure]:
    def draw(results: Results, words: Wording) -> Figure:
        drawn.append(words.language)
        figure = Figure()
        figure.subplots().set_title(f"{words.language} {words.megabytes(len(results.facts))}")
        return figure

    draw.__module__ = "plots.acceptability"
    return draw


def test_switching_the_language_copies(
    study: Results, plot: Any, drawn: list[str], tmp_path: Path
) -> None:
    pictures = []
    for words in (EN, RU, EN, RU):
        show_figure("x", plot, study, words)
        pictures.append((tmp_path / "figures" / "x.svg").read_bytes())
    assert drawn == ["en", "ru"]
    assert pictures[0] == pictures[2] != pictures[1] == pictures[3]
    assert (tmp_path / "figures" / "x.png").exists()


@pytest.mark.parametrize(
    ("wanted", "shown"), [(None, "svg+xml"), ("svg", "svg+xml"), ("png", "png"), ("pdf", "png")]
)
def test_a_format_without_svg_gets_a_png(
    study: Results, plot: Any, monkeypatch: pytest.MonkeyPatch, wanted: str | None, shown: str
) -> None:
    """``quarto render --to docx`` lost every figure."""
    if wanted is not None:  # as Quarto says it to its kernels
        monkeypatch.setenv("QUARTO_FIG_FORMAT", wanted)
    displayed: list[dict[str, str]] = []
    monkeypatch.setattr(figures, "display", lambda data, raw: displayed.append(data))
    show_figure("x", plot, study, EN)
    assert [list(data) for data in displayed] == [[f"image/{shown}"]]
    if shown == "png":
        assert base64.b64decode(displayed[0]["image/png"]).startswith(b"\x89PNG")


def test_a_figure_is_the_same_file_every_time(study: Results, plot: Any, tmp_path: Path) -> None:
    files = []
    for folder in ("once", "again"):
        show_figure("x", plot, study, EN, folder=tmp_path / folder)
        files.append((tmp_path / folder / "x.svg").read_bytes())
        shutil.rmtree(tmp_path / "cache")
    assert files[0] == files[1]


def test_a_picture_that_was_changed_by_hand_is_put_back(
    study: Results, plot: Any, tmp_path: Path
) -> None:
    file = tmp_path / "figures" / "x.svg"
    show_figure("x", plot, study, EN)
    whole = file.read_bytes()
    file.write_bytes(whole[:99])
    show_figure("x", plot, study, EN)
    assert file.read_bytes() == whole


def test_a_cache_that_cannot_be_written_costs_time_only(
    study: Results, plot: Any, drawn: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "file"))
    for _ in range(2):
        show_figure("x", plot, study, EN)
    assert drawn == ["en", "en"] and (tmp_path / "figures" / "x.svg").exists()


def test_a_change_in_any_code_behind_a_figure_draws_it_anew(
    study: Results,
    plot: Any,
    drawn: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """How megabytes are written lies outside ``plots``: the old picture was shown."""
    copy = tmp_path / "project"
    shutil.copytree(project_root() / "code", copy / "code")
    monkeypatch.setattr(provenance, "project_root", lambda: copy)
    show_figure("x", plot, study, EN)
    show_figure("x", plot, study, EN)
    assert drawn == ["en"]
    for times, module in enumerate(("words/wording.py", "plots/saving.py", "store/results.py"), 2):
        file = copy / "code" / module
        file.write_text(file.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
        show_figure("x", plot, study, EN)
        assert len(drawn) == times, module
    other = copy / "code" / "plots" / "learning.py"
    other.write_text(other.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    show_figure("x", plot, study, EN)
    assert len(drawn) == 4  # no figure of CoLA's quality rests on it


def test_the_code_behind_a_figure_is_read_from_its_imports() -> None:
    behind = code_behind(plots.plot_drift_heatmap)
    expected = {"plots.drift", "plots.drawing", "plots.style", "plots.saving", "facts.quantities"}
    expected |= {"words.numbers", "words.wording", "study.layers", "store.results"}
    assert expected <= set(behind) and "plots.learning" not in behind


def test_a_picture_is_known_by_facts_settings_words_and_plot() -> None:
    study = build_study(("full", "lora"), (1,), **SMALL)
    copied = replace(study, facts=Facts(list(study.facts)))
    same = [identify(plots.plot_quality, results, EN) for results in (study, copied)]
    assert same[0] == same[1]
    traits = {"lora": Traits(quality=0.61)}
    texts = {**EN.texts, "plots": {**EN.texts["plots"], "band": "spread"}}
    task = replace(study.profile.tasks["cola"], price_steps=7)
    profile = replace(study.profile, tasks={**study.profile.tasks, "cola": task})
    others = [
        identify(plots.plot_tagging, study, EN),
        identify(plots.plot_quality, study, RU),
        identify(plots.plot_quality, study, replace(EN, texts=texts)),
        identify(plots.plot_quality, replace(study, profile=profile), EN),
        identify(
            plots.plot_quality, build_study(("full", "lora"), (1,), traits=traits, **SMALL), EN
        ),
    ]
    assert len({*others, same[0]}) == 6

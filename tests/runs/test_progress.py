"""What the display says, on a terminal and elsewhere, and how worker processes are heard."""

import io
import sys
from pathlib import Path

import pytest

from runs import progress
from runs.estimate import Planned
from runs.progress import Board, Progress

RUNS = [Planned("cola-full-seed1", "cola", "full", 100.0)]
RUNS += [Planned("cola-full-seed2", "cola", "full", 100.0)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_elsewhere_than_on_a_terminal_there_is_a_line_a_finished_run(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(RUNS) as display:
        display.advance("cola-full-seed1", 0.0)
        clock[0] = 75.0
        display.advance("cola-full-seed1", 0.5, 0.3)
        assert capsys.readouterr().err == ""
        display.end("cola-full-seed1", "MCC 0.532 on cola:validation")
        display.end("cola-full-seed2", "no data", failed=True)
    assert capsys.readouterr().err.splitlines() == [
        "[1/2] cola-full-seed1: MCC 0.532 on cola:validation, 1 min 15 s",
        "[2/2] cola-full-seed2: failed: no data",
    ]


def test_on_a_terminal_a_bar_names_what_goes_on_and_tells_a_time_when_it_can(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress(RUNS) as display:
        monkeypatch.setattr(display._bar, "dynamic_ncols", lambda _: (200, 50))
        display.advance("cola-full-seed1", 0.0)
        clock[0] = 60.0
        display.advance("cola-full-seed1", 0.01, 0.693)
        shown = display._bar.postfix
        assert shown == "cola-full-seed1 1%, loss 0.693", "a minute of loading tells no time"
        clock[0] = 85.0
        display.advance("cola-full-seed1", 0.5)
        assert display._bar.postfix.startswith("about 5 min 15 s of runs left, cola-full-seed1 50%")
        assert display._bar.n == 50.0
        display.advance("cola-full-seed1", 1.0)
        assert "cola-full-seed1 measuring" in display._bar.postfix
        display.end("cola-full-seed1", "MCC 0.5")
        assert display._bar.n == 100.0 and not display.awaits("cola-full-seed1")
    assert "[1/2] cola-full-seed1: MCC 0.5, 1 min 25 s\n" in terminal.getvalue()


def test_workers_are_heard_by_files(clock: list[float], tmp_path: Path) -> None:
    board = Board(tmp_path)
    assert board.read(["a", "b"]) == {}
    board.advance("a", 0.0)
    board.advance("a", 0.1)  # at once: not worth a file
    assert Board(tmp_path).read(["a", "b"]) == {"a": 0.0}
    clock[0] = 1.0
    board.advance("a", 0.2)
    board.advance("b", 1.0)
    assert Board(tmp_path).read(["a", "b"]) == {"a": 0.2, "b": 1.0}
    (tmp_path / progress.FOLDER / "a").write_text("not a numb")
    assert board.read(["a", "b"]) == {"b": 1.0}
    board.clear(["a", "b", "never"])
    assert list((tmp_path / progress.FOLDER).iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_the_display_alone(tmp_path: Path) -> None:
    (tmp_path / progress.FOLDER).write_text("a file where a folder should be")
    Board(tmp_path).advance("a", 0.5)
    assert Board(tmp_path).read(["a"]) == {}

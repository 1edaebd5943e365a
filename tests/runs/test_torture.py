"""The short form of ``make torture``: five kills, in a process of its own with a single thread."""

import sys

import pytest

from study.paths import project_root
from waiting import run_process


@pytest.mark.slow
def test_a_killed_study_ends_with_the_results_of_an_undisturbed_one() -> None:
    done = run_process(
        [sys.executable, "bench/torture_study.py", "--kills", "5"],
        cwd=project_root(),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("5 kills") and "equal, bit for bit, 1 report whole" in done.stdout
    assert "render 1" in done.stdout

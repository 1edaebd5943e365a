"""How tests wait: with a bound that a busy machine keeps to, and a word on what they waited for."""

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 900.0  # seconds


def wait_until(met: Callable[[], object], what: str) -> None:
    """Looks again and again whether something has happened."""
    ends = time.monotonic() + PATIENCE
    while not met():
        if time.monotonic() > ends:
            pytest.fail(f"waited {PATIENCE:.0f} seconds for {what}")
        time.sleep(0.05)


def run_process(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """``subprocess.run`` with text for output."""
    try:
        return subprocess.run(command, timeout=PATIENCE, text=True, **options)
    except subprocess.TimeoutExpired as error:
        pytest.fail(f"waited {PATIENCE:.0f} seconds for {command}: {error.stderr or ''}")


def outputs_of(process: "subprocess.Popen[str]", what: str) -> tuple[str, str]:
    """What a process has printed when it has ended, on both streams; ends it if it does not."""
    try:
        return process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"waited {PATIENCE:.0f} seconds for {what}")

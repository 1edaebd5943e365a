"""What a user sees while the runs of a study are made: one display for all of them.

On a terminal a bar shows the runs that go on, in worker processes too, and the time left where
there is something to tell it from; above it stands a line for every finished run. Elsewhere only
these lines are printed. Worker processes tell by files how far they have come: a queue's lock would
be held for ever by a worker that is killed.
"""

import contextlib
import os
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from tqdm import tqdm

from runs.estimate import Estimate, Planned

FOLDER = ".progress"  # below the stored results
REDRAW = 0.2  # seconds between two drawings of the bar


class Told(Protocol):
    """Whoever is told how far a run has come."""

    def advance(self, run: str, share: float, loss: float | None = None) -> None:
        """A share of a run's training is done, in [0, 1]; the latest loss where it is known."""


class Progress:
    """Tells on standard error how far the list of runs has come."""

    def __init__(self, planned: Sequence[Planned], workers: int = 1):
        """Of the runs that are to be made, as many at a time as there are workers."""
        self._estimate = Estimate(planned, workers)
        self._work = {run.name: run.work for run in planned}
        self._shares: dict[str, float] = {}  # of the runs that go on
        self._begins: dict[str, float] = {}
        self._ended: set[str] = set()
        self._drawn = float("-inf")
        self._terminal = sys.stderr.isatty() and bool(planned)
        self._bar = tqdm(
            total=sum(self._work.values()) or 1.0,
            disable=not self._terminal,
            dynamic_ncols=True,
            bar_format="{percentage:3.0f}%|{bar:12}| {elapsed}{postfix}",
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._bar.leave = False  # what it said last is no longer true
        self._bar.close()

    def advance(self, run: str, share: float, loss: float | None = None) -> None:
        """Shows that a share of a run's training is done; 1 while its other stages go on."""
        now = time.monotonic()
        self._begins.setdefault(run, now)
        self._shares[run] = share
        self._estimate.advance(run, share, now)
        self._show(now, loss)

    def end(self, run: str, found: str = "", failed: bool = False) -> None:
        """Prints a line on a run that has ended: what was found, or why it failed."""
        now = time.monotonic()
        self._shares.pop(run, None)
        self._estimate.end(run, now, failed)
        self._ended.add(run)
        took = f", {format_duration(now - self._begins[run])}" if run in self._begins else ""
        said = f"failed: {found}" if failed else f"{found}{took}"
        self.say(f"[{len(self._ended)}/{len(self._work)}] {run}: {said.removeprefix(', ')}")
        self._show(now)

    def awaits(self, run: str) -> bool:
        """Whether the run was to be made and has not ended."""
        return run in self._work and run not in self._ended

    def refresh(self) -> None:
        """Shows the time that has passed."""
        self._show(time.monotonic())

    def say(self, line: str) -> None:
        """Prints a line above the bar."""
        if self._terminal:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)

    def _show(self, now: float, loss: float | None = None) -> None:
        if not self._terminal:
            return
        going = [f"{run} {_spell(share)}" for run, share in self._shares.items()]
        left = self._estimate.left(now) if self._shares else None
        about = [] if left is None else [f"about {format_duration(left)} of runs left"]
        latest = [] if loss is None else [f"loss {loss:.3f}"]
        self._bar.set_postfix_str(", ".join(about + going + latest), refresh=False)
        running = sum(self._work.get(run, 0.0) * share for run, share in self._shares.items())
        done = sum(self._work.get(run, 0.0) for run in self._ended)
        self._bar.n = done + running
        if now - self._drawn >= REDRAW:
            self._drawn = now
            self._bar.refresh()


class Board:
    """Files by which worker processes tell how far they have come, read by their parent."""

    INTERVAL = 0.5  # seconds between two writings

    def __init__(self, root: Path):
        """Below the folder of the stored results, which all processes share."""
        self._folder = root / FOLDER
        self._written = 0.0

    def advance(self, run: str, share: float, loss: float | None = None) -> None:
        """Writes how far a run has come; a disk that cannot be written costs the display alone."""
        del loss
        now = time.monotonic()
        if 0 < share < 1 and now - self._written < self.INTERVAL:
            return
        self._written = now
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary = self._folder / f"{run}.{os.getpid()}"
            temporary.write_text(repr(share), encoding="ascii")
            temporary.replace(self._folder / run)

    def read(self, runs: Sequence[str]) -> dict[str, float]:
        """Run -> share, of those that have begun."""
        found = {}
        for run in runs:
            with contextlib.suppress(OSError, ValueError):
                found[run] = float((self._folder / run).read_text(encoding="ascii"))
        return found

    def clear(self, runs: Sequence[str]) -> None:
        """Forgets what was said of these runs, by a process that was killed perhaps."""
        for run in runs:
            with contextlib.suppress(OSError):
                (self._folder / run).unlink(missing_ok=True)


def _spell(share: float) -> str:
    return f"{share:.0%}" if share < 1 else "measuring"


def quieten_libraries() -> None:
    """Silences the libraries' own bars and warnings, which would break the display.

    It sets the variables that they read when they are imported, so that none has to be imported
    here.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    warnings.filterwarnings("ignore", module="torch|transformers|peft|datasets")


def format_duration(seconds: float) -> str:
    """``75`` -> ``1 min 15 s``; ``7300`` -> ``2 h 1 min``."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

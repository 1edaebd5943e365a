"""A live display over the whole list of runs, with an estimate of the time left.

Work is counted in token passes: a forward pass is one, a backward pass two, the half of it that a
frozen encoder with trained adapters needs is one. That puts full fine-tuning, LoRA and a trained
head on one scale, so the estimate does not jump when the method changes.
"""

import os
import sys
import time
import warnings
from types import TracebackType

from tqdm import tqdm

QUIET_INTERVAL = 20.0  # seconds between two lines where the output is not a terminal
KNOWN_SHARE = 0.02  # of the work, after which an estimate rests on more than the start


class Progress:
    """Tells on standard error how far the list of runs has come."""

    def __init__(self, total: float, runs: int):
        self._runs = runs
        self._started = 0
        self._terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=total,
            unit="tok",
            unit_scale=True,
            smoothing=0.1,
            disable=not self._terminal,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}{postfix}",
        )
        self._done, self._total = 0.0, total
        self._begin = self._spoken = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def start(self, run: str) -> None:
        """Shows the name of the run that begins."""
        self._started += 1
        self._title = f"[{self._started}/{self._runs}] {run}"
        self._bar.set_description_str(self._title)
        self.say(self._title)

    def advance(self, work: float, loss: float | None = None) -> None:
        """Adds the work of a step (token passes)."""
        self._done += work
        now = time.monotonic()
        left, latest = self._left(now), "" if loss is None else f", loss {loss:.3f}"
        self._bar.set_postfix_str(f"{left}{latest}", refresh=False)
        self._bar.update(work)
        if not self._terminal and now - self._spoken > QUIET_INTERVAL:
            self._spoken = now
            share = self._done / self._total
            self.say(f"{self._title}: {share:.0%} of the work{left}{latest}")

    def say(self, line: str) -> None:
        """Prints a line above the bar."""
        if self._terminal:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)

    def _left(self, now: float) -> str:
        """The time left, where enough is done to estimate it from."""
        if self._done < KNOWN_SHARE * self._total:
            return ""
        left = (now - self._begin) * max(0.0, self._total / self._done - 1)
        return f", about {format_duration(left)} left"


def quieten_libraries() -> None:
    """Silences the libraries' own bars and warnings, which would break the display.

    It sets the variables that they read when they are imported, so that none has to be imported
    here.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    warnings.filterwarnings("ignore", module="torch|transformers|peft|datasets")


def tell(run: str, reason: str | None, left: int) -> None:
    """Prints a line on a run that a worker made, with the reason if it failed."""
    state = f"failed: {reason}" if reason else "done"
    print(f"{run} {state}, {left} left", file=sys.stderr, flush=True)


def format_duration(seconds: float) -> str:
    """``75`` -> ``1 min 15 s``; ``7300`` -> ``2 h 1 min``."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

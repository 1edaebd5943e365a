"""The time that the runs of a study still need, from what they and others like them have taken."""

import heapq
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

KNOWN_SHARE = 0.1  # of a training, after which its own pace says how long it takes
TRAINING = 0.85  # of a run; its other stages take the rest


@dataclass(frozen=True)
class Planned:
    """A run that is to be made."""

    name: str  # of the run
    task: str  # runs of a task have encoders and sentences of like size
    method: str  # runs of a task and a method take about the same time
    work: float  # of its training, in token passes; compares the methods of a task


class Estimate:
    """Follows the runs of a study; times are seconds on any clock that never goes back.

    The time of a run is taken from finished runs of the same task and method; where there is none,
    from how fast runs of the task get through their work, then runs of any task. A run that
    goes on says how fast it is once a tenth of its training is done.
    """

    def __init__(self, planned: Iterable[Planned], workers: int):
        self._waiting = {run.name: run for run in planned}
        self._workers = workers
        self._running: dict[str, tuple[Planned, float, float]] = {}  # its beginning and its share
        self._taken: list[tuple[Planned, float]] = []  # seconds of finished runs

    def advance(self, run: str, share: float, now: float) -> None:
        """A run has begun, or come that far; one that was not planned is left out."""
        if run in self._waiting:
            self._running[run] = (self._waiting.pop(run), now, share)
        elif run in self._running:
            planned, begin, _ = self._running[run]
            self._running[run] = (planned, begin, share)

    def end(self, run: str, now: float, failed: bool = False) -> None:
        """A run has ended; how long a failed one took says nothing of others."""
        self._waiting.pop(run, None)
        if run in self._running:
            planned, begin, _ = self._running.pop(run)
            if not failed:
                self._taken.append((planned, now - begin))

    def left(self, now: float) -> float | None:
        """Seconds until all runs are made; None where there is nothing yet to tell it from."""
        projected = {run: self._project(run, now) for run in self._running}
        known = [(planned, projected[run]) for run, (planned, _, _) in self._running.items()]
        measured = [*self._taken, *((planned, s) for planned, s in known if s is not None)]
        busy = []
        for run, (planned, begin, _) in self._running.items():
            elapsed, own = now - begin, projected[run]
            expected = _expect(planned, self._taken, measured) if own is None else own
            if expected is None:
                return None
            busy.append(max(0.0, expected - elapsed))
        waiting = [_expect(run, self._taken, measured) for run in self._waiting.values()]
        if not busy and not waiting:
            return 0.0
        durations = [seconds for seconds in waiting if seconds is not None]
        return _makespan(busy, durations, self._workers) if len(durations) == len(waiting) else None

    def _project(self, run: str, now: float) -> float | None:
        """Seconds that a run which goes on takes in all, by its own pace."""
        planned, begin, share = self._running[run]
        if share < KNOWN_SHARE:
            return None
        alike = [s for other, s in self._taken if _alike(other, planned)]
        if alike and share == 1:  # its training is done: the other stages are known from others
            return statistics.median(alike)
        return (now - begin) / (share * TRAINING) if share < 1 else (now - begin) / TRAINING


def _alike(one: Planned, other: Planned) -> bool:
    return (one.task, one.method) == (other.task, other.method)


def _expect(
    run: Planned, taken: Sequence[tuple[Planned, float]], measured: Sequence[tuple[Planned, float]]
) -> float | None:
    """Seconds that a run is expected to take, from the runs that are most like it."""
    if alike := [seconds for other, seconds in taken if _alike(other, run)]:
        return statistics.median(alike)
    if alike := [seconds for other, seconds in measured if _alike(other, run)]:
        return statistics.median(alike)
    paces = [(other.task, seconds / other.work) for other, seconds in measured if other.work]
    own = [pace for task, pace in paces if task == run.task] or [pace for _, pace in paces]
    return statistics.median(own) * run.work if own else None


def _makespan(busy: Sequence[float], waiting: Sequence[float], workers: int) -> float:
    """Seconds until the last run ends, each going to the worker that is free first."""
    free = [*busy, *[0.0] * (workers - len(busy))]
    heapq.heapify(free)
    for seconds in waiting:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)

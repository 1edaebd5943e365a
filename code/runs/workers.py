"""Runs trained side by side on the cores of one machine, through the same store.

A small model does not keep two cores busy: two trainings with a thread each get through a third
more than one with two threads (see LOG.md). Workers share the threads that one process would have;
a worker ends when its parent does, after a checkpoint of what it trains.
"""

import concurrent.futures
import ctypes
import functools
import multiprocessing
import os
import signal
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType

import torch

from encoders.models import NEIGHBOURS_VARIABLE
from encoders.precision import CPU, device_kind
from runs.completion import Grid, Report
from runs.failures import record
from runs.grid import Run, plan_runs
from runs.progress import Board, Progress, quieten_libraries
from runs.summaries import tell_scores
from store.entries import Store
from store.ledger import Ledger
from study.process import prepare
from study.profiles import load_profile
from study.settings import Profile

DIED = "its process died twice: killed, or out of memory"
LOOK = 0.5  # seconds between two looks at how far the workers have come
_PR_SET_PDEATHSIG = 1  # prctl(2)


def complete_in_workers(profile: Profile, store: Store, report: Report | None = None) -> Ledger:
    """As ``Grid.complete``, with ``profile.workers`` runs at a time; one after another on a GPU.

    Raises:
        StudyError: data or a model cannot be had, or the disk is too small: nothing can run.
    """
    grid = Grid(profile, store)
    number = min(profile.workers, len(grid.missing()))
    if number <= 1 or device_kind() != CPU:
        return grid.complete(report=report)
    with Workers(grid, number) as workers:
        return grid.complete(workers.make, report, number)


class Workers:
    """Processes that make runs; they stay between rounds, with what they have read and built."""

    def __init__(self, grid: Grid, number: int):
        self._grid, self._number = grid, number
        self._root = grid.store.root.resolve()
        self._threads = max(1, torch.get_num_threads() // number)
        self._executor = self._start(number)

    def _start(self, number: int) -> concurrent.futures.ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")  # a fork cannot take torch's threads along
        return concurrent.futures.ProcessPoolExecutor(
            number, spawn, _begin, (os.getpid(), number, self._threads)
        )

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is not None:  # an interruption: each worker keeps what it trains as a checkpoint
            for worker in multiprocessing.active_children():
                worker.terminate()
        self._executor.shutdown(cancel_futures=True)

    def make(self, runs: list[Run], progress: Progress) -> dict[str, str]:
        """Makes the runs; run -> reason of those that failed.

        A process that dies breaks its pool without telling which run it had: the remaining runs
        are made once more, each in a process of its own.
        """
        made = self._work(self._executor, runs, progress)
        left = [run for run in runs if run.name not in made]
        if left:
            names = ", ".join(run.name for run in left)
            progress.say(f"a process died; not finished: {names}")
            self._executor = self._start(self._number)  # for the next round
        for run in left:
            with self._start(1) as alone:
                made |= self._work(alone, [run], progress)
            if run.name not in made:
                made[run.name] = DIED
                progress.end(run.name, DIED, failed=True)
        return {name: reason for name, reason in made.items() if reason}

    def _work(
        self, executor: concurrent.futures.ProcessPoolExecutor, runs: list[Run], progress: Progress
    ) -> dict[str, str | None]:
        """Run -> reason if it failed, of the runs that the processes got through."""
        made: dict[str, str | None] = {}
        board, by_name = Board(self._root), {run.name: run for run in runs}
        board.clear(list(by_name))
        profile = self._grid.profile.name
        try:
            pending = {
                executor.submit(complete_named, profile, self._root, name): name for name in by_name
            }
            while pending:
                done, _ = concurrent.futures.wait(pending, LOOK, concurrent.futures.FIRST_COMPLETED)
                for run, share in board.read(list(pending.values())).items():
                    progress.advance(run, share)
                progress.refresh()  # the clock goes on where no step was made
                for future in done:
                    name = pending.pop(future)
                    made[name] = reason = future.result()
                    found = (
                        tell_scores(self._grid.store, self._grid.inputs, by_name[name])
                        if reason is None
                        else reason
                    )
                    progress.end(name, found, failed=reason is not None)
        except BrokenProcessPool:
            pass  # what is not made is made once more
        finally:
            board.clear(list(by_name))
        return made


def complete_named(profile: str, root: Path, run: str) -> str | None:
    """Makes the run of that name; returns the reason if it fails, else None."""
    try:
        grid = _grid(profile, root)
        chosen = next(planned for planned in plan_runs(grid.profile) if planned.name == run)
        grid.complete_run(chosen, Board(root))
    except Exception as error:
        return record(root, run, error)
    return None


@functools.cache
def _grid(profile: str, root: Path) -> Grid:
    """One for all runs of a worker: encoded corpora and base models are kept between them."""
    return Grid(load_profile(profile), Store(root))


def _begin(parent: int, workers: int, threads: int) -> None:
    """Sets a worker up: its threads, no progress display, and it ends when its parent does."""
    prepare()
    if workers > 1:
        os.environ[NEIGHBOURS_VARIABLE] = str(workers)
    torch.set_num_threads(threads)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent died before this
            sys.exit(1)
    quieten_libraries()
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - the parent prints

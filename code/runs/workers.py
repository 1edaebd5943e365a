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
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import torch

from encoders.models import NEIGHBOURS_VARIABLE
from encoders.precision import CPU, device_kind
from runs.completion import Grid
from runs.failures import record
from runs.grid import Run, plan_comparison, plan_experiments, plan_runs
from runs.progress import quieten_libraries, tell
from store.entries import Store
from store.ledger import Ledger
from study.process import prepare
from study.profiles import load_profile
from study.settings import Profile

DIED = "its process died twice: killed, or out of memory"
_PR_SET_PDEATHSIG = 1  # prctl(2)


def complete_in_workers(profile: Profile, store: Store) -> Ledger:
    """As ``Grid.complete``, with ``profile.workers`` runs at a time; one after another on a GPU.

    Raises:
        StudyError: data or a model cannot be had, or the disk is too small: nothing can run.
    """
    grid = Grid(profile, store)
    if profile.workers == 1 or device_kind() != CPU:
        return grid.complete()
    failed = grid.check()
    failed |= _spread_missing(grid, plan_comparison(profile), failed)
    experiments = plan_experiments(profile)
    if not experiments:
        return grid.complete(failed)
    grid.complete(failed, experiments=False)  # whoever stops here has a complete report
    return grid.complete(failed | _spread_missing(grid, experiments, failed))


def _spread_missing(grid: Grid, plan: list[Run], failed: Mapping[str, str]) -> dict[str, str]:
    """Makes the missing ones of these runs side by side; run -> reason of those that failed."""
    planned = {run.name for run in plan} - failed.keys()
    missing = [run.name for run in grid.missing() if run.name in planned]
    if not missing:
        return {}
    number = min(grid.profile.workers, len(missing))
    print(f"{len(missing)} runs, {number} at a time", file=sys.stderr, flush=True)
    return _spread(grid.profile.name, grid.store.root.resolve(), missing, number)


def _spread(profile: str, root: Path, missing: list[str], number: int) -> dict[str, str]:
    """Makes the runs in worker processes; run -> reason of those that failed.

    A process that dies breaks its pool without telling which run it had: the remaining runs are
    made once more, each in a process of its own.
    """
    threads = max(1, torch.get_num_threads() // number)
    made = _work(profile, root, missing, number, threads)
    for name in [name for name in missing if name not in made]:
        made = {name: DIED} | made | _work(profile, root, [name], 1, threads)
    return {name: reason for name, reason in made.items() if reason}


def _work(
    profile: str, root: Path, names: list[str], number: int, threads: int
) -> dict[str, str | None]:
    """Run -> reason if it failed, of the runs that a pool of processes got through."""
    made: dict[str, str | None] = {}
    spawn = multiprocessing.get_context("spawn")  # a fork cannot take torch's threads along
    executor = concurrent.futures.ProcessPoolExecutor(
        number, spawn, _begin, (os.getpid(), number, threads)
    )
    try:
        runs = {executor.submit(complete_named, profile, root, name): name for name in names}
        for done in concurrent.futures.as_completed(runs):
            made[runs[done]] = done.result()
            tell(runs[done], made[runs[done]], len(names) - len(made))
    except BrokenProcessPool:
        left = [name for name in names if name not in made]
        print(f"a process died; not finished: {', '.join(left)}", file=sys.stderr, flush=True)
    except BaseException:  # an interruption: each worker keeps what it trains as a checkpoint
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)
    return made


def complete_named(profile: str, root: Path, run: str) -> str | None:
    """Makes the run of that name; returns the reason if it fails, else None."""
    try:
        grid = _grid(profile, root)
        chosen = next(planned for planned in plan_runs(grid.profile) if planned.name == run)
        grid.complete_run(chosen)
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

"""Runs on Ray, a Ray task each, on one machine or a cluster, through the same store.

Every worker runs ``Grid.complete_run`` against the store's folder, which all machines must share;
the locks of the store make sure that each run is trained once, and a run whose worker died goes on
from its last checkpoint when Ray tries it again. Ray is optional (``requirements-ray.txt``). Leaves
out what Ray does already: scheduling, retries, the view of the cluster.
"""

import os
import sys
from typing import Any

from runs.completion import Grid, Report
from runs.grid import Run
from runs.progress import Board, Progress
from runs.summaries import tell_scores
from runs.workers import LOOK, complete_named
from store.entries import Store
from store.ledger import Ledger
from study.errors import StudyError
from study.paths import project_root
from study.settings import Profile

RETRIES = 3  # of a run whose worker died
STARTS = 3  # of Ray on this machine: it gives itself 30 s, which a busy machine does not keep
# What decides where a worker finds settings, data, models and results.
SHARED_VARIABLES = (
    "CACHE_DIR",
    "DATA_DIR",
    "EXPERIMENTS_FILE",
    "HF_ENDPOINT",
    "HF_HOME",
    "HF_HUB_OFFLINE",
    "MODEL_DIR",
)


def complete_on_ray(
    profile: Profile, store: Store, address: str | None = None, report: Report | None = None
) -> Ledger:
    """As ``Grid.complete``, with the runs spread over the workers of a Ray cluster at an address.

    Without one, Ray starts on this machine and ends with the call. All machines share the store.

    Raises:
        StudyError: Ray is not installed or the cluster cannot be reached, or nothing can run.
    """
    ray = _import_ray()
    grid = Grid(profile, store)
    _connect(ray, address, store)
    try:
        gpus = 1 if ray.cluster_resources().get("GPU") else 0
        task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=RETRIES)(complete_named)
        print(f"runs on Ray: {_describe(ray)}", file=sys.stderr, flush=True)
        root = store.root.resolve()

        def spread(runs: list[Run], progress: Progress) -> dict[str, str]:
            pending = {task.remote(profile.name, root, run.name): run for run in runs}
            return _gather(ray, pending, grid, progress)

        workers = int(ray.cluster_resources().get("CPU", 1))
        return grid.complete(spread, report, workers)
    finally:
        ray.shutdown()


def _gather(ray: Any, pending: dict[Any, Run], grid: Grid, progress: Progress) -> dict[str, str]:
    """Waits for all tasks; run -> reason of those that failed."""
    failures = {}
    board = Board(grid.store.root)
    while pending:
        done, _ = ray.wait(list(pending), num_returns=1, timeout=LOOK)
        for name, share in board.read([run.name for run in pending.values()]).items():
            progress.advance(name, share)
        for future in done:
            run = pending.pop(future)
            try:
                reason = ray.get(future)
            except ray.exceptions.RayTaskError as error:  # before it began: a module, a profile
                cause = error.cause
                reason = f"its worker could not begin: {type(cause).__name__}: {cause}"
            except ray.exceptions.RayError as error:
                reason = f"its worker died {RETRIES + 1} times: {type(error).__name__}"
            if reason:
                failures[run.name] = reason
            progress.end(
                run.name, reason or tell_scores(grid.store, grid.inputs, run), failed=bool(reason)
            )
    return failures


def _connect(ray: Any, address: str | None, store: Store) -> None:
    variables = {name: os.environ[name] for name in SHARED_VARIABLES if name in os.environ}
    variables |= {
        "CACHE_DIR": str(store.root.resolve()),
        "PYTHONPATH": str(project_root() / "code"),
    }
    for left in reversed(range(STARTS)):
        try:
            ray.init(
                address=address,
                runtime_env={"env_vars": variables},
                include_dashboard=False,  # nothing listens for browsers
                log_to_driver=False,
                logging_level="error",
                ignore_reinit_error=True,
            )
            return
        except Exception as error:  # Ray raises bare exceptions while it starts
            ray.shutdown()
            if address is None and left:
                continue
            raise StudyError(
                f"no Ray cluster at {address or 'this machine'}: {error}",
                remedy="start one (ray start --head) or leave --address out",
            ) from error


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise StudyError(
            "--engine ray needs Ray, which is not installed",
            remedy="pip install -r requirements-ray.txt",
        ) from error
    return ray


def _describe(ray: Any) -> str:
    resources = ray.cluster_resources()
    return f"{resources.get('CPU', 0):g} CPUs, {resources.get('GPU', 0):g} GPUs"

"""Convergence of each method of a task: ``evidence.convergence`` on the stored curves."""

import functools

from store.frames import select

from evidence.convergence import (
    DECAYING,
    Convergence,
    RunConvergence,
    aggregate_runs,
    describe_run,
)
from store.results import Results


class SeedConvergence(RunConvergence):
    """A run of a method."""

    seed: int


class MethodConvergence(Convergence):
    """A method: what was set, and its runs.

    ``metric``: the task's main metric; ``decays``: whether the learning rate goes to 0.
    """

    method: str
    metric: str | None
    seeds: list[int]
    epochs: int
    steps: int
    schedule: str
    decays: bool
    runs: list[SeedConvergence]


@functools.lru_cache(maxsize=8)  # a dozen answers ask for the same
def summarise_convergence(results: Results, task: str) -> list[MethodConvergence]:
    """Convergence of each method of a task with finished runs, in the settings' order."""
    found: list[MethodConvergence] = []
    for method in results.settings(task):
        own = select(results.curves, task=task, method=method.name)
        losses = select(own, split="validation", metric="loss")
        seeds = sorted(map(int, losses["seed"].unique()))
        runs: list[SeedConvergence] = [
            {**describe_run(select(own, seed=seed)), "seed": seed} for seed in seeds
        ]
        if runs:
            found.append(
                {
                    **aggregate_runs(runs),
                    "method": method.name,
                    "metric": runs[0]["metric"],
                    "seeds": seeds,
                    "epochs": method.training.num_train_epochs,
                    "steps": int(own.step.max()),
                    "schedule": method.training.lr_scheduler_type,
                    "decays": method.training.lr_scheduler_type in DECAYING,
                    "runs": runs,
                }
            )
    return found

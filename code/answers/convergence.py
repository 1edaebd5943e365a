"""Convergence of each method of a task: ``evidence.convergence`` on the stored curves."""

import functools
from typing import Any

from evidence.convergence import DECAYING, aggregate_runs, describe_run
from store.frames import select
from store.results import Results


@functools.lru_cache(maxsize=8)  # a dozen answers ask for the same
def summarise_convergence(results: Results, task: str) -> list[dict[str, Any]]:
    """Convergence of each method of a task with finished runs, in the settings' order.

    Returns:
        One dict a method: ``method``; ``metric``, the task's main metric; ``seeds``; ``epochs`` and
        ``steps`` of the training; ``schedule`` and ``decays`` (does its learning rate go to 0);
        each of ``QUANTITIES`` as ``{value, low, high, per_seed}``, mean and range over the seeds
        that have it (None where none has); ``turned``, the number of seeds whose validation loss
        turned, and ``turn_known``, the number of seeds long enough to tell; ``metric_after_turn``,
        ``"rises"``, ``"falls"`` or ``"flat"`` by the majority of the seeds that turned, else None;
        ``slope_low`` and ``slope_high``, a 95 % interval of the slope (over seeds where there are
        several, else from the residuals of the line); ``outlook``, ``"rising"``, ``"flat"`` or
        ``"falling"`` if that interval allows to say so, else ``"unclear"``; None without a slope;
        ``runs``, the dicts of ``describe_run``, each with its ``seed``.
    """
    found = []
    for method in results.methods(task):
        own = select(results.curves, task=task, method=method)
        runs = [
            {"seed": int(str(seed)), **describe_run(of_seed)}
            for seed, of_seed in own.groupby("seed", sort=True)
            if ((of_seed.split == "validation") & (of_seed.metric == "loss")).any()
        ]
        if runs:
            training = results.profile.tasks[task].method(method).training
            found.append(
                {
                    "method": method,
                    "metric": runs[0]["metric"],
                    "seeds": [run["seed"] for run in runs],
                    "epochs": training.num_train_epochs,
                    "steps": int(own.step.max()),
                    "schedule": training.lr_scheduler_type,
                    "decays": training.lr_scheduler_type in DECAYING,
                    **aggregate_runs(runs),
                    "runs": runs,
                }
            )
    return found

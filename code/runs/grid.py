"""The grid of runs: which trainings a profile asks for, and what a stage of them is.

A run is a task, a method and a seed. Its first stage is ``train``; ``predict`` (with the metrics),
``drift``, ``structure``, ``representation``, ``restored`` and ``masked`` start from the trained
weights. A task's ``items``, ``price``, ``latency``, ``evidence``, ``restoration`` and
``forgetting`` are over all its runs. Every stage is an entry of the store whose key names what it
is computed from, so predicting anew never trains.
``runs.stages`` holds one module a stage, ``completion`` goes through them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from encoders.memory import memory_errors
from store import provenance
from store.entries import Entry, Key, Store
from study.environment import thread_counts
from study.settings import MethodSettings, Profile, TaskSettings, Variant, name_run


@dataclass(frozen=True)
class Stage:
    """A kind of entry: raise ``version`` when the meaning of its content changes."""

    name: str
    version: int
    module: str  # that makes it; the code behind the stage is what this module imports

    def key(self, name: str, payload: Mapping[str, Any]) -> Key:
        """The key of an entry of this stage."""
        return Key(self.name, name, self.version, payload)

    def produce(
        self, store: Store, key: Key, make: Callable[[Path], dict[str, Any]], device: str = "CPU"
    ) -> Entry:
        """The entry of the key, made by ``make`` if it is missing (``Store.produce``)."""

        def make_or_say(folder: Path) -> dict[str, Any]:
            with memory_errors(f"the stage {self.name!r} of {key.name}"):
                return make(folder)

        def describe() -> dict[str, Any]:
            threads = {"torch": torch.get_num_threads(), **thread_counts()}
            return {**provenance.describe(self.module, device), "threads": threads}

        return store.produce(key, make_or_say, describe)


@dataclass(frozen=True)
class Run:
    """One training."""

    task: TaskSettings  # with the training and evaluated sets of this run
    method: MethodSettings  # as it is run
    seed: int  # of all generators
    # the experiment that it belongs to, None for a run of the comparison
    variant: Variant | None = None

    @property
    def name(self) -> str:
        """``<task>-<method>[-<variant>]-seed<seed>``."""
        variant = self.variant.name if self.variant else ""
        return name_run(self.task.name, self.method.name, self.seed, variant)


def plan_runs(profile: Profile) -> list[Run]:
    """All runs, round by round."""
    return [run for runs in plan_rounds(profile) for run in runs]


def plan_comparison(profile: Profile) -> list[Run]:
    """The runs of the comparison, seed by seed."""
    return [run for runs in _seed_by_seed(profile) for run in runs]


def plan_rounds(profile: Profile) -> list[list[Run]]:
    """The runs in rounds, after each of which a complete report can be made.

    The comparison comes seed by seed, then all experiments.
    """
    experiments = plan_experiments(profile)
    return [*_seed_by_seed(profile), *([experiments] if experiments else [])]


def plan_experiments(profile: Profile) -> list[Run]:
    """The runs of experiments, seed by seed."""
    tasks = list(profile.tasks.values())
    rounds = max(len(task.experiments.seeds) for task in tasks)
    return [
        Run(
            replace(task, train=variant.train, evaluations=variant.evaluations),
            variant.method,
            task.experiments.seeds[round_],
            variant,
        )
        for round_ in range(rounds)
        for task in tasks
        if round_ < len(task.experiments.seeds)
        for variant in task.experiments.variants
    ]


def _seed_by_seed(profile: Profile) -> list[list[Run]]:
    tasks = list(profile.tasks.values())
    rounds = max(len(task.seeds_of(method)) for task in tasks for method in task.methods)
    return [
        [
            Run(task, method, task.seeds_of(method)[round_])
            for task in tasks
            for method in task.methods
            if round_ < len(task.seeds_of(method))
        ]
        for round_ in range(rounds)
    ]

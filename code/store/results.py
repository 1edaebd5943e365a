"""All results of a profile as its report reads them: facts, and what is no number.

Nothing is measured here; runs that are missing or failed are listed, never silently left out.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from facts.table import Facts
from study.settings import MethodSettings, Profile, Roles, find_roles


@dataclass(frozen=True)
class Missing:
    """A run that the settings ask for and the report cannot show."""

    run: str  # its name
    reason: str  # why
    # ``missing`` (not run), ``failed``, or ``left-out``: trained on another kind of machine than
    # the runs that are shown
    state: str = "missing"


@dataclass(frozen=True)
class RunRecord:
    """What is known of a finished run and is no number."""

    run: str  # its name
    task: str
    method: str
    seed: int
    # device, device_kind, precision, memory_kind, pooler, time, platform, python, commit, dirty,
    # packages; what the tokenizer takes away, where it does
    machine: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)  # corpus or model -> where it is from
    # stage -> modules changed since its result was stored (its task's stages included)
    stale: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Results:
    """Everything that a report shows, read once; equal to itself alone, so that it can be a key."""

    profile: Profile  # the settings behind it
    missing: tuple[Missing, ...]  # runs without results, with the reason
    facts: Facts  # everything that was measured
    runs: tuple[RunRecord, ...]  # the finished runs of the comparison
    # task -> evaluation -> frame of the evaluated sentences or words
    items: Mapping[str, Mapping[str, pd.DataFrame]]
    examples: Mapping[str, pd.DataFrame]  # task -> rows about single items, chosen by rule
    # which stored entries these are (``store.ledger``)
    ledger: Mapping[str, Any] = field(default_factory=dict)
    variants: tuple[RunRecord, ...] = ()  # the finished runs of experiments

    @functools.cached_property
    def _finished(self) -> dict[str, list[MethodSettings]]:
        """Asked a thousand times for a report."""
        names = {(run.task, run.method) for run in self.runs}
        return {
            task: [method for method in settings.methods if (task, method.name) in names]
            for task, settings in self.profile.tasks.items()
        }

    def settings(self, task: str) -> list[MethodSettings]:
        """The methods of a task with at least one finished run, in the settings' order."""
        return list(self._finished[task])

    def methods(self, task: str) -> list[str]:
        """Names of the methods of a task with at least one finished run."""
        return [method.name for method in self.settings(task)]

    def roles(self, task: str) -> Roles:
        """Which finished method of a task is the reference, the adapter, a control."""
        return find_roles(self.settings(task))

    def main_methods(self, task: str) -> list[str]:
        """The finished methods that are compared.

        They adapt the encoder, by its own weights or by an adapter, and start from the same model
        as the task's first method; the others are controls.
        """
        model = self.profile.tasks[task].methods[0].model_name_or_path
        return [
            method.name
            for method in self.settings(task)
            if not method.trains_head_alone and method.model_name_or_path == model
        ]

    def moving_methods(self, task: str) -> list[str]:
        """The finished methods whose encoder's own weights can change."""
        return [method.name for method in self.settings(task) if method.moves_encoder]

    @property
    def finished(self) -> int:
        """How many runs have finished, those of experiments among them."""
        return len(self.runs) + len(self.variants)

    @property
    def training_seconds(self) -> float:
        """Training time of all of them together."""
        runs = self.facts.where(quantity="cost", metric="training_seconds")
        search = self.facts.where(quantity="search", metric="training_seconds", method="")
        return sum(search.values()) + sum(f.value or 0.0 for f in runs if f.seed is not None)

    def of_task(self, task: str) -> list[RunRecord]:
        """The finished runs of a task."""
        return [run for run in self.runs if run.task == task]

    def wrong_in_every_run(self, task: str) -> pd.DataFrame:
        """The items that no run of any method gets right."""
        rows = self.examples.get(task, pd.DataFrame()).to_dict("records")
        wrong = [row["item"] for row in rows if row["kind"] == "always wrong"]
        return self.items[task].get(self.evaluations(task)[0], pd.DataFrame()).iloc[wrong]

    def machines(self, key: str, task: str | None = None) -> list[Any]:
        """The values of a property of the machines, each once, of all runs or a task's."""
        runs = self.runs if task is None else self.of_task(task)
        return list(dict.fromkeys(run.machine[key] for run in runs if key in run.machine))

    def stale(self) -> dict[str, list[str]]:
        """Stages with a stored result older than the code behind it: stage -> changed modules."""
        found: dict[str, set[str]] = {}
        for run in (*self.runs, *self.variants):
            for stage, modules in run.stale.items():
                found.setdefault(stage, set()).update(modules)
        return {stage: sorted(modules) for stage, modules in sorted(found.items())}

    def evaluations(self, task: str) -> tuple[str, ...]:
        """Addresses of a task's evaluated sets; the first is the validation set."""
        return self.profile.tasks[task].evaluations

"""Goes through the runs of a profile and their stages, and keeps the ledger.

The ledger of a profile says which entries its report shows; it is written after every run.
"""

import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from encoders.memory import keep_freed_memory
from encoders.precision import MACHINES, Machine, machines, this_machine
from encoders.skeleton import full_training_bytes
from runs.estimate import Planned
from runs.failures import record
from runs.grid import Run, plan_rounds, plan_runs
from runs.inputs import Inputs
from runs.progress import Progress, Told
from runs.stages import (
    drift,
    latency,
    masked,
    predict,
    price,
    representation,
    restored,
    structure,
    train,
)
from runs.summaries import Summaries, tell_scores
from store.entries import Entry, Key, Store, require_room
from store.ledger import Ledger
from study.environment import take_away
from study.errors import StudyError
from study.settings import Profile, TaskSettings

Spread = Callable[[list[Run], Progress], dict[str, str]]
Report = Callable[[], str]


class Grid:
    """The runs of a profile, made through the store."""

    def __init__(self, profile: Profile, store: Store):
        self.profile = profile
        self.store = store
        self.inputs = Inputs(store.root / "corpora")
        self._ledger = Ledger(profile)
        self._summaries = Summaries(profile, store, self.inputs, self._ledger)
        self._machines: dict[str, Machine] = {}  # task -> whose runs are shown, if not this one
        take_away()  # a worker on another machine has an environment of its own
        keep_freed_memory()

    def complete(
        self, spread: Spread | None = None, report: Report | None = None, workers: int = 1
    ) -> Ledger:
        """Makes whatever is missing and writes the ledger after every run.

        A run that fails in whatever way is recorded with its reason, and the others go on.

        Args:
            spread: makes missing runs elsewhere and returns the reasons of those that failed; by
                default they are made here, one after another.
            report: makes a report of the finished runs and says where it is. It is called after
                each round that made runs, but the last.
            workers: how many runs are made at a time.

        Raises:
            StudyError: data or a model cannot be had, or the disk is too small: nothing can run.
        """
        failed = self.check()
        missing = [run for run in self.missing() if run.name not in failed]
        with Progress(list(map(self._planned, missing)), workers) as progress:
            for name, reason in failed.items():
                self._ledger.record_failure(name, reason)
            for runs in plan_rounds(self.profile):
                waiting = [run for run in runs if run.name not in failed]
                absent = [run for run in waiting if run in missing]
                missing = [run for run in missing if run not in absent]
                if spread is not None and absent:
                    elsewhere = spread(absent, progress)
                    for name, reason in elsewhere.items():
                        self._ledger.record_failure(name, reason)
                    waiting = [run for run in waiting if run.name not in elsewhere]
                self._complete_round(waiting, progress)
                if absent and missing:  # whoever stops here has a complete report
                    self._complete_tasks()
                    self._report(report, progress)
        return self._complete_tasks()

    def _complete_round(self, waiting: list[Run], progress: Progress) -> None:
        while waiting:
            run = self._next(waiting)
            waiting.remove(run)
            self._complete_run(run, progress)
            self._ledger.save(self.store.root)
        for task in self.profile.tasks.values():
            self._price(task, progress)

    def _report(self, report: Report | None, progress: Progress) -> None:
        """Makes an early report; what is wrong with it costs no run."""
        if report is None or not self._ledger.content["runs"]:
            return
        try:
            progress.say(report())
        except StudyError as error:
            progress.say(f"no report yet: {error}")

    def _planned(self, run: Run) -> Planned:
        settings = run.name.removesuffix(f"-seed{run.seed}")
        return Planned(run.name, run.task.name, settings, train.work(self.inputs, run))

    def check(self, known: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
        """Run -> reason, of missing runs that cannot be made, known ones left out; takes no step.

        Raises:
            StudyError: none of the runs can be made or was made, or the disk has no room for them.
        """
        asked = [run for run in self.missing() if run.name not in known]
        refused: dict[str, str] = {}
        largest, kept = 0, 0
        for run in asked:
            try:
                train.work(self.inputs, run)  # reads the data, and what the tokenizer makes of it
                needed = full_training_bytes(
                    self.inputs.checkpoint(run.task, run.method), run.task.kind
                )
            except Exception as error:  # any error concerns this run alone
                refused[run.name] = record(self.store.root, run.name, error)
                if len(refused) == len(plan_runs(self.profile)):
                    raise StudyError(f"no run can be made; the last one: {error}") from error
                continue
            if run.method.trains_everything:
                largest, kept = max(largest, needed.checkpoint), kept + needed.kept
        for reason in dict.fromkeys(refused.values()):
            names = ", ".join(name for name, of_run in refused.items() if of_run == reason)
            print(f"not made: {names}: {reason}", file=sys.stderr, flush=True)
        if asked:
            require_room(self.store.root, largest + kept, "CACHE_DIR")
        return refused

    def _next(self, waiting: list[Run]) -> Run:
        """The first run that no other process is training; the first of all if all are taken."""
        free = (run for run in waiting if not self.store.busy(train.key(self.inputs, run)))
        return next(free, waiting[0])

    def collect(self) -> Ledger:
        """As ``complete``, for the runs that are trained already; trains nothing.

        For each task it takes the kind of machine with the most finished runs. Runs of another kind
        are recorded as left out, because two kinds are never pooled or divided.
        """
        runs = plan_runs(self.profile)
        for task in self.profile.tasks.values():
            own = self._summaries.compared(task)
            self._machines[task.name] = max(machines(), key=functools.partial(self._count, own))
        with Progress([]) as progress:
            for run in runs:
                chosen = self._machines[run.task.name]
                if trained := self._find_trained(run, chosen):
                    self._complete_run(run, progress, trained)
                else:
                    other = next((m for m in MACHINES if self._find_trained(run, m)), None)
                    if other is not None:
                        reason = f"trained on {_spell(other)}"
                        reason += f"; the report shows runs of {_spell(chosen)}"
                        progress.say(f"{run.name} is left out: {reason}")
                        self._ledger.record_left_out(run.name, reason)
        return self._complete_tasks()

    def _find_trained(self, run: Run, machine: Machine) -> Entry | None:
        key = train.key_on(self.inputs, run, machine)
        return self.store.find(key) if key else None

    def _count(self, runs: list[Run], machine: Machine) -> int:
        return sum(self._find_trained(run, machine) is not None for run in runs)

    def complete_run(self, run: Run, told: Told | None = None) -> dict[str, Any]:
        """One run's entries by stage; ``told`` hears how far it has come; a failure raises."""
        if told is not None:
            return self._stages(run, told)
        with Progress([self._planned(run)]) as progress:
            stages = self._stages(run, progress)
            progress.end(run.name, tell_scores(self.store, self.inputs, run))
            return stages

    def states(self) -> Iterator[tuple[Run, Key, Entry | None]]:
        """Each run's training key and its entry, if it is there."""
        for run in plan_runs(self.profile):
            key = train.key(self.inputs, run)
            yield run, key, self.store.find(key)

    def missing(self) -> list[Run]:
        """The runs that are not trained yet."""
        return [run for run, _, entry in self.states() if entry is None]

    def _complete_run(self, run: Run, progress: Progress, trained: Entry | None = None) -> None:
        try:
            self._ledger.record(run.name, self._stages(run, progress, trained))
            if progress.awaits(run.name):
                progress.end(run.name, tell_scores(self.store, self.inputs, run))
        except Exception as error:  # any error: the others go on
            reason = record(self.store.root, run.name, error)
            progress.end(run.name, reason, failed=True)
            self._ledger.record_failure(run.name, reason)

    def _stages(self, run: Run, told: Told, trained: Entry | None = None) -> dict[str, Any]:
        store, inputs = self.store, self.inputs
        trained = trained or self._train(run, told)
        stages: dict[str, Any] = {"train": trained.name, "predict": {}}
        for address in run.task.evaluations:
            predicted = predict.make(store, inputs, run, trained, address)
            stages["predict"][address] = predicted.name
        if run.variant:
            if run.variant.moves_head_differently and run.method.mergeable:
                stages["drift"] = drift.make(store, inputs, run, trained).name
            return stages
        if run.method.mergeable:
            stages["drift"] = drift.make(store, inputs, run, trained).name
        if run.method.moves_encoder:
            stages["structure"] = structure.make(store, inputs, run, trained).name
            stages["representation"] = representation.make(store, inputs, run, trained).name
            stages["restored"] = restored.make(store, inputs, run, trained).name
            stages["masked"] = masked.make(store, inputs, run, trained).name
        return stages

    def _train(self, run: Run, told: Told) -> Entry:
        if self.store.find(train.key(self.inputs, run)) is None:
            told.advance(run.name, 0.0)
        return train.make(self.store, self.inputs, run, self._listener(run, told))

    def _listener(self, run: Run, told: Told) -> Callable[[int, float | None], None]:
        steps = functools.cache(lambda: train.steps(self.inputs, run))  # needs encoded data

        def listen(step: int, loss: float | None) -> None:
            told.advance(run.name, step / steps(), loss)

        return listen

    def _complete_tasks(self) -> Ledger:
        for task in self.profile.tasks.values():
            machine = self._machines.get(task.name, this_machine())
            parts = list(filter(None, (task, self._summaries.finished_part(task))))
            for stage in (price, latency):
                keys = (stage.key(self.inputs, part, machine) for part in parts)
                if known := next(filter(None, map(self.store.find, keys)), None):
                    self._ledger.record_task(task.name, {stage.STAGE.name: known.name})
            self._summaries.complete(task)
        self._ledger.save(self.store.root)
        return self._ledger

    def _price(self, task: TaskSettings, progress: Progress) -> None:
        """Measures a step, and a forward pass, of each method with a finished run.

        The report can do without them.
        """
        finished = self._summaries.finished_part(task)
        if finished is None:
            return
        for stage, what in ((price, "price of a step"), (latency, "time of a forward pass")):
            try:
                entry = stage.make(self.store, self.inputs, finished)
            except Exception as error:
                reason = record(self.store.root, f"{stage.STAGE.name}-{task.name}", error)
                progress.say(f"the {what} of {task.name} is not known: {reason}")
            else:
                self._ledger.record_task(task.name, {stage.STAGE.name: entry.name})


def _spell(machine: Machine) -> str:
    device, precision = machine
    return f"a {device.upper()} ({precision})"

"""Goes through the runs of a profile and their stages, and keeps the ledger.

The ledger of a profile says which entries its report shows; it is written after every run.
"""

import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from encoders.memory import keep_freed_memory
from encoders.precision import MACHINES, Machine, machines, this_machine
from encoders.skeleton import full_training_bytes
from runs.estimate import Planned
from runs.failures import record
from runs.grid import Run, plan_comparison, plan_experiments, plan_rounds, plan_runs
from runs.inputs import Inputs
from runs.progress import Progress, Told
from runs.stages import (
    drift,
    evidence,
    experiments,
    forgetting,
    items,
    latency,
    masked,
    predict,
    price,
    representation,
    restoration,
    restored,
    structure,
    train,
)
from store.entries import Entry, Key, Store, require_room
from store.ledger import Ledger
from study.environment import take_away
from study.errors import StudyError
from study.settings import Profile, TaskSettings

Spread = Callable[[list[Run], Progress], dict[str, str]]
Report = Callable[[], str]
# Kind of task -> the metric that a finished run is told by, and what it is called.
SCORES = {"sequence": ("matthews_correlation", "MCC"), "token": ("accuracy", "accuracy")}


class Grid:
    """The runs of a profile, made through the store."""

    def __init__(self, profile: Profile, store: Store):
        self.profile = profile
        self.store = store
        self.inputs = Inputs(store.root / "corpora")
        self._ledger = Ledger(profile)
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
        """Finds the missing runs that cannot be made, before the first step, and says why.

        Args:
            known: run -> reason, of runs that are not checked.

        Returns:
            Run -> reason, of those that cannot be made: the others can be.

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
            own = self._compared(task)
            self._machines[task.name] = max(machines(), key=functools.partial(self._count, own))
        with Progress([]) as progress:
            for run in runs:
                chosen = self._machines[run.task.name]
                if trained := self._find_trained(run, chosen):
                    self._complete_run(run, progress, trained)
                else:
                    self._leave_out(run, chosen, progress)
        return self._complete_tasks()

    def _find_trained(self, run: Run, machine: Machine) -> Entry | None:
        key = train.key_on(self.inputs, run, machine)
        return self.store.find(key) if key else None

    def _count(self, runs: list[Run], machine: Machine) -> int:
        return sum(self._find_trained(run, machine) is not None for run in runs)

    def _leave_out(self, run: Run, chosen: Machine, progress: Progress) -> None:
        """Records and prints that a run was trained on another kind of machine than is shown."""
        other = next((m for m in MACHINES if self._find_trained(run, m)), None)
        if other is not None:
            reason = f"trained on {_spell(other)}; the report shows runs of {_spell(chosen)}"
            progress.say(f"{run.name} is left out: {reason}")
            self._ledger.record_left_out(run.name, reason)

    def complete_run(self, run: Run, told: Told | None = None) -> dict[str, Any]:
        """One run's entries by stage; a failure raises.

        Args:
            run: what is made.
            told: how far it has come; by default the user is.
        """
        if told is not None:
            return self._stages(run, told)
        with Progress([self._planned(run)]) as progress:
            stages = self._stages(run, progress)
            progress.end(run.name, self.scores(run))
            return stages

    def scores(self, run: Run) -> str:
        """What a finished run scored on the evaluated sets, in a few words."""
        trained = self.store.find(train.key(self.inputs, run))
        if trained is None:
            return ""
        metric, name = SCORES[run.task.kind]
        found = []
        for address in run.task.evaluations:
            entry = predict.make(self.store, self.inputs, run, trained, address)
            value = entry.result()["metrics"].get(metric)
            found.append(f"{'-' if value is None else format(value, '.3f')} on {address}")
        return f"{name} {', '.join(found)}"

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
                progress.end(run.name, self.scores(run))
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
        steps = functools.cache(lambda: train.steps(self.inputs, run))  # needs encoded data

        def listen(step: int, loss: float | None) -> None:
            told.advance(run.name, step / steps(), loss)

        if self.store.find(train.key(self.inputs, run)) is None:
            told.advance(run.name, 0.0)
        return train.make(self.store, self.inputs, run, listen)

    def _complete_tasks(self) -> Ledger:
        for task in self.profile.tasks.values():
            machine = self._machines.get(task.name, this_machine())
            parts = list(filter(None, (task, self._finished_part(task))))
            for stage in (price, latency):
                keys = (stage.key(self.inputs, part, machine) for part in parts)
                if known := next(filter(None, map(self.store.find, keys)), None):
                    self._ledger.record_task(task.name, {stage.STAGE.name: known.name})
            self._complete_task(task)
        self._ledger.save(self.store.root)
        return self._ledger

    def _complete_task(self, task: TaskSettings) -> None:
        tables = {a: items.make(self.store, self.inputs, task, a) for a in task.evaluations}
        self._ledger.record_task(task.name, {"items": {a: e.name for a, e in tables.items()}})
        finished = [run for run in self._compared(task) if self._ledger.finished(run.name)]
        if not finished:
            return
        predictions = {a: {run.name: self._predicted(run, a) for run in finished} for a in tables}
        summary = evidence.make(self.store, self.inputs, task, finished, tables, predictions)
        self._ledger.record_task(task.name, {"evidence": summary.name})
        self._complete_restoration(task, finished, predictions)
        self._complete_experiments(task, finished, tables)

    def _compared(self, task: TaskSettings) -> list[Run]:
        return [run for run in plan_comparison(self.profile) if run.task == task]

    def _complete_experiments(
        self, task: TaskSettings, compared: list[Run], tables: dict[str, Entry]
    ) -> None:
        """What the finished experiments show, beside the runs of the comparison."""
        runs = [run for run in plan_experiments(self.profile) if run.task.name == task.name]
        runs = [run for run in runs if self._ledger.finished(run.name)]
        if not runs:
            return
        for run in runs:
            for address in run.task.evaluations:
                if address not in tables:
                    tables[address] = items.make(self.store, self.inputs, run.task, address)
        self._ledger.record_task(task.name, {"items": {a: e.name for a, e in tables.items()}})
        every = {run: self._recorded(run) for run in (*compared, *runs)}
        summary = experiments.make(self.store, self.inputs, task, every, tables)
        self._ledger.record_task(task.name, {"experiments": summary.name})

    def _recorded(self, run: Run) -> experiments.Finished:
        trained = self._trained(run)
        predictions = {
            address: predict.make(self.store, self.inputs, run, trained, address)
            for address in run.task.evaluations
        }
        return experiments.Finished(trained, predictions)

    def _complete_restoration(
        self,
        task: TaskSettings,
        finished: list[Run],
        predictions: Mapping[str, Mapping[str, Entry]],
    ) -> None:
        moved = [run for run in finished if run.method.moves_encoder]
        if restored_of := self._opened(moved, "restored"):
            own = [run for run in moved if run.name in restored_of]
            lost = restoration.make(self.store, self.inputs, task, own, restored_of, predictions)
            self._ledger.record_task(task.name, {"restoration": lost.name})
        if masked_of := self._opened(moved, "masked"):
            own = [run for run in moved if run.name in masked_of]
            forgot = forgetting.make(self.store, task, own, masked_of)
            self._ledger.record_task(task.name, {"forgetting": forgot.name})

    def _opened(self, runs: list[Run], stage: str) -> dict[str, Entry]:
        """Run -> its entry of a stage."""
        names = {run.name: self._ledger.content["runs"][run.name][stage] for run in runs}
        found = {run: self.store.open(name) for run, name in names.items()}
        return {run: entry for run, entry in found.items() if entry is not None}

    def _price(self, task: TaskSettings, progress: Progress) -> None:
        """Measures a step, and a forward pass, of each method with a finished run.

        The report can do without them.
        """
        finished = self._finished_part(task)
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

    def _finished_part(self, task: TaskSettings) -> TaskSettings | None:
        """The task with those of its methods of which a run is finished; None if there are none."""
        runs = self._compared(task)
        finished = {run.method.name for run in runs if self._ledger.finished(run.name)}
        methods = tuple(method for method in task.methods if method.name in finished)
        return replace(task, methods=methods) if methods else None

    def _predicted(self, run: Run, address: str) -> Entry:
        return predict.make(self.store, self.inputs, run, self._trained(run), address)

    def _trained(self, run: Run) -> Entry:
        recorded = self.store.open(self._ledger.content["runs"][run.name]["train"])
        return recorded or train.make(self.store, self.inputs, run, lambda _step, _loss: None)


def _spell(machine: Machine) -> str:
    device, precision = machine
    return f"a {device.upper()} ({precision})"

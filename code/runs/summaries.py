"""What is made of all finished runs of a task: items, evidence, restorations, experiments."""

from dataclasses import dataclass, replace

from runs.grid import Run, plan_comparison, plan_experiments
from runs.inputs import Inputs
from runs.stages import evidence, experiments, forgetting, items, predict, restoration, train
from store.entries import Entry, Store
from store.ledger import Ledger
from study.settings import Profile, TaskSettings

# Kind of task -> the metric that a finished run is told by, and what it is called.
NAMES = {"matthews_correlation": "MCC", "accuracy": "accuracy"}


@dataclass(frozen=True)
class Summaries:
    """The stages of a task that are over all its runs, recorded in the ledger."""

    profile: Profile
    store: Store
    inputs: Inputs
    ledger: Ledger

    def complete(self, task: TaskSettings) -> None:
        """Makes them, or finds them made."""
        tables = {a: items.make(self.store, self.inputs, task, a) for a in task.evaluations}
        self.ledger.record_task(task.name, {"items": {a: e.name for a, e in tables.items()}})
        finished = [run for run in self.compared(task) if self.ledger.finished(run.name)]
        if not finished:
            return
        predictions = {
            a: {
                run.name: predict.make(self.store, self.inputs, run, self._trained(run), a)
                for run in finished
            }
            for a in tables
        }
        summary = evidence.make(self.store, self.inputs, task, finished, tables, predictions)
        self.ledger.record_task(task.name, {"evidence": summary.name})
        moved = [run for run in finished if run.method.moves_encoder]
        if restored_of := self._opened(moved, "restored"):
            own = [run for run in moved if run.name in restored_of]
            lost = restoration.make(self.store, self.inputs, task, own, restored_of, predictions)
            self.ledger.record_task(task.name, {"restoration": lost.name})
        if masked_of := self._opened(moved, "masked"):
            own = [run for run in moved if run.name in masked_of]
            forgot = forgetting.make(self.store, task, own, masked_of)
            self.ledger.record_task(task.name, {"forgetting": forgot.name})
        self._complete_experiments(task, finished, tables)

    def compared(self, task: TaskSettings) -> list[Run]:
        """The runs of the task's comparison."""
        return [run for run in plan_comparison(self.profile) if run.task == task]

    def _complete_experiments(
        self, task: TaskSettings, compared: list[Run], tables: dict[str, Entry]
    ) -> None:
        """What the finished experiments show, beside the runs of the comparison."""
        runs = [run for run in plan_experiments(self.profile) if run.task.name == task.name]
        runs = [run for run in runs if self.ledger.finished(run.name)]
        if not runs:
            return
        for run in runs:
            for address in run.task.evaluations:
                if address not in tables:
                    tables[address] = items.make(self.store, self.inputs, run.task, address)
        self.ledger.record_task(task.name, {"items": {a: e.name for a, e in tables.items()}})
        every = {run: self._recorded(run) for run in (*compared, *runs)}
        summary = experiments.make(self.store, self.inputs, task, every, tables)
        self.ledger.record_task(task.name, {"experiments": summary.name})

    def _recorded(self, run: Run) -> experiments.Finished:
        trained = self._trained(run)
        predictions = {
            address: predict.make(self.store, self.inputs, run, trained, address)
            for address in run.task.evaluations
        }
        return experiments.Finished(trained, predictions)

    def _opened(self, runs: list[Run], stage: str) -> dict[str, Entry]:
        """Run -> its entry of a stage."""
        names = {run.name: self.ledger.content["runs"][run.name][stage] for run in runs}
        found = {run: self.store.open(name) for run, name in names.items()}
        return {run: entry for run, entry in found.items() if entry is not None}

    def finished_part(self, task: TaskSettings) -> TaskSettings | None:
        """The task with those of its methods of which a run is finished; None if there are none."""
        runs = self.compared(task)
        finished = {run.method.name for run in runs if self.ledger.finished(run.name)}
        methods = tuple(method for method in task.methods if method.name in finished)
        return replace(task, methods=methods) if methods else None

    def _trained(self, run: Run) -> Entry:
        recorded = self.store.open(self.ledger.content["runs"][run.name]["train"])
        return recorded or train.make(self.store, self.inputs, run, lambda _step, _loss: None)


def tell_scores(store: Store, inputs: Inputs, run: Run) -> str:
    """What a finished run scored on the evaluated sets, in a few words."""
    trained = store.find(train.key(inputs, run))
    if trained is None:
        return ""
    found = []
    for address in run.task.evaluations:
        entry = predict.make(store, inputs, run, trained, address)
        value = entry.result()["metrics"].get(run.task.metric)
        found.append(f"{'-' if value is None else format(value, '.3f')} on {address}")
    return f"{NAMES[run.task.metric]} {', '.join(found)}"

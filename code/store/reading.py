"""Reads the store's entries of one profile into ``Results``.

Imports no torch: a report renders on a laptop from a copied ``cache/``.
"""

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from evidence.calibration import calibration_facts
from evidence.convergence import convergence_facts
from evidence.derived import derived_facts
from evidence.over_seeds import entry_of_all, over_seeds
from facts.fact import Fact
from facts.files import read_facts
from facts.table import Facts
from store import provenance, run_facts
from store.entries import Entry, Store
from store.ledger import Ledger
from store.results import Missing, Results, RunRecord
from study.errors import StudyError
from study.layers import HEAD
from study.paths import cache_folder
from study.profiles import load_profile
from study.settings import Profile, TaskSettings, find_roles, name_run

ORIGIN = ("time", "platform", "python", "device", "commit", "dirty", "packages")
MACHINE = (
    *("device_kind", "precision", "memory_kind", "pooler", "encoder_outputs_held"),
    "tokenizer_removes",
)
FACTS = "facts.csv"  # of an entry whose result is facts
SOURCES = {
    "convergence": "curve",
    "trend": "distance",
    "distance": "distance",
    "spectrum": "spectrum",
    "share": "cost",
    "ratio": "cost",
    "ratio moved": "distance",
    "ratio relative": "distance",
    "ratio effective_rank": "spectrum",
    "difference": "similarity",
}
"""Quantity (and metric) of a fact that is derived -> the quantity of runs that it follows from."""


def load_results(profile: str | None = None, root: Path | None = None) -> Results:
    """Reads all results of a profile.

    Raises:
        StudyError: nothing was run with the present settings, or an entry is gone or damaged.
    """
    return read_results(load_profile(profile or "full"), Store(root or cache_folder()))


def read_results(profile: Profile, store: Store) -> Results:
    """As ``load_results``, of a profile that is loaded already."""
    return _Reader(profile, store, Ledger.load(store.root, profile)).read()


def gather(profile: Profile, of_runs: list[Fact], of_tasks: list[Fact]) -> Facts:
    """The table of a study: facts of tasks and runs, and what follows from those of runs."""
    runs = Facts(of_runs)
    pairs = {}
    for name, task in profile.tasks.items():
        finished = set(runs.where(quantity="cost", task=name).distinct("method"))
        roles = find_roles([method for method in task.methods if method.name in finished])
        if roles.reference and roles.adapter:
            pairs[name] = (roles.reference, roles.adapter)
    methods = list(over_seeds(fact for fact in of_runs if fact.quantity != "curve"))
    return Facts(
        [
            *of_tasks,
            *of_runs,
            *methods,
            *_with_entries(
                of_runs,
                run_facts.trained_shares(methods),
                derived_facts(runs, pairs),
                convergence_facts(runs.where(quantity="curve")),
            ),
            *calibration_facts(),
        ]
    )


def _with_entries(of_runs: Iterable[Fact], *derived: Iterable[Fact]) -> Iterator[Fact]:
    """Facts that follow from those of runs, with the entries that these are of.

    Of several seeds ``drift/cola-full-seed*``.
    """
    entries: dict[tuple[str, str, str, int | None], str] = {}
    for fact in of_runs:
        for seed in (fact.seed, None):
            entries.setdefault((fact.quantity, fact.task, fact.method, seed), fact.entry)
    for fact in itertools.chain(*derived):
        source = SOURCES.get(f"{fact.quantity} {fact.metric}") or SOURCES[fact.quantity]
        entry = entries.get((source, fact.task, fact.method, fact.seed), "")
        yield replace(fact, entry=entry_of_all(entry) if fact.seed is None else entry)


class _Reader:
    def __init__(self, profile: Profile, store: Store, ledger: Ledger):
        self._profile, self._store, self._content = profile, store, ledger.content
        self._open = functools.cache(self._read_entry)
        # Most entries of a stage were made by the same code.
        self._changed = functools.cache(lambda code: provenance.changed_modules(dict(code)))

    def read(self) -> Results:
        missing, runs, variants = list[Missing](), list[RunRecord](), list[RunRecord]()
        of_runs, of_variants = list[Fact](), list[Fact]()
        for task in self._profile.tasks.values():
            sizes = self._training_sizes(task.name)
            of_task = self._stale(self._stages(task.name))
            asked = [(m.name, "", seed) for m in task.methods for seed in task.seeds_of(m)]
            asked += [
                (variant.method.name, variant.name, seed)
                for seed in task.experiments.seeds
                for variant in task.experiments.variants
            ]
            for method, variant_name, seed in asked:
                run = name_run(task.name, method, seed, variant_name)
                head = {"task": task.name, "method": method, "seed": seed}
                if run not in self._content["runs"]:
                    missing.append(self._missing(run))
                elif variant_name:
                    variants.append(self._record(run, head, of_task))
                    of_variants += self._variant_facts(run, {**head, "variant": variant_name})
                else:
                    runs.append(self._record(run, head, of_task))
                    of_runs += self._run_facts(run, head, sizes)
        of_tasks: list[Fact] = []
        items = {task: self._items(task) for task in self._profile.tasks}
        for task in self._profile.tasks.values():
            self._refuse_mixture(task, runs)
            of_tasks += self._task_facts(task.name)
            entries = self._stages(task.name).get("items", {})
            of_tasks += [
                replace(fact, entry=entries[fact.evaluation])
                for fact in run_facts.size_facts(task.name, items[task.name])
            ]
        return Results(
            profile=self._profile,
            missing=tuple(missing),
            facts=gather(
                self._profile, of_runs, [*of_tasks, *of_variants, *over_seeds(of_variants)]
            ),
            runs=tuple(runs),
            variants=tuple(variants),
            items=items,
            examples={
                task: pd.DataFrame(self._open(stages["evidence"]).result()["examples"])
                for task in self._profile.tasks
                if "evidence" in (stages := self._stages(task))
            },
            ledger=self._content,
        )

    def _missing(self, run: str) -> Missing:
        if reason := self._content["failures"].get(run):
            return Missing(run, reason, "failed")
        if reason := self._content.get("left_out", {}).get(run):
            return Missing(run, reason, "left-out")
        return Missing(run, "not run yet")

    def _refuse_mixture(self, task: TaskSettings, runs: Iterable[RunRecord]) -> None:
        """Runs of two kinds of machine are never pooled or divided: not what one table shows."""
        kinds: dict[str, set[tuple[str, str]]] = {}  # wanted precision -> what it was
        for run in runs:
            if run.task == task.name and "device_kind" in run.machine:
                wanted = task.method(run.method).training.precision
                found = (run.machine["device_kind"], run.machine["precision"])
                kinds.setdefault(wanted, set()).add(found)
        devices = {device for found in kinds.values() for device, _ in found}
        if len(devices) > 1 or any(len(found) > 1 for found in kinds.values()):
            shown = " and ".join(sorted({f"{d} ({p})" for f in kinds.values() for d, p in f}))
            raise StudyError(
                f"the runs of {task.name} were trained on different kinds of machine: {shown}",
                where=f"ledger of the profile {self._profile.name!r}",
                remedy=f"python code/run.py --profile {self._profile.name} --finished-only  "
                "chooses those of one kind",
            )

    def _record(
        self, run: str, head: Mapping[str, Any], stale_of_task: Mapping[str, list[str]]
    ) -> RunRecord:
        stages = self._content["runs"][run]
        trained = self._open(stages["train"])
        result, origin = trained.result(), trained.provenance()
        machine = {key: origin[key] for key in ORIGIN}
        machine |= {key: result["costs"][key] for key in MACHINE if key in result["costs"]}
        stale = {**self._stale(stages), **stale_of_task}
        return RunRecord(run, **head, machine=machine, sources=result["sources"], stale=stale)

    def _variant_facts(self, run: str, head: Mapping[str, Any]) -> Iterator[Fact]:
        """How far the head of an experiment's run moved, if that was measured.

        What it scored is in the facts of the task.
        """
        for entry in self._measured(run, "drift"):
            rows = [row for row in entry.result()["rows"] if row["layer"] == HEAD]
            measured = run_facts.distance_facts({**head, "entry": entry.name}, rows)
            yield from (fact for fact in measured if fact.layer == HEAD)

    def _run_facts(
        self, run: str, head: Mapping[str, Any], sizes: Mapping[str, int]
    ) -> Iterator[Fact]:
        for entry in self._measured(run, "train"):
            own, trained = {**head, "entry": entry.name}, entry.result()
            yield from run_facts.cost_facts(own, {**trained["costs"], **sizes})
            yield from run_facts.curve_facts(own, trained["curves"])
        for entry in self._measured(run, "drift"):
            own, drift = {**head, "entry": entry.name}, entry.result()
            yield from run_facts.distance_facts(own, drift["rows"])
            yield from run_facts.plain_facts(own, "embedding rows", drift["embedding_rows"] or {})
            yield from run_facts.plain_facts(own, "untouched", drift["untouched"])
        for entry in self._measured(run, "structure"):
            own = {**head, "entry": entry.name}
            yield from run_facts.spectrum_facts(own, entry.result()["rows"])
        for entry in self._measured(run, "representation"):
            yield from run_facts.similarity_facts({**head, "entry": entry.name}, entry.result())

    def _measured(self, run: str, stage: str) -> list[Entry]:
        """The entry of a run's stage, if there is one."""
        stages = self._content["runs"][run]
        return [self._open(stages[stage])] if stage in stages else []

    def _task_facts(self, task: str) -> list[Fact]:
        stages, found = self._stages(task), list[Fact]()
        for stage in ("evidence", "restoration", "forgetting", "experiments"):
            if stage in stages:
                entry = self._open(stages[stage])
                found += read_facts(entry.path(FACTS), entry=entry.name)
        for stage, facts_of in (
            ("price", run_facts.price_facts),
            ("latency", run_facts.latency_facts),
        ):
            if stage in stages:
                entry = self._open(stages[stage])
                found += facts_of({"task": task, "entry": entry.name}, entry.result())
        return found

    def _stale(self, stages: dict[str, Any]) -> dict[str, list[str]]:
        """Modules that changed since a stage's entries were made, by stage; others are left out."""
        changed = {}
        for stage, names in stages.items():
            entries = map(self._open, names.values() if isinstance(names, dict) else [names])
            modules = {module for entry in entries for module in self._changed(entry.made_by())}
            if modules:
                changed[stage] = sorted(modules)
        return changed

    def _stages(self, task: str) -> dict[str, Any]:
        found: dict[str, Any] = self._content["tasks"].get(task, {})
        return found

    def _training_sizes(self, task: str) -> Mapping[str, int]:
        """``train_sentences``, and for words ``train_words``, of the task's training split."""
        entries = self._stages(task).get("items", {})
        return next((self._open(n).result().get("training", {}) for n in entries.values()), {})

    def _items(self, task: str) -> dict[str, pd.DataFrame]:
        entries = self._stages(task).get("items", {})
        return {a: pd.DataFrame(self._open(n).result()["columns"]) for a, n in entries.items()}

    def _read_entry(self, name: str) -> Entry:
        entry = self._store.open(name)
        if entry is None:
            raise StudyError(
                "a stored result that the report needs is gone or damaged",
                where=str(self._store.root / name),
                remedy=f"python code/run.py --profile {self._profile.name}  makes it anew",
            )
        return entry

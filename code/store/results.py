"""The store's entries of one profile as tidy frames: what the report reads.

Nothing is measured here; runs that are missing or failed are listed, never silently left out.
"""

import functools
import inspect
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import pandas as pd

from evidence.schema import (
    AcceptabilityEvidence,
    Comparison,
    Estimate,
    Evidence,
    TaggingEvidence,
    TaskEvidence,
)
from facts.table import Facts
from store import provenance
from store.collected import collect_facts
from store.entries import Entry, Store
from store.frames import (
    FRAMES,
    RUN_COLUMNS,
    TASK_COLUMNS,
    TASK_FRAMES,
    plain_frame,
    select,
)
from store.ledger import Ledger
from study.errors import StudyError
from study.paths import cache_folder
from study.profiles import load_profile
from study.settings import MethodSettings, Profile, Roles, TaskSettings, find_roles, language_of
from words.wording import Wording

ORIGIN = ("time", "platform", "python", "device", "commit", "dirty", "packages")
NOTED = ("memory_kind", "tokenizer_removes")  # texts among the costs of a run
P = ParamSpec("P")
Shown = TypeVar("Shown")


@dataclass(frozen=True)
class Missing:
    """A run that the settings ask for and the report cannot show.

    Attributes:
        run: its name.
        reason: why.
        state: ``missing`` (not run), ``failed``, or ``left-out``: trained on another kind of
            machine than the runs that are shown.
    """

    run: str
    reason: str
    state: str = "missing"


@dataclass(frozen=True, eq=False)
class Results:
    """Everything that a report shows, read once; equal to itself alone, so that it can be a key.

    Frames are in long form; every one starts with run, task, method, seed.

    Attributes:
        profile: the settings behind it.
        missing: runs without results, with the reason.
        runs: one row a run: model, device, costs (seconds, bytes, parameters).
        scores: evaluation, language, metric, value.
        curves: step, epoch, seconds, split, metric, value.
        drift: layer, kind, parameters, l2, relative, rms, angle.
        structure: layer, kind, rank, effective_rank, top8_share, intruders.
        representation: evaluation, language, layer (0 = embeddings' output), cka, and how many
            tokens of how many sentences it rests on.
        embedding_rows: one row a run: shares and drifts of touched and untouched rows.
        untouched: one row a run: tensors, parameters, and the number changed outside the targets.
        prices: one row a task and method: seconds and cpu_seconds of a training step (medians),
            ratio to the reference's on the same batches with low and high, steps, device.
        restoration: one row a task, method, part and evaluation: metric with the part set back,
            drop against the trained model with its intervals (``evidence.restoration``).
        evidence: task -> its evidence, of the tasks that have any.
        items: task -> evaluation -> frame of the evaluated sentences or words.
        sources: one row a run and item: what it was trained and evaluated on.
        provenance: one row a run: time, device, commit, versions, ``NOTED``, and
            ``stale``: stage -> modules changed since (its task's stages included).
    """

    profile: Profile
    missing: tuple[Missing, ...]
    runs: pd.DataFrame
    scores: pd.DataFrame
    curves: pd.DataFrame
    drift: pd.DataFrame
    structure: pd.DataFrame
    representation: pd.DataFrame
    embedding_rows: pd.DataFrame
    untouched: pd.DataFrame
    evidence: TaskEvidence
    items: dict[str, dict[str, pd.DataFrame]]
    sources: pd.DataFrame
    provenance: pd.DataFrame
    prices: pd.DataFrame
    restoration: pd.DataFrame

    @functools.cached_property
    def facts(self) -> Facts:
        """Everything that was measured, as one table."""
        frames, roles = vars(self), {task: self.roles(task) for task in self.profile.tasks}
        return collect_facts(self.evidence, frames, roles)

    @functools.cached_property
    def _finished(self) -> dict[str, list[MethodSettings]]:
        """Asked a thousand times for a report, of frames that never change."""
        runs = {task: set(select(self.runs, task=task)["method"]) for task in self.profile.tasks}
        return {
            task: [method for method in self.profile.tasks[task].methods if method.name in names]
            for task, names in runs.items()
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

    def stale(self) -> dict[str, list[str]]:
        """Stages with a stored result older than the code behind it: stage -> changed modules."""
        found: dict[str, set[str]] = {}
        for of_run in self.provenance.get("stale", []):
            for stage, modules in of_run.items():
                found.setdefault(stage, set()).update(modules)
        return {stage: sorted(modules) for stage, modules in sorted(found.items())}

    def evaluations(self, task: str) -> tuple[str, ...]:
        """Addresses of a task's evaluated sets; the first is the validation set."""
        return self.profile.tasks[task].evaluations

    def wrong_in_every_run(self, task: str) -> pd.DataFrame:
        """The sentences that no run of any method gets right."""
        if task not in self.evidence:
            return pd.DataFrame()
        found = self.acceptability(task)
        items = self.items[task][found["evaluation"]]
        return items.iloc[found["always_wrong"]["indices"]]

    def acceptability(self, task: str) -> AcceptabilityEvidence:
        """The evidence of a task of sentences; whether there is any, ``has`` and ``needs`` say."""
        return cast(AcceptabilityEvidence, self.evidence[task])

    def tagging(self, task: str) -> TaggingEvidence:
        """The evidence of a task of words."""
        return cast(TaggingEvidence, self.evidence[task])

    def comparisons(self, task: str) -> list[Comparison]:
        """All comparisons of methods, of either kind of task."""
        found = self.evidence.get(task)
        return found["comparisons"] if found else []

    def estimates(self, task: str, evaluation: str, metric: str) -> dict[str, Estimate]:
        """A metric on an evaluated set by method, controls included, of those that have it."""
        if task not in self.evidence:
            return {}
        if self.profile.tasks[task].kind == "sequence":
            every = [
                (m, entry["metrics"]) for m, entry in self.acceptability(task)["methods"].items()
            ]
        else:
            every = [
                (method, entry["evaluations"][evaluation]["metrics"])
                for method, entry in self.tagging(task)["methods"].items()
                if evaluation in entry["evaluations"]
            ]
        return {method: found[metric] for method, found in every if metric in found}

    def has(self, part: str, task: str | None = None) -> bool:
        """Whether there is anything of a part (``drift``, ``evidence``), of one task or of any."""
        found = getattr(self, part)
        if isinstance(found, pd.DataFrame):
            return not (found if task is None else select(found, task=task)).empty
        return bool(found.get(task)) if task is not None else any(found.values())


def needs(
    part: str, instead: Callable[[Wording], Shown], task: str | None = None
) -> Callable[[Callable[P, Shown]], Callable[P, Shown]]:
    """Says what is shown where a part of the results is absent, once for a table or a figure.

    Args:
        part: as in ``Results.has``.
        instead: makes what is shown then.
        task: whose part; without, that of the function's own argument ``task``, or of any task.
    """

    def decorate(show: Callable[P, Shown]) -> Callable[P, Shown]:
        signature = inspect.signature(show)

        @functools.wraps(show)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Shown:
            given = signature.bind(*args, **kwargs).arguments
            if given["results"].has(part, task or given.get("task")):
                return show(*args, **kwargs)
            return instead(given["words"])

        return guarded

    return decorate


def load_results(profile: str | None = None, root: Path | None = None) -> Results:
    """Reads all results of a profile.

    Args:
        profile: its name.
        root: the cache folder, if not the usual one.

    Raises:
        StudyError: nothing was run with the present settings, or an entry is gone or damaged.
    """
    settings = load_profile(profile or "full")
    store = Store(root or cache_folder())
    return _Reader(settings, store, Ledger.load(store.root, settings)).read()


class _Reader:
    def __init__(self, profile: Profile, store: Store, ledger: Ledger):
        self._profile, self._store, self._content = profile, store, ledger.content
        self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        # Most entries of a stage were made by the same code.
        self._changed = functools.cache(lambda code: provenance.changed_modules(dict(code)))

    def read(self) -> Results:
        missing = []
        for task in self._profile.tasks.values():
            for method in task.methods:
                for seed in task.seeds_of(method):
                    run = f"{task.name}-{method.name}-seed{seed}"
                    if run in self._content["runs"]:
                        head = {"run": run, "task": task.name, "method": method.name, "seed": seed}
                        self._read_run(head, self._content["runs"][run])
                    else:
                        missing.append(self._missing(run))
        for task in self._profile.tasks.values():
            self._refuse_mixture(task)
            self._read_task(task.name)
        return Results(
            profile=self._profile,
            missing=tuple(missing),
            evidence={
                task: cast(Evidence, self._open(stages["evidence"]).result())
                for task in self._profile.tasks
                if "evidence" in (stages := self._stages(task))
            },
            items={task: self._items(task) for task in self._profile.tasks},
            **{name: self._frame(name, RUN_COLUMNS, FRAMES[name]) for name in FRAMES},
            **{name: self._frame(name, TASK_COLUMNS, TASK_FRAMES[name]) for name in TASK_FRAMES},
        )

    def _missing(self, run: str) -> Missing:
        if reason := self._content["failures"].get(run):
            return Missing(run, reason, "failed")
        if reason := self._content.get("left_out", {}).get(run):
            return Missing(run, reason, "left-out")
        return Missing(run, "not run yet")

    def _refuse_mixture(self, task: TaskSettings) -> None:
        """Runs of two kinds of machine are never pooled or divided: not what one table shows."""
        kinds: dict[str, set[tuple[str, str]]] = {}  # wanted precision -> what it was
        for row in self._rows["runs"]:
            if row["task"] == task.name and "device_kind" in row:
                wanted = task.method(row["method"]).training.precision
                kinds.setdefault(wanted, set()).add((row["device_kind"], row["precision"]))
        devices = {device for found in kinds.values() for device, _ in found}
        if len(devices) > 1 or any(len(found) > 1 for found in kinds.values()):
            shown = " and ".join(sorted({f"{d} ({p})" for f in kinds.values() for d, p in f}))
            raise StudyError(
                f"the runs of {task.name} were trained on different kinds of machine: {shown}",
                where=f"ledger of the profile {self._profile.name!r}",
                remedy=f"python code/run.py --profile {self._profile.name} --finished-only  "
                "chooses those of one kind",
            )

    def _read_run(self, head: dict[str, Any], stages: dict[str, Any]) -> None:
        trained = self._open(stages["train"])
        result, origin = trained.result(), trained.provenance()
        sizes = self._training_sizes(head["task"])
        self._add("runs", head, {**result["costs"], "device": origin["device"], **sizes})
        self._add("curves", head, *result["curves"])
        for item, source in result["sources"].items():
            self._add("sources", head, {"item": item, "source": source})
        stale = self._stale({**stages, **self._stages(head["task"])})
        kept = {k: origin[k] for k in ORIGIN} | {k: result["costs"].get(k) for k in NOTED}
        self._add("provenance", head, {**kept, "stale": stale})
        for address, name in stages["predict"].items():
            where = {"evaluation": address, "language": language_of(address)}
            for metric, value in self._open(name).result()["metrics"].items():
                self._add("scores", head, {**where, "metric": metric, "value": value})
        if "drift" in stages:
            self._read_drift(head, self._open(stages["drift"]).result())
        if "structure" in stages:
            self._add("structure", head, *self._open(stages["structure"]).result()["rows"])
        if "representation" in stages:
            self._read_cka(head, self._open(stages["representation"]).result())

    def _read_task(self, task: str) -> None:
        stages = self._stages(task)
        if "price" in stages:
            entry = self._open(stages["price"])
            result, device = entry.result(), entry.provenance()["device"]
            for method, of_method in result["prices"].items():
                cpu = result["cpu_prices"].get(method, {}).get("seconds")
                row = {**of_method, "cpu_seconds": cpu, "device": device}
                self._add("prices", {"task": task, "method": method}, row)
        if "restoration" in stages:
            rows = self._open(stages["restoration"]).result()["rows"]
            self._add("restoration", {"task": task}, *rows)

    def _read_drift(self, head: dict[str, Any], result: dict[str, Any]) -> None:
        self._add("drift", head, *result["rows"])
        if result["embedding_rows"]:
            self._add("embedding_rows", head, result["embedding_rows"])
        untouched = {**result["untouched"], "changed": len(result["untouched"]["changed"])}
        self._add("untouched", head, untouched)

    def _read_cka(self, head: dict[str, Any], result: dict[str, Any]) -> None:
        for address, values in result["cka"].items():
            where = {"evaluation": address, "language": language_of(address)}
            sample = {"tokens": result["tokens"], "sentences": result["sentences"][address]}
            for layer, value in enumerate(values):
                row = {**where, "layer": layer, "cka": value, **sample}
                self._add("representation", head, row)

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

    def _training_sizes(self, task: str) -> dict[str, int]:
        """``train_sentences``, and for words ``train_words``, of the task's training split."""
        entries = self._stages(task).get("items", {})
        return next((self._open(n).result().get("training", {}) for n in entries.values()), {})

    def _items(self, task: str) -> dict[str, pd.DataFrame]:
        entries = self._stages(task).get("items", {})
        return {a: pd.DataFrame(self._open(n).result()["columns"]) for a, n in entries.items()}

    def _open(self, name: str) -> Entry:
        entry = self._store.open(name)
        if entry is None:
            raise StudyError(
                "a stored result that the report needs is gone or damaged",
                where=str(self._store.root / name),
                remedy=f"python code/run.py --profile {self._profile.name}  makes it anew",
            )
        return entry

    def _add(self, frame: str, head: dict[str, Any], *rows: dict[str, Any]) -> None:
        self._rows[frame] += [{**head, **row} for row in rows]

    def _frame(self, name: str, head: list[str], columns: tuple[str, ...]) -> pd.DataFrame:
        rows = self._rows[name]
        return plain_frame(rows) if rows else pd.DataFrame(columns=[*head, *columns])

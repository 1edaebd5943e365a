"""Recomputes what a profile's report rests on and compares (``run.py verify``)."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runs.completion import Grid
from runs.grid import Run, plan_runs
from runs.inputs import Inputs
from store.entries import Entry, Key, Store
from store.ledger import Ledger
from study.architecture import canonical_name
from study.errors import StudyError
from study.paths import output_folder
from study.settings import LoraSettings, Profile, TaskSettings
from verification.claims import Claim
from verification.counting import score_run
from verification.estimates import (
    claim_evidence,
    claim_export,
    claim_prices,
    claim_restoration,
)
from verification.measuring import distances, read_tensors, tuned_weights
from verification.placing import passages_of, place_numbers
from verification.reading import documents, read_document

EXACT = 1e-9  # sums in another order
MERGED = 1e-4  # a merged matrix is rounded to single precision
SHOWN = ("runs", "tasks")  # parts of a ledger that name entries
_NAMES = {  # ours -> in results.json
    "l2": "euclidean_distance",
    "relative": "relative_distance",
    "rms": "root_mean_square_change",
    "angle": "angle",
}


@dataclass
class Tally:
    """How much of each kind was compared, and what differs."""

    checked: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def hold(self, kind: str, claims: Iterable[Claim], tolerance: float = EXACT) -> None:
        """Compares each stored number with the one computed here, if there is to be any."""
        for claim in claims:
            found, expected = claim.found, claim.expected
            if expected is None or math.isnan(expected):
                nothing = found is None or math.isnan(found)
                self.note(kind, claim.where, None if nothing else f"{found} is shown, for nothing")
            else:
                close = found is not None and math.isclose(
                    found, expected, rel_tol=tolerance, abs_tol=1e-9
                )
                problem = None if close else f"{found} is shown, {expected} recomputed"
                self.note(kind, claim.where, problem)

    def note(self, kind: str, where: str, problem: str | None) -> None:
        """Counts a check, and notes its problem if there is one."""
        self.checked[kind] += 1
        if problem:
            self.wrong.append(f"{kind}: {where}: {problem}")

    def summary(self) -> str:
        """One line of counts."""
        counts = ", ".join(f"{number} {kind}" for kind, number in self.checked.items())
        return f"verified: {counts or 'nothing'}; wrong: {len(self.wrong)}"


def verify(profile: Profile, store: Store, folder: Path | None = None) -> Tally:
    """Checks a profile's stored results, ``results.json`` and rendered documents.

    Args:
        profile: its settings.
        store: where its results are.
        folder: of its documents, if not the usual one.

    Raises:
        StudyError: there are no results of this profile, or its models cannot be had.
    """
    content = Ledger.load(store.root, profile).content
    folder = folder or output_folder(profile.name)
    tally = Tally()
    for name in sorted(set(_entry_names({k: content.get(k) for k in SHOWN}))):
        _check_entry(tally, store, name)
    if tally.wrong:
        return tally  # what rests on a damaged result need not be recomputed
    exported = _read_export(folder)
    again = _Recomputed(tally, store, Grid(profile, store).inputs, content, exported)
    for run in plan_runs(profile):
        if stages := content["runs"].get(run.name):
            again.check_scores(run, stages)
            if "drift" in stages:
                again.check_distances(run, stages)
    for task in profile.tasks.values():
        if stages := content["tasks"].get(task.name):
            again.check_task(task, stages)
    if exported:
        _check_documents(tally, folder, exported)
    return tally


def _entry_names(content: Any) -> Iterator[str]:
    """Every name of an entry in a ledger, however deep."""
    if isinstance(content, Mapping):
        for value in content.values():
            yield from _entry_names(value)
    elif isinstance(content, str):
        yield content


def _check_entry(tally: Tally, store: Store, name: str) -> None:
    entry = store.open(name)
    if entry is None:
        tally.note("checksums", name, "is gone or damaged")
        return
    for file in entry.manifest()["files"]:
        try:
            tally.note("checksums", name, None)
            entry.path(file)
        except StudyError as error:
            tally.wrong.append(f"checksums: {name}: {error.problem}")
            return
    settings = json.loads(entry.path("config.json").read_text(encoding="utf-8"))
    key = Key(settings["stage"], settings["name"], settings["version"], settings["payload"])
    differs = key.digest != entry.manifest()["digest"]
    tally.note("keys", name, "its settings are not those of its key" if differs else None)


def _read_export(folder: Path) -> dict[str, Any]:
    file = folder / "results.json"
    if not file.is_file():
        return {}
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StudyError(
            f"expected JSON: {error}", where=str(file), remedy="render the report again"
        ) from error


@dataclass(frozen=True)
class _Recomputed:
    """The numbers that follow from what is stored, against those that are stored and exported."""

    tally: Tally
    store: Store
    inputs: Inputs
    content: Mapping[str, Any]  # of the ledger
    exported: Mapping[str, Any]  # results.json, {} without one

    def find(self, name: str) -> Entry:
        """The entry of a name."""
        entry = self.store.open(name)
        assert entry is not None, "checked before"
        return entry

    def check_scores(self, run: Run, stages: Mapping[str, Any]) -> None:
        """The metrics of a run."""
        shown = {
            (row["evaluation"], row["metric"]): row["value"]
            for row in self.exported.get("scores", ())
            if row["run"] == run.name
        }
        for address, name in stages["predict"].items():
            columns = self.find(self.content["tasks"][run.task.name]["items"][address]).result()
            (predictions,) = self.find(name).arrays().values()
            again = score_run(run.task.kind, predictions, columns["columns"])
            for metric, value in self.find(name).result()["metrics"].items():
                claim = Claim(f"{run.name}, {address}, {metric}", value, again.get(metric))
                self._hold_both("scores", claim, shown.get((address, metric)), EXACT)

    def check_distances(self, run: Run, stages: Mapping[str, Any]) -> None:
        """How far the weights of a run moved."""
        trained = self.find(stages["train"])
        base, _ = self.inputs.pair(run, trained)
        before = {
            canonical_name(name): tensor.detach().double().numpy()
            for name, tensor in base.named_parameters()
        } | read_tensors(trained.path("initial_head.safetensors"))
        adapter = run.method.adapter
        scale = adapter.lora_alpha / adapter.r if isinstance(adapter, LoraSettings) else 0.0
        after = tuned_weights(before, read_tensors(trained.path("trained.safetensors")), scale)
        again = distances(before, after, trained.result()["costs"].get("pooler") == "head")
        shown = {
            (row["layer"], row["kind"]): row
            for row in self.exported.get("drift", ())
            if row["run"] == run.name
        }
        for row in self.find(stages["drift"]).result()["rows"]:
            place = (row["layer"], row["kind"])
            for measure, value in again.get(place, {}).items():
                claim = Claim(f"{run.name}, {' '.join(place)}, {measure}", row[measure], value)
                found = shown.get(place, {}).get(_NAMES[measure])
                self._hold_both("distances", claim, found, MERGED)

    def _hold_both(self, kind: str, claim: Claim, shown: float | None, tolerance: float) -> None:
        self.tally.hold(kind, [claim], tolerance)
        if self.exported:
            exported = replace(claim, found=shown)
            self.tally.hold(f"{kind} of results.json", [exported], tolerance)

    def check_task(self, task: TaskSettings, stages: Mapping[str, Any]) -> None:
        """What its runs together say."""
        if "evidence" in stages:
            claims = claim_evidence(task, self.inputs, self.content, self.find)
            self.tally.hold("evidence", claims)
            if self.exported:
                stored = self.find(stages["evidence"]).result()
                shown = self.exported["evidence"].get(task.name)
                claims = claim_export(shown, stored, task.name)
                self.tally.hold("evidence of results.json", claims)
        if "restoration" in stages:
            claims = claim_restoration(task, self.content, self.find)
            self.tally.hold("parts set back", claims)
        if "price" in stages:
            self.tally.hold("prices", claim_prices(self.find(stages["price"]).result()))


def _check_documents(tally: Tally, folder: Path, exported: dict[str, Any]) -> None:
    for file, language in documents(folder):
        placing = place_numbers(read_document(file), passages_of(exported, language))
        tally.checked[f"numbers in {file.name}"] += placing.expected
        tally.checked["of them by the words around"] += placing.placed
        tally.wrong += [f"{file.name}: {problem}" for problem in placing.wrong]

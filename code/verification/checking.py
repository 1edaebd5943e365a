"""Recomputes what a profile's report rests on and compares (``run.py verify``)."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from corpora.items import UPOS_TAGS
from runs.completion import Grid
from runs.grid import Run, plan_runs
from store.entries import Entry, Key, Store
from store.ledger import Ledger
from study.architecture import canonical_name
from study.errors import StudyError
from study.paths import output_folder
from study.settings import LoraSettings, Profile, TaskSettings
from verification.claims import Claim
from verification.counting import score_sentences, score_words
from verification.estimates import (
    claim_evidence,
    claim_export,
    claim_growth,
    claim_prices,
    claim_restoration,
)
from verification.measuring import distances, read_tensors, tuned_weights
from verification.placing import passages_of, place_numbers
from verification.reading import documents, read_document

EXACT = 1e-9  # sums in another order
MERGED = 1e-4  # a merged matrix is rounded to single precision
SHOWN = ("runs", "tasks", "growth")  # parts of a ledger that name entries
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

    def compare(self, kind: str, where: str, found: Any, expected: float, tolerance: float) -> None:
        """Counts a comparison, and notes it if the two differ."""
        self.checked[kind] += 1
        same = found is not None and math.isclose(found, expected, rel_tol=tolerance, abs_tol=1e-9)
        if not same:
            self.wrong.append(f"{kind}: {where}: {found} is shown, {expected} recomputed")

    def hold(self, kind: str, claims: Iterable[Claim]) -> None:
        """Compares each stored number with the one computed here, if there is to be any."""
        for claim in claims:
            if claim.expected is None or math.isnan(claim.expected):
                problem = f"{claim.found} is shown, for nothing" if claim.found else None
                self.note(kind, claim.where, problem)
            else:
                self.compare(kind, claim.where, claim.found, claim.expected, EXACT)

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
    grid = Grid(profile, store)
    for run in plan_runs(profile):
        if stages := content["runs"].get(run.name):
            items = content["tasks"][run.task.name]["items"]
            _check_scores(tally, store, run, stages, items, exported)
            if "drift" in stages:
                _check_distances(tally, store, grid, run, stages, exported)
    for task in profile.tasks.values():
        if content["tasks"].get(task.name):
            _check_task(tally, store, grid, task, content, exported)
    if name := content.get("growth"):
        tally.hold("exponents", claim_growth(_open(store, name).result()))
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


def _open(store: Store, name: str) -> Entry:
    entry = store.open(name)
    assert entry is not None, "checked before"
    return entry


def _check_scores(
    tally: Tally,
    store: Store,
    run: Run,
    stages: dict[str, Any],
    items: dict[str, str],
    exported: dict[str, Any],
) -> None:
    shown = {
        (row["run"], row["evaluation"], row["metric"]): row["value"]
        for row in exported.get("scores", ())
    }
    for address, name in stages["score"].items():
        columns = _open(store, items[address]).result()["columns"]
        arrays = _open(store, stages["predict"][address]).arrays()
        if run.task.kind == "token":
            gold = np.array([UPOS_TAGS.index(tag) for tag in columns["tag"]])
            again = score_words(arrays["predicted"], gold)
        else:
            again = score_sentences(arrays["logits"], np.array(columns["label"]))
        for metric, value in _open(store, name).result()["metrics"].items():
            where = f"{run.name}, {address}, {metric}"
            tally.compare("scores", where, value, again[metric], EXACT)
            if exported:
                found = shown.get((run.name, address, metric))
                tally.compare("scores of results.json", where, found, again[metric], EXACT)


def _check_distances(
    tally: Tally,
    store: Store,
    grid: Grid,
    run: Run,
    stages: dict[str, Any],
    exported: dict[str, Any],
) -> None:
    trained = _open(store, stages["train"])
    base, _ = grid.inputs.pair(run, trained)
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
        for row in exported.get("drift", ())
        if row["run"] == run.name
    }
    for row in _open(store, stages["drift"]).result()["rows"]:
        place = (row["layer"], row["kind"])
        for measure, value in again.get(place, {}).items():
            where = f"{run.name}, {' '.join(place)}, {measure}"
            tally.compare("distances", where, row[measure], value, MERGED)
            if exported:
                found = shown.get(place, {}).get(_NAMES[measure])
                tally.compare("distances of results.json", where, found, value, MERGED)


def _check_task(
    tally: Tally,
    store: Store,
    grid: Grid,
    task: TaskSettings,
    content: Mapping[str, Any],
    exported: dict[str, Any],
) -> None:
    def find(name: str) -> Entry:
        return _open(store, name)

    stages = content["tasks"][task.name]
    if "evidence" in stages:
        tally.hold("evidence", claim_evidence(task, grid.inputs, content, find))
        if exported:
            stored = find(stages["evidence"]).result()
            shown = exported["evidence"].get(task.name)
            tally.hold("evidence of results.json", claim_export(shown, stored, task.name))
    if "restoration" in stages:
        tally.hold("parts set back", claim_restoration(task, content, find))
    if "price" in stages:
        tally.hold("prices", claim_prices(find(stages["price"]).result()))


def _check_documents(tally: Tally, folder: Path, exported: dict[str, Any]) -> None:
    for file, language in documents(folder):
        placing = place_numbers(read_document(file), passages_of(exported, language))
        tally.checked[f"numbers in {file.name}"] += placing.expected
        tally.checked["of them by the words around"] += placing.placed
        tally.wrong += [f"{file.name}: {problem}" for problem in placing.wrong]

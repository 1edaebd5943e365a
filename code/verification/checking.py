"""Recomputes what a profile's report rests on and compares (``run.py verify``)."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from facts.fact import COLUMNS, DEFAULTS, KEY, Fact
from facts.files import read_facts, record
from facts.table import Facts
from runs.completion import Grid
from runs.grid import Run, plan_runs
from runs.inputs import Inputs
from store.entries import Entry, Key, Store
from store.ledger import Ledger
from store.reading import read_results
from study.errors import StudyError
from study.paths import output_folder
from study.settings import Profile
from verification.measuring import can_measure, measure_run
from verification.pages import documents, forms_of, missing_in_pdf, read_page, read_pdf
from verification.predictions import Predictions
from verification.recounting import Recount
from words.numbers import Numbers
from words.wording import load_wording

EXACT = 1e-9  # sums in another order
MERGED = 1e-4  # a merged matrix is rounded to single precision
MEANS = ("adapted", "encoder")  # kinds of distance over several layers' matrices: not made again
SHOWN = ("runs", "tasks")  # parts of a ledger that name entries


@dataclass
class Tally:
    """How much of each kind was compared, and what differs."""

    checked: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def hold(
        self, kind: str, where: str, found: float | None, expected: float | None,
        tolerance: float = EXACT,
    ) -> None:  # fmt: skip
        """Compares a number with the one computed here; None: nothing is to stand there."""
        if found is None or expected is None:
            agree = found is expected
        else:
            agree = math.isclose(found, expected, rel_tol=tolerance, abs_tol=1e-9)
        self.note(kind, where, None if agree else f"{found} is stored, {expected} recomputed")

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
    """Checks a profile's stored results, ``facts.csv``, ``results.json`` and rendered documents.

    Raises:
        StudyError: there are no results of this profile, or its models cannot be had.
    """
    content = Ledger.load(store.root, profile).content
    folder = folder or output_folder(profile.name)
    tally = Tally()
    names = sorted(set(_entry_names({k: content.get(k) for k in SHOWN})))
    for name in names:
        _check_entry(tally, store, name)
    if tally.wrong:
        return tally  # what rests on a damaged result need not be recomputed
    facts = read_results(profile, store).facts
    measured = [fact for fact in facts if fact.quantity != "calibration"]
    for entry in dict.fromkeys(fact.entry for fact in measured):
        stored = any(fnmatchcase(name, entry) for name in names)
        tally.note("entries of facts", entry, None if stored else "is not stored")
    inputs = Grid(profile, store).inputs

    def find(name: str) -> Entry:
        entry = store.open(name)
        assert entry is not None, "checked before"
        return entry

    for task in profile.tasks.values():
        again = Recount(Predictions(task, inputs, content, find))
        for fact in (fact for fact in facts if fact.task == task.name):
            value = again.value(fact)
            if value is None or not math.isnan(value):
                tally.hold(fact.quantity, describe(fact), fact.value, value)
    _check_distances(tally, plan_runs(profile), content, find, inputs, facts)
    check_files(tally, folder, facts)
    for stem, language in documents(folder):
        check_documents(tally, folder, stem, facts, Numbers(load_wording(language)))
    return tally


def describe(fact: Fact) -> str:
    """The columns that identify a fact, without the empty ones."""
    kept = [f"{n} {v}" for n in KEY[1:] if (v := getattr(fact, n)) != DEFAULTS[n]]
    return ", ".join([fact.quantity, *kept])


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


def _check_distances(
    tally: Tally,
    runs: Iterable[Run],
    content: Mapping[str, Any],
    find: Callable[[str], Entry],
    inputs: Inputs,
    facts: Facts,
) -> None:
    """How far the weights of each run moved; means over layers and seeds follow from the runs'."""
    for run in runs:
        stages = content["runs"].get(run.name, {})
        if "drift" in stages and not can_measure(run):
            tally.checked["runs whose change of weights peft alone can tell"] += 1
        elif "drift" in stages:
            again = measure_run(run, find(stages["train"]), inputs)
            where: Any = {"task": run.task.name, "method": run.method.name, "seed": run.seed}
            where["variant"] = run.variant.name if run.variant else ""
            for fact in facts.where(quantity="distance", **where):
                place = (fact.layer, fact.kind, fact.metric)
                if fact.kind not in MEANS:
                    tally.hold("distance", describe(fact), fact.value, again.get(place), MERGED)
    of_seeds: dict[str, list[float]] = defaultdict(list)
    distances = [fact for fact in facts if fact.quantity == "distance"]
    for fact in distances:
        if fact.seed is not None and fact.value is not None:
            of_seeds[describe(replace(fact, seed=None))].append(fact.value)
    for fact in (fact for fact in distances if fact.seed is None):
        if values := of_seeds[describe(fact)]:
            mean = math.fsum(values) / len(values)
            tally.hold("distance", describe(fact), fact.value, mean)


def check_files(tally: Tally, folder: Path, facts: Facts) -> None:
    """The files beside the report hold the same facts, in every column."""
    expected = {fact.id: record(fact) for fact in facts}
    if (file := folder / "facts.csv").is_file():
        found = [record(fact) for fact in read_facts(file)]
        _same_records(tally, file.name, found, expected)
    if (file := folder / "results.json").is_file():
        try:
            rows = json.loads(file.read_text(encoding="utf-8"))["facts"]
        except (ValueError, LookupError) as error:
            raise StudyError(
                f"expected JSON: {error}", where=str(file), remedy="render the report again"
            ) from error
        _same_records(tally, file.name, rows, expected)


def _same_records(
    tally: Tally, kind: str, found: Iterable[Mapping[str, Any]], expected: Mapping[str, Any]
) -> None:
    """Every record is the one of its id, and none is missing."""
    left = dict(expected)
    for row in found:
        stored = left.pop(row["id"], {})
        differs = [c for c in ("id", *COLUMNS) if row.get(c) != stored.get(c)]
        told = [f"{c} is {row.get(c)}, {stored.get(c)} is stored" for c in differs]
        tally.note(kind, _named(row), "; ".join(told) or None)
    for row in left.values():
        tally.note(kind, _named(row), "is not there")


def _named(row: Mapping[str, Any]) -> str:
    return describe(Fact(**{name: row[name] for name in KEY if name in row}))


def check_documents(tally: Tally, folder: Path, stem: str, facts: Facts, numbers: Numbers) -> None:
    """The numbers of a page by their keys, and those of its PDF against the page's."""
    page = read_page(folder / f"{stem}.html")
    known = {fact.id: fact for fact in facts}
    known |= {
        t.id: t for f in facts.where(quantity=("difference", "contrast")) for t in [f.turned()]
    }
    shown = {mark.fact for mark in page.marks} | page.facts.keys()
    embedded = [{"id": name, **columns} for name, columns in page.facts.items()]
    _same_records(
        tally, f"facts in {stem}.html", embedded, {i: record(known[i]) for i in shown if i in known}
    )
    kind = f"numbers in {stem}.html"
    for mark in page.marks:
        fact = known.get(mark.fact)
        if fact is None:
            tally.note(kind, mark.text, f"there is no fact {mark.fact}")
            continue
        forms = forms_of(numbers, fact, mark)
        right = " or ".join(sorted(forms)) or "nothing"
        problem = None if mark.text in forms else f"{mark.text} is shown, {right} is stored"
        tally.note(kind, f"{describe(fact)}, {mark.column}", problem)
    if (pdf := folder / f"{stem}.pdf").is_file():
        tally.checked[f"numbers in {stem}.pdf"] += len(page.marks)
        tally.wrong += [f"{pdf.name}: {told}" for told in missing_in_pdf(page, read_pdf(pdf))]

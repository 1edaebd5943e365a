"""What a profile will take on this machine, told before its first step.

Runs that differ in their seed alone are one group. Nothing is trained, and no result is stored.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders.models import describe_device
from encoders.precision import device_kind
from runs.grid import Run, plan_runs
from runs.inputs import Inputs
from runs.probe import Needs, compute_needs
from runs.progress import format_duration
from runs.stages import train
from runs.supplies import Supply, describe_quarto, find_supplies, name_model
from store.entries import Store
from study.errors import StudyError
from study.settings import Profile

PATIENCE = {"gpu": 40.0, "cpu": 240.0}  # seconds of probes, after which the rest is only counted
GIGABYTE = 1e9


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed alone."""

    name: str  # task and method
    runs: tuple[Run, ...]  # with their seeds
    finished: int  # how many of them are trained already
    needs: Needs | None  # of each run; None where that cannot be known
    problem: str = ""  # why a run cannot be made; "" where it can

    @property
    def missing(self) -> int:
        """Runs that are not trained yet."""
        return len(self.runs) - self.finished


@dataclass(frozen=True)
class Plan:
    """The whole of it."""

    profile: Profile
    supplies: list[Supply]  # corpora and models
    groups: list[Group]  # of runs, in the profile's order
    free_bytes: int  # of the disk that results are stored on

    @property
    def disk_bytes(self) -> int:
        """What the missing runs keep, and the largest checkpoint while one is trained."""
        known = [(group.missing, group.needs) for group in self.groups if group.needs]
        kept = sum(missing * needs.kept_bytes for missing, needs in known)
        working = [needs.working_bytes for missing, needs in known if missing]
        return kept + max(working, default=0)

    @property
    def problems(self) -> list[str]:
        """What keeps runs from being made, each once, without the remedies."""
        found = [supply.told for supply in self.supplies if not supply.here]
        found += [group.problem for group in self.groups if group.problem]
        if self.disk_bytes > self.free_bytes:
            free = self.free_bytes / GIGABYTE
            found.append(f"{self.disk_bytes / GIGABYTE:.2f} GB of disk, where {free:.2f} are free")
        return list(dict.fromkeys(text.splitlines()[0] for text in found))

    def lines(self) -> Iterator[str]:
        """The plan as it is printed; the last line is the answer."""
        yield f"{self.profile.name}: {self.profile.title}"
        yield f"on {describe_device()}"
        yield describe_quarto()
        yield ""
        for supply in self.supplies:
            yield f"{'here' if supply.here else 'MISSING':<8} {supply.name}: {supply.told}"
        yield ""
        yield from self._table()
        yield ""
        yield self._answer()

    def _table(self) -> Iterator[str]:
        width = max((len(group.name) for group in self.groups), default=4)
        row = f"{{:<{width}}} " + "{:>7} {:>6} {:>9} {:>9} {:>9} {:>9}  {}"
        yield row.format(
            *("runs", "to make", "steps", "precision", "computed", "at peak", "disk", "time each")
        )
        compared = True
        for group in self.groups:
            if compared and group.runs[0].variant:
                compared = False
                yield "experiments, after the comparison:"
            count, needs = f"{group.missing}/{len(group.runs)}", group.needs
            if needs is None:
                yield row.format(group.name, count, *"-----", "-")
                continue
            peak = "-" if needs.peak_bytes is None else _gigabytes(needs.peak_bytes)
            sizes = (_gigabytes(needs.computed_bytes), peak, _gigabytes(needs.kept_bytes))
            told = _spell(needs.seconds)
            if needs.micro_batch:
                told += f"; memory holds {needs.micro_batch} sentences at a time"
            yield row.format(group.name, count, needs.steps, needs.precision, *sizes, told)
        yield (
            "computed: weights, gradients and AdamW's moments; at peak: with a step on the longest "
            "batch; time: from the fastest steps alone to the slowest steps and all evaluations"
        )

    def _answer(self) -> str:
        name, runs = self.profile.name, sum(len(group.runs) for group in self.groups)
        missing = sum(group.missing for group in self.groups)
        if self.problems:
            return f"The profile {name!r} cannot run here as it stands; missing: " + "; ".join(
                self.problems
            )
        if not missing:
            return f"The profile {name!r} is finished: {runs} runs are stored."
        times = [g.needs.seconds for g in self.groups if g.missing and g.needs]
        known = [(g, g.needs.seconds) for g in self.groups if g.needs and g.needs.seconds]
        low, high = (sum(g.missing * ends[i] for g, ends in known) for i in (0, 1))
        whole = f"between {format_duration(low)} and {format_duration(high)}"
        if None in times:
            whole = f"at least {format_duration(low)}, since not every group was probed"
        disk = f"{_gigabytes(self.disk_bytes)} of disk"
        return (
            f"The profile {name!r} can run here: {missing} of {runs} runs are to be made, "
            f"one after another {whole}, with {disk}."
        )


def make_plan(profile: Profile, store: Store) -> Plan:
    """Looks for what the profile needs and probes each group of its runs."""
    inputs = Inputs(store.root / "corpora")
    supplies = find_supplies(inputs, profile)
    missing = {supply.name: supply.told for supply in supplies if not supply.here}
    begun, known = time.monotonic(), dict[Any, Needs]()
    groups: dict[str, list[Run]] = {}
    for run in plan_runs(profile):
        groups.setdefault(run.name.rpartition("-seed")[0], []).append(run)
    told = []
    with tempfile.TemporaryDirectory() as folder:
        for name, runs in groups.items():
            task, method = runs[0].task, runs[0].method
            wanted = (task.train, *task.evaluations, name_model(method))
            if lacking := [missing[supply] for supply in wanted if supply in missing]:
                told.append(Group(name, tuple(runs), 0, None, lacking[0]))
                continue  # asking a hub that does not answer takes as long each time
            print(f"looking at {name}", file=sys.stderr, flush=True)
            in_time = time.monotonic() - begun < PATIENCE[device_kind()]
            told.append(_plan_group(inputs, store, name, runs, known, Path(folder), in_time))
    return Plan(profile, supplies, told, _free_bytes(store.root))


def _plan_group(
    inputs: Inputs,
    store: Store,
    name: str,
    runs: list[Run],
    known: dict[Any, Needs],
    folder: Path,
    probe: bool,
) -> Group:
    finished = 0
    try:
        finished = sum(store.find(train.key(inputs, run)) is not None for run in runs)
        alike = _costs_the_same(inputs, runs[0])
        if alike not in known:
            known[alike] = compute_needs(inputs, runs[0], folder, probe and finished < len(runs))
    except StudyError as error:
        return Group(name, tuple(runs), finished, None, str(error))
    return Group(name, tuple(runs), finished, known[alike])


def _costs_the_same(inputs: Inputs, run: Run) -> tuple[Any, ...]:
    """What decides the cost of a run: settings such as the learning rate do not."""
    method, training = run.method, run.method.training
    return (
        *(run.task.name, run.task.train, inputs.checkpoint(run.task, method).identity),
        *(str(method.adapter), method.trainable, method.pooler, training.precision),
        *(training.per_device_train_batch_size, training.max_length, training.num_train_epochs),
        *(training.evaluations_per_epoch, training.validation_items),
    )


def _free_bytes(folder: Path) -> int:
    """Of the disk that a folder lies on or would lie on."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


def _gigabytes(size: float) -> str:
    return f"{size / GIGABYTE:.2f} GB" if size > GIGABYTE / 100 else f"{size / 1e6:.1f} MB"


def _spell(seconds: tuple[float, float] | None) -> str:
    return "not probed" if seconds is None else " to ".join(map(format_duration, seconds))

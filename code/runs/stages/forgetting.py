"""What a task's methods forgot of their encoder's pretraining, over all finished runs."""

from collections.abc import Mapping, Sequence

import numpy as np

from evidence.forgetting import METRIC, NO_HEAD, MaskedLosses, summarise_forgetting
from facts.fact import BASE, Fact
from runs.grid import Run, Stage
from runs.stages.evidence import RESAMPLES, SEED, digests, produce_facts
from runs.stages.restored import array_name
from store.entries import Entry, Store
from study.settings import TaskSettings, find_roles

STAGE = Stage("forgetting", 1, __name__)


def make(
    store: Store, task: TaskSettings, runs: Sequence[Run], masked: Mapping[str, Entry]
) -> Entry:
    """Summarises the finished runs that move their encoder, or finds them summarised."""

    def summarise() -> list[Fact]:
        keys = ({"task": task.name, "evaluation": address} for address in task.evaluations)
        return [fact for key in keys for fact in _summarise(runs, masked, key)]

    source = {"masked": digests(runs, masked)}
    return produce_facts(STAGE, store, task.name, source, summarise)


def _summarise(runs: Sequence[Run], masked: Mapping[str, Entry], key: dict[str, str]) -> list[Fact]:
    """Facts about each method on one evaluated set; of one without a head, that it has none."""
    losses, lacking = dict[str, MaskedLosses](), list[Fact]()
    for method in dict.fromkeys(run.method.name for run in runs):
        own = [run for run in runs if run.method.name == method]
        if not masked[own[0].name].result()["head"]:
            place = {"method": method, "metric": METRIC, "against": BASE, **key}
            lacking.append(Fact(quantity="forgetting", **place, reason=NO_HEAD))  # type: ignore[arg-type]
            continue
        arrays = [masked[run.name].arrays() for run in own]
        base, pieces = (arrays[0][array_name(n, key["evaluation"])] for n in ("base", "pieces"))
        tuned = np.stack([of_run[array_name("tuned", key["evaluation"])] for of_run in arrays])
        losses[method] = MaskedLosses([run.seed for run in own], base, tuned, pieces)
    roles = find_roles(list(dict.fromkeys(run.method for run in runs)))
    pair = (roles.reference, roles.adapter)
    return lacking + summarise_forgetting(losses, pair, SEED, RESAMPLES, **key)

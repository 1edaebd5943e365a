"""What a task's methods forgot of their encoder's pretraining, over all finished runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evidence.forgetting import METRIC, NO_HEAD, MaskedLosses, summarise_forgetting
from facts.fact import BASE, Fact
from facts.files import write_facts
from runs.grid import Run, Stage
from runs.stages.evidence import RESAMPLES, SEED
from runs.stages.restored import array_name
from store.entries import Entry, Store
from store.reading import FACTS
from study.settings import TaskSettings, find_roles

STAGE = Stage("forgetting", 1, __name__)


def make(
    store: Store, task: TaskSettings, runs: Sequence[Run], masked: Mapping[str, Entry]
) -> Entry:
    """Summarises the finished runs that move their encoder, or finds them summarised."""
    source = {
        "masked": [[run.method.name, run.seed, masked[run.name].digest] for run in runs],
        "resamples": RESAMPLES,
        "seed": SEED,
    }

    def summarise(folder: Path) -> dict[str, Any]:
        facts: list[Fact] = []
        for address in task.evaluations:
            key = {"task": task.name, "evaluation": address}
            facts += _summarise(runs, masked, key)
        write_facts(facts, folder / FACTS)
        return {}

    return STAGE.produce(store, STAGE.key(task.name, source), summarise)


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

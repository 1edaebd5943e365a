"""What a task's methods lose when a part of them is set back, over all finished runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evidence import scoring
from evidence.arrays import CountMetric, Floats
from evidence.restoration import summarise_restoration
from runs.grid import Run, Stage
from runs.inputs import Inputs
from runs.stages.evidence import RESAMPLES, SEED
from runs.stages.restored import array_name, sentence_of_item
from store.entries import Entry, Store
from study.settings import TaskSettings, language_of

STAGE = Stage("restoration", 2, __name__)


def make(
    store: Store,
    inputs: Inputs,
    task: TaskSettings,
    runs: Sequence[Run],
    restored: Mapping[str, Entry],
    predictions: Mapping[str, Mapping[str, Entry]],
) -> Entry:
    """Summarises the finished runs that move their encoder, or finds them summarised.

    Args:
        store: where the entry is.
        inputs: the corpora.
        task: what the runs are of.
        runs: the finished ones that move their encoder, at least one.
        restored: run -> its predictions with parts set back.
        predictions: evaluated set -> run -> its predictions as trained.
    """
    source = {
        "restored": [[run.method.name, run.seed, restored[run.name].digest] for run in runs],
        "resamples": RESAMPLES,
        "seed": SEED,
    }

    def summarise(_folder: Path) -> dict[str, Any]:
        rows = []
        for method in dict.fromkeys(run.method.name for run in runs):
            own = [run.name for run in runs if run.method.name == method]
            for address in task.evaluations:
                arrays = [restored[name].arrays() for name in own]
                whole = [predictions[address][name].arrays() for name in own]
                rows += [
                    {"method": method, **row} for row in _rows(inputs, task, address, arrays, whole)
                ]
        return {"rows": rows}

    return STAGE.produce(store, STAGE.key(task.name, source), summarise)


def _rows(
    inputs: Inputs,
    task: TaskSettings,
    address: str,
    restored: Sequence[Mapping[str, np.ndarray]],
    whole: Sequence[Mapping[str, np.ndarray]],
) -> list[dict[str, Any]]:
    """A row for each part on one evaluated set, over the seeds of one method.

    None where the set has one label only, which leaves the metric undefined.
    """
    kept = restored[0][array_name("items", address)]
    sentence = np.unique(sentence_of_item(inputs, task, address)[kept], return_inverse=True)[1]
    gold = inputs.gold(task, address)[kept]
    name, metric = _metric(task)
    if task.kind == "sequence" and name in scoring.undefined_metrics(gold):
        return []
    ending = array_name("", address)
    parts = [name.removesuffix(ending) for name in restored[0] if name.endswith(ending)]
    kind = "predicted" if task.kind == "token" else "logits"

    def count(predictions: Sequence[np.ndarray]) -> Floats:
        stacked = np.stack(list(predictions))
        if task.kind == "token":
            return scoring.tag_counts(stacked, gold, sentence, len(inputs.labels(task)))
        return scoring.acceptability_counts(stacked, gold)

    summary = summarise_restoration(
        count([arrays[kind][kept] for arrays in whole]),
        {
            part: count([arrays[array_name(part, address)] for arrays in restored])
            for part in parts
            if part != "items"
        },
        metric,
        SEED,
        RESAMPLES,
    )
    where = {"evaluation": address, "language": language_of(address), "metric": name}
    return [{**where, **row} for row in summary]


def _metric(task: TaskSettings) -> tuple[str, CountMetric]:
    """The metric that a task is judged by."""
    if task.kind == "token":
        return "accuracy", scoring.tag_accuracy
    return "matthews_correlation", scoring.matthews_correlation

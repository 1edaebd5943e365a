"""What a task's methods lose when a part of them is set back, over all finished runs."""

from collections.abc import Mapping, Sequence

import numpy as np

from evidence import scoring
from evidence.arrays import Floats
from evidence.restoration import summarise_restoration
from facts.fact import Fact
from runs.grid import Run, Stage
from runs.inputs import Inputs
from runs.stages.evidence import RESAMPLES, SEED, digests, produce_facts
from runs.stages.restored import array_name, sentence_of_item
from store.entries import Entry, Store
from study.settings import TaskSettings

STAGE = Stage("restoration", 3, __name__)


def make(
    store: Store,
    inputs: Inputs,
    task: TaskSettings,
    runs: Sequence[Run],
    restored: Mapping[str, Entry],
    predictions: Mapping[str, Mapping[str, Entry]],
) -> Entry:
    """Summarises the finished runs that move their encoder, or finds them summarised."""

    def summarise() -> list[Fact]:
        facts: list[Fact] = []
        for method in dict.fromkeys(run.method.name for run in runs):
            own = [run for run in runs if run.method.name == method]
            for address in task.evaluations:
                arrays = [restored[run.name].arrays() for run in own]
                whole = [predictions[address][run.name].array() for run in own]
                key = {"task": task.name, "method": method, "evaluation": address}
                facts += _summarise(inputs, task, key, [run.seed for run in own], arrays, whole)
        return facts

    source = {"restored": digests(runs, restored)}
    return produce_facts(STAGE, store, task.name, source, summarise)


def _summarise(
    inputs: Inputs,
    task: TaskSettings,
    key: dict[str, str],
    seeds: Sequence[int],
    restored: Sequence[Mapping[str, np.ndarray]],
    whole: Sequence[np.ndarray],
) -> list[Fact]:
    """Facts about each part on one evaluated set, over the seeds of one method.

    None where the set has one label only, which leaves the metric undefined.
    """
    address = key["evaluation"]
    kept = restored[0][array_name("items", address)]
    sentence = np.unique(sentence_of_item(inputs, task, address)[kept], return_inverse=True)[1]
    gold = inputs.gold(task, address)[kept]
    name = task.metric
    if task.kind == "sequence" and name in scoring.undefined_metrics(gold):
        return []
    metrics = scoring.TAG_METRICS if task.kind == "token" else scoring.ACCEPTABILITY_METRICS
    ending = array_name("", address)
    parts = [name.removesuffix(ending) for name in restored[0] if name.endswith(ending)]

    def count(predictions: Sequence[np.ndarray]) -> Floats:
        stacked = np.stack(list(predictions))
        if task.kind == "token":
            return scoring.tag_counts(stacked, gold, sentence, len(inputs.labels(task)))
        return scoring.acceptability_counts(stacked, gold)

    return summarise_restoration(
        count([array[kept] for array in whole]),
        {
            part: count([arrays[array_name(part, address)] for arrays in restored])
            for part in parts
            if part != "items"
        },
        metrics[name],
        seeds,
        SEED,
        RESAMPLES,
        metric=name,
        **key,
    )

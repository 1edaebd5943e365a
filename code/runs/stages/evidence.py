"""Estimates, intervals, tests and analyses over all finished runs of a task."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evidence.acceptability import summarise_acceptability
from evidence.examples import always_wrong, typical_errors
from evidence.scoring import predicted_labels
from evidence.tagging import summarise_tagging
from facts.fact import Fact
from facts.files import write_facts
from runs.data import Data
from runs.grid import Run, Stage
from store.entries import Entry, Store
from store.reading import FACTS
from study.addresses import language_of
from study.settings import Roles, TaskSettings, find_roles

STAGE = Stage("evidence", 8, __name__)
RESAMPLES = 2000  # bootstrap resamples
SEED = 20_260_101  # of the resampling; no training uses it

Scores = dict[str, list[dict[str, float | None]]]  # evaluated set -> metric -> score, of each seed
Entries = Mapping[str, Mapping[str, Entry]]  # evaluated set -> run -> entry


def make(
    store: Store,
    data: Data,
    task: TaskSettings,
    runs: Sequence[Run],
    items: Mapping[str, Entry],
    predictions: Entries,
) -> Entry:
    """Summarises a task's finished runs, or finds them summarised; their scores must agree."""
    source = {
        "items": {address: entry.digest for address, entry in items.items()},
        "predictions": {
            address: digests(runs, entries) for address, entries in predictions.items()
        },
        "resamples": RESAMPLES,
        "seed": SEED,
        "margins": dataclasses.asdict(task.margins),
    }

    def summarise(folder: Path) -> dict[str, Any]:
        methods = [m.name for m in task.methods if any(run.method == m for run in runs)]
        seeds = {m: [run.seed for run in runs if run.method.name == m] for m in methods}
        own = {m: [run.name for run in runs if run.method.name == m] for m in methods}
        stacked = {
            method: {a: np.stack([of[n].array() for n in names]) for a, of in predictions.items()}
            for method, names in own.items()
        }
        stored = {
            method: {a: [of[n].result()["metrics"] for n in names] for a, of in predictions.items()}
            for method, names in own.items()
        }
        frames = {a: pd.DataFrame(entry.result()["columns"]) for a, entry in items.items()}
        roles = find_roles([method for method in task.methods if method.name in methods])
        facts = _summarise(data, task, items, frames, stacked, seeds, stored, roles)
        write_facts(facts, folder / FACTS)
        return {"examples": _examples(data, task, frames, stacked, roles.reference)}

    return STAGE.produce(store, STAGE.key(task.name, source), summarise)


def digests(runs: Sequence[Run], entries: Mapping[str, Entry]) -> list[list[Any]]:
    """What a key says of the entries that it is computed from."""
    return [[run.method.name, run.seed, entries[run.name].digest] for run in runs]


def produce_facts(
    stage: Stage, store: Store, name: str, source: Mapping[str, Any], make: Callable[[], list[Fact]]
) -> Entry:
    """An entry that holds facts alone."""

    def write(folder: Path) -> dict[str, Any]:
        write_facts(make(), folder / FACTS)
        return {}

    source = {**source, "resamples": RESAMPLES, "seed": SEED}
    return stage.produce(store, stage.key(name, source), write)


def _pieces(task: TaskSettings, items: Mapping[str, Entry]) -> dict[str, dict[str, np.ndarray]]:
    """Word pieces by the tokenizers of methods whose model is not the first one's."""
    other = {address: entry.result()["pieces"] for address, entry in items.items()}
    return {
        method.name: {
            address: np.array(by_model[method.model_name_or_path])
            for address, by_model in other.items()
            if method.model_name_or_path in by_model
        }
        for method in task.methods
    }


def _summarise(
    data: Data,
    task: TaskSettings,
    items: Mapping[str, Entry],
    frames: dict[str, pd.DataFrame],
    stacked: dict[str, dict[str, np.ndarray]],
    seeds: dict[str, list[int]],
    scores: dict[str, Scores],
    roles: Roles,
) -> list[Fact]:
    training = data.split(task, task.train).items
    if task.kind == "token":
        return summarise_tagging(
            frames,
            {address: language_of(address) for address in task.evaluations},
            stacked,
            seeds,
            data.labels(task),
            task.validation,
            task=task.name,
            train_words=[(word.form, word.upos) for item in training for word in item.words],
            rng_seed=SEED,
            resamples=RESAMPLES,
            pieces=_pieces(task, items),
            roles=roles,
            margins=task.margins,
            scores=scores,
        )
    return summarise_acceptability(
        frames[task.validation],
        {name: arrays[task.validation] for name, arrays in stacked.items()},
        seeds,
        task=task.name,
        train_labels=[item.label for item in training],
        rng_seed=SEED,
        resamples=RESAMPLES,
        evaluation=task.validation,
        roles=roles,
        margins=task.margins,
        scores={method: of_sets[task.validation] for method, of_sets in scores.items()},
    )


def _examples(
    data: Data,
    task: TaskSettings,
    frames: Mapping[str, pd.DataFrame],
    stacked: Mapping[str, Mapping[str, np.ndarray]],
    reference: str | None,
) -> list[dict[str, Any]]:
    """Items to show: sentences that no run gets right, errors of the reference in each target."""
    if task.kind == "sequence":
        labels = frames[task.validation]["label"].to_numpy()
        logits = np.concatenate([arrays[task.validation] for arrays in stacked.values()])
        return always_wrong(predicted_labels(logits) == labels, task.validation)
    targets = [a for a in task.evaluations if language_of(a) != language_of(task.validation)]
    if reference is None:
        return []
    return [
        row
        for target in targets
        for row in typical_errors(
            frames[target], stacked[reference][target], data.labels(task), target, reference
        )
    ]

"""Estimates, intervals, tests and analyses over all finished runs of a task."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evidence.acceptability import summarise_acceptability
from evidence.tagging import summarise_tagging
from runs.data import Data
from runs.grid import Run, Stage
from store.entries import Entry, Store
from study.settings import TaskSettings, language_of

STAGE = Stage("evidence", 3, __name__)
RESAMPLES = 2000  # bootstrap resamples
SEED = 20_260_101  # of the resampling; no training uses it

Predictions = Mapping[str, Mapping[str, Entry]]  # evaluated set -> run -> entry


def make(
    store: Store,
    data: Data,
    task: TaskSettings,
    runs: Sequence[Run],
    items: Mapping[str, Entry],
    predictions: Predictions,
) -> Entry:
    """Summarises a task's finished runs, or finds them summarised.

    Args:
        store: where the entry is.
        data: the corpora.
        task: what the runs are of.
        runs: the finished ones, at least one.
        items: the table of items of each evaluated set.
        predictions: those of every run on each evaluated set.
    """
    source = {
        "items": {address: entry.digest for address, entry in items.items()},
        "predictions": {
            address: [[run.method.name, run.seed, entries[run.name].digest] for run in runs]
            for address, entries in predictions.items()
        },
        "resamples": RESAMPLES,
        "seed": SEED,
    }

    def summarise(_folder: Path) -> dict[str, Any]:
        frames = {a: pd.DataFrame(entry.result()["columns"]) for a, entry in items.items()}
        methods = [m.name for m in task.methods if any(run.method == m for run in runs)]
        seeds = {m: [run.seed for run in runs if run.method.name == m] for m in methods}
        stacked = {m: _stack(task, m, runs, predictions) for m in methods}
        return _summarise(data, task, frames, stacked, seeds)

    return STAGE.produce(store, STAGE.key(task.name, source), summarise)


def _stack(
    task: TaskSettings, method: str, runs: Sequence[Run], predictions: Predictions
) -> dict[str, np.ndarray]:
    """Arrays (seeds, items) or (seeds, items, classes) of a method by evaluated set."""
    array = "predicted" if task.kind == "token" else "logits"
    own = [run.name for run in runs if run.method.name == method]
    return {
        address: np.stack([entries[name].arrays()[array] for name in own])
        for address, entries in predictions.items()
    }


def _summarise(
    data: Data,
    task: TaskSettings,
    frames: dict[str, pd.DataFrame],
    stacked: dict[str, dict[str, np.ndarray]],
    seeds: dict[str, list[int]],
) -> dict[str, Any]:
    training = data.split(task, task.train).items
    if task.kind == "token":
        return summarise_tagging(
            frames,
            {address: language_of(address) for address in task.evaluations},
            stacked,
            seeds,
            data.labels(task),
            task.validation,
            train_words=[(word.form, word.upos) for item in training for word in item.words],
            rng_seed=SEED,
            resamples=RESAMPLES,
        )
    return summarise_acceptability(
        frames[task.validation],
        {name: arrays[task.validation] for name, arrays in stacked.items()},
        seeds,
        train_labels=[item.label for item in training],
        rng_seed=SEED,
        resamples=RESAMPLES,
        evaluation=task.validation,
    )

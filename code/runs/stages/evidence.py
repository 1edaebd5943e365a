"""Estimates, intervals, tests and analyses over all finished runs of a task."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evidence.acceptability import summarise_acceptability
from evidence.schema import Evidence
from evidence.tagging import summarise_tagging
from runs.data import Data
from runs.grid import Run, Stage
from store.entries import Entry, Store
from study.settings import TaskSettings, find_roles, language_of

STAGE = Stage("evidence", 5, __name__)
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
    """Summarises a task's finished runs, or finds them summarised.

    Args:
        store: where the entry is.
        data: the corpora.
        task: what the runs are of.
        runs: the finished ones, at least one.
        items: the table of items of each evaluated set.
        predictions: those of every run on each evaluated set, with their metrics: the evidence is
            refused if its own are others.
    """
    source = {
        "items": {address: entry.digest for address, entry in items.items()},
        "predictions": {
            address: [[run.method.name, run.seed, entries[run.name].digest] for run in runs]
            for address, entries in predictions.items()
        },
        "resamples": RESAMPLES,
        "seed": SEED,
        "margins": dataclasses.asdict(task.margins),
    }

    def summarise(_folder: Path) -> dict[str, Any]:
        methods = [m.name for m in task.methods if any(run.method == m for run in runs)]
        seeds = {m: [run.seed for run in runs if run.method.name == m] for m in methods}
        stacked = {m: _stack(task, m, runs, predictions) for m in methods}
        stored = {m: _scores(m, runs, predictions) for m in methods}
        return dict(_summarise(data, task, items, stacked, seeds, stored))

    return STAGE.produce(store, STAGE.key(task.name, source), summarise)


def _stack(
    task: TaskSettings, method: str, runs: Sequence[Run], predictions: Entries
) -> dict[str, np.ndarray]:
    """Arrays (seeds, items) or (seeds, items, classes) of a method by evaluated set."""
    array = "predicted" if task.kind == "token" else "logits"
    own = [run.name for run in runs if run.method.name == method]
    return {
        address: np.stack([entries[name].arrays()[array] for name in own])
        for address, entries in predictions.items()
    }


def _scores(method: str, runs: Sequence[Run], predictions: Entries) -> Scores:
    """Metrics of a method's runs, in their order, by evaluated set."""
    own = [run.name for run in runs if run.method.name == method]
    return {
        address: [entries[name].result()["metrics"] for name in own]
        for address, entries in predictions.items()
    }


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
    stacked: dict[str, dict[str, np.ndarray]],
    seeds: dict[str, list[int]],
    scores: dict[str, Scores],
) -> Evidence:
    training = data.split(task, task.train).items
    frames = {a: pd.DataFrame(entry.result()["columns"]) for a, entry in items.items()}
    roles = find_roles([method for method in task.methods if method.name in seeds])
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
            pieces=_pieces(task, items),
            roles=roles,
            margins=task.margins,
            scores=scores,
        )
    return summarise_acceptability(
        frames[task.validation],
        {name: arrays[task.validation] for name, arrays in stacked.items()},
        seeds,
        train_labels=[item.label for item in training],
        rng_seed=SEED,
        resamples=RESAMPLES,
        evaluation=task.validation,
        roles=roles,
        margins=task.margins,
        scores={method: of_sets[task.validation] for method, of_sets in scores.items()},
    )

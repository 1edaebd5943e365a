"""What the experiments of a task show: tries that select a rate, and specifications."""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from evidence import scoring
from evidence.acceptability import COMPARED as ACCEPTABILITY
from evidence.arrays import CountMetric, Floats
from evidence.experiments import Arm, EvaluatedSet, summarise_experiments
from evidence.tagging import COMPARED as TAGGING
from evidence.word_groups import build_word_set
from facts.fact import Fact
from runs.data import Data
from runs.grid import Run, Stage
from runs.stages.evidence import RESAMPLES, SEED, produce_facts
from store.entries import Entry, Store
from study.settings import TaskSettings

STAGE = Stage("experiments", 1, __name__)


class Finished(NamedTuple):
    """What a finished run stored: its training, and its predictions by evaluated set."""

    trained: Entry
    predicted: Mapping[str, Entry]


def make(
    store: Store,
    data: Data,
    task: TaskSettings,
    runs: Mapping[Run, Finished],
    items: Mapping[str, Entry],
) -> Entry:
    """Summarises the finished experiments beside the comparison, or finds them summarised."""
    source = {
        "runs": [
            [
                run.name,
                finished.trained.digest,
                {a: e.digest for a, e in finished.predicted.items()},
            ]
            for run, finished in runs.items()
        ],
        "experiments": dataclasses.asdict(task.experiments),
        "margins": dataclasses.asdict(task.margins),
    }

    def summarise() -> list[Fact]:
        arms: dict[Arm, list[Run]] = {}
        for run in runs:
            variant = run.variant.name if run.variant else ""
            arms.setdefault((run.method.name, variant), []).append(run)
        sets = {
            address: _gather(data, task, address, entry, arms, runs)
            for address, entry in items.items()
        }
        seeds = {arm: [run.seed for run in own] for arm, own in arms.items()}
        seconds = {arm: sum(_seconds(runs[run]) for run in own) for arm, own in arms.items()}
        return summarise_experiments(task, sets, seeds, seconds, SEED, RESAMPLES)

    return produce_facts(STAGE, store, task.name, source, summarise)


def _seconds(finished: Finished) -> float:
    return float(finished.trained.result()["costs"]["training_seconds"])


def _gather(
    data: Data,
    task: TaskSettings,
    address: str,
    items: Entry,
    arms: Mapping[Arm, list[Run]],
    runs: Mapping[Run, Finished],
) -> EvaluatedSet:
    """Counts of all arms that were evaluated on a set, and the metrics that it defines."""
    frame = pd.DataFrame(items.result()["columns"])
    stacked = {
        arm: np.stack([runs[run].predicted[address].array() for run in own])
        for arm, own in arms.items()
        if all(address in runs[run].predicted for run in own)
    }
    metrics: dict[str, CountMetric]
    counts: dict[Arm, Floats]
    if task.kind == "token":
        words, tags = build_word_set(frame, data.labels(task)), len(data.labels(task))
        metrics = {name: scoring.TAG_METRICS[name] for name in TAGGING}
        counts = {
            arm: scoring.tag_counts(of_arm, words.gold, words.sentence, tags)
            for arm, of_arm in stacked.items()
        }
    else:
        labels = frame["label"].to_numpy()
        defined = [m for m in ACCEPTABILITY if m not in scoring.undefined_metrics(labels)]
        metrics = {name: scoring.ACCEPTABILITY_METRICS[name] for name in defined}
        counts = {a: scoring.acceptability_counts(logits, labels) for a, logits in stacked.items()}
    return EvaluatedSet(counts, metrics)

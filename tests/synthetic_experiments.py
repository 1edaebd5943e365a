"""Experiments on CoLA for a synthetic study: random logits, summarised by the real functions."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from evidence import scoring
from evidence.experiments import Arm, EvaluatedSet, summarise_experiments
from facts.table import Facts
from store.results import Results, RunRecord
from study.settings import Experiments, Profile, TaskSettings, Variant
from synthetic_study import TRAITS, build_study

RATES = {"full": (1e-5, 3e-5, 1e-4, 3e-4, 1e-3), "lora": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)}
HELD_OUT = "cola:train[90%:]"
Quality = Callable[[str, Variant], float]


def quality_by_rate(method: str, variant: Variant) -> float:
    """Best at the method's own rate, worse by a third with every step away; other settings mild."""
    own = TRAITS[method].quality
    if variant.held_out:
        steps = [rate == variant.method.training.learning_rate for rate in RATES[method]].index(
            True
        )
        return own * (1 - 0.3 * abs(steps - 2))
    changes = dict(variant.changes)
    if share := changes.get("train_share"):
        return own * (0.7 + 0.3 * float(share)) + (0.4 if method == "lora" else 0.0)  # type: ignore[arg-type]
    return own + (0.1 if method == "lora" else 0.0)


@functools.cache
def study_with_experiments(
    seeds: Sequence[int] = (42, 43),
    quality: Quality = quality_by_rate,
    sentences: int = 120,
    resamples: int = 60,
) -> Results:
    """A study of both methods and five rates each, twice the epochs, ranks, less data.

    Args:
        seeds: of the comparison and of the experiments.
        quality: mean margin of the logits for the right label, of a method and variant.
        sentences: evaluated ones.
        resamples: of the bootstrap.
    """
    results = build_study(seeds=seeds, sentences=sentences, words=500, resamples=resamples)
    task = with_variants(results.profile.tasks["cola"], seeds)
    frame = results.items["cola"][task.validation]
    labels = {
        task.validation: frame["label"].to_numpy(),
        HELD_OUT: (np.random.default_rng(3).random(sentences) < 0.7).astype(int),
    }
    arms: dict[Arm, float] = {(m.name, ""): TRAITS[m.name].quality for m in task.methods}
    arms |= {(v.method.name, v.name): quality(v.method.name, v) for v in task.experiments.variants}
    held = {(v.method.name, v.name) for v in task.experiments.variants if v.held_out}
    sets = {}
    for address, gold in labels.items():
        metrics = ("matthews_correlation", "accuracy")
        sets[address] = EvaluatedSet(
            {
                arm: scoring.acceptability_counts(_logits(gold, mean, seeds), gold)
                for arm, mean in arms.items()
                if address == task.validation or arm in held
            },
            {name: scoring.ACCEPTABILITY_METRICS[name] for name in metrics},
        )
    facts = summarise_experiments(
        task, sets, {arm: list(seeds) for arm in arms}, dict.fromkeys(arms, 50.0), 7, resamples
    )
    runs = [
        RunRecord(
            f"cola-{v.label}-seed{seed}", "cola", v.method.name, seed, results.runs[0].machine
        )
        for seed in seeds
        for v in task.experiments.variants
    ]
    profile = Profile(
        results.profile.name, results.profile.title, {**results.profile.tasks, "cola": task}
    )
    return replace(
        results, profile=profile, facts=Facts([*results.facts, *facts]), variants=tuple(runs)
    )


def with_variants(task: TaskSettings, seeds: Sequence[int]) -> TaskSettings:
    """The task with five rates each, twice the epochs, two ranks and two shares of the data."""
    variants = []
    for method, rates in RATES.items():
        own = task.method(method)
        for place, rate in enumerate(rates):
            training = replace(own.training, learning_rate=rate)
            variants.append(
                Variant(
                    f"lr{rate:g}", replace(own, training=training), (("learning_rate", rate),),
                    "cola:train[:90%]", (*task.evaluations, HELD_OUT), HELD_OUT, place == 2,
                )
            )  # fmt: skip
    specified = {"epochs": ("num_train_epochs", 6), "rank-4": ("r", 4), "rank-64": ("r", 64)}
    specified |= {"share-0.25": ("train_share", 0.25), "share-0.5": ("train_share", 0.5)}
    for name, change in specified.items():
        for method in ("lora",) if change[0] == "r" else RATES:
            own = task.method(method)
            variants.append(Variant(name, own, (change,), task.train, task.evaluations))
    return replace(task, experiments=Experiments(tuple(seeds), tuple(variants)))


def _logits(gold: np.ndarray, mean: float, seeds: Sequence[int]) -> np.ndarray:
    """(S, N, 2); equal means give equal logits, whatever the arm is called."""
    difficulty = np.random.default_rng(len(gold)).normal(size=len(gold))
    noise = np.stack([np.random.default_rng(seed).normal(size=len(gold)) for seed in seeds])
    margin = mean * (2 * gold - 1) + 0.3 + 0.5 * difficulty + 0.6 * noise
    return np.stack([-margin / 2, margin / 2], axis=-1).astype(np.float32)

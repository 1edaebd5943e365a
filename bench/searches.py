"""Simulated studies in which each method's learning rate is the best of five that were tried.

The truth is the Matthews correlation that each try has in all sentences. Tries are selected on a
tenth of CoLA's training sentences (855) and reported on its validation set (1,043), each a sample
of its own; both methods have five tries, one of which is the study's own. The best of the others is
0, 0.5, 1 or 2 margins better than it, the rest are up to four margins worse. What is selected by
chance is not what is best: a statement that took the selecting scores at their word would be false
too often, one on the set that selected nothing is not. Models are those of ``simulated``.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import simulated
from simulated import MARGINS, TRUTHS, Case, Floats

from evidence import scoring
from evidence.experiments import BEST, EvaluatedSet, summarise_experiments
from facts.fact import Fact
from facts.table import Facts
from study.settings import (
    AdapterSettings,
    Experiments,
    MethodSettings,
    TaskSettings,
    TrainingSettings,
    Variant,
)
from text.rules import judge

SELECTING = 855
TRIES = 5
SEEDS = (1, 2, 3)
METRIC = "matthews_correlation"
HELD_OUT, REPORTING = "cola:train[90%:]", "cola:validation"


def searches(repeats: int, resamples: int, rng: np.random.Generator) -> Iterator[Case]:
    """What another rate than the study's gains, and the methods' difference at their best rates."""
    grid = np.linspace(0, 3, 3001)
    of_quality = simulated._population_mcc(grid)
    margin = MARGINS.matthews_correlation
    for seeds, size in itertools.product(SEEDS, TRUTHS):
        task = _task(seeds)
        for _ in range(repeats):
            means = {"full": _means(size, rng), "lora": _means(size, rng)}
            mcc = {
                m: of[:, None] + 0.01 * rng.normal(size=(TRIES, seeds)) for m, of in means.items()
            }
            facts = _search(task, mcc, of_quality, grid, resamples, rng)
            best = {m: _best(facts, m) for m in means}
            for method, own in means.items():
                gain = facts.one("difference", task="cola", method=method, against=method,
                                 variant=BEST, metric=METRIC, evaluation=REPORTING)  # fmt: skip
                if gain.known:
                    runs = float((mcc[method][best[method]] - mcc[method][0]).mean()) / margin
                    true = float(own[best[method]] - own[0]) / margin
                    yield _case("gain of the best of 5 rates", size, gain, runs, true)
            gap = facts.one("difference", task="cola", method="full", against="lora",
                            variant=BEST, metric=METRIC, evaluation=REPORTING)  # fmt: skip
            ends = [float(mcc[m][best[m]].mean()) for m in means]
            true = (means["full"][best["full"]] - means["lora"][best["lora"]]) / margin
            yield _case("difference at best rates", size, gap, (ends[0] - ends[1]) / margin, true)


def _case(kind: str, size: float, fact: Fact, runs: float, method: float) -> Case:
    verdict = judge(fact, MARGINS.matthews_correlation)
    return Case(kind, fact.seeds, size, verdict, fact.covers, runs, float(method))


def _means(size: float, rng: np.random.Generator) -> Floats:
    """True MCC (5,) of tries: the study's own first, then the best, then three worse ones."""
    worse = -rng.uniform(0.5, 4.0, size=TRIES - 2)
    return 0.55 + MARGINS.matthews_correlation * np.array([0.0, size, *worse])


def _search(
    task: TaskSettings,
    mcc: dict[str, Floats],
    of_quality: Floats,
    grid: Floats,
    resamples: int,
    rng: np.random.Generator,
) -> Facts:
    """Facts of tries whose models have these MCC (5, S) in all sentences."""
    quality = np.interp(np.stack(list(mcc.values())), of_quality, grid)  # (methods, tries, seeds)
    arms = [(v.method.name, v.name) for own in task.experiments.tries.values() for v in own]
    sets = {}
    for address, items in ((HELD_OUT, SELECTING), (REPORTING, simulated.ITEMS)):
        counts = simulated._label_counts(quality, rng)[..., :items, :]
        of_arms = counts.reshape(len(arms), *counts.shape[2:])
        metrics = {METRIC: scoring.ACCEPTABILITY_METRICS[METRIC]}
        sets[address] = EvaluatedSet(dict(zip(arms, of_arms, strict=True)), metrics)
    seeds = {arm: list(task.experiments.seeds) for arm in arms}
    seconds = dict.fromkeys(arms, 1.0)
    seed = int(rng.integers(2**31))
    return Facts(summarise_experiments(task, sets, seeds, seconds, seed, resamples))


def _best(facts: Facts, method: str) -> int:
    """The number of the try that was selected."""
    found = facts.one("setting", task="cola", method=method, variant=BEST, metric="learning_rate")
    return round((found.value or 0.0) - 1)


def _task(seeds: int) -> TaskSettings:
    training = TrainingSettings(1.0, 1, 1, 1, 0.0, 0.0, "linear", 1.0, 8, 1, 0)
    adapter = AdapterSettings.of("LORA", r=8, target_modules=["query"])
    methods = tuple(
        MethodSettings(name, "none", "", "all", own, training)
        for name, own in (("full", None), ("lora", adapter))
    )
    variants = tuple(
        Variant(
            f"try{number}", replace(method, training=replace(training, learning_rate=rate)),
            (("learning_rate", rate),), "cola:train[:90%]", (REPORTING, HELD_OUT), HELD_OUT,
            number == 0,
        )
        for method in methods
        for number, rate in enumerate(np.arange(1.0, TRIES + 1).tolist())
    )  # fmt: skip
    experiments = Experiments(tuple(range(seeds)), variants)
    return TaskSettings(
        "cola", "sequence", "local", "cola:train", (REPORTING,), methods, tuple(range(seeds)),
        experiments=experiments,
    )  # fmt: skip

"""Simulated studies whose truth is known, judged by the rules that the report's sentences rest on.

Each function draws studies of one kind of statement and yields a ``Case`` for each: the verdict
that ``text.rules`` gives on facts made by the project's own functions, beside the truth about the
trained models and about the methods. Differences are of 0, 0.5, 1 and 2 margins. A factor is drawn
and held against its margin by its logarithm.

What is assumed, with its source:

* MCC: 1,043 items, 70 % of them acceptable, as in CoLA's validation set; probit models that share
  60 % of an item's difficulty; standard deviation over seeds 0.010 (Mosbach et al. 2021, Table 1)
  or 0.025 (what the same recipe and seed spread over machines).
* Tagging: 1,000 sentences of 12 words a set, words of a sentence alike; standard deviation over
  seeds 0.001 or 0.003.
* Curves: 15 or 25 points, 5 an epoch, around a straight or a flattening curve; their fluctuation of
  0.007 is autoregressive, neighbours correlated with 0, 0.5 or 0.8.
* Layers: 12, log-linear in depth, with a noise of 0.05 or 0.15 for each layer and run.
* Costs: a noise of 3 or 15 % for a run, of 5 % for a step, with one step in ten disturbed.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from evidence import convergence, costs, derived, intervals, panels, scoring
from evidence.comparisons import compare_all
from facts.fact import Fact
from facts.table import Facts
from study.settings import Margins, Roles
from text.rules import Verdict, judge, judge_all

MARGINS = Margins()
TRUTHS = (0.0, 0.5, 1.0, 2.0)  # in margins
SEEDS = (1, 2, 3, 5)
ITEMS = 1043
SENTENCES, WORDS = 1000, 12
TAGS = 17
ROLES = Roles(reference="full", adapter="lora", control=None, foreign=None)
Floats = Any


@dataclass(frozen=True)
class Case:
    """One statement and the truth.

    Attributes:
        kind: of statement.
        seeds: runs that it rests on.
        size: difference between the methods, in margins.
        verdict: what is said.
        covers: what its interval is over.
        runs: truth about the trained models, in margins.
        method: truth about the methods, in margins.
    """

    kind: str
    seeds: int
    size: float
    verdict: Verdict
    covers: str
    runs: float
    method: float

    @property
    def about_method(self) -> bool:
        """Whether the statement is about the method, by what its interval covers."""
        return self.covers in ("seeds", "items and seeds")

    @property
    def false(self) -> bool:
        """Whether it is false about what it is about."""
        return is_false(self.verdict, self.method if self.about_method else self.runs)


def is_false(verdict: Verdict, truth: float) -> bool:
    """Whether a verdict is false about a difference in margins.

    "More" and "less" are where it is not on that side of zero, "the same" where it reaches a
    margin; what is not decided cannot be.
    """
    if verdict is Verdict.SAME:
        return abs(truth) >= 1
    return (verdict is Verdict.MORE and truth <= 0) or (verdict is Verdict.LESS and truth >= 0)


def _case(kind: str, size: float, fact: Fact, margin: float, runs: float, method: float) -> Case:
    verdict = judge(fact, margin)
    return Case(kind, fact.seeds, size, verdict, fact.covers, float(runs), float(method))


# --------------------------------------------------------------------------------- items and seeds


def acceptability(repeats: int, resamples: int, rng: np.random.Generator) -> Iterator[Case]:
    """Two methods on CoLA, by MCC; and what a model loses without a part, which has no p value."""
    grid = np.linspace(0, 3, 3001)
    of_quality = _population_mcc(grid)
    for seeds, spread, size in itertools.product(SEEDS, (0.010, 0.025), TRUTHS):
        weights = intervals.resample_weights(ITEMS, resamples, rng)
        masks = intervals.exchange_masks(ITEMS, resamples, rng)
        for _ in range(repeats):
            means = 0.58 + np.array([size, 0.0]) * MARGINS.matthews_correlation
            mcc = means[:, None] + spread * rng.normal(size=(2, seeds))
            one, other = _label_counts(np.interp(mcc, of_quality, grid), rng)
            truth = float(np.diff(mcc[::-1].mean(axis=1))[0]) / MARGINS.matthews_correlation
            pair = {"full": one, "lora": other}
            panel = _panel(
                pair, weights, masks, scoring.matthews_correlation, "matthews_correlation"
            )
            numbers = list(range(seeds))
            (fact,) = compare_all(
                "cola", {"validation": panel}, [], dict.fromkeys(pair, numbers), ROLES, MARGINS
            )
            margin = MARGINS.matthews_correlation
            yield _case("difference of MCC", size, fact, margin, truth, size)
            lost = panel.quantities["full"]["matthews_correlation"].minus(
                panel.quantities["lora"]["matthews_correlation"]
            )
            fact = panels.estimate(
                lost, numbers, quantity="restoration", metric="matthews_correlation"
            )[0]
            yield _case("loss without a part", size, fact, margin, truth, size)


def _population_mcc(quality: Floats, bias: float = 0.35) -> Floats:
    accepted, wrongly = scipy.stats.norm.cdf([bias + quality, bias - quality])
    table = [0.7 * accepted, 0.3 * wrongly, 0.7 * (1 - accepted), 0.3 * (1 - wrongly)]
    return scoring.matthews_correlation(np.stack(table, axis=-1))


def _label_counts(quality: Floats, rng: np.random.Generator, bias: float = 0.35) -> Floats:
    """Counts (..., N, 4) of models of some quality (...) on the same items."""
    gold = rng.random(ITEMS) < 0.7
    latent = np.sqrt(0.4) * rng.standard_normal((*quality.shape, ITEMS), dtype=np.float32)
    latent += np.sqrt(0.6) * rng.standard_normal(ITEMS, dtype=np.float32)
    said = latent + np.where(gold, 1, -1) * quality[..., None] + bias > 0
    cells = [said & gold, said & ~gold, ~said & gold, ~said & ~gold]
    return np.stack(cells, axis=-1).astype(np.float32)


def _panel(
    counts: dict[str, Floats], weights: Floats, masks: Floats, metric: Any, name: str
) -> panels.Panel:
    quantities = {
        m: {name: panels.replicate(weights, own, [metric])[0]} for m, own in counts.items()
    }
    return panels.Panel({name: metric}, weights, masks, counts, quantities)


def contrasts(repeats: int, resamples: int, rng: np.random.Generator) -> Iterator[Case]:
    """Accuracy of one method on two groups of items, of which one is easier."""
    inside = np.arange(ITEMS) < 527
    for seeds, spread, size in itertools.product(SEEDS, (0.005, 0.010), TRUTHS):
        weights = intervals.resample_weights(ITEMS, resamples, rng)
        numbers = list(range(seeds))
        for _ in range(repeats):
            # A run is better or worse on all items, and on each group by itself.
            shared, own = rng.normal(size=(seeds, 1)), rng.normal(size=(seeds, 2))
            right = 0.82 + spread * (shared + own) + [size * MARGINS.accuracy, 0.0]
            chance = np.where(inside, right[:, :1], right[:, 1:])
            latent = np.sqrt(0.4) * rng.normal(size=(seeds, ITEMS))
            latent += np.sqrt(0.6) * rng.normal(size=ITEMS)
            hit = latent < scipy.special.ndtri(chance)
            counts = np.stack([hit, np.ones_like(hit)], axis=-1).astype(np.float32)
            panel = panels.Panel({}, weights, weights, {}, {})
            one, other = (
                panels.measure_part(
                    panel, counts * member[:, None], member, panels.ratio, numbers,
                    quantity="score", metric="accuracy", group=str(member[0]),
                )
                for member in (inside, ~inside)
            )  # fmt: skip
            fact = panels.contrast(one, other, numbers, quantity="contrast", metric="accuracy")[0]
            truth = float((right[:, 0] - right[:, 1]).mean()) / MARGINS.accuracy
            yield _case("contrast of groups", size, fact, MARGINS.accuracy, truth, size)


def tagging(repeats: int, resamples: int, rng: np.random.Generator) -> Iterator[Case]:
    """Two taggers in two languages: accuracy, the drop of one, and the drops of both."""
    margin = MARGINS.accuracy
    for seeds, spread, size in itertools.product(SEEDS, (0.001, 0.003), TRUTHS):
        weights = [intervals.resample_weights(SENTENCES, resamples, rng) for _ in range(2)]
        masks = [intervals.exchange_masks(SENTENCES, resamples, rng) for _ in range(2)]
        numbers = list(range(seeds))
        for _ in range(repeats):
            # Axes: evaluated set, method, seed. The second method falls less in the second set.
            right = 0.94 + spread * rng.normal(size=(2, 2, seeds))
            right[1, 0] -= size * margin
            sets = {}
            for name, own, w, m in zip(("en", "de"), right, weights, masks, strict=True):
                counts = dict(zip(("full", "lora"), _word_counts(own, rng), strict=True))
                sets[name] = _panel(counts, w, m, scoring.tag_accuracy, "accuracy")
            found = Facts(
                compare_all(
                    "pos", sets, [("en", "de")], dict.fromkeys(("full", "lora"), numbers), ROLES,
                    MARGINS,
                )
            )  # fmt: skip
            drops = (right[0] - right[1]).mean(axis=1) / margin
            level = float((right[1, 0] - right[1, 1]).mean()) / margin
            fact = found.where(metric="accuracy", evaluation="de")[0]
            yield _case("difference of accuracy", -size, fact, margin, level, -size)
            fact = found.where(metric="drop")[0]
            yield _case("difference of drops", size, fact, margin, drops[0] - drops[1], size)
            one, other = (sets[n].quantities["full"]["accuracy"] for n in ("en", "de"))
            fact = panels.estimate(one.drop_to(other), numbers, quantity="drop", metric="accuracy")[
                0
            ]
            yield _case("drop", size, fact, margin, drops[0], size)


def _word_counts(right: Floats, rng: np.random.Generator) -> Floats:
    """Counts (M, S, U, 3) of one tag: correct, predicted, gold; accuracies (M, S)."""
    shape = (*right.shape, SENTENCES, WORDS)
    sentence = np.sqrt(0.3) * rng.standard_normal((SENTENCES, 1), dtype=np.float32)
    word = np.sqrt(0.4) * rng.standard_normal((SENTENCES, WORDS), dtype=np.float32)
    latent = np.sqrt(0.3) * rng.standard_normal(shape, dtype=np.float32) + sentence + word
    bar = scipy.special.ndtri(right).astype(np.float32)
    correct = (latent < bar[..., None, None]).sum(axis=-1)
    return np.stack([correct, *[np.full_like(correct, WORDS)] * 2], axis=-1).astype(np.float32)


# ------------------------------------------------------------------------------------------ curves


def curves(repeats: int, rng: np.random.Generator) -> Iterator[Case]:
    """Slopes of a metric at the end of training; also over the four models of a study."""
    margin = MARGINS.matthews_correlation
    shapes = itertools.product(SEEDS, ((3, False), (5, True)), (0.0, 0.5, 0.8), TRUTHS)
    for seeds, (epochs, bends), likeness, size in shapes:
        times = np.arange(1, 5 * epochs + 1) / 5
        line = _curve(times, size * margin, bends)
        late = times >= times[-1] - (times[-1] - times[0]) / 3
        of_line = float(np.polyfit(times[late], line[late], 1)[0])
        found = list[Fact]()
        truths = list[float]()
        for _ in range(4 * repeats):
            steeper = 0.25 * margin * rng.normal(size=seeds)  # runs differ in their slope
            runs = line + steeper[:, None] * (times - times[-1])
            runs = runs + 0.007 * _alike(seeds, len(times), likeness, rng)
            both = {"loss": np.zeros((seeds, 1)), "matthews_correlation": runs}
            fact = _converged(times, both).where(metric="slope", seed=None)[0]
            found.append(fact)
            truths.append((of_line + float(steeper.mean())) / margin)
        of_method = of_line / margin
        for fact, truth in zip(found[:repeats], truths, strict=False):
            yield _case("slope at the end", size, fact, margin, truth, of_method)
        for i in range(0, 4 * repeats, 4):
            of_runs = dict(enumerate(truths[i : i + 4]))
            of_methods = dict.fromkeys(of_runs, of_method)
            facts = dict(enumerate(found[i : i + 4]))
            yield _list_case("slopes of 4 models", size, facts, margin, of_runs, of_methods)


def turns(repeats: int, rng: np.random.Generator) -> Iterator[Case]:
    """Whether validation loss has passed its minimum in any run, and the metric falls after it.

    Of the loss the true rise is given in margins, -1 for one that still falls; the metric's true
    fall is as large in its own margins, none where the loss does not rise.
    """
    shapes = itertools.product(SEEDS, (3, 5), (0.0, 0.5, 0.8), (-1.0, 0.0, 2.0, 5.0))
    for seeds, epochs, likeness, rise in shapes:
        times = np.arange(1, 5 * epochs + 1) / 5
        late = np.maximum(0, times / times[-1] - 0.5) * 2
        fall = 0.45 + 0.2 * np.exp(-8 * times / times[-1]) + MARGINS.loss * rise * late
        metric = 0.55 - MARGINS.matthews_correlation * max(rise, 0.0) * late
        for _ in range(repeats):
            noise = [_alike(seeds, len(times), likeness, rng) for _ in range(2)]
            runs = {
                "loss": fall + 0.01 * noise[0],
                "matthews_correlation": metric + 0.007 * noise[1],
            }
            facts = _converged(times, runs)
            turned = facts.where(metric="turned", seed=None)[0].value
            verdict = Verdict.MORE if turned else Verdict.UNCLEAR
            yield Case("turn of the loss", seeds, rise, verdict, "points", rise, rise)
            after = facts.where(metric="direction_after_best_loss", seed=range(seeds)).values()
            verdict = Verdict.MORE if min(after, default=0) < 0 else Verdict.UNCLEAR
            yield Case("fall after the turn", seeds, rise, verdict, "points", rise, rise)


def _converged(times: Floats, runs: dict[str, Floats]) -> Facts:
    """What ``convergence_facts`` says of curves of one method, (S, T) or shorter."""
    rows = [
        Fact(
            quantity="curve", task="cola", method="full", split="validation", metric=name,
            seed=seed, step=step, epoch=epoch, value=value,
        )
        for name, of in runs.items()
        for seed, own in enumerate(of.tolist())
        for step, (epoch, value) in enumerate(zip(times.tolist(), own, strict=False), 1)
    ]  # fmt: skip
    return Facts(convergence.convergence_facts(Facts(rows)))


def _curve(times: Floats, slope: float, bends: bool) -> Floats:
    """A straight line, or one that approaches its limit; of a mean slope over the last third."""
    if not bends:
        return 0.58 + slope * (times - times[-1])
    curve = -np.exp(-times / times[-1] * 3)
    late = times >= times[-1] - (times[-1] - times[0]) / 3
    return 0.58 + curve * slope / np.polyfit(times[late], curve[late], 1)[0]


def _alike(runs: int, points: int, likeness: float, rng: np.random.Generator) -> Floats:
    """Autoregressive noise (runs, points) of variance 1."""
    noise = rng.normal(size=(runs, points))
    for i in range(1, points):
        noise[:, i] = likeness * noise[:, i - 1] + np.sqrt(1 - likeness**2) * noise[:, i]
    return noise


def tags(repeats: int, rng: np.random.Generator) -> Iterator[Case]:
    """Drops of 17 tags of one model, of which a sentence lists those that lose and those that gain.

    Half of the tags lose nothing, the others 0 to 2 margins; intervals are of a normal estimate.
    """
    margin, half = MARGINS.accuracy, scipy.stats.norm.ppf(0.975)
    for error, size in itertools.product((0.002, 0.01), TRUTHS):
        truth = np.where(np.arange(TAGS) % 2, size * margin, 0.0)
        for _ in range(repeats):
            seen = truth + error * rng.normal(size=TAGS)
            facts = {
                tag: Fact(
                    quantity="drop", metric="accuracy", tag=str(tag), value=value, seeds=1,
                    low=value - half * error, high=value + half * error, covers="items",
                )
                for tag, value in enumerate(seen.tolist())
            }  # fmt: skip
            true = dict(enumerate((truth / margin).tolist()))
            yield _list_case("drops of 17 tags", size, facts, margin, true, true)


def _list_case(
    kind: str,
    size: float,
    facts: dict[int, Fact],
    margin: float,
    runs: dict[int, float],
    method: dict[int, float],
) -> Case:
    """A statement that sorts several cases: false if it is about any, decided if any is."""
    verdicts = judge_all(facts, lambda _, fact: judge(fact, margin))
    cases = [
        Case(kind, fact.seeds, size, verdicts[i], fact.covers, runs[i], method[i])
        for i, fact in facts.items()
    ]
    return max(cases, key=lambda case: (case.false, case.verdict.decided))


# ------------------------------------------------------------------------------------ over seeds


def depth(repeats: int, rng: np.random.Generator) -> Iterator[Case]:
    """Mean change of the upper third of the layers over that of the lower, by seed."""
    margin = np.log(MARGINS.depth_ratio)
    layers = (np.arange(12) - 5.5) / 8  # means of the thirds lie one apart
    for seeds, noise, size in itertools.product(SEEDS, (0.05, 0.15), TRUTHS):
        for _ in range(repeats):
            log = size * margin * layers + noise * rng.normal(size=(seeds, 12))
            ratios = {s: derived.upper_over_lower(list(np.exp(own))) for s, own in enumerate(log)}
            fact = next(
                iter(derived.seed_facts(ratios, True, quantity="trend", metric="upper_over_lower"))
            )
            truth = float(np.log(list(ratios.values())).mean()) / margin
            yield _case("change with depth", size, fact, MARGINS.depth_ratio, truth, size)


def states(repeats: int, rng: np.random.Generator) -> Iterator[Case]:
    """Difference of two methods' similarity to the base model, by seed."""
    for seeds, noise, size in itertools.product(SEEDS, (0.005, 0.02), TRUTHS):
        for _ in range(repeats):
            gaps = size * MARGINS.similarity + noise * rng.normal(size=seeds)
            fact = next(
                iter(
                    derived.seed_facts(
                        dict(enumerate(gaps)), False, quantity="difference", metric="cka"
                    )
                )
            )
            truth = float(gaps.mean()) / MARGINS.similarity
            yield _case("difference of similarity", size, fact, MARGINS.similarity, truth, size)


def durations(repeats: int, rng: np.random.Generator) -> Iterator[Case]:
    """Cost of one method over that of the other: whole trainings by seed."""
    margin = np.log(MARGINS.cost_ratio)
    for seeds, noise, size in itertools.product(SEEDS, (0.03, 0.15), TRUTHS):
        for _ in range(repeats):
            ratios = np.exp(size * margin + noise * rng.normal(size=seeds))
            key = {"quantity": "ratio", "metric": "training_seconds"}
            fact = next(iter(derived.seed_facts(dict(enumerate(ratios)), True, **key)))
            truth = float(np.log(ratios).mean()) / margin
            yield _case("ratio of training times", size, fact, MARGINS.cost_ratio, truth, size)


def steps(repeats: int, resamples: int, rng: np.random.Generator) -> Iterator[Case]:
    """Price of a step, both methods on the same 30 batches."""
    margin = np.log(MARGINS.cost_ratio)
    for load, size in itertools.product((0.0, 0.1, 0.3), TRUTHS):
        for _ in range(repeats):
            batch = 0.3 * rng.normal(size=30)
            noise = 0.05 * rng.normal(size=(2, 30))
            noise += rng.exponential(0.5, size=(2, 30)) * (rng.random((2, 30)) < load)
            one, other = np.exp(batch + noise + np.array([[0.0], [size * margin]]))
            price = costs.price_steps({"a": one, "b": other}, "a", resamples=resamples)["b"]
            fact = Fact(
                quantity="ratio", metric="step_seconds", value=price.ratio, low=price.low,
                high=price.high, covers="batches", seeds=1,
            )  # fmt: skip
            yield _case("ratio of step times", size, fact, MARGINS.cost_ratio, size, size)

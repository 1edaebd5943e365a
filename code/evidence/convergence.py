"""What the learning curves say: where validation loss turns, what the metric does, what is left.

Each run is read on its own and the runs of a method are then averaged, so that a turn in one seed
does not hide behind the mean curve.

Noise of a curve is that of its means over three neighbours, from second differences over the last
two thirds: independent noise of standard deviation s gives them a variance of 6 s^2, a straight
line none. Differences between neighbours are little disturbed by a bend, but small where
neighbouring evaluations are alike: they are taken to correlate with ``LIKENESS``, which makes the
estimate too large if they do so less. Differences between means that share no point need no such
assumption, but take a bend for noise. Both err on the side of saying nothing, so the smaller one is
taken. How often the statements are false is known by simulation (``bench/calibration.py``).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import scipy  # its modules are loaded when they are used

from evidence.arrays import Floats
from evidence.derived import seed_facts
from evidence.intervals import LEVEL
from facts.fact import Fact
from facts.table import Facts

WINDOW = 3  # evaluations averaged wherever a level, not a point, is meant
MIN_POINTS = 3 * WINDOW  # evaluations below which nothing is said about turns and trends
LIKENESS = 0.8  # correlation of neighbouring evaluations that is allowed for
TURN_NOISE = 6.0  # standard errors of such a mean; the minimum is the lowest of many, in each run
TURN_SHARE = 0.01  # of the lowest loss: a smaller rise is called flat whatever the noise
AFTER_NOISE = 4.0  # standard errors of a difference between two such means
FLAT_GAIN = 0.002  # of the metric: a smaller change of level is called flat
MEASURES = {
    "best_loss": "the lowest validation loss, the first of equals",
    "best_loss_epoch": "its epoch",
    "final_loss": "validation loss at the end",
    "final_train_loss": "training loss averaged over the steps since the last but one evaluation",
    "gap": "final_loss minus final_train_loss, which dropout makes smaller",
    "rise": "mean of the last three validation losses minus the lowest mean of three neighbours",
    "turned": "1 if validation loss rises after its minimum by more than noise",
    "best_metric": "the highest value of the first validation metric, the first of equals",
    "best_metric_epoch": "its epoch",
    "final_metric": "that metric at the end",
    "direction_after_best_loss": "1, 0 or -1: its change from the lowest loss on, beyond noise",
    "slope": "of the metric over the last third of the steps, an epoch",
}
"""What is read off the curves of a run; what cannot be read off is left out."""


class Curve(NamedTuple):
    """One curve of one run: values (n,) at steps (n,) and epochs (n,), in order."""

    steps: Floats
    epochs: Floats
    values: Floats


def convergence_facts(curves: Facts) -> Iterator[Fact]:
    """What the curves of each run say, and those of a method together.

    A method's value is the mean over its runs, ``low`` and ``high`` their range; ``turned`` counts
    the runs, of ``n`` that are long enough to tell, and ``direction_after_best_loss`` is that of
    more than half of the runs that turned, 0 if there is none such. Of the slope they are an
    interval: Student's over the runs, or of the line's residuals (``points``) for a single run.
    """
    for task in curves.distinct("task"):
        of_task = curves.where(task=task)
        for method in of_task.distinct("method"):
            own = of_task.where(method=method)
            runs: dict[int, dict[str, float]] = {}
            margins: dict[int, float] = {}
            for seed in sorted(own.distinct("seed")):
                found, margin = describe_run(own.where(seed=seed))
                if found:
                    runs[seed] = found
                    margins[seed] = margin
            yield from _method_facts(runs, margins, {"task": task, "method": method})


def _method_facts(
    runs: dict[int, dict[str, float]], margins: dict[int, float], key: dict[str, Any]
) -> Iterator[Fact]:
    for metric in MEASURES:
        values = {seed: run[metric] for seed, run in runs.items() if metric in run}
        if not values:
            continue
        place: dict[str, Any] = {**key, "quantity": "convergence", "metric": metric}
        whole, *of_runs = seed_facts(values, False, **place)
        known = list(values.values())
        if metric == "turned":
            yield Fact(**place, value=sum(known), n=len(known), seeds=len(known))
        elif metric == "direction_after_best_loss":
            turned = [value for seed, value in values.items() if runs[seed].get("turned")]
            if turned:
                yield Fact(**place, value=_majority(turned), n=len(turned), seeds=len(known))
        elif metric != "slope":
            ends: dict[str, Any] = {"low": min(known), "high": max(known), "covers": "range"}
            yield replace(whole, **ends, reason="")
        elif len(known) > 1:
            yield whole
        else:
            ((seed, value),) = values.items()
            ends = {"low": value - margins[seed], "high": value + margins[seed]}
            yield replace(whole, **ends, covers="points", reason="")
        yield from of_runs


def _majority(values: Sequence[float]) -> float:
    """The value that more than half are, 0 if there is none such."""
    (value, count), *_ = Counter(values).most_common(1)
    return value if 2 * count > len(values) else 0.0


def describe_run(rows: Facts) -> tuple[dict[str, float], float]:
    """What the curves of one run say (``MEASURES``), and half the 95 % interval of its slope."""
    loss = select_curve(rows, "validation", "loss")
    if not len(loss.values):
        return {}, 0.0
    found = _describe_losses(loss, select_curve(rows, "train", "loss"))
    metrics = [m for m in rows.where(split="validation").distinct("metric") if m != "loss"]
    if not metrics:
        return found, 0.0
    curve = select_curve(rows, "validation", metrics[0])
    found |= {
        **_best(curve, "metric", int(np.argmax(curve.values))),
        "final_metric": float(curve.values[-1]),
    }
    direction = _direction_after(curve, float(loss.steps[np.argmin(loss.values)]))
    if direction is not None:
        found["direction_after_best_loss"] = direction
    line = late_slope(curve)
    return (found, 0.0) if line is None else (found | {"slope": line[0]}, line[1])


def select_curve(rows: Facts, split: str, metric: str) -> Curve:
    """One curve out of the facts of a run; it may be empty."""
    chosen = sorted(rows.where(split=split, metric=metric), key=lambda fact: fact.step or 0)
    points = [(fact.step, fact.epoch, fact.value) for fact in chosen if fact.value is not None]
    return Curve(*np.array(points, dtype=float).reshape(-1, 3).T)


def _best(curve: Curve, name: str, where: int) -> dict[str, float]:
    return {
        f"best_{name}": float(curve.values[where]),
        f"best_{name}_epoch": float(curve.epochs[where]),
    }


def _describe_losses(loss: Curve, train: Curve) -> dict[str, float]:
    final = float(loss.values[-1])
    found = {**_best(loss, "loss", int(np.argmin(loss.values))), "final_loss": final}
    recent = train.values[train.steps > (loss.steps[-2] if len(loss.steps) > 1 else -np.inf)]
    if len(recent):
        found |= {"final_train_loss": float(recent.mean()), "gap": final - float(recent.mean())}
    rise = rise_after_minimum(loss.values)
    if rise is not None:
        found |= {"rise": rise, "turned": float(bool(has_turned(loss.values)))}
    return found


def rise_after_minimum(values: Floats) -> float | None:
    """Mean of the last three values minus the lowest mean of three neighbours (n,), at least 0."""
    if len(values) < MIN_POINTS:
        return None
    levels = moving_mean(values)
    return float(levels[-1] - levels.min())


def has_turned(values: Floats) -> bool | None:
    """Whether a curve (n,) rises after its minimum by more than noise; None if it is too short."""
    rise = rise_after_minimum(values)
    if rise is None:
        return None
    lowest = abs(float(moving_mean(values).min()))
    return bool(rise > max(TURN_NOISE * noise_of(values), TURN_SHARE * lowest))


def noise_of(values: Floats) -> float:
    """Standard deviation of the noise of a curve's means (n >= 9,), as in the module docstring."""
    levels, near = moving_mean(values), np.diff(values, 2)
    far = levels[2 * WINDOW :] - 2 * levels[WINDOW:-WINDOW] + levels[: -2 * WINDOW]
    of_near, of_far = (np.sqrt(np.mean(d[len(d) // 3 :] ** 2)) for d in (near, far))
    # Of noise of variance 1: the variances of a mean of three, and of a second difference.
    mean, second = (3 + 4 * LIKENESS + 2 * LIKENESS**2) / 9, 6 - 8 * LIKENESS + 2 * LIKENESS**2
    return float(min(of_near * np.sqrt(mean / second), of_far / np.sqrt(6)))


def moving_mean(values: Floats) -> Floats:
    """Means of three neighbours: (n,) -> (n - 2,)."""
    return np.convolve(values, np.full(WINDOW, 1 / WINDOW), mode="valid")


def _direction_after(curve: Curve, step: float) -> float | None:
    """Direction of the change of level from a step to the end, 0 within noise; None: unknown."""
    where = int(np.searchsorted(curve.steps, step))
    if len(curve.values) < MIN_POINTS or where >= len(curve.values) - 1:
        return None
    levels = moving_mean(curve.values)
    change = float(levels[-1] - levels[min(max(where - 1, 0), len(levels) - 1)])
    limit = AFTER_NOISE * noise_of(curve.values) * np.sqrt(2)
    return 0.0 if abs(change) <= max(limit, FLAT_GAIN) else float(np.sign(change))


def late_slope(curve: Curve) -> tuple[float, float] | None:
    """Least-squares slope an epoch over the last third of the steps, and half its 95 % interval.

    Neighbouring evaluations are alike, so residuals are taken to correlate with ``LIKENESS`` from
    point to point. With P the pseudo-inverse of the design, M its residual maker and R these
    correlations, residuals of variance s^2 have a sum of squares of s^2 trace(M R) with
    trace(M R)^2 / trace(M R M R) degrees of freedom (Satterthwaite 1946), and the slope a variance
    of s^2 (P R P')[1, 1]. None without three points there.
    """
    if len(curve.values) < MIN_POINTS:
        return None
    late = curve.steps >= curve.steps[-1] - (curve.steps[-1] - curve.steps[0]) / 3
    values, epochs = curve.values[late], curve.epochs[late]
    if len(values) < WINDOW:
        return None
    if np.ptp(values) == 0:
        return 0.0, 0.0
    design = np.stack([np.ones_like(epochs), epochs - epochs.mean()], axis=1)
    solve = np.linalg.pinv(design)
    residual_maker = np.eye(len(values)) - design @ solve
    alike = LIKENESS ** np.abs(np.subtract.outer(np.arange(len(values)), np.arange(len(values))))
    spread = residual_maker @ alike
    freedom = np.trace(spread) ** 2 / np.trace(spread @ spread)
    variance = np.sum((residual_maker @ values) ** 2) / np.trace(spread)
    quantile = scipy.stats.t.ppf((1 + LEVEL) / 2, freedom)
    slope = (solve @ values)[1]
    return float(slope), float(quantile * np.sqrt(variance * (solve @ alike @ solve.T)[1, 1]))

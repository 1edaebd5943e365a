"""What the learning curves say: where validation loss turns, what the metric does, what is left.

Pure functions on the rows of ``Results.curves``. Each run is read on its own and the runs of a
method are then averaged, so that a turn in one seed does not hide behind the mean curve.

Noise of a curve is the root mean square of its second differences over the last two thirds of its
points, divided by sqrt(6): independent noise of standard deviation s has second differences of
variance 6 s^2, and a straight line has none. A smooth bend makes the estimate larger, so the
statements below err on the side of saying nothing.

What an extrapolation is worth: with a decaying learning rate a curve flattens because its steps
become small, whether or not anything is left to learn, and one more epoch would run under another
schedule from its first step on. ``extrapolated_gain`` therefore continues a line, no more.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypedDict, TypeVar, cast

import numpy as np
import pandas as pd
import scipy  # its modules are loaded when they are used

from evidence.arrays import Floats

WINDOW = 3  # evaluations averaged wherever a level, not a point, is meant
MIN_POINTS = 6  # evaluations below which nothing is said about turns and trends
TURN_NOISE = 4.0  # standard errors of a mean over the window; the minimum is the lowest of many
TURN_SHARE = 0.01  # of the lowest loss: a smaller rise is called flat whatever the noise
AFTER_NOISE = 2.0  # standard errors of a difference between two such means
FLAT_GAIN = 0.002  # of the metric: an extrapolated change of less in an epoch is called flat
LEVEL = 0.95
DECAYING = ("linear", "cosine")

T = TypeVar("T")


class Quantities(TypedDict, Generic[T]):
    """What is read off the curves of a run: a number, or its spread over runs.

    Best points are the lowest validation loss and the highest metric, the first of equals.
    ``final_train_loss`` is averaged over the steps since the last but one evaluation; ``gap`` is
    the final validation loss minus it (it is measured with dropout, which makes the gap smaller);
    ``rise`` the mean of the last three validation losses minus the lowest mean of three neighbours;
    ``metric_change_after_best_loss`` how much the metric changes from the lowest loss to the end
    (means of three); ``slope`` that of the metric over the last third of the steps, an epoch;
    ``extrapolated_gain`` of one more epoch at that slope, no further than to 1.
    """

    best_loss: T
    best_loss_step: T
    best_loss_epoch: T
    final_loss: T
    final_train_loss: T
    gap: T
    rise: T
    best_metric: T
    best_metric_step: T
    best_metric_epoch: T
    final_metric: T
    metric_change_after_best_loss: T
    slope: T
    extrapolated_gain: T


class Spread(TypedDict):
    """Mean and range of a quantity over the runs that have it, and its value in each run."""

    value: float | None
    low: float | None
    high: float | None
    per_seed: list[float | None]


class RunConvergence(Quantities[float | None]):
    """One run.

    ``metric``: the first validation metric that is no loss, None if there is none; ``turned``:
    whether validation loss rises after its minimum by more than ``TURN_NOISE`` standard errors and
    more than ``TURN_SHARE``, None if the curve is too short; ``metric_after_best_loss``: "rises",
    "falls" or "flat", None where the lowest loss is the end; ``slope_margin``: half the 95 %
    interval of the slope.
    """

    metric: str | None
    turned: bool | None
    metric_after_best_loss: str | None
    slope_margin: float | None


class Convergence(Quantities[Spread]):
    """The runs of a method.

    ``turned``: runs whose validation loss turned, of the ``turn_known`` that are long enough to
    tell; ``metric_after_turn``: what the metric does in most of them; ``slope_low`` and
    ``slope_high``: a 95 % interval of the slope, over runs where there are several, else from the
    residuals of the line; ``outlook``: "rising", "flat" or "falling" if that interval allows to say
    so, else "unclear"; None without a slope.
    """

    turned: int
    turn_known: int
    metric_after_turn: str | None
    slope_low: float | None
    slope_high: float | None
    outlook: str | None


class Curve(NamedTuple):
    """One curve of one run: values (n,) at steps (n,) and epochs (n,), in order."""

    steps: Floats
    epochs: Floats
    values: Floats


def aggregate_runs(runs: Sequence[RunConvergence]) -> Convergence:
    """What the runs of a method say together."""
    turned = [run for run in runs if run["turned"]]
    after = [run["metric_after_best_loss"] for run in turned if run["metric_after_best_loss"]]
    low, high = _slope_interval(runs)
    values = [cast(Mapping[str, float | None], run) for run in runs]
    names = Quantities.__annotations__
    spreads = {name: _spread([run[name] for run in values]) for name in names}
    return {
        **cast(Quantities[Spread], spreads),
        "turned": len(turned),
        "turn_known": sum(run["turned"] is not None for run in runs),
        "metric_after_turn": _majority(after),
        "slope_low": low,
        "slope_high": high,
        "outlook": _outlook(spreads["slope"]["value"], low, high),
    }


def describe_run(rows: pd.DataFrame) -> RunConvergence:
    """Convergence of one run.

    Args:
        rows: of ``Results.curves``, all of one run, with at least a validation loss.
    """
    metrics = rows.loc[(rows.split == "validation") & (rows.metric != "loss"), "metric"]
    metric = metrics.iloc[0] if len(metrics) else None
    loss = select_curve(rows, "validation", "loss")
    found = dict.fromkeys((*Quantities.__annotations__, *RunConvergence.__annotations__))
    found |= {"metric": metric, **_describe_losses(loss, select_curve(rows, "train", "loss"))}
    if metric is not None:
        found |= _describe_metric(select_curve(rows, "validation", metric), loss)
    return cast(RunConvergence, found)


def select_curve(rows: pd.DataFrame, split: str, metric: str) -> Curve:
    """One curve out of the rows of a run; it may be empty."""
    chosen = rows[(rows.split == split) & (rows.metric == metric)].sort_values("step")
    return Curve(*(chosen[name].to_numpy(dtype=float) for name in ("step", "epoch", "value")))


# ---------------------------------------------------------------------------------------- losses


def _describe_losses(loss: Curve, train: Curve) -> dict[str, float | bool | None]:
    best, final = int(np.argmin(loss.values)), float(loss.values[-1])
    recent = train.values[train.steps > (loss.steps[-2] if len(loss.steps) > 1 else -np.inf)]
    final_train = float(recent.mean()) if len(recent) else None
    return {
        "best_loss": float(loss.values[best]),
        "best_loss_step": int(loss.steps[best]),
        "best_loss_epoch": float(loss.epochs[best]),
        "final_loss": final,
        "final_train_loss": final_train,
        "gap": None if final_train is None else final - final_train,
        "rise": rise_after_minimum(loss.values),
        "turned": has_turned(loss.values),
    }


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
    error = noise_of(values) / np.sqrt(WINDOW)
    lowest = abs(float(moving_mean(values).min()))
    return bool(rise > max(TURN_NOISE * error, TURN_SHARE * lowest))


def noise_of(values: Floats) -> float:
    """Standard deviation of the noise of a curve (n,), as in the module docstring."""
    second = np.diff(values, 2)
    recent = second[len(second) // 3 :]
    return float(np.sqrt(np.mean(recent**2) / 6)) if len(recent) else 0.0


def moving_mean(values: Floats) -> Floats:
    """Means of three neighbours: (n,) -> (n - 2,)."""
    return np.convolve(values, np.full(WINDOW, 1 / WINDOW), mode="valid")


# ---------------------------------------------------------------------------------------- metric


def _describe_metric(curve: Curve, loss: Curve) -> dict[str, float | str | None]:
    best, final = int(np.argmax(curve.values)), float(curve.values[-1])
    slope, margin = late_slope(curve)
    change, direction = _change_after(curve, float(loss.steps[np.argmin(loss.values)]))
    return {
        "best_metric": float(curve.values[best]),
        "best_metric_step": int(curve.steps[best]),
        "best_metric_epoch": float(curve.epochs[best]),
        "final_metric": final,
        "metric_change_after_best_loss": change,
        "metric_after_best_loss": direction,
        "slope": slope,
        "slope_margin": margin,
        "extrapolated_gain": None if slope is None else min(1.0, final + slope) - final,
    }


def _change_after(curve: Curve, step: float) -> tuple[float | None, str | None]:
    """Change of level from a step to the end, with its direction where it exceeds the noise."""
    where = int(np.searchsorted(curve.steps, step))
    if len(curve.values) < MIN_POINTS or where >= len(curve.values) - 1:
        return None, None
    levels = moving_mean(curve.values)
    change = float(levels[-1] - levels[min(max(where - 1, 0), len(levels) - 1)])
    limit = AFTER_NOISE * noise_of(curve.values) * np.sqrt(2 / WINDOW)
    if abs(change) <= max(limit, FLAT_GAIN):
        return change, "flat"
    return change, "rises" if change > 0 else "falls"


def late_slope(curve: Curve) -> tuple[float | None, float | None]:
    """Least-squares slope an epoch over the last third of the steps, and half its 95 % interval.

    The half-width is that of independent residuals; neighbouring evaluations are alike, so it is
    rather too small. None without three points there.
    """
    late = curve.steps >= curve.steps[-1] - (curve.steps[-1] - curve.steps[0]) / 3
    values, epochs = curve.values[late], curve.epochs[late]
    if len(curve.values) < MIN_POINTS or len(values) < WINDOW:
        return None, None
    if np.ptp(values) == 0:
        return 0.0, 0.0
    line = scipy.stats.linregress(epochs, values)
    quantile = scipy.stats.t.ppf((1 + LEVEL) / 2, len(values) - 2)
    return float(line.slope), float(quantile * line.stderr)


# ------------------------------------------------------------------------------------- over runs


def _spread(values: Sequence[float | None]) -> Spread:
    known = [float(value) for value in values if value is not None]
    return {
        "value": float(np.mean(known)) if known else None,
        "low": min(known) if known else None,
        "high": max(known) if known else None,
        "per_seed": [None if value is None else float(value) for value in values],
    }


def _majority(answers: Sequence[str]) -> str | None:
    """The answer of more than half, ``"flat"`` if there is none such, None without answers."""
    for answer in dict.fromkeys(answers):
        if 2 * answers.count(answer) > len(answers):
            return answer
    return "flat" if answers else None


def _slope_interval(runs: Sequence[RunConvergence]) -> tuple[float | None, float | None]:
    slopes = [run["slope"] for run in runs if run["slope"] is not None]
    if not slopes:
        return None, None
    mean = float(np.mean(slopes))
    if len(slopes) > 1:
        half = float(scipy.stats.t.ppf((1 + LEVEL) / 2, len(slopes) - 1) * scipy.stats.sem(slopes))
    else:
        half = next(margin for run in runs if (margin := run["slope_margin"]) is not None)
    return mean - half, mean + half


def _outlook(slope: float | None, low: float | None, high: float | None) -> str | None:
    if slope is None or low is None or high is None:
        return None
    if abs(slope) < FLAT_GAIN or -FLAT_GAIN < low <= high < FLAT_GAIN:
        return "flat"
    if low > 0 or high < 0:
        return "rising" if low > 0 else "falling"
    return "unclear"

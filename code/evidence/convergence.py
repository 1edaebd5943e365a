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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.floating[Any]]

WINDOW = 3  # evaluations averaged wherever a level, not a point, is meant
MIN_POINTS = 6  # evaluations below which nothing is said about turns and trends
TURN_NOISE = 4.0  # standard errors of a mean over the window; the minimum is the lowest of many
TURN_SHARE = 0.01  # of the lowest loss: a smaller rise is called flat whatever the noise
AFTER_NOISE = 2.0  # standard errors of a difference between two such means
FLAT_GAIN = 0.002  # of the metric: an extrapolated change of less in an epoch is called flat
LEVEL = 0.95
DECAYING = ("linear", "cosine")

QUANTITIES = (
    "best_loss",
    "best_loss_step",
    "best_loss_epoch",
    "final_loss",
    "final_train_loss",
    "gap",
    "rise",
    "best_metric",
    "best_metric_step",
    "best_metric_epoch",
    "final_metric",
    "metric_change_after_best_loss",
    "slope",
    "extrapolated_gain",
)


@dataclass(frozen=True)
class Curve:
    """One curve of one run: values (n,) at steps (n,) and epochs (n,), in order."""

    steps: Floats
    epochs: Floats
    values: Floats


def aggregate_runs(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean and range over runs of what ``describe_run`` says, and what most of them do."""
    turned = [run for run in runs if run["turned"]]
    after = [run["metric_after_best_loss"] for run in turned if run["metric_after_best_loss"]]
    low, high = _slope_interval(runs)
    summary = {name: _spread([run[name] for run in runs]) for name in QUANTITIES}
    return {
        **summary,
        "turned": len(turned),
        "turn_known": sum(run["turned"] is not None for run in runs),
        "metric_after_turn": _majority(after),
        "slope_low": low,
        "slope_high": high,
        "outlook": _outlook(summary["slope"]["value"], low, high),
    }


def describe_run(rows: pd.DataFrame) -> dict[str, Any]:
    """Convergence of one run.

    Args:
        rows: of ``Study.curves``, all of one run, with at least a validation loss.

    Returns:
        ``metric``, the first validation metric that is no loss (None if there is none), and the
        values of ``QUANTITIES``: the best points (lowest validation loss, highest metric; the first
        of equals); the last values; ``final_train_loss``, averaged over the steps since the last
        but one evaluation; ``gap``, final validation minus that training loss (training loss is
        measured with dropout, which makes the gap smaller); ``rise``, the mean of the last three
        validation losses minus the lowest mean of three neighbours; ``slope`` of the metric over
        the last third of the steps, an epoch; ``extrapolated_gain`` of one more epoch at that
        slope, no further than to 1. Besides: ``turned``, whether validation loss rises after its
        minimum by more than ``TURN_NOISE`` standard errors and more than ``TURN_SHARE`` (None if
        the curve is too short); ``metric_change_after_best_loss`` and ``metric_after_best_loss``:
        how much the metric changes from the lowest loss to the end (means of three), and
        ``"rises"``, ``"falls"`` or ``"flat"``, None where the lowest loss is the end;
        ``slope_margin``, half the 95 % interval of the slope.
    """
    metrics = rows.loc[(rows.split == "validation") & (rows.metric != "loss"), "metric"]
    metric = metrics.iloc[0] if len(metrics) else None
    loss = select_curve(rows, "validation", "loss")
    described = {"metric": metric, **_describe_losses(loss, select_curve(rows, "train", "loss"))}
    if metric is None:
        names = [name for name in QUANTITIES if name not in described]
        return described | dict.fromkeys([*names, "metric_after_best_loss", "slope_margin"])
    return described | _describe_metric(select_curve(rows, "validation", metric), loss)


def select_curve(rows: pd.DataFrame, split: str, metric: str) -> Curve:
    """One curve out of the rows of a run; it may be empty."""
    chosen = rows[(rows.split == split) & (rows.metric == metric)].sort_values("step")
    columns = (chosen[name].to_numpy(dtype=float) for name in ("step", "epoch", "value"))
    return Curve(*columns)


# ---------------------------------------------------------------------------------------- losses


def _describe_losses(loss: Curve, train: Curve) -> dict[str, Any]:
    best = int(np.argmin(loss.values))
    final_train = _final_train_loss(train, loss)
    final = float(loss.values[-1])
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


def _final_train_loss(train: Curve, loss: Curve) -> float | None:
    since = loss.steps[-2] if len(loss.steps) > 1 else -np.inf
    recent = train.values[train.steps > since]
    return float(recent.mean()) if len(recent) else None


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


def _describe_metric(curve: Curve, loss: Curve) -> dict[str, Any]:
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
    line = stats.linregress(epochs, values)
    quantile = stats.t.ppf((1 + LEVEL) / 2, len(values) - 2)
    return float(line.slope), float(quantile * line.stderr)


# ------------------------------------------------------------------------------------- over runs


def _spread(values: Sequence[float | None]) -> dict[str, Any]:
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


def _slope_interval(runs: Sequence[dict[str, Any]]) -> tuple[float | None, float | None]:
    slopes = [run["slope"] for run in runs if run["slope"] is not None]
    if not slopes:
        return None, None
    if len(slopes) > 1:
        quantile = stats.t.ppf((1 + LEVEL) / 2, len(slopes) - 1)
        half = float(quantile * stats.sem(slopes))
    else:
        half = next(run["slope_margin"] for run in runs if run["slope"] is not None)
    return float(np.mean(slopes)) - half, float(np.mean(slopes)) + half


def _outlook(slope: float | None, low: float | None, high: float | None) -> str | None:
    if slope is None or low is None or high is None:
        return None
    if abs(slope) < FLAT_GAIN or -FLAT_GAIN < low <= high < FLAT_GAIN:
        return "flat"
    if low > 0 or high < 0:
        return "rising" if low > 0 else "falling"
    return "unclear"

"""All facts of a profile, from its stored results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evidence.convergence import Quantities, aggregate_runs, describe_run
from evidence.derived import derived_facts
from evidence.over_seeds import over_seeds
from evidence.rows import evidence_facts
from facts.fact import Covers, Fact
from facts.table import Facts
from study.architecture import layer_number
from study.settings import Roles

MEASURES = ("l2", "relative", "rms", "angle")
SPECTRA = ("rank", "effective_rank", "top8_share", "intruders")
NOT_COSTS = ("pooler", "device_kind", "precision", "memory_kind", "device", "model")
DIRECTIONS = {"rises": 1.0, "flat": 0.0, "falls": -1.0}
MEMORY = ("memory_parameters_bytes", "memory_gradients_bytes", "memory_optimizer_bytes")
STAGES = {
    **dict.fromkeys(("cost", "curve", "convergence", "ratio", "share trained"), "train"),
    **dict.fromkeys(("distance", "embedding rows", "untouched", "trend", "ratio moved"), "drift"),
    "spectrum": "structure",
    **dict.fromkeys(("similarity", "difference cka"), "representation"),
    **dict.fromkeys(("step", "ratio step_seconds"), "price"),
    "restoration": "restoration",
}
"""Quantity, or quantity and metric -> the stage that holds it; ``evidence`` holds all others."""


def collect_facts(
    evidence: Mapping[str, Any],
    frames: Mapping[str, pd.DataFrame],
    roles: Mapping[str, Roles],
    ledger: Mapping[str, Any],
) -> Facts:
    """All facts of a profile.

    Args:
        evidence: task -> its evidence.
        frames: the frames of ``Results`` by name.
        roles: task -> which finished method is the reference, the adapter.
        ledger: which stored entries the profile shows.
    """
    pairs = {t: (r.reference, r.adapter) for t, r in roles.items() if r.reference and r.adapter}
    of_runs = list(_run_facts(frames))
    rows = [fact for task, found in evidence.items() for fact in evidence_facts(task, found)]
    rows += of_runs
    methods = list(over_seeds(f for f in of_runs if f.quantity != "curve"))
    rows += methods
    rows += _trained_shares(methods)
    rows += derived_facts(Facts(of_runs), pairs)
    rows += _task_facts(frames)
    rows += _size_facts(frames["items"])
    rows += _convergence_facts(frames["curves"])
    return Facts(replace(row, entry=_entry_of(row, ledger)) for row in rows)


def _entry_of(fact: Fact, ledger: Mapping[str, Any]) -> str:
    """The entry that a fact comes from; of several runs ``drift/cola-full-seed*``."""
    whole = f"{fact.quantity} {fact.metric}"
    stage = STAGES.get(whole) or STAGES.get(fact.quantity, "evidence")
    stage = "restoration" if fact.part else stage
    of_task: str | None = ledger.get("tasks", {}).get(fact.task, {}).get(stage)
    if of_task:
        return of_task
    run = f"{fact.task}-{fact.method}-seed"
    if fact.seed is None:
        return f"{stage}/{run}*"
    of_run: str = ledger.get("runs", {}).get(f"{run}{fact.seed}", {}).get(stage, "")
    return of_run


def _run_facts(frames: Mapping[str, pd.DataFrame]) -> Iterator[Fact]:
    """What was measured of single runs."""
    for row in frames["runs"].to_dict("records"):
        yield from _costs(row)
    for row in frames["curves"].to_dict("records"):
        yield Fact(
            quantity="curve", **_run(row), split=row["split"], metric=row["metric"],
            step=int(row["step"]), value=_number(row["value"]), epoch=_number(row["epoch"]),
            elapsed=_number(row["seconds"]), seeds=1,
        )  # fmt: skip
    yield from _distances(frames["drift"])
    for row in frames["structure"].to_dict("records"):
        for metric in SPECTRA:
            yield Fact(
                quantity="spectrum", **_run(row), layer=row["layer"], kind=row["kind"],
                metric=metric, value=_number(row[metric]), seeds=1,
            )  # fmt: skip
    for row in frames["representation"].to_dict("records"):
        yield Fact(
            quantity="similarity", **_run(row), evaluation=row["evaluation"], metric="cka",
            layer=str(row["layer"]), value=_number(row["cka"]), n=int(row["tokens"]), seeds=1,
        )  # fmt: skip
    for name, quantity in (("embedding_rows", "embedding rows"), ("untouched", "untouched")):
        for row in frames[name].to_dict("records"):
            for metric, value in row.items():
                if metric not in ("run", "task", "method", "seed"):
                    yield Fact(
                        quantity=quantity, **_run(row), metric=str(metric), value=_number(value),
                        seeds=1,
                    )  # fmt: skip


def _costs(row: Mapping[Any, Any]) -> Iterator[Fact]:
    costs = {name: _number(value) for name, value in row.items() if _is_cost(name, value)}
    if set(MEMORY) <= costs.keys() and None not in (costs[name] for name in MEMORY):
        costs["computed_bytes"] = sum(costs[name] or 0.0 for name in MEMORY)
    for metric, value in costs.items():
        if value is not None:
            yield Fact(quantity="cost", **_run(row), metric=metric, value=value, seeds=1)


def _is_cost(name: str, value: Any) -> bool:
    plain = name not in ("run", "task", "method", "seed", *NOT_COSTS)
    return plain and not isinstance(value, str | bool)


def _distances(drift: pd.DataFrame) -> Iterator[Fact]:
    """Distances by layer and kind of matrix, and their means (layer ``all``).

    Kind ``all``: over all layers, kind ``encoder``: over the encoder's.
    """
    for row in drift.to_dict("records"):
        for metric in MEASURES:
            yield Fact(
                quantity="distance", **_run(row), layer=row["layer"], kind=row["kind"],
                metric=metric, value=_number(row[metric]), n=int(row["parameters"]), seeds=1,
            )  # fmt: skip
    whole = drift[drift["kind"] == "all"]
    inner = whole[whole["layer"].map(layer_number).notna()]
    for kind, part in (("all", whole), ("encoder", inner)):
        for (task, method, seed), rows in part.groupby(["task", "method", "seed"], sort=False):
            for metric in MEASURES:
                values = pd.to_numeric(rows[metric]).dropna()
                if len(values):
                    yield Fact(
                        quantity="distance", task=task, method=method, seed=int(seed), layer="all",
                        kind=kind, metric=metric, value=float(values.mean()),
                        n=int(rows["parameters"].sum()), seeds=1,
                    )  # fmt: skip


def _trained_shares(methods: Sequence[Fact]) -> Iterator[Fact]:
    """The share of the trained parameters in all parameters of a method's own model."""
    costs = {(f.task, f.method, f.metric): f for f in methods if f.quantity == "cost"}
    for (task, method, metric), fact in costs.items():
        total = costs.get((task, method, "total_parameters"))
        if metric == "trainable_parameters" and fact.value is not None and total and total.value:
            yield Fact(
                quantity="share", task=task, method=method, metric="trained",
                value=fact.value / total.value, n=round(total.value), seeds=fact.seeds,
            )  # fmt: skip


def _size_facts(items: Mapping[str, Mapping[str, pd.DataFrame]]) -> Iterator[Fact]:
    """Sizes of the evaluated sets: items are sentences with a length, or words in sentences."""
    for task, of_task in items.items():
        for address, frame in of_task.items():
            if "sentence" in frame:
                sizes = {"words": len(frame), "sentences": frame["sentence"].nunique()}
            else:
                sizes = {"items": len(frame), "words": frame["length"].sum()}
            for metric, value in sizes.items():
                yield Fact(
                    quantity="size", task=task, evaluation=address, metric=metric,
                    value=float(value),
                )  # fmt: skip


def _task_facts(frames: Mapping[str, pd.DataFrame]) -> Iterator[Fact]:
    """What was measured of a task's methods, all seeds together."""
    prices = frames["prices"].to_dict("records")
    references = {row["task"]: row["method"] for row in reversed(prices) if row["ratio"] == 1}
    for row in prices:
        place: dict[str, Any] = {"task": row["task"], "method": row["method"]}
        for metric in ("seconds", "cpu_seconds"):
            yield Fact(
                quantity="step", **place, metric=metric, value=_number(row[metric]), n=row["steps"]
            )
        yield Fact(
            quantity="ratio", **place, metric="step_seconds",
            against=references.get(row["task"], ""), value=row["ratio"],
            low=row["low"], high=row["high"], covers="batches", n=row["steps"],
        )  # fmt: skip
    for row in frames["restoration"].to_dict("records"):
        columns = ("task", "method", "evaluation", "metric", "part")
        restored: dict[str, Any] = {column: row[column] for column in columns}
        low, high = _number(row["low"]), _number(row["high"])
        if low is None:
            low, high = _number(row["low_items"]), _number(row["high_items"])
        both: dict[str, Any] = {"n": int(row["units"]), "seeds": int(row["seeds"])}
        yield Fact(quantity="score", **restored, value=_number(row["value"]), **both)
        yield Fact(
            quantity="restoration", **restored, value=_number(row["drop"]), low=low, high=high,
            covers=row["covers"], reason=row["reason"] or "", **both,
        )  # fmt: skip


def _convergence_facts(curves: pd.DataFrame) -> Iterator[Fact]:
    """What the learning curves of each run say, and those of a method together."""
    for (task, method), rows in curves.groupby(["task", "method"], sort=False):
        losses = rows[(rows.split == "validation") & (rows.metric == "loss")]
        seeds = sorted(int(seed) for seed in losses.seed.unique())
        if not seeds:
            continue
        runs = [describe_run(rows[rows.seed == seed]) for seed in seeds]
        place: dict[str, Any] = {
            "quantity": "convergence",
            "task": str(task),
            "method": str(method),
        }
        for seed, run in zip(seeds, runs, strict=True):
            for metric in (*Quantities.__annotations__, "turned"):
                value = run[metric]  # type: ignore[literal-required]
                if value is not None:
                    yield Fact(**place, metric=metric, seed=seed, value=float(value), seeds=1)
            if run["metric_after_best_loss"] is not None:
                value = DIRECTIONS[run["metric_after_best_loss"]]
                yield Fact(
                    **place, metric="direction_after_best_loss", seed=seed, value=value, seeds=1
                )
        summary = aggregate_runs(runs)
        for metric in Quantities.__annotations__:
            of = summary[metric]  # type: ignore[literal-required]
            if of["value"] is None:
                continue
            low, high = of["low"], of["high"]
            covers: Covers = "range"
            if metric == "slope":
                low, high = summary["slope_low"], summary["slope_high"]
                covers = "seeds" if len(seeds) > 1 else "points"
            per_seed = [value for value in of["per_seed"] if value is not None]
            sd = float(np.std(per_seed, ddof=1)) if len(per_seed) > 1 else None
            yield Fact(
                **place, metric=metric, value=of["value"], low=low, high=high, covers=covers,
                seeds=len(per_seed), sd=sd,
            )  # fmt: skip
        known = summary["turn_known"]
        yield Fact(**place, metric="turned", value=summary["turned"], n=known, seeds=known)
        if summary["metric_after_turn"] is not None:
            value = DIRECTIONS[summary["metric_after_turn"]]
            yield Fact(**place, metric="direction_after_best_loss", value=value, seeds=known)


def _run(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {"task": row["task"], "method": row["method"], "seed": int(row["seed"])}


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)

"""Facts of one run, and of a task's timed steps, from what their stages stored."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from facts.fact import Fact
from study.layers import layer_number

MEASURES = ("l2", "relative", "rms", "angle")
SPECTRA = ("rank", "effective_rank", "top8_share", "intruders")
MEMORY = ("memory_parameters_bytes", "memory_gradients_bytes", "memory_optimizer_bytes")

Head = Mapping[str, Any]  # the columns task, method and seed of the run, and the entry


def cost_facts(head: Head, costs: Mapping[str, Any]) -> Iterator[Fact]:
    """What the training took, and the memory that follows from its numbers of weights."""
    kept = {
        name: float(value)
        for name, value in costs.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    if set(MEMORY) <= kept.keys():
        kept["computed_bytes"] = sum(kept[name] for name in MEMORY)
    for metric, value in kept.items():
        yield Fact(quantity="cost", **head, metric=metric, value=value, seeds=1)


def curve_facts(head: Head, curves: Iterable[Mapping[str, Any]]) -> Iterator[Fact]:
    """Losses and metrics by step."""
    for row in curves:
        yield Fact(
            quantity="curve", **head, split=row["split"], metric=row["metric"],
            step=int(row["step"]), value=row["value"], epoch=float(row["epoch"]),
            elapsed=float(row["seconds"]), seeds=1,
        )  # fmt: skip


def distance_facts(head: Head, rows: Iterable[Mapping[str, Any]]) -> Iterator[Fact]:
    """Distances by layer and kind of matrix, and their means (layer ``all``).

    Of the means, kind ``all`` is over all layers, ``encoder`` over the encoder's.
    """
    whole = []
    for row in rows:
        place = {"layer": row["layer"], "kind": row["kind"], "n": int(row["parameters"])}
        if row["kind"] == "all":
            whole.append(row)
        for metric in MEASURES:
            yield Fact(
                quantity="distance", **head, **place, metric=metric, value=row[metric], seeds=1
            )
    inner = [row for row in whole if layer_number(row["layer"]) is not None]
    for (kind, own), metric in itertools.product((("all", whole), ("encoder", inner)), MEASURES):
        values = [row[metric] for row in own if row[metric] is not None]
        if values:
            n = sum(int(row["parameters"]) for row in own)
            mean = float(np.mean(values))
            place = {"layer": "all", "kind": kind, "metric": metric}
            yield Fact(quantity="distance", **head, **place, value=mean, n=n, seeds=1)


def spectrum_facts(head: Head, rows: Iterable[Mapping[str, Any]]) -> Iterator[Fact]:
    """Ranks and singular values of the update of each matrix."""
    for row in rows:
        for metric in SPECTRA:
            place = {"layer": row["layer"], "kind": row["kind"], "metric": metric}
            value = None if row[metric] is None else float(row[metric])
            yield Fact(quantity="spectrum", **head, **place, value=value, seeds=1)


def similarity_facts(head: Head, result: Mapping[str, Any]) -> Iterator[Fact]:
    """CKA by evaluated set and layer, 0 being the embeddings' output."""
    for evaluation, values in result["cka"].items():
        for layer, value in enumerate(values):
            place = {"evaluation": evaluation, "layer": str(layer), "metric": "cka"}
            yield Fact(
                quantity="similarity", **head, **place, value=value, n=result["tokens"], seeds=1
            )


def plain_facts(head: Head, quantity: str, values: Mapping[str, Any]) -> Iterator[Fact]:
    """A quantity whose metrics are stored under their names; of a list, its length."""
    for metric, value in values.items():
        number = len(value) if isinstance(value, list) else value
        yield Fact(quantity=quantity, **head, metric=metric, value=float(number), seeds=1)


def size_facts(task: str, items: Mapping[str, pd.DataFrame]) -> Iterator[Fact]:
    """Sizes of the evaluated sets: items are sentences with a length, or words of sentences."""
    for address, frame in items.items():
        if "sentence" in frame:
            sizes = {"words": len(frame), "sentences": frame["sentence"].nunique()}
        else:
            sizes = {"items": len(frame), "words": frame["length"].sum()}
        for metric, value in sizes.items():
            place: dict[str, Any] = {"task": task, "evaluation": address, "metric": metric}
            yield Fact(quantity="size", **place, value=float(value))


def trained_shares(methods: Iterable[Fact]) -> Iterator[Fact]:
    """The share of the trained parameters in all parameters of a method's own model."""
    costs = {(f.task, f.method, f.metric): f for f in methods if f.quantity == "cost"}
    for (task, method, metric), fact in costs.items():
        total = costs.get((task, method, "total_parameters"))
        if metric == "trainable_parameters" and fact.value is not None and total and total.value:
            yield Fact(
                quantity="share", task=task, method=method, metric="trained",
                value=fact.value / total.value, n=round(total.value), seeds=fact.seeds,
            )  # fmt: skip


def price_facts(head: Head, result: Mapping[str, Any]) -> Iterator[Fact]:
    """What a step of each method takes, and its ratio to the reference's on the same batches.

    ``head`` has no method and no seed here.
    """
    for method, price in result["prices"].items():
        place = {**head, "method": method, "n": price["steps"]}
        yield Fact(quantity="step", **place, metric="seconds", value=price["seconds"])
        if method in result["cpu_prices"]:
            value = result["cpu_prices"][method]["seconds"]
            yield Fact(quantity="step", **place, metric="cpu_seconds", value=value)
        ends = {name: price[name] for name in ("low", "high")}
        yield Fact(
            quantity="ratio", **place, against=result["reference"], metric="step_seconds",
            value=price["ratio"], **ends, covers="batches",
        )  # fmt: skip


def latency_facts(head: Head, result: Mapping[str, Any]) -> Iterator[Fact]:
    """What a forward pass takes with an adapter as it is, and merged, by the size of a batch.

    ``head`` has no method and no seed here.
    """
    for method, sizes in result["methods"].items():
        for measured in sizes:
            place: dict[str, Any] = {
                **head,
                "method": method,
                "grouping": "batch_size",
                "group": str(measured["size"]),
            }
            unmerged, merged = (measured["prices"][name] for name in ("unmerged", "merged"))
            place["n"] = unmerged["steps"]
            for name, price in (("unmerged", unmerged), ("merged", merged)):
                yield Fact(
                    quantity="latency", **place, metric=f"{name}_seconds", value=price["seconds"]
                )
            yield Fact(
                quantity="latency", **place, metric="unmerged_over_merged",
                value=unmerged["ratio"], low=unmerged["low"], high=unmerged["high"],
                covers="batches",
            )  # fmt: skip

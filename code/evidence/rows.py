"""The evidence of a task as facts.

An estimate becomes a fact over seeds and one for each seed. Its interval is the one that decides:
over items and seeds where there are enough seeds, else over items, as ``covers`` says.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from evidence.outcomes import decisive_interval
from evidence.schema import (
    AcceptabilityEvidence,
    AcceptabilityMethod,
    Comparison,
    Contrast,
    Estimate,
    Evidence,
    TaggingEvidence,
    TaggingMethod,
    Transfer,
)
from facts.fact import Fact

LABELS = ("unacceptable", "acceptable")


def evidence_facts(task: str, found: Evidence) -> Iterator[Fact]:
    """All facts of a task's evidence, those of its methods first."""
    if "tags" in found:
        yield from _tagging_facts(task, cast(TaggingEvidence, found))
    else:
        yield from _acceptability_facts(task, cast(AcceptabilityEvidence, found))
    for row in found["comparisons"]:
        yield _difference(task, row)
    yield Fact(quantity="procedure", task=task, metric="level", value=found["level"])
    yield Fact(quantity="procedure", task=task, metric="resamples", value=found["resamples"])


def estimate_facts(estimate: Estimate, seeds: Sequence[int], **key: Any) -> Iterator[Fact]:
    """An estimate over seeds, then its value in each seed."""
    low, high = decisive_interval(estimate)
    yield Fact(
        **key,
        value=estimate["value"],
        low=low,
        high=high,
        covers=estimate["covers"] if low is not None else "",
        seeds=len(seeds),
        sd=estimate["sd"],
        reason=estimate["reason"] or "",
    )
    for seed, value in zip(seeds, estimate["per_seed"], strict=False):
        plain = {name: of for name, of in key.items() if name != "n"}
        yield Fact(**plain, seed=seed, value=value, n=key.get("n"), seeds=1)


def _difference(task: str, row: Comparison) -> Fact:
    low, high = decisive_interval(row)
    return Fact(
        quantity="difference",
        task=task,
        method=row["first"],
        against=row["second"],
        evaluation=row["evaluation"],
        metric=row["metric"],
        value=row["effect"],
        low=low,
        high=high,
        covers=row["covers"] if low is not None else "",
        p=row["p_corrected"],
        n=row["n"] or None,
        seeds=len(row["seeds"]),
        outcome=row["outcome"] or "",
        reason=row["reason"] or "",
    )


def _contrasts(
    contrasts: Mapping[str, Contrast], seeds: Sequence[int], **key: Any
) -> Iterator[Fact]:
    for grouping, row in contrasts.items():
        where: dict[str, Any] = {
            "grouping": grouping,
            "group": row["first"],
            "against": row["second"],
        }
        yield from estimate_facts(
            row["difference"], seeds, quantity="contrast", metric="accuracy", **where, **key
        )


# --------------------------------------------------------------------------------- acceptability


def _acceptability_facts(task: str, found: AcceptabilityEvidence) -> Iterator[Fact]:
    where = found["evaluation"]
    for method, entry in found["methods"].items():
        key: dict[str, Any] = {"task": task, "method": method, "evaluation": where}
        for metric, estimate in entry["metrics"].items():
            yield from estimate_facts(
                estimate, entry["seeds"], quantity="score", metric=metric, n=found["items"], **key
            )
        yield from _acceptability_method(entry, key, found["items"])
    wrong = found["always_wrong"]
    whole: dict[str, Any] = {"task": task, "evaluation": where}
    yield from _shared_errors(wrong, whole, found["items"])
    if found["majority_label"] is not None:
        label = LABELS[found["majority_label"]]
        yield Fact(
            quantity="share", **whole, metric="majority", tag=label, value=_majority_share(found)
        )


def _majority_share(found: AcceptabilityEvidence) -> float | None:
    rows = (m for m in found["methods"].values() if m["groups"].get("by_label"))
    method = next(rows, None)
    return method["groups"]["by_label"][0]["share"] if method else None


def _acceptability_method(
    entry: AcceptabilityMethod, key: Mapping[str, Any], items: int
) -> Iterator[Fact]:
    seeds = entry["seeds"]
    for gold, counts in zip(LABELS, entry["confusion"], strict=True):
        for predicted, count in zip(LABELS, counts, strict=True):
            yield Fact(
                quantity="confusion", **key, tag=gold, predicted=predicted, value=count, n=items,
                seeds=len(seeds),
            )  # fmt: skip
    for grouping, groups in entry["groups"].items():
        for row in groups:
            place: dict[str, Any] = {
                **key,
                "grouping": grouping,
                "group": row["group"],
                "n": row["items"],
            }
            for metric in ("accuracy", "matthews_correlation"):
                estimate = row[metric]  # type: ignore[literal-required]
                yield from estimate_facts(estimate, seeds, quantity="score", metric=metric, **place)
            yield Fact(quantity="share", metric="items", **place, value=row["share"])
    yield from _contrasts(entry["contrasts"], seeds, **key)
    if entry["agreement"] is not None:
        yield from estimate_facts(
            entry["agreement"], seeds, quantity="share", metric="given majority", n=items, **key
        )
    if entry["learned"] is not None:
        yield Fact(quantity="learned", **key, value=float(entry["learned"]), seeds=len(seeds))
    yield from _shared_errors(entry["always_wrong"], key, items)
    if entry["threshold"] is not None:
        yield from _threshold(entry["threshold"], seeds, key)


def _shared_errors(wrong: Any, key: Mapping[str, Any], items: int) -> Iterator[Fact]:
    values = {"count": wrong["count"], "expected": wrong["expected"]}
    for metric, value in values.items():
        yield Fact(quantity="shared errors", **key, metric=metric, value=value, n=items)


def _threshold(found: Any, seeds: Sequence[int], key: Mapping[str, Any]) -> Iterator[Fact]:
    spread = found["sd"] or [None] * len(found["thresholds"])
    points = zip(found["thresholds"], found["matthews_correlation"], spread, strict=True)
    for threshold, value, sd in points:
        yield Fact(
            quantity="threshold", **key, metric="matthews_correlation",
            step=round(100 * threshold), value=value, sd=sd, seeds=len(seeds),
        )  # fmt: skip
    for metric in ("argmax", "upper_bound", "gain"):
        yield Fact(
            quantity="threshold", **key, metric=metric, value=found[metric], seeds=len(seeds)
        )
    best = found["best_thresholds"]
    mean = sum(best) / len(best)
    yield Fact(quantity="threshold", **key, metric="best_threshold", value=mean, seeds=len(seeds))
    for seed, value in zip(seeds, best, strict=True):
        yield Fact(
            quantity="threshold", **key, metric="best_threshold", seed=seed, value=value, seeds=1
        )


# --------------------------------------------------------------------------------------- tagging


def _tagging_facts(task: str, found: TaggingEvidence) -> Iterator[Fact]:
    for method, entry in found["methods"].items():
        yield from _tagging_method(task, method, entry, found)
    yield from _examples(task, found)
    for address, of_set in found["evaluations"].items():
        key: dict[str, Any] = {"task": task, "evaluation": address}
        for tag, count in of_set["support"].items():
            yield Fact(quantity="size", **key, metric="words", tag=tag, value=count)


def _examples(task: str, found: TaggingEvidence) -> Iterator[Fact]:
    for name, case in found["seqeval_trap"].items():
        for metric in ("accuracy", "seqeval_f1"):
            value = case[metric]  # type: ignore[literal-required]
            yield Fact(quantity="example", task=task, group=name, metric=metric, value=value)


def _tagging_method(
    task: str, method: str, entry: TaggingMethod, found: TaggingEvidence
) -> Iterator[Fact]:
    seeds = entry["seeds"]
    key: dict[str, Any] = {"task": task, "method": method}
    for address, at in entry["evaluations"].items():
        words = found["evaluations"][address]["words"]
        place: dict[str, Any] = {**key, "evaluation": address}
        for metric, estimate in at["metrics"].items():
            yield from estimate_facts(
                estimate, seeds, quantity="score", metric=metric, n=words, **place
            )
        for row in at["per_tag"]:
            yield from estimate_facts(
                row["f1"], seeds, quantity="score", metric="f1", tag=row["tag"], n=row["support"],
                **place,
            )  # fmt: skip
            yield Fact(
                quantity="score", **place, metric="accuracy", tag=row["tag"], value=row["recall"],
                n=row["support"], seeds=len(seeds),
            )  # fmt: skip
        for grouping, groups in at["groups"].items():
            for part in groups:
                here: dict[str, Any] = {
                    **place,
                    "grouping": grouping,
                    "group": part["group"],
                    "n": part["words"],
                }
                yield from estimate_facts(
                    part["accuracy"], seeds, quantity="score", metric="accuracy", **here
                )
                yield Fact(quantity="share", metric="items", **here, value=part["share"])
        for gold, counts in zip(found["tags"], at["confusion"], strict=True):
            for predicted, count in zip(found["tags"], counts, strict=True):
                if count:
                    yield Fact(
                        quantity="confusion", **place, tag=gold, predicted=predicted, value=count,
                        n=words, seeds=len(seeds),
                    )  # fmt: skip
        yield from _contrasts(at["contrasts"], seeds, **place)
    for target, moved in entry["transfer"].items():
        yield from _transfer(moved, seeds, {**key, "evaluation": target}, found["source"])
    if entry["learned"] is not None:
        yield Fact(
            quantity="learned", **key, evaluation=found["source"], value=float(entry["learned"]),
            seeds=len(seeds),
        )  # fmt: skip


def _transfer(
    moved: Transfer, seeds: Sequence[int], key: Mapping[str, Any], source: str
) -> Iterator[Fact]:
    yield from estimate_facts(moved["drop"], seeds, quantity="drop", metric="accuracy", **key)
    yield from estimate_facts(
        moved["drop_macro_f1"], seeds, quantity="drop", metric="macro_f1",
        n=len(moved["tags_in_both"]), **key,
    )  # fmt: skip
    for grouping, groups in moved["groups"].items():
        for row in groups:
            place: dict[str, Any] = {"tag": row["group"]} if grouping == "by_tag" else {}
            place = place or {"grouping": grouping, "group": row["group"]}
            yield from estimate_facts(
                row["drop"], seeds, quantity="drop", metric="accuracy", **place, **key
            )
            yield Fact(
                quantity="contribution", **key, **place, value=row["points"],
                n=row["target_words"], seeds=len(seeds),
            )  # fmt: skip
    by_tag = moved["groups"]["by_tag"]
    for metric in ("rate", "mix"):  # lower accuracy on a tag; the tag being more frequent
        points = [(row["group"], row[f"points_{metric}"]) for row in by_tag]  # type: ignore[literal-required]
        for tag, value in (*points, ("", sum(value for _, value in points))):
            yield Fact(
                quantity="contribution", **key, metric=metric, grouping="by_tag", tag=tag,
                value=value, seeds=len(seeds),
            )  # fmt: skip
    for cell in moved["cells"]:
        cells: dict[str, Any] = {"tag": cell["gold"], "predicted": cell["predicted"]}
        yield Fact(quantity="contribution", **key, **cells, value=cell["points"], seeds=len(seeds))
        yield Fact(quantity="rate", **key, **cells, value=cell["target_rate"], seeds=len(seeds))
        yield Fact(
            quantity="rate", **{**key, "against": source}, **cells, value=cell["source_rate"],
            seeds=len(seeds),
        )  # fmt: skip
    low, _ = decisive_interval(moved["drop"])
    told = low is None or low > 0
    divided: dict[str, Any] = {**key, "metric": "drop", "seeds": len(seeds)}
    divided["reason"] = "" if told else "the drop cannot be told from zero"
    yield Fact(quantity="share", **divided, value=1.0 if told else None)
    for cause in moved["causes"]:
        yield Fact(
            quantity="share", **divided, cause=cause["cause"],
            value=cause["share"] if told else None,
        )  # fmt: skip
        yield from estimate_facts(
            cause["points"], seeds, quantity="contribution", cause=cause["cause"], **key
        )
        yield Fact(
            quantity="rate", **key, cause=cause["cause"], value=cause["target_rate"],
            seeds=len(seeds),
        )  # fmt: skip
        yield Fact(
            quantity="rate", **key, against=source, cause=cause["cause"],
            value=cause["source_rate"], seeds=len(seeds),
        )  # fmt: skip

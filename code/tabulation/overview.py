"""Tables about the study as a whole: its key numbers, and the assignment point by point."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from answers import findings
from answers.convergence import summarise_convergence
from evidence.outcomes import decisive_interval
from evidence.transfer import REMAINING
from store.frames import select
from store.results import Results
from study.architecture import HEAD, components, number_of_layers
from study.settings import language_of
from tabulation.cells import PERCENT, Cells, Scale, mean_of, median_of, scale_of
from tabulation.curves import describe_turn
from tabulation.markdown import Table
from tabulation.weights import METRICS
from words.wording import MISSING, Shown, Wording

SECTIONS: Mapping[str, str] = {
    "setup": "sec-setup",
    "cola": "sec-cola",
    "cola_time": "sec-answer-time",
    "cola_quality": "sec-answer-quality",
    "cola_choice": "sec-answer-choice",
    "pos": "sec-pos",
    "pos_drop": "sec-answer-drop",
    "pos_transfer": "sec-answer-transfer",
    "pos_why": "sec-answer-why",
    "drift": "sec-distance",
    "drift_layers": "sec-answer-layers",
    "drift_tasks": "sec-answer-tasks",
    "drift_head": "sec-answer-head",
    "curves": "sec-curves",
    "epochs": "sec-answer-epochs",
    "feedback": "sec-feedback",
}
"""Part of the report -> identifier of its section, for the references of the requirements."""


# ------------------------------------------------------------------------------ key numbers


def tabulate_key_numbers(results: Results, words: Wording) -> Table:
    """The numbers that the answers rest on: reference, adapter, and what lies between them."""
    cells, tasks = Cells(words), list(results.profile.tasks)
    rows = [row for task in tasks for row in _quality_rows(results, task, cells)]
    rows += [row for task in tasks for row in _cost_rows(results, task, cells)]
    rows += [_change_row(results, task, cells) for task in tasks]
    roles = results.profile.tasks[tasks[0]].roles
    header = cells.titles("quantity", roles.reference or "full", roles.adapter or "lora", "between")
    return cells.table(header, rows, "lr", cells.say("note_key_numbers"))


def _pair(results: Results, task: str) -> tuple[str | None, str | None]:
    roles = results.roles(task)
    return roles.reference, roles.adapter


def _quantity(cells: Cells, task: str, key: str, **values: object) -> str:
    return f"{cells.name(task)}: {cells.say(key, **values)}"


def _quality_rows(results: Results, task: str, cells: Cells) -> list[list[str]]:
    """The main metric in every evaluated set, and the drop to every other language."""
    source, *others = results.evaluations(task)
    kind = results.profile.tasks[task].kind
    if kind == "sequence":
        return [_compared_row(results, task, source, "matthews_correlation", "key_plain", cells)]
    rows = [_compared_row(results, task, source, "accuracy", "key_percent", cells)]
    for place in others:
        rows.append(_compared_row(results, task, place, "accuracy", "key_percent", cells))
        if language_of(place) != language_of(source):
            rows.append(_compared_row(results, task, place, "drop", "key_points", cells))
    return rows


def _compared_row(
    results: Results, task: str, place: str, metric: str, key: str, cells: Cells
) -> list[str]:
    scale, methods = scale_of(metric), _pair(results, task)
    names = {"metric": cells.name(metric), "language": cells.evaluation(results, task, place)}
    entries = [_estimate(results, task, method, metric, place) for method in methods]
    found = findings.comparison(results, task, place, metric, *methods)
    between = {**found, "value": found["effect"]} if found else None
    return [
        _quantity(cells, task, key, **names),
        *(cells.estimate(entry, scale) for entry in (*entries, between)),
    ]


def _estimate(
    results: Results, task: str, method: str | None, metric: str, place: str
) -> Mapping[str, Any] | None:
    if metric != "drop":
        return findings.estimate(results, task, method, metric, place)
    entry = findings.tagging_method(results, task, method)
    moved = entry["transfer"].get(place) if entry else None
    return moved["drop"] if moved else None


def _cost_rows(results: Results, task: str, cells: Cells) -> list[list[str]]:
    shown: Mapping[str, Callable[[float | None], str]] = {
        "training_seconds": cells.duration,
        "trainable_parameters": cells.count,
        "peak_memory_bytes": cells.megabytes,
    }
    rows = []
    for column, show in shown.items():
        values = [findings.cost(results, task, method, column) for method in _pair(results, task)]
        title = _quantity(cells, task, f"key_{column}")
        rows.append([title, *(show(value) for value in values), _ratio(values, cells)])
    return rows


def _change_row(results: Results, task: str, cells: Cells) -> list[str]:
    """Mean relative change of the encoder's layers."""
    profiles = [findings.layer_profile(results, task, m, "relative") for m in _pair(results, task)]
    means = [sum(profile) / len(profile) if profile else None for profile in profiles]
    shown = [cells.percent(mean, 2) for mean in means]
    return [_quantity(cells, task, "key_relative"), *shown, _ratio(means, cells)]


def _ratio(values: Sequence[float | None], cells: Cells) -> str:
    first, second = values
    if not first or second is None:
        return MISSING
    ratio = second / first
    return Shown(f"×{cells.number(ratio, Scale(1, 2 if ratio >= 0.1 else 4))}", ratio)


# ------------------------------------------------------------------------------ requirements


def tabulate_summary_of_requirements(
    results: Results, words: Wording, sections: Mapping[str, str] = SECTIONS
) -> Table:
    """The assignment's points: requirement, where it is answered, and the result in short.

    Args:
        results: the results.
        words: the language.
        sections: as ``SECTIONS``; every identifier must exist in the document.
    """
    cells = Cells(words)
    found = {
        **_acceptability_results(results, cells),
        **_tagging_results(results, cells),
        **_drift_results(results, cells),
        **_general_results(results, cells),
    }
    rows = [
        [cells.say(f"requirement_{key}"), f"@{sections[section]}", result or MISSING]
        for key, (section, result) in found.items()
    ]
    return cells.table(cells.titles("requirement", "where", "result"), rows, "lll")


Rows = dict[str, tuple[str, str]]


def _acceptability_results(results: Results, cells: Cells) -> Rows:
    methods = results.main_methods("cola")
    found = results.acceptability("cola")["methods"] if results.has("evidence", "cola") else {}
    quality = {
        m: cells.estimate(found[m]["metrics"]["matthews_correlation"])
        for m in methods
        if m in found
    }
    accuracy = {
        m: cells.say("result_percent", value=cells.value(found[m]["metrics"]["accuracy"], PERCENT))
        for m in methods
        if m in found
    }
    return {
        "cola_training": ("cola", _epochs(results, "cola", methods, cells)),
        "cola_quality": (
            "cola",
            _join(
                cells.say(
                    "result_metric",
                    metric=cells.name("matthews_correlation"),
                    values=_by(quality, cells),
                ),
                cells.say(
                    "result_metric", metric=cells.name("accuracy"), values=_by(accuracy, cells)
                ),
            ),
        ),
        "cola_cost": ("cola_time", _cost_result(results, "cola", methods, cells)),
        "cola_loss": (
            "cola_quality",
            _gap_results(results, "cola", "matthews_correlation", methods, cells),
        ),
        "cola_choice": ("cola_choice", cells.say("result_text")),
    }


def _tagging_results(results: Results, cells: Cells) -> Rows:
    methods = results.main_methods("pos")
    found = results.tagging("pos")["methods"] if results.has("evidence", "pos") else {}
    accuracy, drops = [], []
    for evaluation in results.evaluations("pos"):
        values = {
            m: cells.value(found[m]["evaluations"][evaluation]["metrics"]["accuracy"], PERCENT)
            for m in methods
            if m in found and evaluation in found[m]["evaluations"]
        }
        where = cells.evaluation(results, "pos", evaluation)
        shown = {m: cells.say("result_percent", value=value) for m, value in values.items()}
        accuracy.append(cells.say("result_metric", metric=where, values=_by(shown, cells)))
        lost = {
            m: cells.say("result_points", value=cells.estimate(entry["drop"], PERCENT))
            for m in methods
            if m in found and (entry := found[m]["transfer"].get(evaluation))
        }
        if lost:
            drops.append(cells.say("result_metric", metric=where, values=_by(lost, cells)))
    return {
        "pos_training": ("pos", _epochs(results, "pos", methods, cells)),
        "pos_quality": ("pos", _join(*accuracy)),
        "pos_drop": ("pos_drop", _join(*drops)),
        "pos_difference": ("pos_transfer", _gap_results(results, "pos", "drop", methods, cells)),
        "pos_why": ("pos_why", _cause_result(results, methods, cells)),
    }


def _drift_results(results: Results, cells: Cells) -> Rows:
    models = [
        (task, method)
        for task in results.profile.tasks
        for method in results.main_methods(task)
        if method in results.moving_methods(task)
    ]
    means, layers, heads = {}, {}, {}
    for task, method in models:
        drift = select(results.drift, task=task, method=method, kind="all")
        name = cells.model(task, method)
        mean = mean_of(drift.groupby("seed")["l2"].mean())
        means[name] = cells.number(mean, METRICS["l2"])
        first, last, head = (_relative(drift, part) for part in ("first", "last", HEAD))
        layers[name] = cells.say(
            "result_first_last", first=_pc(first, cells), last=_pc(last, cells)
        )
        heads[name] = _pc(head, cells)
    return {
        "drift_function": ("drift", _listed(means)),
        "drift_components": ("drift", cells.say("result_models", count=len(models))),
        "drift_upper": ("drift_layers", _listed(layers)),
        "drift_tasks": ("drift_tasks", cells.say("result_text")),
        "drift_head": ("drift_head", _listed(heads)),
        "curves": ("curves", _curve_result(results, cells)),
        "overfitting": ("epochs", _turn_result(results, cells)),
    }


def _general_results(results: Results, cells: Cells) -> Rows:
    seeds = {
        cells.name(task.name): ", ".join(str(seed) for seed in task.seeds)
        for task in results.profile.tasks.values()
    }
    done = cells.say("result_runs", done=len(results.runs), missing=len(results.missing))
    return {
        "seeds": ("setup", _listed(seeds)),
        "reproducible": ("setup", done),
        "feedback": ("feedback", cells.say("result_text")),
    }


def _join(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _listed(values: Mapping[str, str]) -> str:
    return _join(*(f"{name}: {value}" for name, value in values.items()))


def _by(values: Mapping[str, str], cells: Cells) -> str:
    return ", ".join(f"{cells.name(method)} {value}" for method, value in values.items()) or MISSING


def _pc(value: float | None, cells: Cells) -> str:
    return cells.say("result_percent", value=cells.percent(value, 2))


def _epochs(results: Results, task: str, methods: Sequence[str], cells: Cells) -> str:
    values = {
        m: cells.say(
            "result_epochs", count=results.profile.tasks[task].method(m).training.num_train_epochs
        )
        for m in methods
    }
    return _by(values, cells)


def _cost_result(results: Results, task: str, methods: Sequence[str], cells: Cells) -> str:
    values = {}
    for method in methods:
        runs = select(results.runs, task=task, method=method)
        values[method] = cells.say(
            "result_cost",
            time=cells.duration(median_of(runs["training_seconds"])),
            trainable=cells.count(median_of(runs["trainable_parameters"])),
            memory=cells.megabytes(median_of(runs["peak_memory_bytes"])),
        )
    return _join(*(f"{cells.name(method)}: {value}" for method, value in values.items()))


def _gap_results(
    results: Results, task: str, metric: str, methods: Sequence[str], cells: Cells
) -> str:
    scale = scale_of(metric)
    parts = []
    for row in results.comparisons(task):
        if row["metric"] != metric or not {row["first"], row["second"]} <= set(methods):
            continue
        pair = cells.say("pair", first=cells.name(row["first"]), second=cells.name(row["second"]))
        effect = cells.signed(row["effect"], scale)
        interval = cells.span(decisive_interval(row), scale)
        where = cells.name(language_of(row["evaluation"])) if task == "pos" else cells.name(metric)
        parts.append(f"{where}, {pair}: {effect} {interval}")
    return _join(*parts)


def _cause_result(results: Results, methods: Sequence[str], cells: Cells) -> str:
    found = results.tagging("pos")["methods"] if results.has("evidence", "pos") else {}
    parts = []
    for method in methods[:1]:
        for target, entry in (found[method]["transfer"] if method in found else {}).items():
            cause = next(row for row in entry["causes"] if row["cause"] != REMAINING)
            points = cells.say("result_points", value=cells.value(cause["points"], PERCENT))
            where = cells.evaluation(results, "pos", target)
            parts.append(
                cells.say(
                    "result_cause", where=where, cause=cells.name(cause["cause"]), points=points
                )
            )
    return _join(*parts)


def _relative(drift: pd.DataFrame, part: str) -> float | None:
    layer = components(number_of_layers(drift["layer"]))[part]
    return mean_of(select(drift, layer=layer)["relative"])


def _turn_result(results: Results, cells: Cells) -> str:
    parts = {}
    for task in results.profile.tasks:
        main = results.main_methods(task)
        for entry in summarise_convergence(results, task):
            if entry["method"] in main:
                parts[cells.model(task, entry["method"])] = describe_turn(entry, cells)
    return cells.say("result_turned", runs=_listed(parts)) if parts else ""


def _curve_result(results: Results, cells: Cells) -> str:
    values = {}
    for task, settings in results.profile.tasks.items():
        losses = select(results.curves, task=task, metric="loss", split="validation")
        points = losses.groupby("run").size()
        if len(points):
            per_epoch = max(m.training.evaluations_per_epoch for m in settings.methods)
            values[cells.name(task)] = cells.say(
                "result_curve", points=int(points.max()), per_epoch=per_epoch
            )
    return _listed(values)

"""Tables about the study as a whole: its key numbers, and the assignment point by point."""

from collections.abc import Mapping, Sequence

import pandas as pd

from answers import findings
from answers.convergence import summarise_convergence
from evidence.outcomes import decisive_interval
from evidence.schema import Estimate
from evidence.transfer import REMAINING
from store.frames import select
from store.results import Results
from study.architecture import HEAD, components, number_of_layers
from study.settings import language_of
from tabulation.cells import PERCENT, Cells, Scale, mean_of, scale_of
from tabulation.costs import MAIN, show_cost, show_costs
from tabulation.curves import describe_turn
from tabulation.markdown import Table
from tabulation.weights import METRICS
from words.wording import MISSING, Shown, Wording

KEYS = {"matthews_correlation": "key_plain", "drop": "key_points"}  # how key numbers are named


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
    source, *_ = places = results.evaluations(task)
    if results.profile.tasks[task].kind == "sequence":
        return [_compared_row(results, task, source, "matthews_correlation", cells)]
    rows = []
    for place in places:
        rows.append(_compared_row(results, task, place, "accuracy", cells))
        if language_of(place) != language_of(source):
            rows.append(_compared_row(results, task, place, "drop", cells))
    return rows


def _compared_row(results: Results, task: str, place: str, metric: str, cells: Cells) -> list[str]:
    methods, key = _pair(results, task), KEYS.get(metric, "key_percent")
    names = {"metric": cells.name(metric), "language": cells.evaluation(results, task, place)}
    both = [_estimate(results, task, method, metric, place) for method in methods]
    found = findings.comparison(results, task, place, metric, *methods)
    between = {**found, "value": found["effect"]} if found else None
    shown = (cells.estimate(entry, scale_of(metric)) for entry in (*both, between))
    return [_quantity(cells, task, key, **names), *shown]


def _estimate(
    results: Results, task: str, method: str | None, metric: str, place: str
) -> Estimate | None:
    if metric != "drop":
        return findings.estimate(results, task, method, metric, place)
    entry = findings.tagging_method(results, task, method)
    moved = entry["transfer"].get(place) if entry else None
    return moved["drop"] if moved else None


def _cost_rows(results: Results, task: str, cells: Cells) -> list[list[str]]:
    rows = []
    for column in MAIN:
        values = [findings.cost(results, task, method, column) for method in _pair(results, task)]
        shown = (show_cost(column, value, cells) for value in values)
        rows.append([_quantity(cells, task, f"key_{column}"), *shown, _ratio(values, cells)])
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

Rows = dict[str, tuple[str, str]]  # requirement -> identifier of its section, result


def tabulate_summary_of_requirements(results: Results, words: Wording) -> Table:
    """The assignment's points: requirement, where it is answered, and the result in short."""
    cells = Cells(words)
    found = {
        **_acceptability_results(results, cells),
        **_tagging_results(results, cells),
        **_drift_results(results, cells),
        **_general_results(results, cells),
    }
    rows = [
        [cells.say(f"requirement_{key}"), f"@{section}", result or MISSING]
        for key, (section, result) in found.items()
    ]
    return cells.table(cells.titles("requirement", "where", "result"), rows, "lll")


def _acceptability_results(results: Results, cells: Cells) -> Rows:
    where, metrics = results.evaluations("cola")[0], ("matthews_correlation", "accuracy")
    quality = {cells.name(m): _values(results, "cola", where, m, cells) for m in metrics}
    return {
        "cola_training": ("sec-cola", _epochs(results, "cola", cells)),
        "cola_quality": ("sec-cola", _metrics(quality, cells)),
        "cola_cost": ("sec-answer-time", _cost_result(results, "cola", cells)),
        "cola_loss": ("sec-answer-quality", _gaps(results, "cola", "matthews_correlation", cells)),
        "cola_choice": ("sec-answer-choice", cells.say("result_text")),
    }


def _tagging_results(results: Results, cells: Cells) -> Rows:
    names = {place: cells.evaluation(results, "pos", place) for place in results.evaluations("pos")}
    accuracy, drops = (
        {name: _values(results, "pos", place, metric, cells) for place, name in names.items()}
        for metric in ("accuracy", "drop")
    )
    drops = {name: drop for name, drop in drops.items() if drop != MISSING}
    return {
        "pos_training": ("sec-pos", _epochs(results, "pos", cells)),
        "pos_quality": ("sec-pos", _metrics(accuracy, cells)),
        "pos_drop": ("sec-answer-drop", _metrics(drops, cells)),
        "pos_difference": ("sec-answer-transfer", _gaps(results, "pos", "drop", cells)),
        "pos_why": ("sec-answer-why", _cause_result(results, cells)),
    }


def _drift_results(results: Results, cells: Cells) -> Rows:
    means, layers, heads = {}, {}, {}
    for task in results.profile.tasks:
        moving = results.moving_methods(task)
        for method in (m for m in results.main_methods(task) if m in moving):
            drift = select(results.drift, task=task, method=method, kind="all")
            name, distances = cells.model(task, method), drift.groupby("seed")["l2"].mean()
            means[name] = cells.number(mean_of(distances), METRICS["l2"])
            first, last, heads[name] = (_relative(drift, p, cells) for p in ("first", "last", HEAD))
            layers[name] = cells.say("result_first_last", first=first, last=last)
    return {
        "drift_function": ("sec-distance", _listed(means)),
        "drift_components": ("sec-distance", cells.say("result_models", count=len(means))),
        "drift_upper": ("sec-answer-layers", _listed(layers)),
        "drift_tasks": ("sec-answer-tasks", cells.say("result_text")),
        "drift_head": ("sec-answer-head", _listed(heads)),
        "curves": ("sec-curves", _curve_result(results, cells)),
        "overfitting": ("sec-answer-epochs", _turn_result(results, cells)),
    }


def _general_results(results: Results, cells: Cells) -> Rows:
    tasks = results.profile.tasks.values()
    seeds = {cells.name(task.name): ", ".join(map(str, task.seeds)) for task in tasks}
    done = cells.say("result_runs", done=len(results.runs), missing=len(results.missing))
    return {
        "seeds": ("sec-setup", _listed(seeds)),
        "reproducible": ("sec-setup", done),
        "feedback": ("sec-feedback", cells.say("result_text")),
    }


def _join(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _listed(values: Mapping[str, str]) -> str:
    return _join(*(f"{name}: {value}" for name, value in values.items()))


def _metrics(values: Mapping[str, str], cells: Cells) -> str:
    said = (cells.say("result_metric", metric=name, values=text) for name, text in values.items())
    return _join(*said)


def _values(results: Results, task: str, place: str, metric: str, cells: Cells) -> str:
    """A metric of every compared method that has it."""
    found = {m: _estimate(results, task, m, metric, place) for m in results.main_methods(task)}
    return _by({m: _in_short(metric, entry, cells) for m, entry in found.items() if entry}, cells)


def _in_short(metric: str, entry: Estimate, cells: Cells) -> str:
    """MCC and a drop with their interval, an accuracy without."""
    if metric == "matthews_correlation":
        return cells.estimate(entry)
    if metric == "drop":
        return cells.say("result_points", value=cells.estimate(entry, PERCENT))
    return cells.say("result_percent", value=cells.value(entry, PERCENT))


def _by(values: Mapping[str, str], cells: Cells) -> str:
    return ", ".join(f"{cells.name(method)} {value}" for method, value in values.items()) or MISSING


def _epochs(results: Results, task: str, cells: Cells) -> str:
    methods = [results.profile.tasks[task].method(name) for name in results.main_methods(task)]
    epochs = {method.name: method.training.num_train_epochs for method in methods}
    return _by({m: cells.say("result_epochs", count=n) for m, n in epochs.items()}, cells)


def _cost_result(results: Results, task: str, cells: Cells) -> str:
    values = {}
    for method in results.main_methods(task):
        names = ("time", "trainable", "memory")
        costs = dict(zip(names, show_costs(results, task, method, cells), strict=True))
        values[cells.name(method)] = cells.say("result_cost", **costs)
    return _listed(values)


def _gaps(results: Results, task: str, metric: str, cells: Cells) -> str:
    """Differences between the compared methods, with their intervals."""
    scale, methods, parts = scale_of(metric), set(results.main_methods(task)), []
    for row in results.comparisons(task):
        if row["metric"] == metric and {row["first"], row["second"]} <= methods:
            names = {side: cells.name(row[side]) for side in ("first", "second")}
            effect, interval = row["effect"], decisive_interval(row)
            shown = f"{cells.signed(effect, scale)} {cells.span(interval, scale)}"
            where = language_of(row["evaluation"]) if task == "pos" else metric
            parts.append(f"{cells.name(where)}, {cells.say('pair', **names)}: {shown}")
    return _join(*parts)


def _cause_result(results: Results, cells: Cells) -> str:
    parts = []
    for method in results.main_methods("pos")[:1]:
        entry = findings.tagging_method(results, "pos", method)
        for target, moved in entry["transfer"].items() if entry else ():
            cause = next(row for row in moved["causes"] if row["cause"] != REMAINING)
            points = cells.say("result_points", value=cells.value(cause["points"], PERCENT))
            where, name = cells.evaluation(results, "pos", target), cells.name(cause["cause"])
            parts.append(cells.say("result_cause", where=where, cause=name, points=points))
    return _join(*parts)


def _relative(drift: pd.DataFrame, part: str, cells: Cells) -> str:
    layer = components(number_of_layers(drift["layer"]))[part]
    value = mean_of(select(drift, layer=layer)["relative"])
    return cells.say("result_percent", value=cells.percent(value, 2))


def _turn_result(results: Results, cells: Cells) -> str:
    parts = {
        cells.model(task, entry["method"]): describe_turn(entry, cells)
        for task in results.profile.tasks
        for entry in summarise_convergence(results, task)
        if entry["method"] in results.main_methods(task)
    }
    return cells.say("result_turned", runs=_listed(parts)) if parts else ""


def _curve_result(results: Results, cells: Cells) -> str:
    values = {}
    for task, settings in results.profile.tasks.items():
        losses = select(results.curves, task=task, metric="loss", split="validation")
        if len(losses):
            points = int(losses.groupby("run").size().max())
            per_epoch = max(m.training.evaluations_per_epoch for m in settings.methods)
            name = cells.name(task)
            values[name] = cells.say("result_curve", points=points, per_epoch=per_epoch)
    return _listed(values)

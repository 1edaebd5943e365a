"""Tables about the study as a whole: requirements, literature, sources, environment, gaps."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from answers.convergence import summarise_convergence
from answers.literature import Beside, compare_with_published
from evidence.transfer import REMAINING
from store.frames import select
from store.results import Results
from study.architecture import HEAD, components, number_of_layers
from study.settings import language_of
from tabulation.cells import (
    PERCENT,
    PLUS_MINUS,
    Cells,
    escape,
    mean_of,
    median_of,
    pipe_table,
    scale_of,
    with_notes,
)
from tabulation.curves import describe_turn
from tabulation.drift import METRICS
from words.wording import MISSING, Wording

SECTIONS: Mapping[str, str] = {
    "setup": "sec-setup",
    "cola": "sec-cola",
    "pos": "sec-pos",
    "drift": "sec-drift",
    "curves": "sec-curves",
    "answers_cola": "sec-answers-cola",
    "answers_pos": "sec-answers-pos",
    "answers_drift": "sec-answers-drift",
    "feedback": "sec-feedback",
    "environment": "sec-environment",
}
"""Part of the report -> identifier of its section, for the references of the requirements."""


# ------------------------------------------------------------------------------ requirements


def tabulate_summary_of_requirements(
    results: Results, words: Wording, sections: Mapping[str, str] = SECTIONS
) -> str:
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
    return pipe_table(cells.titles("requirement", "where", "result"), rows, "lll")


Rows = dict[str, tuple[str, str]]


def _acceptability_results(results: Results, cells: Cells) -> Rows:
    summary, methods = results.evidence["cola"], results.main_methods("cola")
    found = summary.get("methods", {})
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
        "cola_cost": ("cola", _cost_result(results, "cola", methods, cells)),
        "cola_loss": (
            "answers_cola",
            _gap_results(results, "cola", "matthews_correlation", methods, cells),
        ),
        "cola_choice": ("answers_cola", cells.say("result_text")),
    }


def _tagging_results(results: Results, cells: Cells) -> Rows:
    methods = results.main_methods("pos")
    found = results.evidence["pos"].get("methods", {})
    accuracy, drops = [], []
    for evaluation in results.evaluations("pos"):
        values = {
            m: cells.value(found[m]["evaluations"][evaluation]["metrics"]["accuracy"], PERCENT)
            for m in methods
            if evaluation in found.get(m, {}).get("evaluations", {})
        }
        where = cells.evaluation(results, "pos", evaluation)
        shown = {m: cells.say("result_percent", value=value) for m, value in values.items()}
        accuracy.append(cells.say("result_metric", metric=where, values=_by(shown, cells)))
        lost = {
            m: cells.say("result_points", value=cells.estimate(entry["drop"], PERCENT))
            for m in methods
            if (entry := found.get(m, {}).get("transfer", {}).get(evaluation))
        }
        if lost:
            drops.append(cells.say("result_metric", metric=where, values=_by(lost, cells)))
    return {
        "pos_training": ("pos", _epochs(results, "pos", methods, cells)),
        "pos_quality": ("pos", _join(*accuracy)),
        "pos_drop": ("answers_pos", _join(*drops)),
        "pos_difference": ("answers_pos", _gap_results(results, "pos", "drop", methods, cells)),
        "pos_why": ("answers_pos", _cause_result(results, methods, cells)),
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
        "drift_upper": ("answers_drift", _listed(layers)),
        "drift_tasks": ("answers_drift", cells.say("result_text")),
        "drift_head": ("answers_drift", _listed(heads)),
        "curves": ("curves", _curve_result(results, cells)),
        "overfitting": ("answers_drift", _turn_result(results, cells)),
    }


def _general_results(results: Results, cells: Cells) -> Rows:
    seeds = {
        cells.name(task.name): ", ".join(str(seed) for seed in task.seeds)
        for task in results.profile.tasks.values()
    }
    done = cells.say("result_runs", done=len(results.runs), missing=len(results.missing))
    return {
        "seeds": ("setup", _listed(seeds)),
        "reproducible": ("environment", done),
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
    for row in results.evidence[task].get("comparisons", []):
        if row["metric"] != metric or not {row["first"], row["second"]} <= set(methods):
            continue
        pair = cells.say("pair", first=cells.name(row["first"]), second=cells.name(row["second"]))
        effect, interval = cells.signed(row["effect"], scale), cells.interval(row, scale)
        where = cells.name(language_of(row["evaluation"])) if task == "pos" else cells.name(metric)
        parts.append(f"{where}, {pair}: {effect} {interval}")
    return _join(*parts)


def _cause_result(results: Results, methods: Sequence[str], cells: Cells) -> str:
    found = results.evidence["pos"].get("methods", {})
    parts = []
    for method in methods[:1]:
        for target, entry in found.get(method, {}).get("transfer", {}).items():
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


# ------------------------------------------------------------------------------ literature


def tabulate_literature(results: Results, words: Wording, task: str | None = None) -> str:
    """Our numbers beside published ones, with settings and source.

    Args:
        results: the results.
        words: the language.
        task: one task only.
    """
    cells = Cells(words)
    tasks = [task] if task else list(results.profile.tasks)
    found = [(name, row) for name in tasks for row in compare_with_published(results, name)]
    header = cells.titles("quantity", "published", "ours", "covered", "their_model", "source")
    rows = [
        [_quantity(name, row, cells, task is None), *_published(row, cells)] for name, row in found
    ]
    return with_notes(pipe_table(header, rows, "lrrcll"), *_literature_notes(results, found, cells))


def _quantity(task: str, row: Beside, cells: Cells, with_task: bool) -> str:
    published = row.published
    text = cells.say(
        f"quantity_{published.quantity}",
        metric=cells.name(published.metric),
        language=cells.name(published.language),
    )
    if published.quantity == "score" and task == "pos":
        text = f"{text}, {cells.name(published.language)}"
    if published.quantity == "score" and published.adapter != "none":
        text = f"{text}, {cells.name(published.adapter)}"
    return f"{cells.name(task)}: {text}" if with_task else text


def _published(row: Beside, cells: Cells) -> list[str]:
    published, own = row.published, row.own
    scale = scale_of(published.metric)
    value = cells.number(published.value, scale)
    if published.sd is not None:
        value = f"{value}{PLUS_MINUS}{cells.number(published.sd, scale)}"
    ours = MISSING if own is None else cells.estimate(vars(own), scale)
    verdict = MISSING if row.covered is None else cells.say("yes" if row.covered else "no")
    mark = "" if row.same_model or own is None else "\u00a0†"
    settings = cells.say(f"settings_{published.settings}")
    where = cells.name(published.evaluated)
    model = f"{escape(published.model)}, {escape(published.corpora)} {where}; {settings}"
    return [value, ours, f"{verdict}{mark}", model, f"[@{published.citation}]"]


def _literature_notes(
    results: Results, found: Sequence[tuple[str, Beside]], cells: Cells
) -> list[str]:
    notes = [cells.say("note_literature")]
    with_own = [(name, row) for name, row in found if row.own is not None]
    if any(not row.same_model for _, row in with_own):
        models = {name: row.own.model for name, row in with_own if row.own is not None}
        ours = ", ".join(f"{cells.name(name)}: {escape(model)}" for name, model in models.items())
        notes.append(cells.say("note_other_model", models=ours))
    if with_own and not any(row.same_model for _, row in with_own):
        notes.append(cells.say("note_no_same_model", profile=escape(results.profile.name)))
    if any(not row.same_data for _, row in with_own):
        notes.append(cells.say("note_miniature"))
    return notes


# ------------------------------------------------------------------------------ provenance


def tabulate_sources(results: Results, words: Wording) -> str:
    """Where every corpus and model came from."""
    cells = Cells(words)
    frame = results.sources.drop_duplicates(["task", "item", "source"])
    rows = [
        [
            cells.name(row.task),
            cells.say("column_encoder") if row.item == "model" else escape(row.item),
            escape(row.source),
        ]
        for row in frame.itertuples()
    ]
    if not rows:
        return cells.say("no_results")
    return pipe_table(cells.titles("task", "item", "source"), rows, "lll")


def tabulate_environment(results: Results, words: Wording) -> str:
    """What the results were made with and the report is rendered with."""
    cells, frame = Cells(words), results.provenance
    facts = {
        "interpreter": f"`{sys.executable}`",
        "rendered_with": ".".join(str(part) for part in sys.version_info[:3]),
        "trained_with": _unique(frame, "python"),
        "platform": _unique(frame, "platform"),
        "device": _unique(results.runs, "device"),
        "commit": _commits(frame, cells),
        "time": _period(frame),
        "training_time": cells.duration(float(results.runs["training_seconds"].sum())),
        "runs": cells.say("result_runs", done=len(results.runs), missing=len(results.missing)),
        "changed_modules": _stale(results, cells),
        "versions": _versions(frame),
    }
    rows = [[cells.say(f"fact_{key}"), value or MISSING] for key, value in facts.items()]
    return pipe_table(cells.titles("fact", "value"), rows, "ll")


def _unique(frame: pd.DataFrame, column: str) -> str:
    values = frame[column].dropna().drop_duplicates() if column in frame else []
    return "; ".join(escape(str(value)) for value in values)


def _commits(frame: pd.DataFrame, cells: Cells) -> str:
    if "commit" not in frame:
        return ""
    pairs = frame[["commit", "dirty"]].drop_duplicates().itertuples(index=False)
    texts = []
    for commit, dirty in pairs:
        known = isinstance(commit, str) and commit
        text = f"`{commit[:12]}`" if known else cells.say("no_commit")
        texts.append(f"{text} {cells.say('dirty')}" if known and dirty is True else text)
    return "; ".join(dict.fromkeys(texts))


def _period(frame: pd.DataFrame) -> str:
    times = sorted(str(time) for time in frame["time"].dropna())
    ends = dict.fromkeys((times[0], times[-1])) if times else {}
    return " – ".join(ends)


def _stale(results: Results, cells: Cells) -> str:
    parts = [
        f"{stage}: {', '.join(f'`{module}`' for module in modules)}"
        for stage, modules in results.stale().items()
    ]
    return "; ".join(parts) or cells.say("none_changed")


def _versions(frame: pd.DataFrame) -> str:
    found: dict[str, set[str]] = {}
    packages: list[Any] = list(frame["packages"]) if "packages" in frame else []
    for of_run in packages:
        for name, version in of_run.items():
            found.setdefault(name, set()).add(version)
    return ", ".join(f"{escape(n)} {escape('/'.join(sorted(v)))}" for n, v in found.items())


def tabulate_missing(results: Results, words: Wording) -> str:
    """Runs that the settings ask for and the report lacks; a sentence where there are none."""
    cells = Cells(words)
    if not results.missing:
        return cells.say("nothing_missing", count=len(results.runs))
    rows = [[escape(gap.run), cells.name(gap.reason)] for gap in results.missing]
    note = cells.say("note_missing", missing=len(rows), wanted=len(rows) + len(results.runs))
    return with_notes(pipe_table(cells.titles("run", "reason"), rows, "ll"), note)

"""The explorer: the study's numbers as data and one form, for the reader who wants to look further.

HTML only. It adds to the printed figures and replaces none: its first view is a panel of one. Data
are inline JSON; d3 and Observable Plot are inlined once (``vendor/``), nothing is fetched.
"""

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
from evidence.schema import Estimate
from IPython.display import Markdown, display
from store.frames import select

from answers.findings import MEASURES
from plots.context import Context
from plots.style import DARK
from store.results import Results
from words.wording import Wording

SECTION = "explorer"
DIGITS = 6  # significant, of every number
CURVE_POINTS = 150  # of one curve of one seed: the screen shows no more
HIDDEN_METRICS = ("seqeval_f1",)
SCRIPTS = ("vendor/d3-7.9.0.min.js", "vendor/plot-0.6.17.umd.min.js", "explorer.js")
CONTROLS = ("view", "task", "metric", "method", "part", "seed")

Row = list[Any]


def show_explorer(results: Results, words: Wording) -> None:
    """Shows the explorer in the document; nothing where no run has finished."""
    if len(results.runs):
        display(Markdown(build_explorer(results, words)))  # type: ignore[no-untyped-call]


def build_explorer(results: Results, words: Wording) -> str:
    """The explorer as Markdown that holds raw HTML."""
    data = json.dumps(collect_data(results, words), ensure_ascii=False, separators=(",", ":"))
    data = data.replace("<", "\\u003c")  # so that it cannot end the script that holds it
    selects = "".join(
        f'<label>{words.say(SECTION, name)}<select name="{name}"></select></label>'
        for name in CONTROLS
    )
    buttons = "".join(
        f'<button type="button" data-format="{kind}">{words.say(SECTION, kind)}</button>'
        for kind in ("csv", "json")
    )
    scripts = "\n".join(f'<script src="code/rendering/{name}"></script>' for name in SCRIPTS)
    return f"""```{{=html}}
<section class="explorer" id="study-explorer" aria-label="{words.say(SECTION, "title")}">
<form aria-label="{words.say(SECTION, "form")}">{selects}</form>
<p class="summary" aria-live="polite"></p>
<div class="chart"></div>
<details><summary>{words.say(SECTION, "data")}</summary><div class="data"></div></details>
<p class="actions">{buttons}</p>
<noscript>{words.say(SECTION, "noscript")}</noscript>
</section>
<script type="application/json" id="explorer-data">{data}</script>
{scripts}
```"""


def collect_data(results: Results, words: Wording) -> dict[str, Any]:
    """Everything the explorer shows: names, styles, and rows of numbers without their column names.

    ``estimates``: task, evaluation, metric, group, method, value, low, high, values by seed.
    ``curves``: task, method, seed, split, metric, step, value. ``drift``: task, method, seed,
    metric, layer, value. ``costs``: task, method, seconds (median), bytes (median).
    """
    styles = Context(results, words).styles
    methods = {m: None for t in results.evidence.values() for m in t.get("methods", {})}
    estimates = [row for task in results.profile.tasks for row in _estimates(results, task)]
    keys = {str(cell) for row in estimates for cell in row[1:4]}
    keys |= set(results.drift.layer) | set(results.curves.metric) | set(MEASURES)
    return {
        "language": words.language,
        "words": dict(words.texts[SECTION]),
        "names": {
            key: _name(words, key)
            for key in keys | set(results.profile.tasks)
            if not words.has(SECTION, key)
        },
        "methods": {
            method: {
                "name": words.name(method),
                "color": styles[method].color,
                "dark": DARK.get(styles[method].color, styles[method].color),
            }
            for method in methods
        },
        "tasks": [task for task in results.profile.tasks if results.methods(task)],
        "estimates": estimates,
        "curves": list(_curves(results)),
        "drift": list(_drift(results)),
        "costs": [row for task in results.profile.tasks for row in _costs(results, task)],
    }


def _name(words: Wording, key: str) -> str:
    """``German, test`` for ``de_gsd:test``; else the name of the key."""
    if ":" not in key:
        return words.name(key)
    corpus, split = key.split(":", 1)
    return f"{words.name(corpus)}, {words.name(split)}"


def _estimates(results: Results, task: str) -> Iterator[Row]:
    """Estimates of all methods: of each metric, each tag and the drop (group "" where none)."""
    if not results.has("evidence", task):
        return
    if results.profile.tasks[task].kind == "sequence":
        address = results.evaluations(task)[0]
        for method, entry in results.acceptability(task)["methods"].items():
            for metric, estimate in entry["metrics"].items():
                yield [task, address, metric, "", method, *_numbers(estimate)]
        return
    for method, tagger in results.tagging(task)["methods"].items():
        for address, at in tagger["evaluations"].items():
            for metric, estimate in at["metrics"].items():
                if metric not in HIDDEN_METRICS:
                    yield [task, address, metric, "", method, *_numbers(estimate)]
            for row in at["per_tag"]:
                yield [task, address, "f1_by_tag", row["tag"], method, *_numbers(row["f1"])]
        for address, transfer in tagger["transfer"].items():
            yield [task, address, "drop", "", method, *_numbers(transfer["drop"])]


def _numbers(estimate: Estimate) -> Row:
    ends = (estimate["value"], estimate["low"], estimate["high"])
    return [*map(_round, ends), [_round(value) for value in estimate["per_seed"]]]


def _curves(results: Results) -> Iterator[Row]:
    columns = ["task", "method", "seed", "split", "metric"]
    for (task, method, seed, split, metric), rows in results.curves.groupby(columns, sort=False):
        step = max(1, -(-len(rows) // CURVE_POINTS))
        kept = pd.concat([rows.iloc[::step], rows.iloc[-1:]]).drop_duplicates("step")
        for x, value in zip(kept.step, kept.value, strict=True):
            yield [task, method, int(seed), split, metric, int(x), _round(value)]


def _drift(results: Results) -> Iterator[Row]:
    rows = select(results.drift, kind="all")
    for row in rows.itertuples():
        for metric in MEASURES:
            value = _round(getattr(row, metric))
            if value:  # a layer that a method leaves unchanged has no point
                yield [row.task, row.method, int(row.seed), metric, row.layer, value]


def _costs(results: Results, task: str) -> Iterator[Row]:
    for method in results.methods(task):
        runs = select(results.runs, task=task, method=method)
        medians = (runs.training_seconds.median(), runs.peak_memory_bytes.median())
        yield [task, method, *map(_round, medians)]


def _round(value: float | None) -> float | None:
    return None if pd.isna(value) else float(f"{value:.{DIGITS}g}")

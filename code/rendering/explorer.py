"""The explorer: the study's numbers as data and one form, for the reader who wants to look further.

HTML only. It adds to the printed figures and replaces none: its first view is a panel of one. Data
are inline JSON; d3 and Observable Plot are inlined once (``vendor/``), nothing is fetched.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from facts.fact import Fact
from facts.table import Facts
from plots.context import Context
from plots.style import DARK
from store.results import Results
from words.escaping import script_json
from words.wording import Wording

SECTION = "explorer"
MEASURES = ("l2", "relative", "rms")
DIGITS = 6  # significant, of every number
CURVE_POINTS = 150  # of one curve of one seed: the screen shows no more
HIDDEN_METRICS = ("seqeval_f1",)
SHOWN_AS = {("score", "f1", True): "f1_by_tag", ("drop", "accuracy", False): "drop"}
SCRIPTS = ("vendor/d3-7.9.0.min.js", "vendor/plot-0.6.17.umd.min.js", "explorer.js")
CONTROLS = ("view", "task", "metric", "method", "part", "seed")

Row = list[Any]


def build_explorer(results: Results, words: Wording) -> str:
    """The explorer as Markdown that holds raw HTML."""
    data = script_json(collect_data(results, words))
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

    ``estimates``: task, evaluation, metric, tag, method, value, low, high, values by seed.
    ``curves``: task, method, seed, split, metric, step, value. ``drift``: task, method, seed,
    metric, layer, value. ``prices``: task, method, a step in units of the reference's, low, high.
    """
    facts = results.facts
    estimates, drift = list(_estimates(facts)), list(_drift(facts))
    methods = dict.fromkeys(row[4] for row in estimates)
    curves = list(_curves(facts))
    keys = {str(cell) for row in estimates for cell in row[1:4]} | {row[4] for row in drift}
    keys |= {cell for row in curves for cell in row[3:5]} | set(MEASURES)
    styles = Context(results, words).styles
    return {
        "language": words.language,
        "words": dict(words.texts[SECTION]),
        "names": {
            key: _name(words, key)
            for key in sorted(keys | set(results.profile.tasks))
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
        "curves": curves,
        "drift": drift,
        "prices": [
            [f.task, f.method, *map(_round, (f.value, f.low, f.high))]
            for f in facts.where(quantity="ratio", metric="step_seconds")
        ],
    }


def _name(words: Wording, key: str) -> str:
    """``German, test`` for ``de_gsd:test``; else the name of the key."""
    if ":" not in key:
        return words.name(key)
    corpus, split = key.split(":", 1)
    return f"{words.name(corpus)}, {words.name(split)}"


def _estimates(facts: Facts) -> Iterator[Row]:
    """Scores of all methods, F1 of each tag, and the drop in accuracy."""
    rows = facts.where(quantity=("score", "drop"), part="", grouping="")
    seeds: dict[tuple[Any, ...], list[float | None]] = defaultdict(list)
    for fact in rows:
        if fact.seed is not None:
            seeds[_series(fact)].append(_round(fact.value))
    for fact in rows.where(seed=None):
        metric = SHOWN_AS.get((fact.quantity, fact.metric, bool(fact.tag)), fact.metric)
        plain = fact.quantity == "score" and not fact.tag and metric not in HIDDEN_METRICS
        if fact.known and (plain or metric in SHOWN_AS.values()):
            ends = map(_round, (fact.value, fact.low, fact.high))
            place = [fact.task, fact.evaluation, metric, fact.tag, fact.method]
            yield [*place, *ends, seeds[_series(fact)]]


def _series(fact: Fact) -> tuple[Any, ...]:
    return (fact.quantity, fact.task, fact.evaluation, fact.metric, fact.tag, fact.method)


def _curves(facts: Facts) -> Iterator[Row]:
    series: dict[tuple[Any, ...], list[Fact]] = defaultdict(list)
    for fact in facts.where(quantity="curve"):
        series[fact.task, fact.method, fact.seed, fact.split, fact.metric].append(fact)
    for place, points in series.items():
        step = max(1, -(-len(points) // CURVE_POINTS))
        kept = [*points[:-1][::step], points[-1]]
        for point in kept:
            yield [*place, point.step, _round(point.value)]


def _drift(facts: Facts) -> Iterator[Row]:
    for fact in facts.where(quantity="distance", kind="all", metric=MEASURES):
        if fact.seed is not None and fact.layer != "all" and fact.value:
            # a layer that a method leaves unchanged has no point
            place = [fact.task, fact.method, fact.seed, fact.metric, fact.layer]
            yield [*place, _round(fact.value)]


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")

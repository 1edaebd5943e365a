"""Tables of Task 3: how far the weights moved, and what is lost when parts are set back.

A method whose adapter cannot be merged has no tuned weights to compare; the tables say so instead
of leaving it out silently.
"""

from evidence.forgetting import METRIC
from facts.fact import BASE, Fact
from study.layers import HEAD, components, number_of_layers
from tables.specification import Column, Context, Key, Row, Table, estimate, plain, spread
from words.escaping import Markup
from words.numbers import Numbers

MEASURES = ("l2", "relative")
DIGITS, FEW_DIGITS = 3, 1  # after the point; fewer where a tenth of the norm and more is moved
LARGE = 0.1
COMPONENTS = ("embeddings", "first", "middle", "last", HEAD)


def drift(at: Context) -> Table:
    """Weight drift of the compared methods: the assignment's five components in columns."""
    rows: list[Row] = []
    places: dict[tuple[str, str], dict[str, str]] = {}
    for task in at.results.profile.tasks:
        moving = at.results.moving_methods(task)
        methods = [method for method in at.results.main_methods(task) if method in moving]
        for method in methods:
            measured = at.facts.where(quantity="distance", task=task, method=method, kind="all")
            layers = measured.distinct("layer")
            places[task, method] = components(number_of_layers(layers))
            for measure in MEASURES if layers else ():
                labels = (at.model(task, method), at.say(f"measure_{measure}"))
                rows.append(Row(labels, {"task": task, "method": method, "metric": measure}))

    def component(name: str) -> Column:
        def find(row: Key) -> Fact:
            layer = places[row["task"], row["method"]][name]
            return at.facts.one("distance", layer=layer, kind="all", **row)

        return Column(at.title(name), find, _write_distance)

    notes = [at.say(f"note_{measure}") for measure in MEASURES]
    return Table(
        heads=at.titles("model", "measure"),
        rows=rows,
        columns=[component(name) for name in COMPONENTS],
        notes=[*notes, at.say("note_spread"), at.say("note_drift_head"), _undefined(at)],
    )


def _write_distance(numbers: Numbers, fact: Fact) -> Markup:
    large = fact.metric == "relative" and fact.value is not None and fact.value >= LARGE
    return spread(FEW_DIGITS if large else DIGITS)(numbers, fact)


def _undefined(at: Context) -> str:
    """Names the finished methods without tuned weights."""
    methods = {
        method
        for name, task in at.results.profile.tasks.items()
        for method in at.results.main_methods(name)
        if not task.method(method).mergeable
    }
    return at.say("note_undefined", methods=at.names(sorted(methods))) if methods else ""


def restoration(at: Context) -> Table:
    """What a trained model loses when a part of it is set back to its values before training."""
    every = at.facts.where(quantity="restoration")
    rows = []
    for task in every.distinct("task"):
        for method in every.where(task=task).distinct("method"):
            for place in every.where(task=task, method=method).distinct("evaluation"):
                own = every.where(task=task, method=method, evaluation=place)
                labels = (at.model(task, method), at.evaluation(task, place))
                key = {"task": task, "method": method, "evaluation": place}
                rows.append(Row(labels, {**key, "metric": own[0].metric}))
    columns = [
        at.column(at.head(part), "restoration", estimate(), part=part)
        for part in every.distinct("part")
    ]
    return Table(at.titles("model", "language"), rows, columns, [at.say("note_restoration")])


def forgetting(at: Context) -> Table:
    """Loss under the head of the pretraining, before and after training, and what was added."""
    added = at.facts.where(quantity="forgetting", against=BASE, seed=None)
    rows = [
        Row(
            (at.model(fact.task, fact.method), at.evaluation(fact.task, fact.evaluation)),
            {"task": fact.task, "method": fact.method, "evaluation": fact.evaluation},
        )
        for fact in added
        if fact.known
    ]
    columns = [
        at.column(at.title("base_loss"), "forgetting", plain(), metric="base_loss"),
        at.column(at.title("masked_loss"), "forgetting", estimate(), metric=METRIC),
        at.column(
            at.title("added_loss"), "forgetting", estimate(signed=True), metric=METRIC, against=BASE
        ),
    ]
    return Table(at.titles("model", "language"), rows, columns, [at.say("note_forgetting")])

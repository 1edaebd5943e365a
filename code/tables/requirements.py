"""The assignment point by point: where each is answered, and the result in short."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from evidence.transfer import REMAINING
from facts.fact import Fact
from study.addresses import language_of
from study.layers import HEAD, components, number_of_layers
from tables.specification import Context, Form, Row, Table, estimate, plain
from tables.weights import COMPONENTS, MEASURES
from words.escaping import Markup
from words.numbers import Numbers
from words.wording import MISSING

EPOCHS = 3  # that the assignment asks for at least
COSTS = {
    "time": "training_seconds",
    "trainable": "trainable_parameters",
    "memory": "peak_memory_bytes",
}
Point = tuple[str, str, str]  # requirement, identifier of its section, result


def requirements(at: Context) -> Table:
    """The assignment's points: requirement, where it is answered, and the result in short."""
    rows = [
        Row((at.say(f"requirement_{key}"), f"@{section}", result or MISSING))
        for points in (_acceptability, _tagging, _drift, _general)
        for key, section, result in points(at)
    ]
    return Table(at.titles("requirement", "where", "result"), rows)


def _acceptability(at: Context) -> Iterator[Point]:
    key: dict[str, Any] = {"evaluation": at.results.evaluations("cola")[0]}
    quality = {
        at.name(metric): _facts(at, "cola", form, "score", metric=metric, **key)
        for metric, form in (("matthews_correlation", estimate()), ("accuracy", plain(bare=False)))
    }
    yield "cola_training", "sec-cola", _epochs(at, "cola")
    yield "cola_quality", "sec-cola", _metrics(at, quality)
    yield "cola_cost", "sec-answer-time", _costs(at, "cola")
    yield "cola_loss", "sec-answer-quality", _gaps(at, "cola", "matthews_correlation")
    yield "cola_choice", "sec-answer-choice", at.say("result_text")


def _tagging(at: Context) -> Iterator[Point]:
    def points(numbers: Numbers, fact: Fact) -> Markup:
        return Markup(at.say("result_points", value=estimate()(numbers, fact)))

    of: dict[str, Any] = {"metric": "accuracy"}
    names = {place: at.evaluation("pos", place) for place in at.results.evaluations("pos")}
    quality, drops = (
        {n: _facts(at, "pos", form, quantity, evaluation=e, **of) for e, n in names.items()}
        for form, quantity in ((plain(bare=False), "score"), (points, "drop"))
    )
    yield "pos_training", "sec-pos", _epochs(at, "pos")
    yield "pos_quality", "sec-pos", _metrics(at, quality)
    yield "pos_drop", "sec-answer-drop", _metrics(at, drops)
    yield "pos_difference", "sec-answer-transfer", _gaps(at, "pos", "drop")
    yield "pos_why", "sec-answer-why", _largest_causes(at)


def _drift(at: Context) -> Iterator[Point]:
    def distance(task: str, method: str, layer: str, metric: str) -> str:
        """A distance of a component; nothing of a method without tuned weights."""
        key: dict[str, Any] = {"task": task, "method": method, "kind": "all"}
        if method not in at.results.moving_methods(task):
            return ""
        if layer != "all":
            layers = at.facts.where(quantity="distance", **key).distinct("layer")
            layer = components(number_of_layers(layers))[layer]
        fact = at.facts.one("distance", layer=layer, metric=metric, **key)
        digits = 2 if metric == "relative" else None
        return at.numbers.value(fact, digits=digits) if fact.known else ""

    def ends(task: str, method: str) -> str:
        first, last = (distance(task, method, part, "relative") for part in ("first", "last"))
        return at.say("result_first_last", first=first, last=last) if first and last else ""

    def turned(task: str, method: str) -> str:
        fact = at.facts.one("convergence", task=task, method=method, metric="turned")
        k, n = at.numbers.value(fact), at.numbers.value(fact, column="n")
        return at.say("k_of_n", k=k, n=n) if fact.n else ""

    means = _models(at, lambda task, method: distance(task, method, "all", "l2"))
    heads = _models(at, lambda task, method: distance(task, method, HEAD, "relative"))
    turns = _listed(_models(at, turned))
    yield "drift_function", "sec-distance", _listed(means)
    sizes = {"components": len(COMPONENTS), "measures": len(MEASURES)}
    models = at.say("result_models", count=len(means), **sizes)
    yield "drift_components", "sec-distance", models
    yield "drift_upper", "sec-answer-layers", _listed(_models(at, ends))
    yield "drift_tasks", "sec-answer-tasks", at.say("result_text")
    yield "drift_head", "sec-answer-head", _listed(heads)
    yield "curves", "sec-curves", _curves(at)
    yield "overfitting", "sec-answer-epochs", at.say("result_turned", runs=turns) if turns else ""


def _general(at: Context) -> Iterator[Point]:
    runs = at.results.runs
    seeds = {
        at.name(task): ", ".join(map(str, sorted({r.seed for r in runs if r.task == task})))
        for task in at.results.profile.tasks
    }
    done = at.say("result_runs", done=len(runs), missing=len(at.results.missing))
    yield "seeds", "sec-setup", _listed(seeds)
    yield "reproducible", "sec-setup", done
    yield "feedback", "sec-feedback", at.say("result_text")


# ------------------------------------------------------------------------------ parts of a result


def _listed(values: Mapping[Any, str]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in values.items() if value)


def _metrics(at: Context, values: Mapping[Any, str]) -> str:
    said = (at.say("result_metric", metric=n, values=of) for n, of in values.items() if of)
    return "; ".join(said)


def _methods(at: Context, task: str, say: Callable[[str], str]) -> dict[str, str]:
    """What there is to say of the compared methods of a task."""
    said = {str(at.name(method)): say(method) for method in at.results.main_methods(task)}
    return {name: of for name, of in said.items() if of}


def _models(at: Context, say: Callable[[str, str], str]) -> dict[str, str]:
    """What there is to say of the compared models of all tasks."""
    said = {
        at.model(task, method): say(task, method)
        for task in at.results.profile.tasks
        for method in at.results.main_methods(task)
    }
    return {name: of for name, of in said.items() if of}


def _facts(at: Context, task: str, form: Form, quantity: str, **key: Any) -> str:
    """A fact of every compared method that has it."""

    def say(method: str) -> str:
        fact = at.facts.one(quantity, task=task, method=method, **key)
        return form(at.numbers, fact) if fact.known else ""

    return ", ".join(f"{name} {value}" for name, value in _methods(at, task, say).items())


def _epochs(at: Context, task: str) -> str:
    """Epochs of every compared method, with a flag where the assignment asks for more."""

    def say(method: str) -> str:
        count = at.results.profile.tasks[task].method(method).training.num_train_epochs
        return at.say("result_epochs" if count >= EPOCHS else "result_few_epochs", count=count)

    return ", ".join(f"{name} {value}" for name, value in _methods(at, task, say).items())


def _costs(at: Context, task: str) -> str:
    def say(method: str) -> str:
        facts = {
            n: at.facts.one("cost", task=task, method=method, metric=m) for n, m in COSTS.items()
        }
        return at.say("result_cost", **{n: at.numbers.value(f) for n, f in facts.items()})

    return _listed(_methods(at, task, say))


def _gaps(at: Context, task: str, metric: str) -> str:
    """Differences between the compared methods, with their intervals."""
    methods, parts = set(at.results.main_methods(task)), []
    for fact in at.facts.where(quantity="difference", task=task, metric=metric, seed=None):
        if {fact.method, fact.against} <= methods and fact.known:
            pair = at.say("pair", first=at.name(fact.method), second=at.name(fact.against))
            where = at.name(language_of(fact.evaluation) if task == "pos" else metric)
            parts.append(f"{where}, {pair}: {estimate(signed=True)(at.numbers, fact)}")
    return "; ".join(parts)


def _largest_causes(at: Context) -> str:
    """The cause with a name that takes most of the drop of the first compared method."""
    parts = []
    of_method = at.results.main_methods("pos")[:1]
    every = at.facts.where(quantity="contribution", task="pos", method=of_method, seed=None)
    for target in at.targets("pos"):
        found = every.where(evaluation=target)
        named = [fact for fact in found if fact.cause not in ("", REMAINING) and fact.known]
        if named:
            largest = max(named, key=lambda fact: fact.value or 0.0)
            points = at.say("result_points", value=at.numbers.value(largest, bare=True))
            where, cause = at.evaluation("pos", target), at.name(largest.cause)
            parts.append(at.say("result_cause", where=where, cause=cause, points=points))
    return "; ".join(parts)


def _curves(at: Context) -> str:
    """How many points the longest validation curve of a task has."""
    values = {}
    for task, settings in at.results.profile.tasks.items():
        losses = at.facts.where(quantity="curve", task=task, metric="loss", split="validation")
        runs = [(fact.method, fact.seed) for fact in losses]
        if runs:
            per_epoch = max(m.training.evaluations_per_epoch for m in settings.methods)
            points = max(map(runs.count, runs))
            text = at.say("result_curve", points=points, per_epoch=per_epoch)
            values[at.name(task)] = text
    return _listed(values)

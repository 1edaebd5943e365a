"""The key numbers of the study."""

from typing import Any

from facts.fact import Fact
from study.addresses import language_of
from study.settings import TaskSettings
from tables.specification import Column, Context, Key, Row, Table, estimate
from words.escaping import Markup
from words.numbers import Numbers

COSTS = ("training_seconds", "trainable_parameters", "peak_memory_bytes")
DIGITS = {"matthews_correlation": 3}  # of a quality, so that a difference agrees with its terms
USUAL_DIGITS = 2
PERCENT_DIGITS = 10  # per cent below which a ratio has a digit after the point


def key_numbers(at: Context) -> Table:
    """The numbers that the answers rest on, by task: reference, adapter, what lies between them."""
    tasks = at.results.profile.tasks.values()
    columns = [column for task in tasks for column in _columns(at, task)]
    roles = next(iter(tasks)).roles
    rows = [
        Row((at.head(roles.reference or "full"),), {"role": "reference"}),
        Row((at.head(roles.adapter or "lora"),), {"role": "adapter"}),
        Row((at.title("between"),), {"role": "between"}),
    ]
    heads, notes = at.titles("quantity"), [at.say("note_key_numbers")]
    return Table(heads, rows, columns, notes, turned=True)


def _columns(at: Context, task: TaskSettings) -> list[Column]:
    source = task.validation
    columns = [Column(f"**{at.name(task.name)}**", None, _write)]
    if task.kind == "sequence":
        columns.append(_compared(at, task.name, source, "score", "matthews_correlation"))
    else:
        for place in task.evaluations:
            columns.append(_compared(at, task.name, place, "score", "accuracy"))
            if language_of(place) != language_of(source):
                columns.append(_compared(at, task.name, place, "drop", "accuracy"))
    columns += [_divided(at, task.name, "cost", metric) for metric in COSTS]
    columns.append(_divided(at, task.name, "distance", "relative"))
    return columns


def _compared(at: Context, task: str, place: str, quantity: str, metric: str) -> Column:
    """A quality of both methods, and the difference of the first minus the second."""
    roles, compared = at.results.roles(task), "drop" if quantity == "drop" else metric

    def find(row: Key) -> Fact:
        key: dict[str, Any] = {"task": task, "evaluation": place}
        if row["role"] == "between":
            pair: dict[str, Any] = {"method": roles.reference or "", "against": roles.adapter or ""}
            return at.facts.difference(**key, **pair, metric=compared)
        method = getattr(roles, row["role"]) or ""
        return at.facts.one(quantity, **key, method=method, metric=metric)

    names = {"metric": at.name(compared), "language": at.evaluation(task, place)}
    key = {"drop": "key_points", "matthews_correlation": "key_plain"}.get(compared, "key_percent")
    return Column(at.say(key, **names), find, _write)


def _divided(at: Context, task: str, quantity: str, metric: str) -> Column:
    """A cost or a change of both methods, and the second in per cent of the first."""
    roles = at.results.roles(task)
    where: dict[str, Any] = {"layer": "all", "kind": "encoder"} if quantity == "distance" else {}

    def find(row: Key) -> Fact:
        if row["role"] == "between":
            pair: dict[str, Any] = {"method": roles.adapter or "", "against": roles.reference or ""}
            return at.facts.one("ratio", task=task, **pair, metric=metric)
        method = getattr(roles, row["role"]) or ""
        return at.facts.one(quantity, task=task, method=method, metric=metric, **where)

    return Column(at.say(f"key_{metric}"), find, _write)


def _write(numbers: Numbers, fact: Fact) -> Markup:
    if fact.quantity == "ratio":
        few = fact.value is not None and 100 * fact.value < PERCENT_DIGITS
        return numbers.derived(fact, "share", digits=1 if few else 0)
    if fact.quantity == "cost":
        return numbers.value(fact, bare=True)
    if fact.quantity == "distance":
        return numbers.value(fact, digits=USUAL_DIGITS, bare=True)
    digits = DIGITS.get(fact.metric, USUAL_DIGITS)
    return estimate(digits, signed=fact.quantity == "difference")(numbers, fact)

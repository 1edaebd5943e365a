"""Reads ``[profiles.<p>.<task>.experiments]``: which variants of a task's methods are run.

``rates`` lists learning rates to try, as many for each method: these runs are trained on nine
tenths of the training sentences, and the last tenth selects the best rate, so that no reported
score is selected by the set that it is reported on. Each table of ``specifications`` names settings
that differ from the comparison, for the methods that it names or for both that are compared; a list
of values makes a specification of each. They are trained like the comparison and select nothing.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from study.addresses import parse_address
from study.checks import require, require_known
from study.errors import StudyError
from study.settings import Experiments, MethodSettings, Table, TaskSettings, Value, Variant

KEPT = 0.9  # share of the training sentences that tries are trained on; the rest selects
SHARE = "train_share"
RATE = "learning_rate"

Change = Callable[[str, Table, str], MethodSettings]
"""Method, changes and their place in the file -> the method with these changes."""


def lay_changes(table: Table, changes: Table) -> dict[str, Any]:
    """Settings with those of an experiment laid on; of an adapter only what is named changes."""
    adapter = table.get("adapter")
    if isinstance(changes.get("adapter"), Mapping) and isinstance(adapter, Mapping):
        changes = {**changes, "adapter": {**adapter, **changes["adapter"]}}
    return {**table, **changes}


def with_experiments(task: TaskSettings, table: Table, change: Change, where: str) -> TaskSettings:
    """The task with its experiments; no seeds in the table switch all of it off.

    Raises:
        StudyError: a setting is unknown or out of range, or budgets are not equal.
    """
    require_known(table, {"seeds", "rates", "specifications"}, where)
    seeds = table.get("seeds", [])
    try:
        require(isinstance(seeds, list), "seeds", seeds, "a list")
        if not seeds:
            return task
        run = set.intersection(*(set(task.seeds_of(method)) for method in _compared(task)))
        require(set(seeds) <= run, "seeds", seeds, f"among those of the comparison {sorted(run)}")
        tries = _tries(task, table.get("rates", {}), change)
        specified = _specifications(task, table.get("specifications", {}), change)
        experiments = Experiments(tuple(seeds), (*tries, *specified))
        names = {method.name for method in task.methods}
        for variant in experiments.variants:
            require(variant.label not in names, "the name of an experiment", variant.label, "new")
    except StudyError as error:
        raise StudyError(
            error.problem, where=error.where or f"experiments.toml: {where}"
        ) from error
    return dataclasses.replace(task, experiments=experiments)


def _compared(task: TaskSettings) -> list[MethodSettings]:
    names = (task.roles.reference, task.roles.adapter)
    require(None not in names, "experiments", task.name, "of a task with both compared methods")
    return [task.method(name) for name in names if name is not None]


def _tries(task: TaskSettings, rates: Table, change: Change) -> Iterator[Variant]:
    """A variant for each rate of each method, in turns."""
    own = {m: change(m, {}, f"experiments.rates.{m}").training.learning_rate for m in rates}
    for method, values in rates.items():
        listed = isinstance(values, list) and len(values) > 1 and own[method] in values
        expected = f"a list of two rates or more with the method's own, {own[method]:g}, among them"
        require(listed, f"rates.{method}", values, expected)
    counts = {method: len(values) for method, values in rates.items()}
    require(len(set(counts.values())) <= 1, "rates", counts, "as many tries for each method")
    train = parse_address(task.train)
    held_out = str(train.part(KEPT, 1))
    for row in zip(*rates.values(), strict=True):
        for method, rate in zip(rates, row, strict=True):
            yield Variant(
                name=f"lr{_written(rate)}",
                method=change(method, {RATE: rate}, f"experiments.rates.{method}"),
                changes=((RATE, float(rate)),),
                train=str(train.part(0, KEPT)),
                evaluations=(*task.evaluations, held_out),
                held_out=held_out,
                own_rate=rate == own[method],
            )


def _specifications(task: TaskSettings, tables: Table, change: Change) -> Iterator[Variant]:
    both = [method.name for method in _compared(task)]
    for name, table in tables.items():
        place = f"experiments.specifications.{name}"
        require(isinstance(table, Mapping), f"specifications.{name}", table, "a table of settings")
        settings = {key: value for key, value in table.items() if key != "methods"}
        several, choices = _expand(settings)
        for chosen in choices:
            changes = {key: value for key, value in chosen.items() if key != SHARE}
            flat = dict(_flat(chosen))
            value = flat.get(several, "")
            share = chosen.get(SHARE, 1)
            is_share = isinstance(share, int | float) and 0 < share <= 1
            require(is_share, f"specifications.{name}.{SHARE}", share, "above 0 and at most 1")
            for method in table.get("methods", both):
                yield Variant(
                    name=f"{name}-{_written(value)}" if several else name,
                    method=change(method, changes, place),
                    changes=tuple(flat.items()),
                    train=str(parse_address(task.train).part(0, share)),
                    evaluations=task.evaluations,
                )


def _expand(settings: Table) -> tuple[str, list[dict[str, Any]]]:
    """The setting that has a list of values, "" for none, and the settings with each value.

    A list of names within an adapter is one value (its target matrices); several are a list of
    lists.
    """
    adapter = settings.get("adapter", {})
    listed = [(key, value) for key, value in settings.items() if isinstance(value, list)]
    listed += [
        (key, value)
        for key, value in adapter.items()
        if isinstance(value, list) and not all(isinstance(entry, str) for entry in value)
    ]
    require(len(listed) <= 1, "a specification", dict(listed), "with one list of values")
    if not listed:
        return "", [dict(settings)]
    ((name, values),) = listed
    require(bool(values), name, values, "a list of values")
    if name in settings:
        return name, [{**settings, name: value} for value in values]
    return name, [{**settings, "adapter": {**adapter, name: value}} for value in values]


def _flat(settings: Table) -> Iterator[tuple[str, Value]]:
    """Settings beside those of the adapter; lists as tuples."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        else:
            yield key, tuple(value) if isinstance(value, list) else value


def _written(value: Any) -> str:
    """A value in the name of a run: ``3e-4``, ``0.25``, ``16``, ``query+value``."""
    if isinstance(value, float) and value < 0.01:
        mantissa, power = f"{value:e}".split("e")
        return f"{float(mantissa):g}e{int(power)}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "+".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)

"""What a figure is drawn from: the facts, in one language, with a style for each method."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facts.fact import KEY, Fact
from facts.quantities import Unit, unit_of
from facts.table import Facts
from plots.style import MethodStyle, method_styles
from store.results import Results
from study.addresses import language_of
from study.settings import TaskSettings
from words.escaping import capitalise
from words.numbers import Numbers, unmark
from words.wording import Wording

WHOLE: Mapping[str, Any] = {"grouping": "", "tag": "", "part": "", "seed": None}
"""Columns of a score that is of a whole set, over seeds."""


@dataclass(frozen=True)
class Context:
    """Results and words of a figure, and the queries and texts that figures share."""

    results: Results
    words: Wording

    @property
    def facts(self) -> Facts:
        """Everything that was measured."""
        return self.results.facts

    @property
    def tasks(self) -> Mapping[str, TaskSettings]:
        """The settings of the tasks by name."""
        return self.results.profile.tasks

    @functools.cached_property
    def styles(self) -> Mapping[str, MethodStyle]:
        """Style by method, the same for all figures of a study."""
        tasks = self.tasks.values()
        trained = [method.name for task in tasks for method in task.methods]
        trained += [v.method.name for task in tasks for v in task.experiments.variants]
        scored = self.facts.where(quantity="score").distinct("method")
        return method_styles(trained, [name for name in scored if name not in trained])

    # ------------------------------------------------------------------------------- queries

    def methods(self, task: str, evaluation: str, metric: str) -> list[str]:
        """Methods with a score on a set, controls that are computed last."""
        where: Any = {"task": task, "evaluation": evaluation, "metric": metric, **WHOLE}
        return self.facts.where(quantity="score", **where).distinct("method")

    def trained(self, task: str, evaluation: str) -> list[str]:
        """Trained methods with an accuracy on a set."""
        scored = self.methods(task, evaluation, "accuracy")
        return [method for method in self.results.methods(task) if method in scored]

    def groups(self, task: str, evaluation: str, grouping: str) -> list[Fact]:
        """The accuracy of the first trained method on each group of items that has any."""
        method = next(iter(self.trained(task, evaluation)), "")
        where: Any = {"task": task, "evaluation": evaluation, "method": method, "seed": None}
        where |= {"grouping": grouping, "metric": "accuracy"}
        return [fact for fact in self.facts.where(quantity="score", **where) if fact.n]

    def of_seeds(self, fact: Fact) -> list[float]:
        """The values of the single runs behind a fact over seeds."""
        task = self.tasks[fact.task]
        seeds = dict.fromkeys(seed for m in task.methods for seed in task.seeds_of(m))
        key: Any = {name: getattr(fact, name) for name in KEY if name not in ("quantity", "seed")}
        runs = (self.facts.one(fact.quantity, **{**key, "seed": seed}) for seed in seeds)
        return [run.value for run in runs if run.value is not None]

    # --------------------------------------------------------------------------------- texts

    def say(self, key: str, **values: object) -> str:
        """A text of the figures."""
        return self.words.say("plots", key, **values)

    def name(self, key: str) -> str:
        """What a method, task, metric, layer or group is called."""
        return self.words.name(key)

    def language(self, evaluation: str) -> str:
        """The language of an evaluated set."""
        return self.name(language_of(evaluation))

    def write(self, fact: Fact, **look: Any) -> str:
        """The value of a fact."""
        return unmark(Numbers(self.words).value(fact, **look))

    def write_estimate(self, fact: Fact) -> str:
        """Value and interval of a fact, for an alternative text."""
        numbers = Numbers(self.words)
        return unmark(f"{numbers.value(fact)} {numbers.interval(fact)}").rstrip()

    def number(self, value: float, unit: Unit, digits: int) -> str:
        """A number that is no fact: of an axis, or a mean of several facts."""
        return Numbers(self.words).write(value, unit, digits, bare=unit is Unit.POINTS)

    def sentence(self, what: str, pairs: Iterable[tuple[str, str]]) -> str:
        """``What: name value; name value.`` for an alternative text; empty without pairs."""
        if values := "; ".join(f"{name} {value}" for name, value in pairs):
            return self.say("alt_sentence", what=capitalise(what), values=values)
        return ""

    def say_estimates(self, what: str, facts: Iterable[Fact]) -> str:
        """Estimates by method as a sentence."""
        pairs = ((self.name(fact.method), self.write_estimate(fact)) for fact in facts)
        return self.sentence(what, pairs)


def by_seed(facts: Facts, index: str) -> pd.DataFrame:
    """Facts of single runs as a table: a row for each value of a column, a column for each seed."""
    table: dict[Any, dict[Any, float]] = defaultdict(dict)
    for fact in facts:
        if fact.seed is not None and fact.value is not None:
            table[getattr(fact, index)][fact.seed] = fact.value
    return pd.DataFrame.from_dict(table, orient="index", dtype=float)


def known(facts: Iterable[Fact]) -> list[Fact]:
    """The facts that have a value."""
    return [fact for fact in facts if fact.known]


def ranges(facts: Iterable[Fact]) -> NDArray[np.float64]:
    """(N, 3): value, low and high of facts that have them."""
    rows = [[fact.value, fact.low, fact.high] for fact in facts]
    return np.array(rows, dtype=float).reshape(-1, 3)


def unit(quantity: str, metric: str) -> Unit:
    """The unit of a quantity's metric."""
    return unit_of(Fact(quantity=quantity, metric=metric))


def pairs_of(methods: Sequence[str]) -> list[tuple[str, str]]:
    """The first method against each of the others."""
    return [(methods[0], other) for other in methods[1:]]

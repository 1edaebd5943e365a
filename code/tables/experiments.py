"""The table of experiments: what each variant scores, and what it changes."""

from evidence.experiments import BEST
from facts.fact import Fact
from facts.table import Facts
from tables.specification import Column, Context, Find, Key, Row, Table, estimate
from words.escaping import escape_markdown
from words.variants import name_variant

DIGITS = {"sequence": 3, "token": 1}


def experiments(at: Context, task: str) -> Table:
    """Every variant of a task: scores, itself against the comparison, and the methods' difference.

    A try is scored on the sentences that select and on the validation set; a specification on the
    validation set, beside its method in the comparison.
    """
    settings = at.results.profile.tasks[task]
    metric, digits = settings.metric, DIGITS[settings.kind]
    reference = settings.roles.reference or ""
    rows = [
        Row(
            (at.name(variant.method.name), escape_markdown(name_variant(at.numbers, variant))),
            {"method": variant.method.name, "variant": variant.name},
        )
        for variant in settings.experiments.variants
        if _scored(at.facts, task, variant.method.name, variant.name)
    ]
    rows += [
        Row((at.name(method), escape_markdown(at.numbers.words.say("changes", "best"))),
            {"method": method, "variant": BEST})
        for method in settings.experiments.tries
        if at.facts.where(quantity="difference", task=task, variant=BEST, against=method)
    ]  # fmt: skip
    held_out = next((v.held_out for v in settings.experiments.variants if v.held_out), "")
    where, validation = {"task": task, "metric": metric}, settings.validation

    def score(address: str) -> Find:
        return lambda row: at.facts.one("score", **{**where, "evaluation": address, **row})

    def change(row: Key) -> Fact:
        key = {**where, "evaluation": validation, **row}
        return at.facts.one("difference", **key, against=row["method"])

    def difference(row: Key) -> Fact:
        if row["method"] == reference:
            return Fact(quantity="difference")
        key = {**where, "evaluation": validation, **row, "method": reference}
        return at.facts.one("difference", **key, against=row["method"])

    measured = at.head(metric)
    columns = [
        Column(at.title("selecting", metric=measured), score(held_out), estimate(digits)),
        Column(at.title("reporting", metric=measured), score(validation), estimate(digits)),
        Column(at.title("change"), change, estimate(digits, signed=True)),
        Column(at.title("first_minus", first=at.head(reference)), difference,
               estimate(digits, signed=True)),
    ]  # fmt: skip
    heads = at.titles("method", "variant")
    return Table(heads, rows, columns, [at.say("note_experiments")], optional=True)


def _scored(facts: Facts, task: str, method: str, variant: str) -> bool:
    return bool(facts.where(quantity="score", task=task, method=method, variant=variant))

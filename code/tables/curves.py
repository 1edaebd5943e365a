"""The table of the learning curves: where validation loss turns, and what the metric does then."""

from collections.abc import Mapping

from facts.fact import Fact
from facts.quantities import Unit, unit_of
from tables.specification import Column, Context, Form, Table
from words.escaping import Markup
from words.numbers import Numbers
from words.wording import MISSING

DIRECTIONS: Mapping[float, str] = {-1.0: "falls", 0.0: "flat", 1.0: "rises"}


def convergence(at: Context, task: str) -> Table:
    """Lowest loss, gap to training, turn, best and last metric, and its slope, by method."""
    validation = at.facts.where(quantity="curve", task=task, split="validation")
    metric = next((name for name in validation.distinct("metric") if name != "loss"), None)
    name = at.name(metric) if metric else MISSING
    unit = unit_of(Fact(quantity="curve", metric=metric or ""))

    def with_epoch(numbers: Numbers, fact: Fact) -> Markup:
        """A best value and, in brackets, its epoch."""
        if not fact.known:
            return MISSING
        of_epoch = f"{fact.metric}_epoch"
        own = at.facts.one("convergence", task=task, method=fact.method, metric=of_epoch)
        epoch = numbers.value(own)
        of_value = unit if fact.metric == "best_metric" else Unit.PLAIN
        return Markup(f"{numbers.value(fact, unit=of_value, bare=True)} ({epoch})")

    def turned(numbers: Numbers, fact: Fact) -> Markup:
        """In how many of the runs that are long enough to tell."""
        if not fact.n:
            return MISSING
        return Markup(at.say("k_of_n", k=numbers.value(fact), n=numbers.value(fact, column="n")))

    def direction(_: Numbers, fact: Fact) -> Markup:
        return at.name(DIRECTIONS[fact.value]) if fact.value is not None else MISSING

    def of_metric(numbers: Numbers, fact: Fact) -> Markup:
        return numbers.value(fact, unit=unit, bare=True)

    def slope(numbers: Numbers, fact: Fact) -> Markup:
        value = numbers.value(fact, unit=unit, bare=True, signed=True)
        ends = numbers.interval(fact, unit=unit)
        return Markup(f"{value} {ends}") if ends else value

    forms: dict[str, tuple[str, Form]] = {
        "lowest_loss": ("best_loss", with_epoch),
        "gap": ("gap", lambda numbers, fact: numbers.value(fact, signed=True)),
        "turned": ("turned", turned),
        "metric_then": ("direction_after_best_loss", direction),
        "best_metric": ("best_metric", with_epoch),
        "final_metric": ("final_metric", of_metric),
        "slope": ("slope", slope),
    }
    columns = [
        Column(at.title(title, metric=name), at.find("convergence", metric=quantity), form)
        for title, (quantity, form) in forms.items()
    ]
    points = at.say("note_points") if unit is Unit.PERCENT and metric else ""
    rows = at.method_rows(task, at.results.methods(task))
    return Table(at.titles("method"), rows, columns, [at.say("note_convergence"), points])

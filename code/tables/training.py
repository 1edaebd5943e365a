"""Tables of the trainings: what they cost, and where their learning curves turn."""

from collections.abc import Mapping

from facts.fact import Fact
from facts.quantities import Unit, unit_of
from tables.specification import Column, Context, Form, Table, estimate, plain
from words.escaping import Markup
from words.numbers import Numbers
from words.wording import MISSING

COSTS = (  # title -> metric of the costs, in the order of the rows
    ("time", "training_seconds"),
    ("speed", "tokens_per_second"),
    ("weights", "memory_parameters_bytes"),
    ("gradients", "memory_gradients_bytes"),
    ("optimizer", "memory_optimizer_bytes"),
    ("computed", "computed_bytes"),
    ("peak_memory", "peak_memory_bytes"),
    ("trainable", "trainable_parameters"),
)


def costs(at: Context, task: str) -> Table:
    """Price of a step and of a forward pass, time, memory, parameters and what is kept."""
    reference = next(iter(at.facts.where(quantity="ratio", task=task, metric="step_seconds")), None)
    against = reference.against if reference else ""
    columns = [
        at.column(at.title("step_time"), "step", plain(), metric="seconds"),
        at.column(at.title("step_cpu"), "step", plain(), metric="cpu_seconds"),
        Column(
            at.title("price_ratio", method=at.name(against)),
            at.find("ratio", metric="step_seconds", against=against),
            estimate(),
        ),
    ]
    columns += [
        at.column(
            at.title("latency", size=group), "latency", estimate(),
            metric="unmerged_over_merged", grouping="batch_size", group=group,
        )
        for group in at.facts.where(quantity="latency", task=task).distinct("group")
    ]  # fmt: skip
    columns += [
        at.column(at.title(title), "cost", plain(), metric=metric) for title, metric in COSTS
    ]
    columns += [
        at.column(at.title("trainable_share"), "share", plain(2), metric="trained"),
        at.column(at.title("kept"), "cost", plain(), metric="kept_bytes"),
    ]
    rows = at.method_rows(task, at.results.methods(task))
    steps = at.numbers.value(reference, column="n") if reference else ""
    notes = [
        at.say("note_costs"),
        at.say("note_prices", steps=steps) if reference else "",
        at.say("note_latency") if at.facts.where(quantity="latency", task=task) else "",
        at.say("note_memory"),
        memory_note(at, task),
    ]
    return Table(at.titles("cost"), rows, columns, notes, turned=True)


def memory_note(at: Context, task: str) -> str:
    """Says what the measured peak of memory is of."""
    known = [f"note_memory_{kind}" for kind in at.results.machines("memory_kind", task)]
    return " ".join(at.say(key) for key in known if at.numbers.words.has("tables", key))


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

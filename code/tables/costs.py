"""The table of costs: a row a cost, a column a method."""

from tables.specification import Column, Context, Table, estimate, plain

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

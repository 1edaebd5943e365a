"""Tables of quality: both tasks by method, and the paired comparisons."""

from facts.fact import Fact
from facts.quantities import Unit, unit_of
from store.results import Results
from tables.specification import Context, Form, Row, Table, estimate, interval, p_value, plain


def acceptability(at: Context) -> Table:
    """Quality, time, trained parameters and memory of every method and control of Task 1."""
    where, columns = at.results.evaluations("cola")[0], []
    for metric in ("matthews_correlation", "accuracy", "f1", "f1_unacceptable"):
        form = estimate() if metric == "matthews_correlation" else plain()
        key = {"evaluation": where, "metric": metric}
        columns.append(at.column(at.title(metric), "score", form, best=True, **key))
    for title, metric in (
        ("time", "training_seconds"),
        ("trainable", "trainable_parameters"),
        ("peak_memory", "peak_memory_bytes"),
    ):
        columns.append(at.column(at.title(title), "cost", plain(), metric=metric))
    return Table(
        heads=at.titles("method"),
        rows=at.method_rows("cola"),
        columns=columns,
        notes=[at.say("note_median_costs"), at.say("note_best"), seeds_note(at, "cola")],
    )


def tagging(at: Context) -> list[Table]:
    """Every method and control in both languages with the drop between them, a table a target."""
    source = at.results.evaluations("pos")[0]
    found = []
    for target in at.targets("pos") or [source]:
        places = {place: at.evaluation("pos", place) for place in dict.fromkeys((source, target))}
        columns = []
        for metric in ("accuracy", "macro_f1"):
            for place, language in places.items():
                title = at.title(f"{metric}_in", language=language)
                columns.append(
                    at.column(
                        title, "score", estimate(), best=True, evaluation=place, metric=metric
                    )
                )
            if metric == "accuracy":
                columns.append(
                    at.column(
                        at.title("drop"), "drop", estimate(), evaluation=target, metric=metric
                    )
                )
        notes = [at.say("note_drop"), at.say("note_best"), seeds_note(at, "pos")]
        found.append(
            Table(at.titles("method"), at.method_rows("pos"), columns, notes, name=places[target])
        )
    return found


def seeds_note(at: Context, task: str) -> str:
    """Names the methods with one seed, which have no spread over seeds."""
    counts = at.facts.where(quantity="score", task=task, tag="", grouping="", part="", seed=None)
    single = [
        method
        for method in at.results.methods(task)
        if {fact.seeds for fact in counts.where(method=method)} == {1}
    ]
    return at.say("note_one_seed", methods=at.names(single)) if single else ""


def comparisons(at: Context, task: str) -> Table:
    """Differences of pairs with a compared method: of the first metric, and of the drop."""
    every = at.facts.where(quantity="difference", task=task, seed=None)
    main = set(at.results.main_methods(task))
    wanted = every.where(metric=[*every.distinct("metric")[:1], "drop"])
    chosen = [fact for fact in wanted if {fact.method, fact.against} & main]
    several = len({fact.evaluation for fact in chosen}) > 1
    rows = []
    for fact in chosen:
        unit = "unit_plain" if unit_of(fact) is Unit.PLAIN else "unit_points"
        labels = [
            at.evaluation(task, fact.evaluation),
            at.say(unit, metric=at.name(fact.metric)),
            at.say("pair", first=at.name(fact.method), second=at.name(fact.against)),
        ]
        names = ("task", "method", "against", "evaluation", "metric")
        rows.append(Row(labels if several else labels[1:], {n: getattr(fact, n) for n in names}))
    forms: dict[str, Form] = {
        "effect": plain(signed=True),
        "interval": interval,
        "p_corrected": p_value,
    }
    heads = at.titles("evaluation", "metric", "pair")
    return Table(
        heads=heads if several else heads[1:],
        rows=rows,
        columns=[at.column(at.title(t), "difference", form) for t, form in forms.items()],
        notes=[
            at.say("note_comparisons", family=_family_sizes(at.results, task, chosen)),
            at.say("note_no_common_seed") if any(not fact.known for fact in chosen) else "",
        ],
    )


def _family_sizes(results: Results, task: str, chosen: list[Fact]) -> str:
    """How many comparisons are corrected together, of a metric and a set; the primary one is not.

    The corrected ones have a p value.
    """
    roles = results.roles(task)
    primary = {roles.reference, roles.adapter}
    sizes = set()
    for fact in chosen:
        family = results.facts.where(
            quantity="difference", task=task, evaluation=fact.evaluation, metric=fact.metric
        )
        tested = (row for row in family if row.p is not None)
        sizes.add(sum({row.method, row.against} != primary for row in tested))
    return "–".join(map(str, sorted(sizes - {0})))

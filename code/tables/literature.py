"""Our numbers beside published ones."""

from facts.fact import Fact
from facts.quantities import unit_of
from tables.specification import Context, Row, Table, estimate
from text.literature import Beside, Published, compare_with_published
from words.escaping import capitalise
from words.escaping import escape_markdown as escape
from words.wording import MISSING


def literature(at: Context, task: str) -> Table:
    """Our numbers beside published ones of a task, with settings and source."""
    found = compare_with_published(at.results, task)
    heads = at.titles("quantity", "published", "ours", "covered", "their_model", "source")
    notes = [at.say("note_literature")]
    beside = [row for row in found if row.own.known]
    if not all(row.same_model for row in beside):
        model = at.numbers.words.model(beside[0].model)
        notes.append(at.say("note_other_model", models=f"{at.name(task)}: {model}"))
    if beside and not any(row.same_model for row in beside):
        name = escape(at.results.profile.name)
        notes.append(at.say("note_no_same_model", profile=name))
    if beside and at.results.profile.tasks[task].origin == "miniature":
        notes.append(at.say("note_miniature"))
    return Table(heads, [Row(_cells(at, row)) for row in found], notes=notes, align="lrrcll")


def _cells(at: Context, row: Beside) -> list[str]:
    entry, own = row.published, row.own
    unit = unit_of(Fact(quantity="score", metric=entry.metric))
    value, sd = (
        None if number is None else at.numbers.write(number, unit, bare=True)
        for number in (entry.value, entry.sd)
    )
    published = f"{value}\u00a0±\u00a0{sd}" if sd else str(value)
    if entry.quantity == "spread":
        ours = at.numbers.value(own, column="sd", bare=True)
    else:
        ours = estimate()(at.numbers, own)
    covered: str = MISSING
    if own.covers == "items and seeds" and row.covered is not None:
        covered = at.say("yes" if row.covered else "no")
    if own.known and not row.same_model:
        covered = f"{covered}\u00a0†"
    settings = at.say(f"settings_{entry.settings}")
    where = f"{escape(entry.corpora)} {at.name(entry.evaluated)}"
    model = f"{escape(entry.model)}, {where}; {settings}"
    return [_quantity(at, entry), published, ours, covered, model, f"[@{entry.citation}]"]


def _quantity(at: Context, entry: Published) -> str:
    metric, language = at.name(entry.metric), at.name(entry.language)
    text = at.say(f"quantity_{entry.quantity}", metric=metric, language=language)
    if entry.quantity == "score" and entry.task == "pos":
        text = f"{text}, {language}"
    if entry.quantity == "score" and entry.adapter != "none":
        text = f"{text}, {at.name(entry.adapter)}"
    return capitalise(text)

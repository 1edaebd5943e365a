"""Our numbers beside published ones.

A published number is put beside the method that does the same: full fine-tuning with the first
method without an adapter, LoRA with the first one with LoRA, on our first set in its language.
"""

from typing import Any

from answers.literature import Published, load_literature
from facts.fact import Fact
from facts.quantities import unit_of
from study.settings import MethodSettings, language_of
from tables.markdown import escape_markdown as escape
from tables.specification import Context, Row, Table, estimate
from words.wording import MISSING


def literature(at: Context, task: str) -> Table:
    """Our numbers beside published ones of a task, with settings and source."""
    found = [(entry, *_own(at, entry)) for entry in load_literature() if entry.task == task]
    rows = [Row(_cells(at, entry, method, own)) for entry, method, own in found]
    heads = at.titles("quantity", "published", "ours", "covered", "their_model", "source")
    notes = [at.say("note_literature")]
    beside = [(entry, method) for entry, method, own in found if method is not None and own.known]
    same = [_same_model(entry, method) for entry, method in beside]
    if not all(same):
        model = at.numbers.words.model(beside[0][1].model_name_or_path)
        notes.append(at.say("note_other_model", models=f"{at.name(task)}: {model}"))
    if beside and not any(same):
        name = escape(at.results.profile.name)
        notes.append(at.say("note_no_same_model", profile=name))
    if beside and at.results.profile.tasks[task].origin == "miniature":
        notes.append(at.say("note_miniature"))
    return Table(heads, rows, notes=notes, align="lrrcll")


def _cells(at: Context, entry: Published, method: MethodSettings | None, own: Fact) -> list[str]:
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
    if own.covers == "items and seeds" and entry.quantity != "spread":
        inside = (own.low or 0.0) <= entry.value <= (own.high or 0.0)
        covered = at.say("yes" if inside else "no")
    if method is not None and own.known and not _same_model(entry, method):
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
    return text[:1].upper() + text[1:]


def _same_model(entry: Published, method: MethodSettings) -> bool:
    """Whether the last parts of the names agree: ``google-bert/BERT-base`` is ``bert-base``."""
    ours, theirs = method.model_name_or_path, entry.model
    return ours.split("/")[-1].lower() == theirs.split("/")[-1].lower()


def _own(at: Context, entry: Published) -> tuple[MethodSettings | None, Fact]:
    """Our method that does the same, and our number of the kind; unknown where there is none."""
    task = entry.task
    full, lora = (_method(at, task, adapter) for adapter in ("none", "lora"))
    method = lora if entry.adapter == "lora" else full
    places = at.results.evaluations(task)
    where = next((place for place in places if language_of(place) == entry.language), "")
    unknown = Fact(quantity="score", task=task, metric=entry.metric)
    if method is None or not where:
        return None, unknown
    key: dict[str, Any] = {"task": task, "evaluation": where, "metric": entry.metric}
    if entry.quantity in ("score", "spread"):
        return method, at.facts.one("score", method=method.name, **key)
    if entry.quantity == "drop":
        return method, at.facts.one("drop", method=method.name, **key)
    if entry.quantity == "gap" and lora is not None:
        return method, at.facts.difference(**key, method=method.name, against=lora.name)
    return method, unknown


def _method(at: Context, task: str, adapter: str) -> MethodSettings | None:
    """The first finished method with this adapter that adapts the task's first model."""
    for method in at.results.settings(task):
        kind = method.adapter.kind if method.adapter else "none"
        if kind == adapter and method.name in at.results.main_methods(task):
            return method
    return None

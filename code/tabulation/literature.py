"""Our numbers beside published ones."""

from collections.abc import Sequence

from answers.literature import Beside, compare_with_published
from store.results import Results
from tabulation.cells import Cells, scale_of
from tabulation.markdown import Table, escape
from words.wording import MISSING, Wording


def tabulate_literature(results: Results, words: Wording, task: str | None = None) -> Table:
    """Our numbers beside published ones, with settings and source; of one task or of all."""
    cells = Cells(words)
    tasks = [task] if task else list(results.profile.tasks)
    found = [(name, row) for name in tasks for row in compare_with_published(results, name)]
    header = cells.titles("quantity", "published", "ours", "covered", "their_model", "source")
    rows = [
        [_quantity(name, row, cells, task is None), *_published(row, cells)] for name, row in found
    ]
    return cells.table(header, rows, "lrrcll", *_literature_notes(results, found, cells))


def _quantity(task: str, row: Beside, cells: Cells, with_task: bool) -> str:
    published = row.published
    metric, language = cells.name(published.metric), cells.name(published.language)
    text = cells.say(f"quantity_{published.quantity}", metric=metric, language=language)
    if published.quantity == "score" and task == "pos":
        text = f"{text}, {language}"
    if published.quantity == "score" and published.adapter != "none":
        text = f"{text}, {cells.name(published.adapter)}"
    return f"{cells.name(task)}: {text}" if with_task else text


def _published(row: Beside, cells: Cells) -> list[str]:
    published, own = row.published, row.own
    scale = scale_of(published.metric)
    value = cells.plus_minus(published.value, published.sd, scale)
    ours = MISSING if own is None else cells.estimate(vars(own), scale)
    verdict = MISSING if row.covered is None else cells.say("yes" if row.covered else "no")
    mark = "" if row.same_model or own is None else "\u00a0†"
    settings = cells.say(f"settings_{published.settings}")
    where = cells.name(published.evaluated)
    model = f"{escape(published.model)}, {escape(published.corpora)} {where}; {settings}"
    return [value, ours, f"{verdict}{mark}", model, f"[@{published.citation}]"]


def _literature_notes(
    results: Results, found: Sequence[tuple[str, Beside]], cells: Cells
) -> list[str]:
    notes = [cells.say("note_literature")]
    with_own = [(name, row) for name, row in found if row.own is not None]
    if any(not row.same_model for _, row in with_own):
        models = {name: row.own.model for name, row in with_own if row.own is not None}
        named = {name: cells.words.model(model) for name, model in models.items()}
        ours = "; ".join(f"{cells.name(name)}: {model}" for name, model in named.items())
        notes.append(cells.say("note_other_model", models=ours))
    if with_own and not any(row.same_model for _, row in with_own):
        notes.append(cells.say("note_no_same_model", profile=escape(results.profile.name)))
    if any(not row.same_data for _, row in with_own):
        notes.append(cells.say("note_miniature"))
    return notes

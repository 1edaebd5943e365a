"""What the documents show, kept among the stored results: made anew only where something changed.

A document is read for its tables and answers; their texts and numbers are an entry of the store
(stage ``shown``, one a profile and language), known by the results, the code of the rooms that make
them, and the document. So ``results.json`` and the report cannot differ, and a second render
tabulates nothing. A cache that cannot be written costs time, never the report.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tabulation
from answers import Answers
from rendering.document import INLINE, Chunk, Piece, Prose, parse
from store.entries import Entry, Key, Store
from store.identity import code_of, digest, fingerprint
from store.results import Results
from study.errors import StudyError
from study.paths import cache_folder, project_root
from text.answers import load_answers
from words.wording import Wording, load_wording

VERSION = 1
ROOMS = (
    "answers",
    "corpora",
    "evidence",
    "facts",
    "rendering",
    "store",
    "study",
    "tabulation",
    "text",
    "words",
)

Shown = dict[str, dict[str, Any]]


class StoredTables:
    """The functions of ``tabulation``, for one report: a stored table is read, not made.

    Args:
        results: what the report shows.
        words: its language.
    """

    def __init__(self, results: Results, words: Wording):
        self._names = {id(results): "results", id(words): "words"}
        self._texts = find_shown(results, words.language)["markdown"]

    def __getattr__(self, name: str) -> Callable[..., str]:
        """A function of ``tabulation`` that looks for its table first."""
        tabulate = getattr(tabulation, name)

        def look_up(*arguments: Any) -> str:
            given = ", ".join(self._names.get(id(a)) or repr(a) for a in arguments)
            text = self._texts.get(f"tabulation.{name}({given})")
            return str(tabulate(*arguments)) if text is None else text

        return look_up


def find_shown(results: Results, language: str) -> Shown:
    """What the document of a language shows.

    Returns:
        ``tables``, by label: rows with text and number of each cell, and notes; ``answers``, by
        expression: text, outcome, numbers; ``markdown``, by expression: the table as it is shown.
    """
    text = _document(language).read_text(encoding="utf-8")
    decides = [fingerprint(results), code_of(ROOMS, ("pandas", "numpy", "scipy")), text]
    name = f"{results.profile.name}-{language}"

    def make(_: Path) -> Shown:
        return read_shown(text, results, load_wording(language))

    entry = keep("shown", name, digest(decides), make)
    return entry.result() if entry else make(Path())


def _document(language: str) -> Path:
    return project_root() / ("report.qmd" if language == "en" else f"report.{language}.qmd")


def keep(
    stage: str, name: str, identity: str, make: Callable[[Path], dict[str, Any]]
) -> Entry | None:
    """The entry of something that is shown, made if it is missing; None: it cannot be kept.

    Args:
        stage: the kind of thing.
        name: for the reader.
        identity: the hash of everything that decides it.
        make: writes files into a folder and returns the content of ``result.json``.
    """
    try:
        key = Key(stage, name, VERSION, {"identity": identity})
        return Store(cache_folder()).produce(key, make)
    except StudyError:
        return None


def read_shown(text: str, results: Results, words: Wording) -> Shown:
    """Evaluates the tables and answers of a document's text; see ``find_shown``."""
    names = {"results": results, "words": words, "tabulation": tabulation}
    names |= {"answers": Answers(results, words), "say": load_answers(results, words.language)}
    tables, markdown, answers = {}, {}, {}
    for label, expression in _expressions(parse(text, _document(words.language).name, {})):
        source, shown = ast.unparse(expression), evaluate(expression, names)
        if isinstance(shown, tabulation.Table):
            tables[label or source], markdown[source] = _table(shown), str(shown)
        else:
            answers[source] = _answer(shown)
    return {"tables": tables, "answers": answers, "markdown": markdown}


def _expressions(pieces: Sequence[Piece]) -> Iterator[tuple[str, ast.expr]]:
    """What a document shows: the arguments of ``show_table`` with their label, then inline ones."""
    for chunk in (piece for piece in pieces if isinstance(piece, Chunk)):
        for call in ast.walk(ast.parse(chunk.source)):
            function = call.func if isinstance(call, ast.Call) else None
            if isinstance(function, ast.Name) and function.id == "show_table":
                yield chunk.label, call.args[0]  # type: ignore[attr-defined]
    prose = "\n".join(piece.text for piece in pieces if isinstance(piece, Prose))
    for source in dict.fromkeys(INLINE.findall(prose)):
        yield "", ast.parse(source.strip(), mode="eval").body


def evaluate(expression: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of a name, an attribute, a call or a constant: all that a document may show.

    Raises:
        StudyError: the expression is another one.
    """
    if isinstance(expression, ast.Constant):
        return expression.value
    if isinstance(expression, ast.Name) and expression.id in names:
        return names[expression.id]
    if isinstance(expression, ast.Attribute):
        return getattr(evaluate(expression.value, names), expression.attr)
    if isinstance(expression, ast.Call):
        given = [evaluate(argument, names) for argument in expression.args]
        named = {k.arg: evaluate(k.value, names) for k in expression.keywords if k.arg}
        return evaluate(expression.func, names)(*given, **named)
    raise StudyError(
        f"the report shows {ast.unparse(expression)!r}, which results.json cannot record",
        remedy="let a property of the answers or a function of the tables make the value",
    )


def _table(table: tabulation.Table) -> dict[str, Any]:
    rows = [{title: _cell(cell) for title, cell in row.items()} for row in table.records]
    return {"rows": rows, "notes": list(table.notes), "text": "" if rows else str(table)}


def _cell(cell: str) -> dict[str, Any]:
    number = getattr(cell, "number", None)
    return {"text": str(cell), **({} if number is None else {"number": number})}


def _answer(shown: Any) -> dict[str, Any]:
    return {
        "text": str(shown),
        "outcome": getattr(shown, "outcome", ""),
        "numbers": getattr(shown, "numbers", {}),
    }

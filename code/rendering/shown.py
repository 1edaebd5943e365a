"""What the documents show, kept among the stored results: made anew only where something changed.

A document is read for its answers; their texts and numbers are an entry of the store (stage
``shown``, one a profile and language), known by the results, the code of the rooms that make them,
and the document. So ``results.json`` and the report cannot differ. A cache that cannot be written
costs time, never the report.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from answers import Answers
from rendering.document import INLINE, Chunk, Piece, Prose, parse
from store.entries import Entry, Key, Store
from store.identity import code_of, digest, fingerprint
from store.results import Results
from study.errors import StudyError
from study.paths import cache_folder, project_root
from text.answers import load_answers
from words.wording import Wording, load_wording

VERSION = 2
ROOMS = ("answers", "corpora", "evidence", "facts", "rendering", "store", "study", "text", "words")

Shown = dict[str, dict[str, Any]]


def find_shown(results: Results, language: str) -> Shown:
    """What the document of a language shows.

    Returns:
        ``answers``, by expression: text, outcome, numbers.
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
    """Evaluates the answers of a document's text; see ``find_shown``."""
    names = {"answers": Answers(results, words), "say": load_answers(results, words.language)}
    expressions = _expressions(parse(text, _document(words.language).name, {}))
    answers = {ast.unparse(e): _answer(evaluate(e, names)) for e in expressions}
    return {"answers": answers}


def _expressions(pieces: Sequence[Piece]) -> Iterator[ast.expr]:
    """The texts that a document shows: the arguments of ``report.text``, then inline ones."""
    for chunk in (piece for piece in pieces if isinstance(piece, Chunk)):
        for call in ast.walk(ast.parse(chunk.source)):
            function = call.func if isinstance(call, ast.Call) else None
            if isinstance(function, ast.Attribute) and ast.unparse(function) == "report.text":
                yield call.args[0]  # type: ignore[attr-defined]
    prose = "\n".join(piece.text for piece in pieces if isinstance(piece, Prose))
    for source in dict.fromkeys(INLINE.findall(prose)):
        yield ast.parse(source.strip(), mode="eval").body


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
        remedy="let a property of the answers make the value",
    )


def _answer(shown: Any) -> dict[str, Any]:
    return {
        "text": str(shown),
        "outcome": getattr(shown, "outcome", ""),
        "numbers": getattr(shown, "numbers", {}),
    }

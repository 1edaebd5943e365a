"""``results.json``: every number of the report, for those who want to calculate with them.

Beside the frames and the evidence it holds what the documents show, in each language: a table's
rows with the printed text and the numbers behind it, and each answer with its text, its numbers
and the outcome that chose its words. What a document shows is read from the document, so that the
record and the report cannot differ. ``results.schema.json``, written beside it, describes it.
"""

import ast
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import tabulation
from answers import Answers
from answers.convergence import summarise_convergence
from answers.findings import cost_ratios, layer_profile
from answers.judging import rank_correlation, upper_over_lower
from store.results import Results
from study.errors import StudyError
from study.paths import output_folder, project_root
from words.wording import LANGUAGES, load_wording

SCHEMA = "results.schema.json"
COSTS = (
    "training_seconds",
    "peak_memory_bytes",
    "trainable_parameters",
    "kept_bytes",
)
# Keys of the code -> the words that they stand for.
KEYS: Mapping[str, str] = {
    "l2": "euclidean_distance",
    "relative": "relative_distance",
    "rms": "root_mean_square_change",
    "top8_share": "share_in_eight_directions",
    "cka": "centered_kernel_alignment",
    "sd": "standard_deviation",
    "p": "p_value",
    "p_corrected": "p_value_corrected",
    "p_items": "p_value_items",
    "p_items_corrected": "p_value_items_corrected",
}
_LEFT_OUT = ("host", "platform")  # columns that name the machine
_FOLDERS = re.compile(r"(?<![\w.:/~-])/(?:[^\s/'\"]+/)+")
_CHUNK = re.compile(r"^```\{python\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`\{python\}[ \t]+([^`]+)`")
_LABEL = re.compile(r"^#\| label: ([\w-]+)$", re.MULTILINE)


def export_results(results: Results, folder: Path | None = None) -> Path:
    """Writes ``results.json`` and its schema; NaN becomes null, paths lose their folders.

    Args:
        results: the results.
        folder: where to, if not the profile's folder of the output.

    Returns:
        The file.
    """
    folder = folder or output_folder(results.profile.name)
    folder.mkdir(parents=True, exist_ok=True)
    frames = {k: v for k, v in vars(results).items() if k != "items"}
    shown = {language: _document(results, language) for language in LANGUAGES}
    content = {
        **frames,
        "derived": {task: _derived(results, task) for task in results.profile.tasks},
        "tables": {language: tables for language, (tables, _) in shown.items()},
        "answers": {language: answers for language, (_, answers) in shown.items()},
    }
    file = folder / "results.json"
    text = json.dumps(_plain(content), indent=1, ensure_ascii=False, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8")
    shutil.copyfile(Path(__file__).with_name(SCHEMA), folder / SCHEMA)
    return file


# --------------------------------------------------------------------------- what is shown


def _document(results: Results, language: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tables by label and answers by expression of the document in a language."""
    document = project_root() / ("report.qmd" if language == "en" else f"report.{language}.qmd")
    text = document.read_text(encoding="utf-8")
    words = load_wording(language)
    names = {"results": results, "words": words, "tabulation": tabulation}
    names["answers"] = Answers(results, words)
    tables, answers = {}, {}
    for chunk in _CHUNK.findall(text):
        label = _LABEL.search(chunk)
        for expression in _shown_tables(chunk):
            shown = _value(expression, names)
            if isinstance(shown, tabulation.Table):
                tables[label[1] if label else ast.unparse(expression)] = _table(shown)
            else:
                answers[ast.unparse(expression)] = _answer(shown)
    for source in dict.fromkeys(_INLINE.findall(text)):
        expression = ast.parse(source.strip(), mode="eval").body
        answers[ast.unparse(expression)] = _answer(_value(expression, names))
    return tables, answers


def _shown_tables(chunk: str) -> list[ast.expr]:
    """The arguments of a chunk's calls of ``show_table``."""
    calls = [node for node in ast.walk(ast.parse(chunk)) if isinstance(node, ast.Call)]
    return [c.args[0] for c in calls if isinstance(c.func, ast.Name) and c.func.id == "show_table"]


def _value(expression: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of a name, an attribute, a call or a constant: all that a document may show."""
    if isinstance(expression, ast.Constant):
        return expression.value
    if isinstance(expression, ast.Name) and expression.id in names:
        return names[expression.id]
    if isinstance(expression, ast.Attribute):
        return getattr(_value(expression.value, names), expression.attr)
    if isinstance(expression, ast.Call):
        given = [_value(argument, names) for argument in expression.args]
        named = {k.arg: _value(k.value, names) for k in expression.keywords if k.arg}
        return _value(expression.func, names)(*given, **named)
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


# ----------------------------------------------------------------------------- what follows


def _derived(results: Results, task: str) -> dict[str, Any]:
    """Numbers that the answers derive from the frames, for one task."""
    roles = results.roles(task)
    profiles = {
        method: layer_profile(results, task, method, "relative")
        for method in results.moving_methods(task)
    }
    return {
        "cost_ratios_adapter_over_reference": {
            column: cost_ratios(results, task, roles.reference, roles.adapter, column)
            for column in COSTS
        },
        "rank_correlation_of_change_with_depth": {
            method: rank_correlation(profile) for method, profile in profiles.items()
        },
        "upper_third_over_lower_third": {
            method: upper_over_lower(profile) for method, profile in profiles.items()
        },
        "convergence": summarise_convergence(results, task),
    }


# ------------------------------------------------------------------------------ plain values


def _plain(value: Any) -> Any:
    """A value as JSON knows it: records, lists, words for keys; NaN is null, numpy is Python."""
    if isinstance(value, pd.DataFrame):
        kept = value.drop(columns=[column for column in _LEFT_OUT if column in value])
        return _plain(json.loads(kept.to_json(orient="records", double_precision=15)))
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {KEYS.get(str(key), str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return _FOLDERS.sub("", value)
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value != value else value

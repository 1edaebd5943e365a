"""``facts.csv`` and ``results.json``: all measurements, for those who calculate with them.

``results.json`` holds the profile, all facts, the answers of the report in each language, and where
the results come from; ``results.schema.json``, written beside it, describes it. Both are read from
the same facts as tables, figures and sentences.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from facts.files import record, schema, write_facts
from store.entries import disk_errors
from store.results import Results
from study.paths import output_folder
from text.answers import load_answers
from text.sentence import Said
from words.numbers import unmark
from words.wording import LANGUAGES

FILES = FACTS, RESULTS, SCHEMA = "facts.csv", "results.json", "results.schema.json"
PROVENANCE = ("runs", "missing")  # of ``Results``
_LEFT_OUT = ("host", "platform")  # what names the machine
_FOLDERS = re.compile(r"(?<![\w.:/~-])/(?:[^\s/'\"]+/)+")


def export_results(results: Results, folder: Path | None = None) -> Path:
    """Writes ``facts.csv``, ``results.json``, which it returns, and its schema, without folders."""
    folder = folder or output_folder(results.profile.name)
    content = {
        "profile": _plain(results.profile),
        "facts": [record(fact) for fact in results.facts],
        "answers": {lang: _plain(dict(_answers(results, lang))) for lang in LANGUAGES},
        "provenance": {name: _plain(getattr(results, name)) for name in PROVENANCE},
    }
    with disk_errors(folder, "OUTPUT_DIR"):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            write_facts(results.facts, _part(folder / FACTS))
            _write_json(content, _part(folder / RESULTS))
            _write_json(describe_results(), _part(folder / SCHEMA))
            for name in FILES:  # whoever reads one never finds half of it
                _part(folder / name).replace(folder / name)
        finally:
            for name in FILES:
                _part(folder / name).unlink(missing_ok=True)
    return folder / RESULTS


def describe_results() -> dict[str, Any]:
    """The JSON schema of ``results.json``; that of a fact is made from the row type."""
    rows = {"type": "array", "items": {"type": "object"}}
    answer = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "outcome": {"type": "string"},
            "facts": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["text", "outcome", "facts"],
        "additionalProperties": False,
    }
    answers = {"type": "object", "additionalProperties": answer}
    parts: dict[str, dict[str, Any]] = {
        "profile": {"type": "object", "required": ["name", "tasks"]},
        "facts": {"type": "array", "items": schema()},
        "answers": _closed(dict.fromkeys(LANGUAGES, answers)),
        "provenance": _closed(dict.fromkeys(PROVENANCE, rows)),
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_closed(parts)}


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    """An object with just these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _answers(results: Results, language: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every sentence that needs no argument: its text, the outcome behind it, and its facts."""
    for topic, of_topic in vars(load_answers(results, language)).items():
        for name, of in vars(type(of_topic)).items():
            if not name.startswith("_") and isinstance(of, property):
                said = getattr(of_topic, name)
                if isinstance(said, Said):
                    parts = {"text": unmark(said), "outcome": said.outcome}
                    yield f"{topic}.{name}", {**parts, "facts": list(said.facts)}


def _part(file: Path) -> Path:
    return file.with_name(f".{file.name}.{os.getpid()}")


def _write_json(content: Mapping[str, Any], file: Path) -> None:
    """Writes an object, each part and each row of a part on a line of its own."""
    parts = []
    for name, part in content.items():
        rows = part if isinstance(part, list) else [part]
        lines = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
        parts.append(f'"{name}": ' + (f"[\n{lines}\n]" if rows is part else lines))
    file.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """A value as JSON knows it: records and lists; NaN is null, numpy is Python."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): _plain(item) for k, item in value.items() if k not in _LEFT_OUT}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return _FOLDERS.sub("", value)
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value != value else value

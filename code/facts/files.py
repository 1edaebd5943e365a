"""Facts as files: CSV for other tools, records for ``results.json``, and their JSON schema.

Empty cells are what does not apply or is not known. Numbers are written so that reading gives the
same bits back.
"""

import csv
import io
import math
import types
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from facts.fact import COLUMNS, DEFAULTS, Fact
from facts.quantities import QUANTITIES
from facts.table import Facts
from study.errors import StudyError

_HINTS = get_type_hints(Fact)


def write_facts(facts: Iterable[Fact], file: Path) -> None:
    """Writes facts as CSV, one row a fact, with the names of the columns in the first row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for fact in facts:
        values = [getattr(fact, name) for name in COLUMNS]
        _require_finite(fact, values)
        writer.writerow(["" if value is None else value for value in values])
    file.write_text(text.getvalue(), encoding="utf-8")


def read_facts(file: Path, entry: str = "") -> Facts:
    """Reads what ``write_facts`` wrote, ``entry`` being the stored entry that the file is of.

    Raises:
        StudyError: the columns are others.
    """
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        header = next(rows, [])
        if tuple(header) != COLUMNS:
            raise StudyError(
                f"expected the columns {', '.join(COLUMNS)}, got {', '.join(header)}",
                where=f"{file}:1",
            )
        readers = [_READERS[_type_of(name)] for name in COLUMNS]
        found = []
        for row in rows:
            values = {n: read(c) for n, read, c in zip(COLUMNS, readers, row, strict=True)}
            found.append(Fact(**{**values, "entry": entry or values["entry"]}))
        return Facts(found)


def record(fact: Fact) -> dict[str, Any]:
    """A fact as JSON: its columns without the empty ones, and its id."""
    found = {name: getattr(fact, name) for name in COLUMNS}
    _require_finite(fact, found.values())
    kept = {k: v for k, v in found.items() if k == "quantity" or v != DEFAULTS.get(k)}
    return {"id": fact.id, **kept}


def schema() -> dict[str, Any]:
    """The JSON schema of a record, made from the row type."""
    types_of = {str: "string", int: "integer", float: "number"}
    properties: dict[str, Any] = {"id": {"type": "string", "pattern": "^[0-9a-f]{8}$"}}
    for field in fields(Fact):
        properties[field.name] = {"type": types_of[_type_of(field.name)]}
        if get_origin(_HINTS[field.name]) is Literal:
            properties[field.name]["enum"] = list(get_args(_HINTS[field.name]))
    properties["quantity"]["enum"] = list(QUANTITIES)
    return {
        "type": "object",
        "properties": properties,
        "required": ["id", "quantity"],
        "additionalProperties": False,
    }


def _type_of(column: str) -> type:
    """``str``, ``int`` or ``float``: what a column holds where it holds anything."""
    hint = _HINTS[column]
    if get_origin(hint) is Literal:
        return str
    if get_origin(hint) in (Union, types.UnionType):
        return next(kind for kind in get_args(hint) if kind is not type(None))
    found: type = hint
    return found


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _whole(cell: str) -> int | None:
    return int(cell) if cell else None


_READERS: Mapping[type, Any] = {str: str, int: _whole, float: _number}


def _require_finite(fact: Fact, values: Iterable[Any]) -> None:
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise StudyError(f"expected finite numbers or none, got {fact}")

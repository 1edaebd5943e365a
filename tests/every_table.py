"""The tables of the report, as its chunks ask for them."""

import re
from collections.abc import Callable
from typing import Any

import tables
from study.paths import project_root

CALL = re.compile(r"^report\.table\(tables\.(\w+)(?:, \"(\w+)\")?\)(?: if .*)?$", re.MULTILINE)


def every_table() -> list[tuple[Callable[..., Any], tuple[str, ...]]]:
    """Function of ``tables`` and what it is about, for each table of the English document."""
    text = (project_root() / "report.qmd").read_text(encoding="utf-8")
    calls = [(getattr(tables, m[1]), (m[2],) if m[2] else ()) for m in CALL.finditer(text)]
    assert len(calls) == text.count("report.table(") >= 15
    return calls

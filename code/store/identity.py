"""One hash of everything that decides what a report shows; where it changed, that is redone."""

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from facts.fact import COLUMNS
from facts.table import Facts
from store.results import Results
from study.paths import project_root


def digest(value: Any) -> str:
    """24 hexadecimal digits for a value: plain ones, frames, dataclasses, anything with a repr."""
    text = json.dumps(value, default=_plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@functools.lru_cache(maxsize=2)
def fingerprint(results: Results) -> str:
    """The hash of everything that was read."""
    return digest([getattr(results, field.name) for field in fields(results)])


@functools.cache
def code_of(rooms: Sequence[str], packages: Sequence[str]) -> str:
    """The hash of all that rooms hold, and of the versions of packages.

    Args:
        rooms: folders of ``code/``; modules and texts count, Python's own folder does not.
        packages: names of distributions.
    """
    folders = [project_root() / "code" / room for room in rooms]
    files = [f for folder in folders for f in sorted(folder.rglob("*")) if _is_source(f)]
    return digest([[f.read_text(encoding="utf-8") for f in files], [version(p) for p in packages]])


def _is_source(file: Path) -> bool:
    kept = file.suffix in (".py", ".toml", ".js", ".html") and "__pycache__" not in file.parts
    return kept and file.is_file()


def _plain(value: Any) -> Any:
    if isinstance(value, Facts):
        return [[getattr(fact, name) for name in COLUMNS] for fact in value]
    if isinstance(value, pd.DataFrame):
        return value.to_json(orient="split", double_precision=15)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return repr(value)

"""Reads a profile from ``experiments.toml``: defaults, then only what differs."""

import dataclasses
import functools
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from study.adapters import AdapterSettings
from study.checks import require, require_known, require_one_of
from study.errors import StudyError
from study.experiments import lay_changes, with_experiments
from study.paths import project_root
from study.reading import read_text
from study.settings import (
    MODEL_KEYS,
    Margins,
    MethodSettings,
    Profile,
    Table,
    TaskSettings,
    TrainingSettings,
)

_FILE = "experiments.toml"
_VALUES = {"title", "workers", "inherits"}  # keys of a profile that are no tables
Built = TypeVar("Built")


def load_profile(name: str, files: Iterable[Path] | None = None) -> Profile:
    """Reads one profile.

    Args:
        name: a profile of ``experiments.toml``, ``experiments.local.toml`` or the file that
            ``EXPERIMENTS_FILE`` names; or several of Quarto's profiles with commas between them, of
            which one is such a profile.
        files: the files to read instead of these; later ones add to earlier ones.

    Raises:
        StudyError: unknown profile, task, method or key, or a value out of range, named; two
            profiles of the study.
    """
    paths = _default_files() if files is None else list(files)
    tables = [(file, _read_table(file)) for file in paths]
    try:
        return _build_profile(name, functools.reduce(_merge, (table for _, table in tables), {}))
    except StudyError as error:
        raise StudyError(
            error.problem, where=_find_place(error.where, tables), remedy=error.remedy
        ) from error


def _find_place(where: str | None, tables: Sequence[tuple[Path, Table]]) -> str:
    """The file that a setting was last written in, and its place there; all files for none."""
    setting = (where or "").removeprefix(f"{_FILE}: ")
    found, depth = [file for file, _ in tables], 0
    for file, table in tables:
        steps: Any = table
        for number, step in enumerate(setting.split("."), 1):
            steps = steps.get(step) if isinstance(steps, Mapping) else None
            if steps is None:
                break
            found, depth = ([file], number) if number >= depth else (found, depth)
    names = ", ".join(str(file) for file in found) or _FILE
    return f"{names}: {setting}" if setting else names


def _build_profile(name: str, tables: Table) -> Profile:
    profiles = tables.get("profiles", {})
    name = _choose(name, tuple(profiles))
    defaults, own = tables.get("defaults", {}), _with_ancestors(name, profiles)
    require_known(own, {"title", "workers", "margins", *_task_names(defaults)}, f"profiles.{name}")
    margins = _build(
        Margins, _merge(defaults.get("margins", {}), own.get("margins", {})), "defaults.margins"
    )
    tasks = {
        task: _build_task(task, defaults, own.get(task, {}), margins, f"profiles.{name}.{task}")
        for task in _task_names(defaults)
    }
    workers = _convert(own.get("workers", 1), int, f"profiles.{name}.workers")
    title = _convert(own.get("title", name), str, f"profiles.{name}.title")
    return Profile(name, title, tasks, workers)


def _choose(named: str, known: tuple[str, ...]) -> str:
    """Chooses the study's profile among those that Quarto was given: ``demo,draft``."""
    names = [named] if named in known else re.split(r"[,\s]+", named)
    own = [name for name in dict.fromkeys(names) if name in known]
    if len(own) > 1:
        raise StudyError(
            f"{' and '.join(own)} are two profiles of the study, got {named!r}",
            remedy="name one of them, in --profile or in QUARTO_PROFILE",
        )
    if not own:
        require_one_of(named, known, "profile")
    return own[0]


def _default_files() -> list[Path]:
    files = [project_root() / "experiments.toml", project_root() / "experiments.local.toml"]
    if own := os.environ.get("EXPERIMENTS_FILE"):
        files.append(Path(own).expanduser())
    return [file for file in files if file.exists() or str(file) == own]


def _read_table(file: Path) -> Table:
    try:
        table = tomllib.loads(read_text(Path(file)))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"\(at line (\d+)", str(error))
        where = f"{file}:{line[1]}" if line else str(file)
        raise StudyError(f"not valid TOML: {error}", where=where) from error
    require_known(table, {"defaults", "profiles"}, str(file))
    try:
        profiles = _table(table, "profiles")
        for name in profiles:
            _require_task_tables(_table(profiles, name, "profiles."), f"profiles.{name}.")
        _require_task_tables(_table(table, "defaults"), "defaults.")
    except StudyError as error:
        raise StudyError(error.problem, where=f"{file}: {error.where}") from error
    return table


def _require_task_tables(tables: Table, where: str) -> None:
    for name in sorted(set(tables) - _VALUES):
        task, inside = _table(tables, name, where), f"{where}{name}."
        _table(task, "training", inside)
        methods = _table(task, "methods", inside)
        for method in methods:
            own = _table(methods, method, f"{inside}methods.")
            _table(own, "adapter", f"{inside}methods.{method}.")


def _table(parent: Table, key: str, where: str = "") -> Table:
    found = parent.get(key, {})
    if not isinstance(found, Mapping):
        raise StudyError(f"expected a table, got {found!r}", where=f"{where}{key}")
    return found


def _merge(base: Table, over: Table) -> dict[str, Any]:
    """``over`` laid on ``base``, table by table; an adapter is replaced whole."""
    merged = dict(base)
    for key, value in over.items():
        both_tables = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both_tables and key != "adapter" else value
    return merged


def _with_ancestors(name: str, profiles: Table) -> dict[str, Any]:
    own, chain = dict(profiles[name]), [name]
    while "inherits" in own:
        parent = own.pop("inherits")
        require_one_of(parent, tuple(profiles), f"profiles.{chain[-1]}.inherits")
        require(parent not in chain, "inherits", parent, "without a circle")
        chain.append(parent)
        own = _merge(profiles[parent], own)
    return own


def _task_names(defaults: Table) -> list[str]:
    return [name for name in defaults if name not in ("training", "margins")]


def _build_task(
    name: str, defaults: Table, own: Table, margins: Margins, where: str
) -> TaskSettings:
    table = _merge(defaults[name], own)
    if "methods_run" not in table:
        raise StudyError("the setting 'methods_run' is missing", where=f"{_FILE}: {where}")
    methods = table.get("methods", {})
    chosen = _convert(table["methods_run"], tuple[str, ...], f"{where}.methods_run")
    for method in chosen:
        require_one_of(method, tuple(methods), f"{where}.methods_run")
    layers = (defaults.get("training", {}), defaults[name], own)
    built = tuple(_build_method(m, layers, f"{where}.methods.{m}") for m in chosen)
    inherited = {"training", "methods", "methods_run", "experiments", *MODEL_KEYS}
    rest = {key: value for key, value in table.items() if key not in inherited}
    found = {**rest, "name": name, "methods": built, "margins": margins}
    task = _build(TaskSettings, found, where)

    def change(method: str, changes: Table, place: str) -> MethodSettings:
        require_one_of(method, tuple(methods), place)
        return _build_method(method, layers, f"{where}.{place}", changes)

    return with_experiments(task, table.get("experiments", {}), change, f"{where}.experiments")


def _build_method(
    name: str, layers: tuple[Table, Table, Table], where: str, changes: Table | None = None
) -> MethodSettings:
    """A method by its layers of settings; ``changes`` of an experiment are laid on top of them."""
    common, default, own = layers
    table: dict[str, Any] = {"trainable": "all", "adapter": None, "revision": "", **common}
    for layer in (default, own):
        table |= {key: layer[key] for key in MODEL_KEYS if key in layer}
    for layer in (default, own):
        table |= dict(layer.get("training", {})) | dict(layer.get("methods", {}).get(name, {}))
    table = lay_changes(table, changes or {})
    fields = {field.name for field in dataclasses.fields(TrainingSettings)}
    require_known(table, fields | {"trainable", "adapter", "seeds", *MODEL_KEYS}, where)
    training = _build(TrainingSettings, {k: v for k, v in table.items() if k in fields}, where)
    rest = {key: value for key, value in table.items() if key not in fields}
    adapter = _build_adapter(rest.pop("adapter"), where)
    found = {**rest, "name": name, "training": training, "adapter": adapter}
    return _build(MethodSettings, found, where)


def _build_adapter(table: Table | None, where: str) -> AdapterSettings | None:
    if table is None:
        return None
    options = dict(table)
    if not isinstance(kind := options.pop("peft_type", None), str):
        raise StudyError(
            'an adapter needs peft_type, such as { peft_type = "LORA", r = 8, lora_alpha = 16, '
            'target_modules = ["query", "value"] }',
            where=f"{_FILE}: {where}.adapter",
        )
    try:
        return AdapterSettings.of(kind.upper(), **options)
    except StudyError as error:
        raise StudyError(error.problem, where=f"{_FILE}: {where}.adapter") from error


def _build(cls: type[Built], table: Table, where: str) -> Built:
    """An instance of the dataclass from a TOML table, each value checked against its type."""
    hints = get_type_hints(cls)
    require_known(table, set(hints), where)
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]  # all of ours are dataclasses
        default = (field.default, field.default_factory)
        if default == (dataclasses.MISSING,) * 2 and field.name not in table:
            raise StudyError(f"the setting {field.name!r} is missing", where=f"{_FILE}: {where}")
    values = {key: _convert(value, hints[key], f"{where}.{key}") for key, value in table.items()}
    try:
        return cls(**values)
    except StudyError as error:
        raise StudyError(error.problem, where=f"{_FILE}: {where}") from error


def _convert(value: Any, hint: Any, where: str) -> Any:
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if not isinstance(value, list | tuple):
            raise StudyError(f"expected a list, got {value!r}", where=f"{_FILE}: {where}")
        return tuple(_convert(entry, item, where) for entry in value)
    if hint == float | None and value is not None:  # a setting that may be left out
        hint = float
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint in (int, float, str) and (not isinstance(value, hint) or isinstance(value, bool)):
        raise StudyError(f"expected {hint.__name__}, got {value!r}", where=f"{_FILE}: {where}")
    return value

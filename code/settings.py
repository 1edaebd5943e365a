"""What is run: ``experiments.toml`` read into frozen dataclasses that refuse bad values by name.

A profile states only what differs from the defaults (see the head of ``experiments.toml`` for the
order in which tables win). Names of methods, corpora and languages are data: the code branches on
what a method *is* (its adapter, what it trains), never on what it is called. Leaves out what does
not belong to an experiment: folders (``paths``), the look of figures (``style``).
"""

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from errors import StudyError
from paths import project_root

DEFAULT_PROFILE = "full"
Table = Mapping[str, Any]
MODEL_KEYS = ("model_name_or_path", "revision")


@dataclass(frozen=True)
class LoraSettings:
    """Low-rank adaptation (Hu et al. 2021): W + (lora_alpha / r) B A on the chosen projections."""

    r: int = 8  # rank of the update
    lora_alpha: int = 16  # scale: the update is multiplied by lora_alpha / r
    lora_dropout: float = 0.1  # dropout before A
    roles: tuple[str, ...] = ("query", "value")  # projections that get an adapter
    kind: str = "lora"

    def __post_init__(self) -> None:
        _require(self.r >= 1, "r", self.r, "at least 1")
        _require(self.lora_alpha >= 1, "lora_alpha", self.lora_alpha, "at least 1")
        _require(0 <= self.lora_dropout < 1, "lora_dropout", self.lora_dropout, "in [0, 1)")
        _require(bool(self.roles), "roles", self.roles, "at least one projection")


@dataclass(frozen=True)
class PrefixSettings:
    """Prefix tuning (Li & Liang 2021): trained key-value prefixes; cannot be merged."""

    num_virtual_tokens: int = 20  # length of the prefix
    kind: str = "prefix"

    def __post_init__(self) -> None:
        _require(
            self.num_virtual_tokens >= 1, "num_virtual_tokens", self.num_virtual_tokens, ">= 1"
        )


AdapterSettings = LoraSettings | PrefixSettings
ADAPTERS: dict[str, type] = {"lora": LoraSettings, "prefix": PrefixSettings}


@dataclass(frozen=True)
class TrainingSettings:
    """How a run is trained, in the terms of ``transformers.TrainingArguments``."""

    learning_rate: float  # peak
    num_train_epochs: int
    per_device_train_batch_size: int
    per_device_eval_batch_size: int  # speed only
    weight_decay: float  # decoupled (AdamW)
    warmup_ratio: float  # share of the steps with a rising rate
    lr_scheduler_type: str
    max_grad_norm: float  # clipping threshold of the global norm
    max_length: int  # tokens of a window, special tokens included
    evaluations_per_epoch: int  # points of the validation curve in an epoch
    validation_items: int  # items behind the validation curve, 0 = all

    def __post_init__(self) -> None:
        for name in ("learning_rate", "max_grad_norm"):
            _require(getattr(self, name) > 0, name, getattr(self, name), "above 0")
        for name in ("num_train_epochs", "evaluations_per_epoch"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("per_device_train_batch_size", "per_device_eval_batch_size"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("weight_decay", "validation_items"):
            _require(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")
        _require(0 <= self.warmup_ratio < 1, "warmup_ratio", self.warmup_ratio, "in [0, 1)")
        _require(self.max_length >= 8, "max_length", self.max_length, "at least 8")
        known = ("linear", "cosine", "constant", "constant_with_warmup")
        _require_one_of(self.lr_scheduler_type, known, "lr_scheduler_type")


@dataclass(frozen=True)
class MethodSettings:
    """One way to adapt a pretrained encoder. Full fine-tuning is the absence of an adapter."""

    name: str
    model_name_or_path: str  # hub name, folder, or package:<python package>/<folder>
    revision: str  # commit of the hub's repository; "" for a local checkpoint
    trainable: str  # "all" or "head": what is trained where there is no adapter
    adapter: AdapterSettings | None
    training: TrainingSettings

    def __post_init__(self) -> None:
        _require_one_of(self.trainable, ("all", "head"), "trainable")
        _require(bool(self.model_name_or_path), "model_name_or_path", "", "a name or a folder")

    @property
    def mergeable(self) -> bool:
        """Whether the tuned model has weights that can be compared with the base model's."""
        return not isinstance(self.adapter, PrefixSettings)

    @property
    def moves_encoder(self) -> bool:
        """Whether the encoder's own weights can change."""
        return self.mergeable and (self.adapter is not None or self.trainable == "all")


@dataclass(frozen=True)
class TaskSettings:
    """One task: its data, the methods that are compared on it, and the seeds of each method."""

    name: str
    kind: str  # "sequence" (one label a sentence) or "token" (one label a word)
    origin: str  # "hub", "local" or "miniature"
    train: str  # "<corpus>:<split>"
    evaluations: tuple[str, ...]  # "<corpus>:<split>"; the first is also the validation curve
    methods: tuple[MethodSettings, ...]
    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        _require_one_of(self.kind, ("sequence", "token"), "kind")
        _require_one_of(self.origin, ("hub", "local", "miniature"), "origin")
        for item in (self.train, *self.evaluations):
            _require(item.count(":") == 1, "evaluations", item, "of the form corpus:split")
        _require(bool(self.evaluations), "evaluations", self.evaluations, "at least one")
        _require(bool(self.seeds), "seeds", self.seeds, "at least one seed")
        _require(len(set(self.seeds)) == len(self.seeds), "seeds", self.seeds, "distinct")
        _require(bool(self.methods), "methods_run", (), "at least one method")

    @property
    def validation(self) -> str:
        """The evaluation that is followed during training."""
        return self.evaluations[0]

    def method(self, name: str) -> MethodSettings:
        """The settings of the method of that name."""
        return next(method for method in self.methods if method.name == name)


@dataclass(frozen=True)
class Profile:
    """A named set of tasks: one report."""

    name: str
    title: str
    tasks: dict[str, TaskSettings]


def language_of(evaluation: str) -> str:
    """Language code of an evaluated set: ``de_gsd:test`` -> ``de``; CoLA is English."""
    corpus = evaluation.split(":")[0]
    return corpus.split("_")[0] if "_" in corpus else "en"


def load_profile(name: str, files: Iterable[Path] | None = None) -> Profile:
    """Reads one profile.

    Args:
        name: a profile of ``experiments.toml``, ``experiments.local.toml`` or the file that
            ``EXPERIMENTS_FILE`` names.
        files: the files to read instead of these; later ones add to earlier ones.

    Raises:
        StudyError: unknown profile, task, method or key, or a value out of range, named.
    """
    tables = _read_tables(_default_files() if files is None else files)
    profiles = tables.get("profiles", {})
    _require_one_of(name, tuple(profiles), "profile")
    defaults, own = tables.get("defaults", {}), _with_ancestors(name, profiles)
    _require_known(own, {"title", *_task_names(defaults)}, f"profiles.{name}")
    tasks = {
        task: _build_task(task, defaults, own.get(task, {}), f"profiles.{name}.{task}")
        for task in _task_names(defaults)
    }
    return Profile(name, own.get("title", name), tasks)


def profile_names(files: Iterable[Path] | None = None) -> tuple[str, ...]:
    """Names of all profiles, in the order of the files."""
    return tuple(_read_tables(_default_files() if files is None else files).get("profiles", {}))


def _default_files() -> list[Path]:
    files = [project_root() / "experiments.toml", project_root() / "experiments.local.toml"]
    if own := os.environ.get("EXPERIMENTS_FILE"):
        files.append(Path(own).expanduser())
    return [file for file in files if file.exists() or str(file) == own]


def _read_tables(files: Iterable[Path]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for file in files:
        try:
            table = tomllib.loads(Path(file).read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise StudyError(f"not valid TOML: {error}", where=str(file)) from error
        except OSError as error:
            raise StudyError(f"cannot be read: {error.strerror}", where=str(file)) from error
        _require_known(table, {"defaults", "profiles"}, str(file))
        merged = _merge(merged, table)
    return merged


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
        _require_one_of(parent, tuple(profiles), f"profiles.{chain[-1]}.inherits")
        _require(parent not in chain, "inherits", parent, "without a circle")
        chain.append(parent)
        own = _merge(profiles[parent], own)
    return own


def _task_names(defaults: Table) -> list[str]:
    return [name for name in defaults if name != "training"]


def _build_task(name: str, defaults: Table, own: Table, where: str) -> TaskSettings:
    table = _merge(defaults[name], own)
    methods = table.get("methods", {})
    for chosen in table.get("methods_run", ()):
        _require_one_of(chosen, tuple(methods), f"{where}.methods_run")
    layers = (defaults.get("training", {}), defaults[name], own)
    built = tuple(_build_method(m, layers, f"{where}.methods.{m}") for m in table["methods_run"])
    inherited = {"training", "methods", "methods_run", "model_name_or_path", "revision"}
    rest = {key: value for key, value in table.items() if key not in inherited}
    return _build(TaskSettings, {**rest, "name": name, "methods": built}, where)


def _build_method(name: str, layers: tuple[Table, Table, Table], where: str) -> MethodSettings:
    common, default, own = layers
    table: dict[str, Any] = {"trainable": "all", "adapter": None, "revision": "", **common}
    for layer in (default, own):
        table |= {key: layer[key] for key in MODEL_KEYS if key in layer}
    for layer in (default, own):
        table |= dict(layer.get("training", {})) | dict(layer.get("methods", {}).get(name, {}))
    fields = {field.name for field in dataclasses.fields(TrainingSettings)}
    _require_known(table, fields | {"trainable", "adapter", *MODEL_KEYS}, where)
    training = _build(TrainingSettings, {k: v for k, v in table.items() if k in fields}, where)
    rest = {key: value for key, value in table.items() if key not in fields}
    adapter = _build_adapter(rest.pop("adapter"), where)
    return _build(
        MethodSettings, {**rest, "name": name, "training": training, "adapter": adapter}, where
    )


def _build_adapter(table: Table | None, where: str) -> AdapterSettings | None:
    if table is None:
        return None
    _require_one_of(table.get("kind", ""), tuple(ADAPTERS), f"{where}.adapter.kind")
    return _build(ADAPTERS[table["kind"]], table, f"{where}.adapter")


def _build(cls: type, table: Table, where: str) -> Any:
    """An instance of the dataclass from a TOML table, each value checked against its type."""
    hints = get_type_hints(cls)
    _require_known(table, set(hints), where)
    missing = [
        field.name
        for field in dataclasses.fields(cls)
        if field.default is dataclasses.MISSING and field.name not in table
    ]
    if missing:
        raise StudyError(
            f"the setting {missing[0]!r} is missing", where=f"experiments.toml: {where}"
        )
    values = {key: _convert(value, hints[key], f"{where}.{key}") for key, value in table.items()}
    try:
        return cls(**values)
    except StudyError as error:
        raise StudyError(error.problem, where=f"experiments.toml: {where}") from error


def _convert(value: Any, hint: Any, where: str) -> Any:
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if not isinstance(value, list | tuple):
            raise StudyError(f"expected a list, got {value!r}", where=f"experiments.toml: {where}")
        return tuple(_convert(entry, item, where) for entry in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint in (int, float, str) and (not isinstance(value, hint) or isinstance(value, bool)):
        raise StudyError(
            f"expected {hint.__name__}, got {value!r}", where=f"experiments.toml: {where}"
        )
    return value


def _require(condition: bool, name: str, value: Any, expected: str) -> None:
    if not condition:
        raise StudyError(f"{name} must be {expected}, got {value!r}")


def _require_one_of(value: Any, known: tuple[str, ...], name: str) -> None:
    if value not in known:
        raise StudyError(
            f"unknown {name} {value!r}{_nearest(value, known)}; known: {', '.join(known)}"
        )


def _require_known(table: Table, known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise StudyError(
                f"unknown key {key!r}{_nearest(key, known)}; known: {', '.join(sorted(known))}",
                where=f"experiments.toml: {where}" if "." in where else where,
            )


def _nearest(value: Any, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(value), list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""

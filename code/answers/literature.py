"""Published numbers of ``literature.toml`` and what the study has to put beside each.

A published number is compared with the method that does the same: full fine-tuning with the first
method without an adapter, LoRA with the first one with LoRA. Whether an interval covers a published
value says little where models or data differ, so both are told beside it.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from evidence.schema import Estimate

from answers.findings import comparison, estimate, tagging_method
from store.results import Results
from study.errors import StudyError
from study.settings import MethodSettings, language_of

QUANTITIES = ("score", "gap", "spread", "drop", "in_language")


@dataclass(frozen=True)
class Published:
    """A number from the literature; ``literature.toml`` says what its fields hold."""

    citation: str
    task: str
    quantity: str
    metric: str
    value: float
    model: str
    evaluated: str
    corpora: str
    settings: str
    language: str = "en"
    adapter: str = "none"
    sd: float | None = None

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise StudyError(
                f"unknown quantity {self.quantity!r}; known: {', '.join(QUANTITIES)}",
                where=f"code/answers/literature.toml: {self.citation}",
            )


@dataclass(frozen=True)
class Own:
    """Our number of the same kind: ``low`` and ``high`` are None where there is no interval."""

    value: float
    low: float | None
    high: float | None
    method: str
    model: str


@dataclass(frozen=True)
class Beside:
    """A published number and ours, None where the study has none of the kind.

    ``covered`` says whether our interval covers theirs (None without one), ``same_data`` whether
    our corpora are real ones.
    """

    published: Published
    own: Own | None
    covered: bool | None
    same_model: bool
    same_data: bool


def load_literature(file: Path | None = None) -> tuple[Published, ...]:
    """All published numbers, in the order of the file.

    Raises:
        StudyError: an entry lacks a field or has an unknown one.
    """
    file = file or Path(__file__).parent / "literature.toml"
    entries = tomllib.loads(file.read_text(encoding="utf-8"))["published"]
    try:
        return tuple(Published(**entry) for entry in entries)
    except TypeError as error:
        raise StudyError(f"an entry does not fit: {error}", where=str(file)) from error


def compare_with_published(results: Results, task: str) -> list[Beside]:
    """Our numbers beside the published ones of a task."""
    return [_beside(results, entry) for entry in load_literature() if entry.task == task]


def _beside(results: Results, published: Published) -> Beside:
    own = _own(results, published)
    covered = None
    if own is not None and own.low is not None and own.high is not None:
        covered = own.low <= published.value <= own.high
    same_model = own is not None and _short(own.model) == _short(published.model)
    real = results.profile.tasks[published.task].origin != "miniature"
    return Beside(published, own, covered, same_model, real)


def _short(model: str) -> str:
    """``google-bert/BERT-base`` -> ``bert-base``."""
    return model.split("/")[-1].lower()


# ----------------------------------------------------------------------------------- our numbers


def _own(results: Results, published: Published) -> Own | None:
    """Our number of the published kind, None where the study has none."""
    task = published.task
    full, lora = (_method(results, task, adapter) for adapter in ("none", "lora"))
    method = lora if published.adapter == "lora" else full
    if method is None or task not in results.evidence:
        return None
    found: tuple[float | None, float | None, float | None] = (None, None, None)
    if published.quantity == "gap" and lora:
        where = results.profile.tasks[task].validation
        if row := comparison(results, task, where, published.metric, method.name, lora.name):
            found = (row["effect"], row["low"], row["high"])
    elif entry := _entry(results, published, method.name):
        spread, ends = published.quantity == "spread", (entry["low"], entry["high"])
        found = (entry["sd"], None, None) if spread else (entry["value"], *ends)
    value, low, high = found
    return None if value is None else Own(value, low, high, method.name, method.model_name_or_path)


def _entry(results: Results, published: Published, method: str) -> Estimate | None:
    """Of the score or the drop, on our first evaluated set in the published language."""
    task, language = published.task, published.language
    if language_of(results.profile.tasks[task].train) != "en":  # as in all that is published here
        return None
    where = next((n for n in results.evaluations(task) if language_of(n) == language), "")
    if published.quantity in ("score", "spread"):
        return estimate(results, task, method, published.metric, where)
    if published.quantity != "drop":
        return None
    tagging = tagging_method(results, task, method)
    moved = tagging["transfer"].get(where) if tagging else None
    return moved["drop"] if moved else None


def _method(results: Results, task: str, adapter: str) -> MethodSettings | None:
    """The first finished method with this adapter that adapts the task's first model."""
    for method in results.settings(task):
        kind = method.adapter.kind if method.adapter else "none"
        if kind == adapter and method.name in results.main_methods(task):
            return method
    return None

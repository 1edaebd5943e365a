"""Published numbers of ``literature.toml`` and what the study has to put beside each.

A published number is compared with the method that does the same: full fine-tuning with the first
method without an adapter, LoRA with the first one with LoRA. Whether an interval covers a published
value says little where models or data differ, so both are told beside it.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.results import Results
from study.errors import StudyError
from study.settings import MethodSettings, language_of

QUANTITIES = ("score", "gap", "spread", "drop", "in_language")


@dataclass(frozen=True)
class Published:
    """A number from the literature.

    Attributes:
        citation: key in ``references.bib``.
        task: ``cola`` or ``pos``.
        quantity: one of ``QUANTITIES`` (see ``literature.toml``).
        metric: as in ``evidence``.
        value: a fraction, or MCC.
        model: name of the encoder.
        evaluated: ``validation`` or ``test``.
        corpora: what it was evaluated on.
        settings: of the publication: names a text ``settings_...`` of the tables.
        language: of the evaluated text.
        adapter: ``none`` or ``lora``.
        sd: standard deviation over seeds, where published.
    """

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
    """A published number and ours.

    Attributes:
        published: theirs.
        own: ours, None where the study has none of the kind.
        covered: whether our interval covers theirs; None without an interval.
        same_model: whether both started from the same checkpoint.
        same_data: whether our corpora are real, not the miniature ones.
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
    find = _FINDERS.get(published.quantity)
    own = find(results, published) if find and results.evidence.get(published.task) else None
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


def _find_score(results: Results, published: Published) -> Own | None:
    method = _method(results, published.task, published.adapter)
    entry = _metrics(results, published, method.name) if method else None
    estimate = entry.get(published.metric) if entry else None
    return _own(estimate, method) if estimate and method else None


def _find_spread(results: Results, published: Published) -> Own | None:
    method = _method(results, published.task, published.adapter)
    entry = _metrics(results, published, method.name) if method else None
    sd = entry[published.metric]["sd"] if entry else None
    if method is None or sd is None:
        return None
    return Own(sd, None, None, method.name, method.model_name_or_path)


def _find_drop(results: Results, published: Published) -> Own | None:
    method = _method(results, published.task, published.adapter)
    if method is None:
        return None
    found = results.evidence[published.task]["methods"].get(method.name, {}).get("transfer", {})
    targets = [target for target in found if language_of(target) == published.language]
    return _own(found[targets[0]]["drop"], method) if targets else None


def _find_gap(results: Results, published: Published) -> Own | None:
    full, lora = (_method(results, published.task, adapter) for adapter in ("none", "lora"))
    if full is None or lora is None:
        return None
    evaluation = results.profile.tasks[published.task].validation
    for row in results.evidence[published.task]["comparisons"]:
        if (row["evaluation"], row["metric"]) != (evaluation, published.metric):
            continue
        pair = (row["first"], row["second"])
        if row["effect"] is not None and set(pair) == {full.name, lora.name}:
            return _gap(row, full, pair == (full.name, lora.name))
    return None


def _gap(row: Mapping[str, Any], full: MethodSettings, straight: bool) -> Own:
    effect, low, high = row["effect"], row["low"], row["high"]
    if not straight:
        effect = -effect
        low, high = (None if end is None else -end for end in (high, low))
    return Own(effect, low, high, full.name, full.model_name_or_path)


_FINDERS: Mapping[str, Callable[[Results, Published], Own | None]] = {
    "score": _find_score,
    "gap": _find_gap,
    "spread": _find_spread,
    "drop": _find_drop,
}


def _method(results: Results, task: str, adapter: str) -> MethodSettings | None:
    """The first finished method with this adapter that adapts the task's first model."""
    methods = results.profile.tasks[task].methods
    for method in methods:
        kind = method.adapter.kind if method.adapter else "none"
        trains = kind != "none" or method.trainable == "all"
        same = method.model_name_or_path == methods[0].model_name_or_path
        if kind == adapter and trains and same and method.name in results.methods(task):
            return method
    return None


def _metrics(results: Results, published: Published, method: str) -> Mapping[str, Any] | None:
    entry = results.evidence[published.task]["methods"].get(method)
    if entry is None or "metrics" in entry:
        return entry["metrics"] if entry else None
    found = entry["evaluations"]
    names = [name for name in found if language_of(name) == published.language]
    return found[names[0]]["metrics"] if names else None


def _own(estimate: Mapping[str, Any], method: MethodSettings) -> Own | None:
    if estimate["value"] is None:
        return None
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    return Own(value, low, high, method.name, method.model_name_or_path)

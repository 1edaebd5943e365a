"""Published numbers of ``literature.toml`` and what the study has to put beside each.

A published number is compared with the method that does the same: full fine-tuning with the first
method without an adapter, LoRA with the first one with LoRA. Whether an interval covers a published
value says little where models or data differ, so both are told beside it.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from answers.findings import comparison, estimate, tagging_method
from evidence.schema import Estimate
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
    own = find(results, published) if find and published.task in results.evidence else None
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
    found = _estimate(results, published, method) if method else None
    return _own(found, method) if found and method else None


def _find_spread(results: Results, published: Published) -> Own | None:
    method = _method(results, published.task, published.adapter)
    found = _estimate(results, published, method) if method else None
    sd = found["sd"] if found else None
    if method is None or sd is None:
        return None
    return Own(sd, None, None, method.name, method.model_name_or_path)


def _find_drop(results: Results, published: Published) -> Own | None:
    method = _method(results, published.task, published.adapter)
    if method is None:
        return None
    entry = tagging_method(results, published.task, method.name)
    found = entry["transfer"] if entry else {}
    targets = [target for target in found if language_of(target) == published.language]
    return _own(found[targets[0]]["drop"], method) if targets else None


def _find_gap(results: Results, published: Published) -> Own | None:
    full, lora = (_method(results, published.task, adapter) for adapter in ("none", "lora"))
    if full is None or lora is None:
        return None
    where = results.profile.tasks[published.task].validation
    row = comparison(results, published.task, where, published.metric, full.name, lora.name)
    if row is None or row["effect"] is None:
        return None
    return Own(row["effect"], row["low"], row["high"], full.name, full.model_name_or_path)


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


def _estimate(results: Results, published: Published, method: MethodSettings) -> Estimate | None:
    """Of the published metric, on our first evaluated set in the published language."""
    names = results.evaluations(published.task)
    own = [name for name in names if language_of(name) == published.language]
    where = own[0] if own else ""
    return estimate(results, published.task, method.name, published.metric, where)


def _own(found: Estimate, method: MethodSettings) -> Own | None:
    if found["value"] is None:
        return None
    return Own(found["value"], found["low"], found["high"], method.name, method.model_name_or_path)

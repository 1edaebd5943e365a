"""Published numbers of ``literature.toml`` and the facts that the study has to put beside each.

A published number is compared with the method that does the same: full fine-tuning with the one
that trains every weight, LoRA with the adapter, if that is LoRA. Whether an interval covers a
published value says little where models or data differ, so both are told beside it.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from facts.fact import Fact
from store.results import Results
from study.addresses import language_of
from study.errors import StudyError
from study.settings import MethodSettings
from text.view import TaskView

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
                where=f"code/text/literature.toml: {self.citation}",
            )


@dataclass(frozen=True)
class Beside:
    """A published number and our fact, without a value where the study has none of the kind.

    ``covered`` says whether our interval covers theirs (None without one), ``same_data`` whether
    our corpora are real ones. Of a spread, the number is the fact's ``sd``.
    """

    published: Published
    own: Fact
    model: str
    covered: bool | None
    same_model: bool


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
    """Our facts beside the published numbers of a task."""
    return [_beside(results, entry) for entry in load_literature() if entry.task == task]


def _beside(results: Results, published: Published) -> Beside:
    view = TaskView(results, published.task)
    method = _method(view, published)
    own = _own(view, published, method)
    known = own.known and own.low is not None and own.high is not None
    interval = known and published.quantity != "spread"
    model = method.model_name_or_path if method else ""
    return Beside(
        published=published,
        own=own,
        model=model,
        covered=own.low <= published.value <= own.high if interval else None,  # type: ignore[operator]
        same_model=model.split("/")[-1].lower() == published.model.split("/")[-1].lower(),
    )


def _method(view: TaskView, published: Published) -> MethodSettings | None:
    """The finished method that does what the published one did."""
    name = view.second if published.adapter == "lora" else view.first
    method = view.settings.method(name) if name else None
    adapter = method.adapter if method else None
    if published.adapter == "lora" and not (adapter and adapter.peft_type == "LORA"):
        return None
    return method


def _own(view: TaskView, published: Published, method: MethodSettings | None) -> Fact:
    """Our fact of the published kind, on our first set in the published language.

    Everything that is published here was trained in English.
    """
    nothing = Fact(quantity="score")
    if method is None or published.quantity == "in_language":
        return nothing
    if published.quantity == "gap":
        return view.difference(published.metric)
    sets = [e for e in view.settings.evaluations if language_of(e) == published.language]
    if language_of(view.settings.train) != "en" or not sets:
        return nothing
    quantity = "drop" if published.quantity == "drop" else "score"
    return view.one(quantity, method.name, metric=published.metric, evaluation=sets[0])

"""A fact: one measured quantity, what it is about, and what is known of it.

A fact is a row of one flat table. The first columns say what it is about and identify it, so that
no two facts agree in all of them; a column that does not apply is empty. The last columns say what
is known. Fractions are in [0, 1]; NaN never occurs, what is not known is None.
"""

import hashlib
import operator
from dataclasses import dataclass, fields
from typing import Any, Literal

Covers = Literal["", "items", "items and seeds", "seeds", "batches", "points", "range"]
"""What an interval is over: evaluated items, items and training seeds, seeds alone, batches of a
timed step, points of a curve. ``range``: no interval, the least and the greatest of the runs."""

Outcome = Literal["", "better", "worse", "equivalent", "undecided"]
"""What the interval decides; of a difference, from the side of ``method``."""

BASE = "base"
"""In ``against``: the encoder before training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One row of the table of facts."""

    quantity: str  # what was measured, one of ``facts.quantities``
    task: str = ""
    method: str = ""  # a control that is computed has a name of its own
    variant: str = ""  # which settings of an experiment; "" in the main study
    # The second method of a difference or a ratio, the second group of a contrast, the second third
    # of a model in a restoration, the other task of a trend; ``BASE``: the encoder before training.
    against: str = ""
    evaluation: str = ""  # address of the evaluated set, ``corpus:split``
    metric: str = ""  # which of the quantity's measures
    seed: int | None = None  # of one run; None: over seeds, or of no run
    layer: str = ""  # ``embeddings``, ``encoder.layer.0``, ..., ``pooler``, ``head``; ``all``: mean
    kind: str = ""  # kind of matrix within the layer; ``all``: the layer as one vector
    tag: str = ""  # the right tag or label
    predicted: str = ""  # the tag or label that was given
    grouping: str = ""  # what items are grouped by (``by_domain``)
    group: str = ""  # one of its groups
    cause: str = ""  # kind of error
    part: str = ""  # part of the model that was set back to its values before training
    split: str = ""  # ``train`` or ``validation`` of a curve
    step: int | None = None  # optimisation step of a curve; of ``expected best``, how many tries

    value: float | None = None  # mean over seeds where ``seed`` is None, of costs the median
    low: float | None = None  # with ``high`` the 95 % interval, or the range of the runs
    high: float | None = None
    covers: Covers = ""  # what the interval is over
    p: float | None = None  # two-sided, corrected for the comparisons of its family
    n: int | None = None  # how many items, tokens, batches or weights it rests on
    seeds: int = 0  # how many runs it rests on; 0 for what has no seeds
    sd: float | None = None  # standard deviation over these runs, None for fewer than two
    outcome: Outcome = ""  # what the interval decides
    reason: str = ""  # why something is missing
    entry: str = ""  # the stored entry that it comes from; of several runs with * for their seeds
    epoch: float | None = None  # of a point of a curve, and
    elapsed: float | None = None  # seconds of training so far

    @property
    def key(self) -> tuple[str | int | None, ...]:
        """The columns that identify the fact."""
        found: tuple[str | int | None, ...] = _key_of(self)
        return found

    @property
    def id(self) -> str:
        """A short name of the fact: eight hexadecimal digits of the hash of its key."""
        text = "\x1f".join("" if part is None else str(part) for part in self.key)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    def turned(self) -> "Fact":
        """A difference or contrast told from the other side."""
        opposite: dict[str, Outcome] = {"better": "worse", "worse": "better"}
        values = {name: getattr(self, name) for name in COLUMNS}
        values |= {"method": self.against, "against": self.method}
        if self.grouping:
            values |= {"method": self.method, "group": self.against, "against": self.group}
        values |= {"value": _minus(self.value), "low": _minus(self.high), "high": _minus(self.low)}
        return Fact(**{**values, "outcome": opposite.get(self.outcome, self.outcome)})


COLUMNS = tuple(field.name for field in fields(Fact))
KEY = COLUMNS[: COLUMNS.index("value")]
_key_of = operator.attrgetter(*KEY)
DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(Fact) if f.name != "quantity"}


def _minus(value: float | None) -> float | None:
    return None if value is None else 0.0 - value

"""The closed list of quantities: what each one is, its metrics, and the unit of each.

A unit says how a number is to be read; how it is written in a language is decided in one place
above (``text``). A new measurement is a function on arrays, its facts, and a line here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from facts.fact import Fact


class Unit(StrEnum):
    """How a number is to be read."""

    PERCENT = "percent"  # a fraction of 1, shown as per cent
    POINTS = "points"  # a difference of two fractions of 1, shown as percentage points
    PLAIN = "plain"  # without unit, three digits: a correlation, a loss in nats, a distance
    RATIO = "ratio"  # how many times
    COUNT = "count"  # a whole number
    SECONDS = "seconds"
    BYTES = "bytes"
    EPOCHS = "epochs"
    SMALL = "small"  # needs a power of ten
    RATE = "rate"  # a number a second


@dataclass(frozen=True)
class Quantity:
    """What a quantity is."""

    meaning: str  # in one sentence
    unit: Unit  # of its values
    # metric -> unit, where a metric has another one than ``unit``
    metrics: Mapping[str, Unit] = field(default_factory=dict)
    less_is_better: bool = False  # whether the smaller of two values is the better one


_SCORES = {"matthews_correlation": Unit.PLAIN, "loss": Unit.PLAIN}

QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        "score": Quantity(
            "a metric of a method on an evaluated set, on a group or tag of it, or with a part of "
            "the model set back",
            Unit.PERCENT,
            _SCORES,
        ),
        "difference": Quantity(
            "a score of one method minus that of another on the same items and seeds; metric "
            "'drop': of their drops, 'cka': of the similarity of their last layers",
            Unit.POINTS,
            {**_SCORES, "cka": Unit.PLAIN},
        ),
        "drop": Quantity(
            "accuracy or macro-F1 in the language of training minus that on the evaluated set",
            Unit.POINTS,
            less_is_better=True,
        ),
        "contrast": Quantity(
            "accuracy on one group of items minus that on another, of one method", Unit.POINTS
        ),
        "contribution": Quantity(
            "the part of the drop that a tag, group, confusion or cause accounts for; the parts of "
            "one division add up to the drop",
            Unit.POINTS,
        ),
        "share": Quantity("a part of a whole", Unit.PERCENT),
        "confusion": Quantity(
            "items of a label that were given another, mean over seeds", Unit.COUNT
        ),
        "size": Quantity("how many there are in an evaluated set, a group or a split", Unit.COUNT),
        "shared errors": Quantity(
            "items that every seed gets wrong: how many, and how many if errors were independent",
            Unit.COUNT,
        ),
        "learned": Quantity(
            "1 if a method is above its controls by more than chance, else 0", Unit.COUNT
        ),
        "threshold": Quantity(
            "MCC at the best threshold on these very items: an upper bound", Unit.PLAIN
        ),
        "cost": Quantity(
            "what a training takes",
            Unit.COUNT,
            {
                "training_seconds": Unit.SECONDS,
                "training_cpu_seconds": Unit.SECONDS,
                "evaluation_seconds": Unit.SECONDS,
                "tokens_per_second": Unit.RATE,
                "peak_memory_bytes": Unit.BYTES,
                "computed_bytes": Unit.BYTES,
                "memory_parameters_bytes": Unit.BYTES,
                "memory_gradients_bytes": Unit.BYTES,
                "memory_optimizer_bytes": Unit.BYTES,
                "kept_bytes": Unit.BYTES,
            },
        ),
        "step": Quantity("what one training step takes, median over batches", Unit.SECONDS),
        "latency": Quantity(
            "what a forward pass takes with an adapter as it is and merged into its encoder, "
            "median over batches of one size, and the ratio of the two",
            Unit.SECONDS,
            {"unmerged_over_merged": Unit.RATIO},
            less_is_better=True,
        ),
        "ratio": Quantity("a cost or change of a method in units of another's", Unit.RATIO),
        "distance": Quantity(
            "how far weights moved from the base model: l2, relative to the base's norm, root mean "
            "square of a weight, angle in radians",
            Unit.PLAIN,
            {"relative": Unit.PERCENT, "rms": Unit.SMALL},
        ),
        "spectrum": Quantity(
            "singular values of an update",
            Unit.PLAIN,
            {"rank": Unit.COUNT, "top8_share": Unit.PERCENT, "intruders": Unit.COUNT},
        ),
        "similarity": Quantity("linear CKA of hidden states, base against tuned", Unit.PLAIN),
        "embedding rows": Quantity(
            "rows of the embedding table that training sentences look up, and the others",
            Unit.COUNT,
            {"touched_share": Unit.PERCENT},
        ),
        "untouched": Quantity(
            "weights that a method does not train: how many, and changed", Unit.COUNT
        ),
        "restoration": Quantity(
            "score of a trained model minus that of the same model with a part set back",
            Unit.POINTS,
            _SCORES,
        ),
        "forgetting": Quantity(
            "nats a masked piece under the head of the encoder's pretraining: before training "
            "('base_loss'), after it, and how much more than the base or than another method",
            Unit.PLAIN,
            less_is_better=True,
        ),
        "curve": Quantity("a loss or metric by training step", Unit.PERCENT, _SCORES),
        "convergence": Quantity(
            "what a learning curve says: best points, rise after the minimum, slope an epoch",
            Unit.PLAIN,
            {
                "best_loss_epoch": Unit.EPOCHS,
                "best_metric_epoch": Unit.EPOCHS,
                "onset_epoch": Unit.EPOCHS,
                "turned": Unit.COUNT,
            },
        ),
        "example": Quantity(
            "score of a small made-up case that shows what a metric does", Unit.PERCENT
        ),
        "trend": Quantity(
            "how change is distributed over the depth of the encoder; against another task: how "
            "many times as large as there",
            Unit.PLAIN,
            {
                "upper_over_lower": Unit.RATIO,
                "last_over_first": Unit.RATIO,
                "head_over_next": Unit.RATIO,
            },
        ),
        "calibration": Quantity(
            "share of statements that are false in simulated studies whose truth is known: the "
            "worst kind ('worst', with its standard error 'error'), read as statements about the "
            "method ('false_of_method'), and the share of studies in which nothing is decided",
            Unit.PERCENT,
            {"studies": Unit.COUNT},
        ),
        "setting": Quantity(
            "a setting of an experiment; variant 'best rates': the learning rate that was best on "
            "the tenth of the training sentences that selects, with the range over resamples of it",
            Unit.PLAIN,
            {
                "learning_rate": Unit.SMALL,
                "head_learning_rate": Unit.SMALL,
                "train_share": Unit.PERCENT,
                "num_train_epochs": Unit.COUNT,
                "r": Unit.COUNT,
            },
        ),
        "expected best": Quantity(
            "score that the best of so many tries (step) is expected to report",
            Unit.PERCENT,
            _SCORES,
        ),
        "crossing": Quantity(
            "share of the training sentences at which two methods do equally well", Unit.PERCENT
        ),
        "search": Quantity(
            "what experiments took: tries of rates (group 'tries'), all others ('rest')",
            Unit.COUNT,
            {"training_seconds": Unit.SECONDS},
        ),
        "procedure": Quantity(
            "how intervals were made: level, resamples", Unit.COUNT, {"level": Unit.PERCENT}
        ),
    }
)
"""Every quantity that a fact may have."""


def unit_of(fact: Fact, column: str = "value") -> Unit:
    """The unit of a column of a fact.

    Raises:
        KeyError: the quantity is not in the list.
    """
    if column in ("n", "seeds"):
        return Unit.COUNT
    if column == "p":
        return Unit.PLAIN
    quantity = QUANTITIES[fact.quantity]
    return quantity.metrics.get(fact.metric, quantity.unit)

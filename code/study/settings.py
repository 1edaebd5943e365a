"""What is run: ``experiments.toml`` read into frozen dataclasses that refuse bad values by name.

A profile states only what differs from the defaults (see the head of ``experiments.toml`` for the
order in which tables win). Names of methods, corpora and languages are data: the code branches on
what a method *is* (its adapter, what it trains), never on what it is called. Leaves out what does
not belong to an experiment: folders (``paths``), the look of figures (``style``).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from study.adapters import AdapterSettings
from study.addresses import language_of, parse_address
from study.checks import require, require_at_least, require_distinct, require_one_of, require_seeds

DEFAULT_PROFILE = "full"
Table = Mapping[str, Any]
MODEL_KEYS = ("model_name_or_path", "revision", "pooler")


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
    precision: str = "auto"  # of matrix products: "float32", "bfloat16", "float16" (loss scaling)
    head_learning_rate: float | None = None  # peak for the head; None: as everything else

    def __post_init__(self) -> None:
        rates = [n for n in ("learning_rate", "head_learning_rate") if getattr(self, n) is not None]
        for name in (*rates, "max_grad_norm"):
            require(getattr(self, name) > 0, name, getattr(self, name), "above 0")
        for name in (*rates, "weight_decay"):  # an infinite threshold clips nothing
            require(getattr(self, name) < math.inf, name, getattr(self, name), "finite")
        require_at_least(self, 1, "num_train_epochs", "evaluations_per_epoch")
        require_at_least(self, 1, "per_device_train_batch_size", "per_device_eval_batch_size")
        require_at_least(self, 0, "weight_decay", "validation_items")
        require_at_least(self, 8, "max_length")
        require(0 <= self.warmup_ratio < 1, "warmup_ratio", self.warmup_ratio, "in [0, 1)")
        formats = ("auto", "float32", "bfloat16", "float16")
        require_one_of(self.precision, formats, "precision")
        known = ("linear", "cosine", "constant", "constant_with_warmup")
        require_one_of(self.lr_scheduler_type, known, "lr_scheduler_type")


@dataclass(frozen=True)
class MethodSettings:
    """One way to adapt a pretrained encoder. Full fine-tuning is the absence of an adapter."""

    name: str
    model_name_or_path: str  # hub name, folder, or package:<python package>/<folder>
    revision: str  # commit of the hub's repository; "" for a local checkpoint
    trainable: str  # "all", "head", or "bias" (BitFit): what is trained where there is no adapter
    adapter: AdapterSettings | None
    training: TrainingSettings
    pooler: str = "encoder"  # what a pretrained pooler belongs to; "head": trained by all methods
    seeds: tuple[int, ...] = ()  # its own seeds, where a control needs fewer than its task has

    def __post_init__(self) -> None:
        require_one_of(self.pooler, ("encoder", "head"), "pooler")
        require_one_of(self.trainable, ("all", "head", "bias"), "trainable")
        alone = self.adapter is None or self.trainable == "all"
        require(alone, "trainable", self.trainable, "left out where there is an adapter")
        require(bool(self.model_name_or_path), "model_name_or_path", "", "a name or a folder")
        require_seeds(self.seeds)

    @property
    def mergeable(self) -> bool:
        """Whether the tuned model has weights that can be compared with the base model's."""
        return self.adapter is None or self.adapter.mergeable

    @property
    def moves_encoder(self) -> bool:
        """Whether the encoder's own weights can change."""
        return self.mergeable and not self.trains_head_alone

    @property
    def trains_everything(self) -> bool:
        """Whether every weight of the model itself is trained."""
        return self.adapter is None and self.trainable == "all"

    @property
    def trains_head_alone(self) -> bool:
        """Whether the encoder stays as it is, so that its outputs can be computed once."""
        return self.adapter is None and self.trainable == "head"


@dataclass(frozen=True)
class Roles:
    """What methods are compared as: their names, None where no method plays the role."""

    reference: str | None  # trains every weight
    adapter: str | None  # trains an adapter on the reference's model
    control: str | None  # trains the head alone
    foreign: str | None  # trained like the reference, from another checkpoint


def find_roles(methods: Sequence[MethodSettings]) -> Roles:
    """Which of the methods plays which role: by what it does, never by its name."""
    full = [m for m in methods if m.trains_everything]
    same = [m for m in methods if not full or m.model_name_or_path == full[0].model_name_or_path]
    adapters = (m.name for m in same if m.adapter is not None)
    controls = (m.name for m in methods if m.trains_head_alone)
    foreign = (m.name for m in full if m.model_name_or_path != full[0].model_name_or_path)
    return Roles(
        reference=full[0].name if full else None,
        adapter=next(adapters, None),
        control=next(controls, None),
        foreign=next(foreign, None),
    )


@dataclass(frozen=True)
class Margins:
    """The smallest differences that matter: an interval wholly within one says "the same".

    Scores and similarities are in their own unit, factors above 1. A slope of a metric, an epoch,
    and what a metric loses without a part of the model have the margin of the metric.
    """

    matthews_correlation: float = 0.02  # less than the standard error of CoLA's validation set
    accuracy: float = 0.005  # half a point; also of the drop between languages
    macro_f1: float = 0.01  # rare tags make it move more
    loss: float = 0.02  # nats
    masked_loss: float = 0.05  # nats a masked piece: five per cent of perplexity
    similarity: float = 0.02  # of CKA
    cost_ratio: float = 1.1  # factor between two costs
    depth_ratio: float = 1.25  # factor between the changes of two parts of the encoder
    epochs: float = 0.5  # between two points of a schedule

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name.endswith("ratio"):
                require(1 < value < 10, f"margins.{name}", value, "a factor between 1 and 10")
            else:
                require(0 < value < 1, f"margins.{name}", value, "between 0 and 1")

    def of(self, metric: str) -> float | None:
        """The margin of a metric, None where nothing is called the same."""
        return vars(self).get("accuracy" if metric == "drop" else metric)


Value = float | int | str | tuple[str, ...]


@dataclass(frozen=True)
class Variant:
    """A method with other settings than in the comparison, or with other training sentences."""

    name: str  # of the experiment and, where it tries several values, of the value: ``lr3e-4``
    method: MethodSettings  # as it is run
    # what differs from the comparison: setting -> value. Settings of the adapter stand beside the
    # others; ``train_share`` is a share of the training sentences
    changes: tuple[tuple[str, Value], ...]
    train: str  # address of the training sentences
    evaluations: tuple[str, ...]  # addresses of the evaluated sets
    held_out: str = ""  # the evaluated set that selects, "" for a specification
    own_rate: bool = False  # whether the rate that is tried is that of the method's own settings

    @property
    def label(self) -> str:
        """Method and name, as a run is called by."""
        return f"{self.method.name}-{self.name}"

    @property
    def moves_head_differently(self) -> bool:
        """Whether the head has another rate than in the comparison: its distance is measured."""
        return any(name == "head_learning_rate" for name, _ in self.changes)


@dataclass(frozen=True)
class Experiments:
    """What is run after the comparison: tries that select a rate, specifications that do not."""

    seeds: tuple[int, ...] = ()  # of every variant
    variants: tuple[Variant, ...] = ()  # in the order in which they are run

    def __post_init__(self) -> None:
        require_distinct(self.seeds, "seeds")
        require_distinct([variant.label for variant in self.variants], "experiments")

    @property
    def tries(self) -> dict[str, list[Variant]]:
        """Method -> the variants that try a rate of it."""
        found: dict[str, list[Variant]] = {}
        for variant in self.variants:
            if variant.held_out:
                found.setdefault(variant.method.name, []).append(variant)
        return found

    @property
    def specifications(self) -> dict[str, list[Variant]]:
        """Name -> the variants of a specification, one a method."""
        found: dict[str, list[Variant]] = {}
        for variant in self.variants:
            if not variant.held_out:
                found.setdefault(variant.name, []).append(variant)
        return found


@dataclass(frozen=True)
class TaskSettings:
    """One task: its data, the methods that are compared on it, and the seeds of each method."""

    name: str
    kind: str  # "sequence" (one label a sentence) or "token" (one label a word)
    origin: str  # "hub", "local" or "miniature"
    train: str  # "<corpus>:<split>", or a part of it: "<corpus>:<split>[:25%]"
    evaluations: tuple[str, ...]  # "<corpus>:<split>"; the first is also the validation curve
    methods: tuple[MethodSettings, ...]
    seeds: tuple[int, ...]
    price_steps: int = 30  # steps of each method behind the price of a step
    restoration_items: int = 0  # sentences that are scored with parts set back, 0 = all
    margins: Margins = field(default_factory=Margins)  # of equivalence
    experiments: Experiments = field(default_factory=Experiments)  # after the comparison

    def __post_init__(self) -> None:
        require_one_of(self.kind, ("sequence", "token"), "kind")
        require_one_of(self.origin, ("hub", "local", "miniature"), "origin")
        train, *sets = map(parse_address, (self.train, *self.evaluations))
        for address in (train, *sets):
            known = address.corpus == "cola" or address.corpus.find("_") > 0
            require(known, "a corpus", str(address), "cola, or a treebank named <language>_<name>")
        require(bool(self.evaluations), "evaluations", self.evaluations, "at least one")
        require_distinct(self.evaluations, "evaluations")
        require(
            not any(address.overlaps(train) for address in sets),
            "evaluations",
            self.evaluations,
            f"other sets than the training set {self.train!r}",
        )
        require(
            language_of(self.validation) == language_of(self.train),
            "the first of the evaluations, which is followed during training,",
            self.validation,
            f"in the language of the training set {self.train!r}",
        )
        require(bool(self.seeds), "seeds", self.seeds, "at least one seed")
        require_seeds(self.seeds)
        require(bool(self.methods), "methods_run", (), "at least one method")
        require_distinct([method.name for method in self.methods], "methods_run")
        require_at_least(self, 1, "price_steps")
        require_at_least(self, 0, "restoration_items")

    @property
    def validation(self) -> str:
        """The evaluation that is followed during training."""
        return self.evaluations[0]

    @property
    def metric(self) -> str:
        """The metric that the task is judged by."""
        return "matthews_correlation" if self.kind == "sequence" else "accuracy"

    @property
    def roles(self) -> Roles:
        """Which of the task's methods plays which role."""
        return find_roles(self.methods)

    def seeds_of(self, method: MethodSettings) -> tuple[int, ...]:
        """The seeds that a method is run with: its own, else the task's."""
        return method.seeds or self.seeds

    def method(self, name: str) -> MethodSettings:
        """The settings of the method of that name."""
        return next(method for method in self.methods if method.name == name)


@dataclass(frozen=True)
class Profile:
    """A named set of tasks: one report."""

    name: str  # of its table in experiments.toml
    title: str  # in words
    tasks: dict[str, TaskSettings]  # task -> its settings
    # runs that are trained at a time where there is no GPU; they share its threads
    workers: int = 1

    def __post_init__(self) -> None:
        require_at_least(self, 1, "workers")


def name_run(task: str, method: str, seed: int | None, variant: str = "") -> str:
    """What a run is called: ``cola-lora-seed42``, of an experiment ``cola-lora-lr3e-4-seed42``."""
    return "-".join(filter(None, (task, method, variant, f"seed{seed}")))

"""What is stored as the evidence of Tasks 1 and 2: typed dictionaries, made here, read by reports.

``acceptability.summarise_acceptability`` and ``tagging.summarise_tagging`` make them. Methods,
evaluations, languages and tags are data: no name has a meaning, and results keep the order given.
All values are str, int, float, bool, None, list or dict; NaN never occurs. Fractions are in [0, 1].
What is missing is None, and ``reason`` beside it says why. Groups are kept by kind:

* ``by_domain``: "in" | "out" | "unknown" (CoLA's sources); ``by_label``: "majority" | "minority"
  (is the gold label the training majority?); ``by_phenomenon``: as the corpus names them;
* ``by_tag``: gold tags; ``by_seen``: "seen" | "unseen" (is the form in training?);
  ``by_pieces``: "1" .. "4+" (by the method's own tokenizer);
* ``by_length``: words of the sentence, "1-5" ..
"""

from collections.abc import Mapping
from typing import Literal, TypedDict

Covers = Literal["items and seeds", "items"]
Outcome = Literal["better", "worse", "equivalent", "undecided"]


class Estimate(TypedDict):
    """A mean over seeds with its intervals (see ``intervals``).

    ``low`` and ``high`` are over items and seeds, None for one or two seeds, which are too few to
    know their spread; of a control, which has no seeds, they are over items. ``per_seed`` is
    parallel to the method's ``seeds``; ``sd`` is that sample's, None for one seed.
    """

    value: float | None
    low: float | None
    high: float | None
    low_items: float | None
    high_items: float | None
    sd: float | None
    per_seed: list[float]
    covers: Covers
    reason: str | None


class Comparison(TypedDict):
    """First minus second method on the same items and the seeds that both have ([]: controls).

    ``metric`` is "drop" or the name of a metric; of a drop, ``evaluation`` is the target and less
    is better. The interval, p and outcome are over what ``covers`` says;
    those over items, for these trained models, stand beside them. ``family`` is the number of
    comparisons that Holm's correction covers: those with a control; 1 for the ``primary`` one,
    reference against adapter. ``outcome`` is told from the first method's side.
    """

    evaluation: str
    metric: str
    first: str
    second: str
    primary: bool
    outcome: Outcome | None
    margin: float | None
    effect: float | None
    low: float | None
    high: float | None
    p: float | None
    p_corrected: float | None
    low_items: float | None
    high_items: float | None
    p_items: float | None
    p_items_corrected: float | None
    family: int
    n: int
    seeds: list[int]
    covers: Covers
    reason: str | None


class Contrast(TypedDict):
    """Accuracy on one group of items minus that on another, of one method."""

    first: str
    second: str
    difference: Estimate


class AlwaysWrong(TypedDict):
    """Items (row numbers) that every seed gets wrong, beside what independent errors would give."""

    indices: list[int]
    count: int
    expected: float
    share: float


class ItemGroup(TypedDict):
    """Sentences of one kind."""

    group: str
    items: int
    share: float
    accuracy: Estimate
    matthews_correlation: Estimate


class Threshold(TypedDict):
    """MCC by the threshold on P(acceptable), at 101 of them; means over seeds.

    ``upper_bound`` is the mean of the best MCC at any threshold, chosen on the items that it is
    scored on; ``gain`` is how far it lies above ``argmax``, the MCC at 0.5.
    """

    thresholds: list[float]
    matthews_correlation: list[float]
    sd: list[float] | None
    argmax: float
    upper_bound: float
    gain: float
    best_thresholds: list[float]


class Method(TypedDict):
    """What both tasks say of a method; a control is computed here and has no seeds.

    ``learned``: whether the first compared metric on the validation set is above the computed
    control and, for what adapts the encoder, above the trained head on the frozen one, by more than
    the interval; None where there is nothing to compare with.
    """

    control: bool
    seeds: list[int]
    learned: bool | None


class AcceptabilityMethod(Method):
    """A method on CoLA. Confusion: 2 x 2 mean over seeds, gold in rows, "not acceptable" first.

    ``agreement``: share of the items given the majority label.
    """

    metrics: dict[str, Estimate]
    confusion: list[list[float]]
    threshold: Threshold | None
    groups: dict[str, list[ItemGroup]]
    contrasts: dict[str, Contrast]
    agreement: Estimate | None
    always_wrong: AlwaysWrong


class TagScores(TypedDict):
    """One tag: gold words, means over seeds."""

    tag: str
    support: int
    precision: float | None
    recall: float | None
    f1: Estimate


class WordGroup(TypedDict):
    """Words of one kind in one evaluated set."""

    group: str
    words: int
    share: float
    accuracy: Estimate


class TaggingOnSet(TypedDict):
    """A method on one evaluated set. Confusion: T x T mean word counts, gold in rows."""

    metrics: dict[str, Estimate]
    per_tag: list[TagScores]
    confusion: list[list[float]]
    groups: dict[str, list[WordGroup]]
    contrasts: dict[str, Contrast]


class DropPoints(TypedDict):
    """Words of one kind in both sets (``transfer.drop_by_group``); points add up to the drop.

    ``points`` are ``points_rate`` + ``points_mix``; an accuracy is None where its set has no such
    word.
    """

    group: str
    source_words: int
    target_words: int
    source_accuracy: float | None
    target_accuracy: float | None
    points: float
    points_rate: float
    points_mix: float


class DropGroup(DropPoints):
    """The same with the drop in accuracy on these words."""

    drop: Estimate


class Cell(TypedDict):
    """A confusion and its part in the drop (``transfer.decompose_drop``)."""

    gold: str
    predicted: str
    source_rate: float
    target_rate: float
    points: float
    share: float | None


class CausePart(TypedDict):
    """A kind of error and its part in the drop; the points add up to it."""

    cause: str
    source_rate: float
    target_rate: float
    points: Estimate
    share: float | None


class Transfer(TypedDict):
    """From source to target: drop in accuracy, and in macro-F1 over the tags that both sets have.

    Cells and causes are ranked by points.
    """

    drop: Estimate
    drop_macro_f1: Estimate
    tags_in_both: list[str]
    groups: dict[str, list[DropGroup]]
    cells: list[Cell]
    causes: list[CausePart]


class TaggingMethod(Method):
    """A method of tagging, on the sets and targets that it has predictions for."""

    evaluations: dict[str, TaggingOnSet]
    transfer: dict[str, Transfer]


class EvaluatedSet(TypedDict):
    """An evaluated set of words; support: gold words of each tag."""

    language: str
    words: int
    sentences: int
    support: dict[str, int]


class SeqevalCase(TypedDict):
    """A small case where seqeval's F1 misleads."""

    words: list[str]
    gold: list[str]
    predicted: list[str]
    accuracy: float
    seqeval_f1: float


class Procedure(TypedDict):
    """How the intervals of a task were made, what is missing as a whole, and the comparisons."""

    level: float
    resamples: int
    rng_seed: int
    reasons: list[str]
    comparisons: list[Comparison]


class AcceptabilityEvidence(Procedure):
    """Evidence of Task 1; ``always_wrong`` is over all seeds of all trained methods."""

    evaluation: str
    items: int
    majority_label: int | None
    methods: dict[str, AcceptabilityMethod]
    always_wrong: AlwaysWrong


class TaggingEvidence(Procedure):
    """Evidence of Task 2; targets are the sets in another language than the source's."""

    tags: list[str]
    source: str
    evaluations: dict[str, EvaluatedSet]
    targets: list[str]
    cause_meanings: dict[str, str]
    seqeval_trap: dict[str, SeqevalCase]
    methods: dict[str, TaggingMethod]


Evidence = AcceptabilityEvidence | TaggingEvidence
TaskEvidence = Mapping[str, Evidence]

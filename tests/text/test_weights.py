"""Sentences on weights and states: opposite outcomes give opposite sentences."""

import dataclasses
import itertools
from typing import Any

import pytest

from facts.fact import Fact
from facts.table import Facts
from store.results import Results
from synthetic_study import TRAITS, Traits, build_study, with_facts
from text.answers import load_answers
from text.head import HeadSentences
from text.models import Model, ModelSentences
from text.sentence import Said, load_speaker
from text.states import StateSentences
from text.weights import MAINLY, WeightSentences
from words.numbers import unmark
from words.wording import LANGUAGES

SEEDS = (42, 43, 44)
DEPTH = {"metric": "upper_over_lower", "kind": "relative"}
ENDS = {"metric": "last_over_first", "kind": "relative"}


def weights(study: Results, language: str = "en") -> WeightSentences:
    return load_answers(study, language).weights


def states(study: Results, language: str = "en") -> StateSentences:
    return load_answers(study, language).states


def head(study: Results) -> HeadSentences:
    return load_answers(study, "en").head


def trend(task: str, method: str, value: float, spread: float = 0.0, **key: Any) -> list[Fact]:
    """A trend of three runs and its interval over them."""
    place: dict[str, Any] = {"quantity": "trend", "task": task, "method": method, **key}
    ends = {"low": value / (1 + spread), "high": value * (1 + spread), "covers": "seeds"}
    whole = Fact(**place, value=value, seeds=3, **ends)
    return [whole, *(Fact(**place, seed=seed, value=value, seeds=1) for seed in SEEDS)]


def with_thirds(value: float, spread: float = 0.01) -> Results:
    """A study in which the upper third of every model moves so many times as far as the lower."""
    models = [(task, method) for task in ("cola", "pos") for method in ("full", "lora")]
    return with_facts(
        build_study(), *(f for task, m in models for f in trend(task, m, value, spread, **DEPTH))
    )


# ---------------------------------------------------------------------------------- upper layers


@pytest.mark.parametrize(
    ("value", "outcome", "starts"),
    [
        (1.1, "none", "No, not in these runs"),
        (3.0, "all", "Mainly, but not only"),
        (12.0, "only", "Yes, hardly anywhere else"),
    ],
)
def test_the_upper_layers_by_their_thirds(value: float, outcome: str, starts: str) -> None:
    said = weights(with_thirds(value)).layers
    assert said.outcome == outcome and said.startswith(starts)
    assert "in these runs" in said


def test_some_runs_are_not_all_and_one_run_is_no_verdict() -> None:
    study = with_facts(
        build_study(), *trend("cola", "full", 1.2, **DEPTH), *trend("pos", "full", 3.0, **DEPTH)
    )
    assert weights(study).layers.outcome == "some"
    alone = weights(build_study(methods=("full",), seeds=(42,), missing=("pos-full-seed42",)))
    assert alone.layers.outcome == "one" and "no verdict" in alone.layers
    assert weights(build_study(methods=("frozen",))).layers.outcome == "unknown"


def test_an_encoder_of_fewer_than_three_layers_has_weights_and_no_thirds() -> None:
    study = build_study()
    without = Facts(fact for fact in study.facts if fact.metric != DEPTH["metric"])
    assert len(without) < len(study.facts)
    told = weights(dataclasses.replace(study, facts=without))
    assert told.layers_stated.outcome == "unknown"
    assert told.layers_stated == "There are no weights whose thirds could be compared."


@pytest.mark.parametrize(
    ("value", "spread", "says"),
    [(1.2, 0.1, "excludes twice"), (1.2, 2.0, "not settle"), (4.0, 0.1, "at least twice")],
)
def test_beyond_the_seeds_only_the_interval_speaks(value: float, spread: float, says: str) -> None:
    said = weights(with_thirds(value, spread)).layers_beyond
    assert (
        says in said
        and len({says for says in ("excludes", "settle", "least") if says in said}) == 1
    )
    assert "One seed" in weights(build_study(seeds=(42,))).layers_beyond
    assert MAINLY == 2.0, "the wordings say 'twice'"


def profile(*changes: float) -> Results:
    """A study whose full model of CoLA has this profile, the same in every run."""
    study = build_study()
    key: dict[str, Any] = {"task": "cola", "method": "full"}
    place: dict[str, Any] = {**key, "quantity": "distance", "kind": "all", "metric": "relative"}
    layers = [
        Fact(**place, layer=f"encoder.layer.{n}", value=change, seeds=3)
        for n, change in enumerate(changes)
    ]
    rising = all(a < b for a, b in itertools.pairwise(changes))
    correlation = 1.0 if rising else 0.1
    return with_facts(
        study,
        *layers,
        *trend("cola", "full", correlation, metric="rank_correlation", kind="relative"),
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ((1.0, 1.01, 0.99, 1.0), "spread evenly"),
        ((1.0, 1.01, 1.02, 1.03), "nearly even, though growing"),
        ((1.0, 1.01, 0.99, 1.8), "even up to layer [2]"),
        ((1.0, 2.0, 3.0, 4.0), "grows with depth"),
        ((2.0, 1.0, 2.5, 0.5), "no simple trend"),
    ],
)
def test_the_shape_of_a_profile(changes: tuple[float, ...], says: str) -> None:
    said = weights(profile(*changes)).shape
    own = [s for s in said.split(". ") if "full fine-tuning on CoLA" in s]
    assert len(own) == 1
    assert unmark(says).replace("[2]", "2") in own[0]


# ----------------------------------------------------------------------------------------- tasks


def with_tasks(ratio: float, spread: float) -> Results:
    return with_facts(
        build_study(),
        *trend("pos", "full", 1.2 * ratio, 0.02, **ENDS),
        *trend("cola", "full", 1.2, 0.02, **ENDS),
        trend("pos", "full", ratio, spread, **ENDS, against="cola")[0],
    )


@pytest.mark.parametrize(
    ("ratio", "spread", "outcome", "starts"),
    [
        (1.5, 0.1, "more", "Yes"),
        (0.6, 0.1, "less", "Yes"),
        (1.02, 0.05, "same", "No difference that matters"),
        (1.2, 0.6, "unclear", "Unclear"),
    ],
)
def test_tasks_are_compared_by_an_interval(
    ratio: float, spread: float, outcome: str, starts: str
) -> None:
    said = weights(with_tasks(ratio, spread)).tasks
    assert said.outcome == outcome and said.startswith(starts)


def test_one_seed_is_no_verdict_on_tasks() -> None:
    assert weights(build_study(seeds=(42,))).tasks.outcome == "one"
    assert weights(build_study(cola_methods=("frozen",))).tasks.outcome == "unknown"


@pytest.mark.parametrize(("value", "outcome"), [(1.75, "task"), (1.25, "encoder")])
def test_a_tagger_from_the_other_tasks_encoder_tells_task_from_encoder(
    value: float, outcome: str
) -> None:
    traits = {
        "full": Traits(model="synthetic/many"),
        "lora": dataclasses.replace(TRAITS["lora"], model="synthetic/many"),
        "first": Traits(model="synthetic/english"),
    }
    study = build_study(
        traits=traits, cola_methods=("first",), pos_methods=("full", "lora", "monolingual")
    )
    study = with_facts(
        study,
        *trend("cola", "first", 1.2, **ENDS),
        *trend("pos", "full", 1.8, **ENDS),
        *trend("pos", "monolingual", value, **ENDS),
        trend("pos", "full", 1.5, 0.1, **ENDS, against="cola")[0],
    )
    assert weights(study).encoders.outcome == outcome
    assert weights(with_tasks(1.5, 0.1)).encoders.key == "encoders-same"


# ------------------------------------------------------------------------------------------ head


def with_head(relative: float, euclidean: float) -> Results:
    return with_facts(
        build_study(),
        *(
            fact
            for task in ("cola", "pos")
            for method in ("full", "lora")
            for kind, value in (("relative", relative), ("l2", euclidean))
            for fact in trend(task, method, value, 0.1, metric="head_over_next", kind=kind)
        ),
    )


@pytest.mark.parametrize(
    ("relative", "euclidean", "outcome"),
    [(5.0, 2.0, "all"), (5.0, 0.3, "depends"), (0.5, 0.3, "none"), (0.5, 2.0, "depends")],
)
def test_the_head_by_two_measures(relative: float, euclidean: float, outcome: str) -> None:
    assert head(with_head(relative, euclidean)).changes_most.outcome == outcome


def test_the_rate_of_the_head_is_disclosed() -> None:
    said = unmark(head(build_study()).rate)
    assert "10 times" in said
    same = {"full": Traits(), "lora": Traits(trains="head")}
    assert head(build_study(traits=same)).rate == ""


def lost(task: str, metric: str, part: str, low: float, high: float, against: str = "") -> Fact:
    place = {"cola": "cola:validation", "pos": "en_syn:validation"}[task]
    return Fact(
        quantity="restoration", task=task, method="full", evaluation=place, metric=metric,
        part=part, against=against, value=(low + high) / 2, low=low,
        high=high, covers="items", seeds=2,
    )  # fmt: skip


def test_what_a_trained_head_is_worth_has_a_clause_for_every_outcome() -> None:
    study = with_facts(
        build_study(),
        lost("cola", "matthews_correlation", "classifier", -0.001, 0.05),
        lost("pos", "accuracy", "classifier", -0.02, -0.006),
    )
    said = unmark(head(study).restored)
    assert "costs something with LoRA on CoLA" in said
    assert "unclear whether it costs anything with full fine-tuning on CoLA" in said
    assert "better, a negative loss, with full fine-tuning in POS tagging" in said
    assert "learned to serve" in said
    assert "learned to serve" not in head(build_study()).restored


# ----------------------------------------------------------------------------------- restoration


@pytest.mark.parametrize(
    ("part", "against", "low", "high", "starts"),
    [
        ("lower", "upper", 0.1, 0.4, "Distance is no measure of importance, in these runs"),
        (
            "lower",
            "upper",
            -0.1,
            0.4,
            "Which third is worth most is unclear at the level of the whole list, in these runs",
        ),
        ("upper", "middle", 0.1, 0.4, "Distance and importance agree, in these runs"),
    ],
)
def test_the_third_that_moved_furthest_and_the_one_that_matters(
    part: str, against: str, low: float, high: float, starts: str
) -> None:
    metric = "matthews_correlation"
    losses = {"lower": 0.02, "middle": 0.1, "upper": 0.3} | {part: 0.5}
    study = with_facts(
        build_study(cola_methods=("full", "lora"), pos_methods=("frozen",)),
        *(lost("cola", metric, name, v - 0.01, v + 0.01) for name, v in losses.items()),
        lost("cola", metric, part, low, high, against=against),
    )
    assert states(study).importance.startswith(starts)


def test_without_a_comparison_of_thirds_nothing_is_said_of_their_order() -> None:
    study = build_study()
    bare = [f for f in study.facts if f.quantity != "restoration" or not f.against]
    copy = dataclasses.replace(study)
    vars(copy)["facts"] = type(study.facts)(bare)
    assert states(copy).importance == ""
    assert states(copy).restored.outcome == "known"
    assert states(build_study(methods=("frozen",))).restored.outcome == "unknown"


# ---------------------------------------------------------------------------------------- states


def test_moving_further_and_changing_more_are_two_things() -> None:
    def compared(moved: float, cka: float) -> tuple[str, ...]:
        pair: dict[str, Any] = {"task": "cola", "method": "lora", "against": "full"}
        study = with_facts(
            build_study(),
            Fact(
                quantity="ratio", **pair, metric="moved", value=moved, low=moved * 0.9,
                high=moved * 1.1, covers="seeds",
            ),
            Fact(
                quantity="difference", task="cola", method="full", against="lora", metric="cka",
                evaluation="cola:validation", value=cka, low=cka - 0.01, high=cka + 0.01,
                covers="seeds",
            ),
        )  # fmt: skip
        return tuple(states(study).states("cola").outcome.split(", "))

    assert compared(3.0, -0.3) == ("more", "less")
    assert compared(0.3, 0.3) == ("less", "more")
    assert compared(1.0, 0.0) == ("same", "same")


def test_the_update_is_described_by_rank_with_its_interval() -> None:
    said = states(build_study()).structure("cola")
    assert said.outcome == "less" and "lower" in said
    equal = {"full": Traits(), "lora": Traits(model="synthetic/encoder")}
    assert states(build_study(traits=equal)).structure("cola").outcome != "less"


# ------------------------------------------------------------------------------------ everything

STUDIES: dict[str, dict[str, Any]] = {
    "usual": {},
    "swapped": {"traits": {"full": TRAITS["lora"], "lora": TRAITS["full"]}},
    "one seed": {"seeds": (42,)},
    "no adapter": {"methods": ("full", "frozen")},
    "nothing moves": {"methods": ("frozen",)},
    "two languages": {"languages": ("de", "nl"), "methods": ("full", "lora", "monolingual")},
}


def said_of(study: Results, language: str) -> dict[str, Said]:
    """Everything that topics on models say of a study."""
    answers = load_answers(study, language)
    topics: list[ModelSentences] = [answers.weights, answers.head, answers.states, answers.curves]
    found: dict[str, Said] = {}
    for topic in topics:
        for name in dir(type(topic)):
            if not name.startswith("_") and isinstance(getattr(topic, name), Said):
                found[f"{type(topic).__name__}.{name}"] = getattr(topic, name)
    for task in study.profile.tasks:
        for role in ("first", "second"):
            found[f"depth {task} {role}"] = answers.weights.depth(task, role)
        for told in (answers.states.states, answers.states.structure, answers.states.rows):
            found[f"{told.__name__} {task}"] = told(task)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", STUDIES)
def test_every_study_can_be_told(name: str, language: str) -> None:
    for key, said in said_of(build_study(**STUDIES[name]), language).items():
        text = unmark(said)
        assert "{" not in text and "  " not in text and " ," not in text, (key, text)
        assert not text or text[0] == "*" or text[:1].isupper(), (
            key,
            text,
        )


def test_a_model_is_named_after_a_preposition_in_every_language() -> None:
    study = build_study()
    for language, expected in (("en", "LoRA in POS tagging"), ("ru", "LoRA в POS-разметке")):
        sentences = ModelSentences(study, load_speaker(language))
        assert unmark(sentences.name(Model(sentences.views["pos"], "lora"))) == expected

"""What is said of experiments: with three values, and nothing where none were made."""

from collections.abc import Callable

import pytest

from evidence.experiments import BEST
from facts.fact import Fact
from store.results import Results
from study.settings import Variant
from synthetic_experiments import RATES, study_with_experiments
from synthetic_study import TRAITS, build_study, with_facts
from text.answers import load_answers
from text.experiments import ExperimentSentences
from text.rates import RateSentences
from text.sentence import Said
from words.numbers import unmark
from words.wording import LANGUAGES

SENTENCES = ("answer", "brief", "listed", "how", "limits", "cost", "share", "epochs", "head")
OF_RATES = ("rates", "ratio", "best", "expected")


def say(results: Results, language: str = "en") -> ExperimentSentences:
    return load_answers(results, language).cola_experiments


def say_rates(results: Results) -> RateSentences:
    return load_answers(results, "en").cola_rates


def say_all(results: Results, language: str) -> dict[str, Said]:
    answers = load_answers(results, language)
    told = ((answers.cola_experiments, SENTENCES), (answers.cola_rates, OF_RATES))
    return {name: getattr(topic, name) for topic, names in told for name in names}


def study(quality: Callable[[str, Variant], float] | None = None) -> Results:
    return study_with_experiments(quality=quality) if quality else study_with_experiments()


def gap(value: float, low: float, high: float, variant: str, against: str = "lora") -> Fact:
    return Fact(
        quantity="difference", task="cola", method="full", against=against, variant=variant,
        evaluation="cola:validation", metric="matthews_correlation", value=value, low=low,
        high=high, covers="items", p=0.001, seeds=2,
    )  # fmt: skip


ALL = (BEST, "epochs", "rank-4", "rank-64", "share-0.25", "share-0.5")
LOSS, GAIN, OPEN, SAME = (0.2, 0.1, 0.3), (-0.2, -0.3, -0.1), (0.01, -0.1, 0.12), (0.0, -0.01, 0.01)


def with_gaps(main: tuple[float, float, float], *others: tuple[float, float, float]) -> Results:
    facts = [gap(*ends, variant) for variant, ends in zip(("", *ALL), (main, *others), strict=True)]
    return with_facts(study(), *facts)


@pytest.mark.parametrize(
    ("main", "others", "outcome", "counts"),
    [
        (LOSS, [LOSS] * 6, "yes", (6, 0, 0)),
        (LOSS, [LOSS] * 4 + [OPEN] * 2, "partly", (4, 0, 2)),
        (LOSS, [OPEN] * 6, "untold", (0, 0, 6)),
        (LOSS, [LOSS] * 3 + [GAIN, SAME, OPEN], "no", (3, 2, 1)),
        (SAME, [SAME] * 5 + [LOSS], "no", (5, 1, 0)),
        (OPEN, [OPEN] * 6, "open", (0, 0, 6)),
        (OPEN, [OPEN] * 4 + [LOSS, GAIN], "open-decided", (0, 2, 4)),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_whether_the_verdict_survives(
    main: tuple[float, float, float],
    others: list[tuple[float, float, float]],
    outcome: str,
    counts: tuple[int, int, int],
    language: str,
) -> None:
    sentences = say(with_gaps(main, *others), language)
    assert sentences.answer.outcome == outcome
    agree, against, unclear = counts
    assert sentences.brief
    told = list(sentences.verdicts.values())
    assert len(told) == 6 == agree + against + unclear
    kinds = sentences.listed.outcome.split(", ")
    assert len(kinds) == len({str(verdict) for verdict in told})


def test_the_own_rate_is_best_or_another_is_and_then_the_validation_set_decides() -> None:
    own = say_rates(study()).rates
    assert own.outcome == "own, own"

    def second(method: str, variant: Variant) -> float:
        if not variant.held_out:
            return TRAITS[method].quality
        return 1.5 if variant.method.training.learning_rate == RATES[method][0] else 0.2

    other = say_rates(study(second)).rates
    assert other.outcome == "more, low, more, low"  # and it is the lowest that was tried
    gain = gap(*OPEN, BEST)
    unclear = [
        Fact(**{name: getattr(gain, name) for name in gain.__slots__} | {"method": m, "against": m})
        for m in RATES
    ]
    assert say_rates(with_facts(study(second), *unclear)).rates.outcome.startswith("unclear")


def test_no_rate_is_called_the_best_where_any_of_them_may_be() -> None:
    tied = say_rates(study(lambda method, _: TRAITS[method].quality)).rates
    assert tied.outcome == "own, own"
    assert tied.count("cannot be told") == 2 and "lowest that was tried" not in tied


@pytest.mark.parametrize(("low", "high", "outcome"), [(3, 30, "within"), (12, 30, "above"),
                                                     (1, 3, "below")])  # fmt: skip
def test_the_ratio_of_rates_stands_beside_the_published_ten(
    low: float, high: float, outcome: str
) -> None:
    ratio = Fact(
        quantity="ratio", task="cola", method="lora", against="full", variant=BEST,
        metric="learning_rate", value=low, low=low, high=high, covers="items",
    )  # fmt: skip
    assert say_rates(with_facts(study(), ratio)).ratio.outcome == outcome


@pytest.mark.parametrize(
    ("main", "best", "outcome", "beside"),
    [(LOSS, LOSS, "more", "same"), (LOSS, GAIN, "less", "other"), (LOSS, OPEN, "unclear", "lost"),
     (OPEN, LOSS, "more", "open"), (SAME, SAME, "same", "same")],
)  # fmt: skip
def test_the_verdict_at_each_methods_own_best(
    main: tuple[float, float, float], best: tuple[float, float, float], outcome: str, beside: str
) -> None:
    sentences = say_rates(with_facts(study(), gap(*main, ""), gap(*best, BEST)))
    assert sentences.best.outcome == outcome
    beside_text = sentences.speak.say("beside", beside)
    assert str(beside_text) in sentences.best


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_said_of_a_study_with_experiments(language: str) -> None:
    sentences = say(study(), language)
    said = {name: unmark(text) for name, text in say_all(study(), language).items()}
    assert {name for name, text in said.items() if not text} == {"head"}  # no such experiment
    answers = load_answers(study(), language)
    assert answers.curves.schedule and answers.setup.choice
    assert str(sentences.brief) in answers.abstract.conclusion


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_study_without_experiments_says_so_once(language: str) -> None:
    said = say_all(build_study(sentences=120, words=500, resamples=60), language)
    assert {name for name, text in said.items() if text} == {"answer", "limits"}
    assert said["answer"].outcome == said["limits"].outcome == "none"


def test_more_epochs_are_answered_by_experiment() -> None:
    assert say(study()).epochs.outcome == "same, more"

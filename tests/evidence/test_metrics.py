"""Scores of a run: through ``evaluate``, without network, and the same as by counts."""

import itertools
import socket

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.items import UPOS_TAGS
from evidence import metrics, scoring
from evidence.checks import SAME_SCORE, check_scores
from facts.fact import Fact
from study.errors import StudyError

TAGS = len(UPOS_TAGS)


def random_logits(seed, items=200, scale=1.0):
    rng = np.random.default_rng(seed)
    labels = (rng.random(items) < 0.7).astype(int)
    margin = scale * (0.8 * (2 * labels - 1) + rng.normal(size=items))
    return np.stack([-margin / 2, margin / 2], axis=-1), labels


def random_tags(seed, words=300):
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, TAGS - 2, words)  # two tags have no gold word
    return np.where(rng.random(words) < 0.7, gold, rng.integers(0, TAGS, words)), gold


def test_scores_of_a_table_counted_by_hand():
    """3 true positives, 1 false negative, 1 false positive, 1 true negative."""
    labels, said = np.array([1, 1, 1, 1, 0, 0]), np.array([1, 1, 1, 0, 1, 0])
    scores = metrics.score_acceptability(np.eye(2)[said] * np.log(3), labels)
    assert scores == pytest.approx(
        {
            "matthews_correlation": (3 * 1 - 1 * 1) / 8,
            "accuracy": 4 / 6,
            "f1": 6 / 8,
            "f1_unacceptable": 1 / 2,
            "macro_f1": 5 / 8,
            "loss": -(4 * np.log(3 / 4) + 2 * np.log(1 / 4)) / 6,
        }
    )
    assert {type(value) for value in scores.values()} == {float}


def test_always_acceptable_has_an_mcc_of_zero():
    scores = metrics.score_acceptability(np.tile([0.0, 1.0], (3, 1)), np.array([1, 1, 0]))
    assert (scores["matthews_correlation"], scores["f1_unacceptable"]) == (0.0, 0.0)
    assert scores["accuracy"] == pytest.approx(2 / 3)


def test_scores_of_tags_counted_by_hand():
    scores = metrics.score_tags(np.array([0, 0, 0, 2]), np.array([0, 0, 1, 1]))
    assert scores == {"accuracy": 0.5, "macro_f1": (0.8 + 0) / 2, "weighted_f1": (0.8 + 0) / 2}


@settings(max_examples=25)
@pytest.mark.filterwarnings("ignore:A single label")
@given(st.integers(0, 10_000), st.integers(1, 60), st.sampled_from([0.1, 1.0, 100.0]))
def test_counts_give_the_same_scores_of_sentences(seed, items, scale):
    logits, labels = random_logits(seed, items, scale)
    totals = scoring.acceptability_counts(logits[None], labels)[0].sum(axis=0)
    ours = {name: float(metric(totals)) for name, metric in scoring.ACCEPTABILITY_METRICS.items()}
    ours |= dict.fromkeys(scoring.undefined_metrics(labels))
    assert metrics.score_acceptability(logits, labels) == pytest.approx(ours, abs=SAME_SCORE / 10)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 300))
def test_counts_give_the_same_scores_of_words(seed, words):
    predicted, gold = random_tags(seed, words)
    totals = scoring.tag_counts(predicted[None], gold, np.zeros(words, dtype=int), TAGS)[0, 0]
    ours = {name: float(metric(totals)) for name, metric in scoring.TAG_METRICS.items()}
    assert metrics.score_tags(predicted, gold) == pytest.approx(ours, abs=SAME_SCORE / 10)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((3, 3)), np.zeros(3), r"logits \(3, 2\)"),
        (np.zeros((3, 2)), np.zeros(4), r"logits \(4, 2\)"),
        (np.zeros((0, 2)), np.zeros(0), "at least one item"),
        (np.array([[np.nan, 0.0]]), np.zeros(1), "finite"),
    ],
)
def test_logits_that_do_not_fit_are_refused(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        metrics.score_acceptability(logits, labels)


@pytest.mark.parametrize(("predicted", "gold"), [([], []), ([0], [0, 1])])
def test_tags_that_do_not_fit_are_refused(predicted, gold):
    with pytest.raises(ValueError, match="at least one word"):
        metrics.score_tags(np.array(predicted), np.array(gold))


# ------------------------------------------------------------------------------------- evaluate


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    def refuse(*_):
        raise AssertionError("a metric reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    (tmp_path / "home").write_text("a file: no folder can be made in it")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_evaluate_collects_in_batches_without_network_or_home(no_network):
    predicted, gold = random_tags(5)
    metric = metrics.TaggingMetric()
    for part in np.array_split(np.arange(len(gold)), 3):
        metric.add_batch(predictions=predicted[part], references=gold[part])
    assert metric.compute() == metrics.score_tags(predicted, gold)
    logits, labels = random_logits(4)
    found = metrics.AcceptabilityMetric().compute(predictions=logits, references=labels)
    assert found == metrics.score_acceptability(logits, labels)


def test_evaluate_leaves_numpys_global_generator_alone():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    metrics.score_tags(np.array([0]), np.array([0]))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


# --------------------------------------------------------------------------------------- checks


def test_evidence_with_another_score_than_the_stored_one_is_refused():
    key = {"task": "t", "method": "full", "evaluation": "e"}
    place = {"quantity": "score", **key, "metric": "accuracy"}
    ours = [Fact(**place, seed=seed, value=value) for seed, value in ((1, 0.5), (2, 0.75))]
    ours += [Fact(**place, value=0.625), Fact(**place, seed=2, group="in", value=0.1)]
    check_scores("full", ours, key, [{"accuracy": 0.5}, {"accuracy": 0.75 + SAME_SCORE / 2}])
    for wrong in (0.75 + 2 * SAME_SCORE, float("nan"), None):
        with pytest.raises(StudyError, match=r"accuracy of full is 0\.75 .*\n.*a bug"):
            check_scores("full", ours, key, [{"accuracy": 0.5}, {"accuracy": wrong}])


def write_conllu(path, sentences):
    """(form, UPOS) sentences with a placeholder tree: only UPOS is meant to be scored."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for sentence in sentences:
            for number, (form, tag) in enumerate(sentence, start=1):
                head, relation = ("0", "root") if number == 1 else ("1", "dep")
                columns = [str(number), form, "_", tag, "_", "_", head, relation, "_", "_"]
                file.write("\t".join(columns) + "\n")
            file.write("\n")


def test_accuracy_equals_the_official_ud_evaluation(tmp_path):
    udeval = pytest.importorskip("udtools.udeval", reason="udtools is not installed")
    predicted, gold = random_tags(2, words=997)
    # Forms as hard as real ones: with spaces, hyphens, accents, digits.
    forms = [("10 000", "Straße", "can't", "-", "naïve")[n % 5] + "x" * (n % 3) for n in range(997)]
    bounds = [*range(0, 997, 13), 997]
    paths = []
    for name, tags in (("gold", gold), ("predicted", predicted)):
        sentences = [
            [(forms[n], UPOS_TAGS[tags[n]]) for n in range(first, last)]
            for first, last in itertools.pairwise(bounds)
        ]
        paths.append(tmp_path / f"{name}.conllu")
        write_conllu(paths[-1], sentences)
    official = udeval.evaluate(*(udeval.load_conllu_file(str(path)) for path in paths))
    ours = metrics.score_tags(predicted, gold)["accuracy"]
    assert official["Words"].f1 == 1.0
    assert official["UPOS"].aligned_accuracy == official["UPOS"].f1 == ours
    assert 0.5 < ours < 0.95


@pytest.mark.filterwarnings("ignore:A single label")
@pytest.mark.parametrize(("label", "lacking"), [(1, "f1_unacceptable"), (0, "f1")])
def test_one_label_leaves_metrics_undefined(label, lacking):
    logits, labels = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 2.0]]), np.full(3, label)
    scores = metrics.score_acceptability(logits, labels)
    undefined = {name for name, value in scores.items() if value is None}
    assert undefined == {"matthews_correlation", "macro_f1", lacking}

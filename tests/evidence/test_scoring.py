import itertools
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn import metrics as sk

from corpora.loading import UPOS_TAGS
from evidence import scoring

TAGS = len(UPOS_TAGS)


def random_logits(seed, items=200):
    rng = np.random.default_rng(seed)
    labels = (rng.random(items) < 0.7).astype(int)
    margin = rng.normal(size=items) + 0.8 * (2 * labels - 1)
    return np.stack([-margin / 2, margin / 2 + 0.1], axis=-1), labels


def random_tags(seed, words=400, absent=("INTJ", "SYM")):
    """Gold without some tags, one of which is predicted all the same."""
    rng = np.random.default_rng(seed)
    present = [t for t, tag in enumerate(UPOS_TAGS) if tag not in absent]
    gold = rng.choice(present, words)
    predicted = np.where(rng.random(words) < 0.7, gold, rng.integers(0, TAGS, words))
    predicted[0] = UPOS_TAGS.index("SYM")
    return predicted, gold


# --------------------------------------------------------------------------------- acceptability


@settings(max_examples=30, deadline=None)
@pytest.mark.filterwarnings("ignore:A single label")
@given(st.integers(0, 10_000), st.integers(2, 60))
def test_acceptability_agrees_with_scikit_learn(seed, items):
    logits, labels = random_logits(seed, items)
    ours, predicted = scoring.score_acceptability(logits, labels), logits.argmax(axis=1)
    theirs = {
        "matthews_correlation": sk.matthews_corrcoef(labels, predicted),
        "accuracy": sk.accuracy_score(labels, predicted),
        "f1": sk.f1_score(labels, predicted, zero_division=0),
        "f1_unacceptable": sk.f1_score(labels, predicted, pos_label=0, zero_division=0),
        "macro_f1": sk.f1_score(labels, predicted, labels=[0, 1], average="macro", zero_division=0),
        "loss": -log_softmax(logits, axis=1)[np.arange(items), labels].mean(),
    }
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_scores_are_plain_floats_and_not_all_alike():
    scores = scoring.score_acceptability(*random_logits(0))
    assert {type(value) for value in scores.values()} == {float}
    assert len(set(scores.values())) == len(scores) == 6
    assert 0.2 < scores["matthews_correlation"] < 0.9


def test_always_acceptable_has_an_mcc_of_zero():
    labels = np.array([1, 1, 0])
    scores = scoring.score_acceptability(np.tile([0.0, 1.0], (3, 1)), labels)
    assert (scores["matthews_correlation"], scores["f1_unacceptable"]) == (0.0, 0.0)
    assert scores["accuracy"] == pytest.approx(2 / 3)


def test_a_tie_is_not_acceptable():
    assert scoring.predicted_labels(np.zeros((1, 2))).tolist() == [0]


def test_mcc_of_large_counts_does_not_overflow():
    table = np.array([300_000, 100_000, 100_000, 300_000])
    assert scoring.matthews_correlation(table) == pytest.approx(0.5)


def test_cross_entropy_survives_extreme_logits():
    losses = scoring.cross_entropy(np.array([[0.0, 2000.0], [2000.0, 0.0]]), np.array([1, 1]))
    assert losses.tolist() == [0.0, 2000.0]


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((3, 3)), np.zeros(3), r"logits \(N, 2\)"),
        (np.zeros((3, 2)), np.zeros(4), r"logits \(N, 2\)"),
        (np.zeros((0, 2)), np.zeros(0), "at least one item"),
        (np.array([[np.nan, 0.0]]), np.zeros(1), "finite"),
    ],
)
def test_logits_that_do_not_fit_are_refused(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        scoring.score_acceptability(logits, labels)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_threshold_curve_agrees_with_scikit_learn_at_every_cut(seed):
    logits, labels = random_logits(seed, 25)
    logits = np.round(logits, 1)  # ties between items
    curve = scoring.threshold_curve(logits, labels)
    margins = np.round(logits[:, 1] - logits[:, 0], 10)
    curve_margins = np.log(curve.thresholds[1:] / (1 - curve.thresholds[1:]))
    for margin, value in zip(curve_margins, curve.matthews_correlation[1:], strict=True):
        predicted = (margins > margin + 1e-9).astype(int)
        assert value == pytest.approx(sk.matthews_corrcoef(labels, predicted), abs=1e-12)
    assert curve.matthews_correlation[0] == 0


def test_threshold_curve_brackets_argmax_and_its_bound():
    logits, labels = random_logits(3)
    logits[:, 1] += 1.5  # a bias that arg max pays for
    curve = scoring.threshold_curve(logits, labels)
    assert curve.argmax == pytest.approx(
        scoring.score_acceptability(logits, labels)["matthews_correlation"]
    )
    assert curve.at([0.5])[0] == curve.argmax
    assert curve.upper_bound == curve.matthews_correlation.max() > curve.argmax + 0.05
    assert curve.best_threshold > 0.6
    assert (np.diff(curve.thresholds) > 0).all()
    assert curve.at([0.0])[0] == 0.0 == curve.at([1.0])[0]


# ------------------------------------------------------------------------------------------ tags


@pytest.mark.parametrize("seed", range(5))
def test_tag_scores_agree_with_scikit_learn(seed):
    predicted, gold = random_tags(seed)
    ours = scoring.score_tags(predicted, gold, UPOS_TAGS)
    present = sorted(set(gold.tolist()))
    options = {"labels": present, "zero_division": 0}
    assert len(present) == 15
    assert ours["accuracy"] == sk.accuracy_score(gold, predicted)
    assert ours["macro_f1"] == pytest.approx(
        sk.f1_score(gold, predicted, average="macro", **options), abs=1e-15
    )
    assert ours["weighted_f1"] == pytest.approx(
        sk.f1_score(gold, predicted, average="weighted", **options), abs=1e-15
    )
    assert ours["confusion"] == sk.confusion_matrix(gold, predicted, labels=range(TAGS)).tolist()
    theirs = np.transpose(sk.precision_recall_fscore_support(gold, predicted, **options))
    for tag, row in zip(present, theirs, strict=True):
        entry = ours["per_tag"][UPOS_TAGS[tag]]
        assert list(entry) == ["precision", "recall", "f1", "support"]
        assert list(entry.values()) == pytest.approx(row.tolist(), abs=1e-15)


def test_a_tag_without_gold_words_has_no_f1_and_stays_out_of_the_mean():
    predicted, gold = random_tags(0)
    per_tag = scoring.score_tags(predicted, gold, UPOS_TAGS)["per_tag"]
    assert per_tag["SYM"] == {"precision": 0.0, "recall": None, "f1": None, "support": 0.0}
    predicted[predicted == UPOS_TAGS.index("INTJ")] = 0
    per_tag = scoring.score_tags(predicted, gold, UPOS_TAGS)["per_tag"]
    assert per_tag["INTJ"]["precision"] is None


def test_a_tag_never_predicted_scores_zero_in_the_mean():
    scores = scoring.score_tags(np.array([0, 0, 0, 0]), np.array([0, 0, 1, 1]), ("A", "B"))
    assert scores["per_tag"]["B"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 2.0}
    assert scores["macro_f1"] == pytest.approx((2 * 2 / 6 + 0) / 2)


def test_counts_of_sentences_add_up_to_the_confusion_matrix():
    predicted, gold = random_tags(1)
    sentence = np.sort(np.random.default_rng(0).integers(0, 30, len(gold)))
    sentence = np.unique(sentence, return_inverse=True)[1]
    counts = scoring.tag_counts(np.stack([predicted, gold]), gold, sentence, TAGS)
    confusion = [scoring.confusion_matrix(gold, p, TAGS) for p in (predicted, gold)]
    assert counts.shape == (2, sentence.max() + 1, 3 * TAGS)
    assert np.array_equal(counts.sum(axis=1), scoring.counts_of_confusion(np.stack(confusion)))
    assert scoring.tag_accuracy(counts.sum(axis=1)).tolist() == [(predicted == gold).mean(), 1.0]


@pytest.mark.parametrize(
    ("gold", "predicted"), [([0, 2], [0, 1]), ([0, 1], [0, -1]), ([0], [0, 1])]
)
def test_indices_outside_the_tag_set_are_refused(gold, predicted):
    with pytest.raises(ValueError, match="expected"):
        scoring.score_tags(np.array(predicted), np.array(gold), ("A", "B"))


# --------------------------------------------------------------------------------- seqeval's trap


def test_seqeval_takes_sconj_for_cconj():
    example = scoring.seqeval_trap_example()
    assert example["swapped"]["seqeval_f1"] == 1.0
    assert example["swapped"]["accuracy"] == 0.6
    assert example["merged"]["accuracy"] == 0.75
    assert example["merged"]["seqeval_f1"] < 0.5


def test_seqeval_is_right_where_tags_differ_and_stand_alone():
    assert scoring.seqeval_f1([["NOUN", "VERB"]], [["NOUN", "VERB"]]) == 1.0
    assert scoring.seqeval_f1([["NOUN"]], [["VERB"]]) == 0.0


# --------------------------------------------------------------------------------- kinds of error


def test_length_bins_name_their_first_and_last_length():
    bins, names = scoring.length_bins([1, 5, 6, 7, 8, 99], (5, 6, 8))
    assert names == ["1-5", "6", "7-8", "9+"]
    assert bins.tolist() == [0, 0, 1, 2, 2, 3]


def test_always_wrong_counts_and_what_chance_would_give():
    correct = np.array([[True, False, False, True], [True, False, True, False]])
    found = scoring.always_wrong(correct)
    assert found == {"indices": [1], "count": 1, "expected": 4 * 0.5 * 0.5, "share": 0.25}


def test_independent_errors_meet_the_expected_count():
    correct = np.random.default_rng(0).random((2, 20_000)) < 0.7
    found = scoring.always_wrong(correct)
    assert found["count"] == pytest.approx(found["expected"], rel=0.05)
    assert found["count"] > 1000


# ------------------------------------------------------------------------------------- interfaces


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
        scoring.write_conllu(paths[-1], sentences)
    official = udeval.evaluate(*(udeval.load_conllu_file(str(path)) for path in paths))
    ours = scoring.score_tags(predicted, gold, UPOS_TAGS)["accuracy"]
    assert official["Words"].f1 == 1.0
    assert official["UPOS"].aligned_accuracy == official["UPOS"].f1 == ours
    assert 0.5 < ours < 0.95


def test_written_conllu_has_ten_columns_and_a_blank_line_after_each_sentence(tmp_path):
    path = tmp_path / "two.conllu"
    scoring.write_conllu(path, [[("Er", "PRON"), ("kam", "VERB")], [("Ja", "INTJ")]])
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines[0].split("\t") == ["1", "Er", "_", "PRON", "_", "_", "0", "root", "_", "_"]
    assert [len(line.split("\t")) for line in lines] == [10, 10, 1, 10, 1, 1]


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a metric reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_evaluate_gives_the_same_scores_without_network(tmp_path, no_network):
    logits, labels = random_logits(4)
    metric = scoring.load_metric("acceptability", str(tmp_path))
    found = metric.compute(predictions=logits, references=labels)
    assert found == scoring.score_acceptability(logits, labels)


def test_evaluate_collects_tags_in_batches(tmp_path, no_network):
    predicted, gold = random_tags(5)
    metric = scoring.load_metric("tags", str(tmp_path))
    for part in np.array_split(np.arange(len(gold)), 3):
        metric.add_batch(predictions=predicted[part], references=gold[part])
    assert metric.compute(tags=UPOS_TAGS) == scoring.score_tags(predicted, gold, UPOS_TAGS)


def test_evaluate_leaves_numpys_global_generator_alone(tmp_path):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    metric = scoring.load_metric("tags", str(tmp_path))
    metric.compute(predictions=[0], references=[0], tags=UPOS_TAGS)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_an_unknown_metric_is_named(tmp_path):
    with pytest.raises(ValueError, match="bleu"):
        scoring.load_metric("bleu", str(tmp_path))


def test_reading_evidence_loads_neither_torch_nor_transformers():
    code = (
        "import sys, evidence.acceptability, evidence.tagging, evidence.convergence;"
        "heavy = {'torch', 'transformers', 'datasets', 'evaluate'};"
        "print(sorted(heavy & set(sys.modules)), 'evidence.scoring' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(scoring.__file__).parents[1],
    )
    assert done.stdout.strip() == "[] True"

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn import metrics as sk

from corpora.items import UPOS_TAGS
from evidence import scoring
from waiting import run_process

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


def totals_of(predicted, gold, tags=TAGS):
    """Tag counts (3 T,) of all words."""
    one_sentence = np.zeros(len(gold), dtype=int)
    return scoring.tag_counts(predicted[None], gold, one_sentence, tags)[0, 0].astype(float)


def scores_of(logits, labels):
    totals = scoring.acceptability_counts(logits[None], labels)[0].sum(axis=0)
    return {name: metric(totals) for name, metric in scoring.ACCEPTABILITY_METRICS.items()}


# --------------------------------------------------------------------------------- acceptability


@settings(max_examples=30)
@pytest.mark.filterwarnings("ignore:A single label")
@given(st.integers(0, 10_000), st.integers(2, 60))
def test_acceptability_agrees_with_scikit_learn(seed, items):
    logits, labels = random_logits(seed, items)
    ours, predicted = scores_of(logits, labels), logits.argmax(axis=1)
    theirs = {
        "matthews_correlation": sk.matthews_corrcoef(labels, predicted),
        "accuracy": sk.accuracy_score(labels, predicted),
        "f1": sk.f1_score(labels, predicted, zero_division=0),
        "f1_unacceptable": sk.f1_score(labels, predicted, pos_label=0, zero_division=0),
        "macro_f1": sk.f1_score(labels, predicted, labels=[0, 1], average="macro", zero_division=0),
        "loss": -log_softmax(logits, axis=1)[np.arange(items), labels].mean(),
    }
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_a_tie_is_not_acceptable():
    assert scoring.predicted_labels(np.zeros((1, 2))).tolist() == [0]


def test_mcc_of_large_counts_does_not_overflow():
    table = np.array([300_000, 100_000, 100_000, 300_000])
    assert scoring.matthews_correlation(table) == pytest.approx(0.5)


def test_cross_entropy_survives_extreme_logits():
    losses = scoring.cross_entropy(np.array([[0.0, 2000.0], [2000.0, 0.0]]), np.array([1, 1]))
    assert losses.tolist() == [0.0, 2000.0]


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_the_best_threshold_agrees_with_scikit_learn_over_all_cuts(seed):
    logits, labels = random_logits(seed, 25)
    logits = np.round(logits, 1)  # ties between items
    margins = np.round(logits[:, 1] - logits[:, 0], 10)
    cuts = [-1e9, 1e-9, *(margins + 1e-9)]
    best = max(sk.matthews_corrcoef(labels, (margins > cut).astype(int)) for cut in cuts)
    assert scoring.best_matthews(logits, labels) == pytest.approx(best, abs=1e-12)


def test_the_best_threshold_finds_what_a_bias_costs():
    logits, labels = random_logits(3)
    logits[:, 1] += 1.5  # a bias that arg max pays for
    argmax = scores_of(logits, labels)["matthews_correlation"]
    assert scoring.best_matthews(logits, labels) > argmax + 0.05


# ------------------------------------------------------------------------------------------ tags


@pytest.mark.parametrize("seed", range(5))
def test_tag_scores_agree_with_scikit_learn(seed):
    predicted, gold = random_tags(seed)
    totals = totals_of(predicted, gold)
    present = sorted(set(gold.tolist()))
    options = {"labels": present, "zero_division": 0}
    assert len(present) == 15
    assert scoring.tag_accuracy(totals) == sk.accuracy_score(gold, predicted)
    for average, metric in (("macro", scoring.tag_macro_f1), ("weighted", scoring.tag_weighted_f1)):
        theirs = sk.f1_score(gold, predicted, average=average, **options)
        assert metric(totals) == pytest.approx(theirs, abs=1e-15)
    table = sk.confusion_matrix(gold, predicted, labels=range(TAGS))
    assert np.array_equal(scoring.confusion_matrix(gold, predicted, TAGS), table)
    ours = np.stack([scoring.tag_recall(totals), scoring.tag_f1(totals)])
    theirs = sk.precision_recall_fscore_support(gold, predicted, **options)
    assert ours[:, present] == pytest.approx(np.stack(theirs[1:3]), abs=1e-15)
    assert totals[2 * TAGS :][present].tolist() == theirs[3].tolist()


def test_macro_f1_over_some_tags_leaves_out_the_others():
    predicted, gold = random_tags(3)
    some = np.arange(TAGS) < 6
    options = {"labels": sorted(set(gold[gold < 6].tolist())), "zero_division": 0}
    theirs = sk.f1_score(gold, predicted, average="macro", **options)
    totals = totals_of(predicted, gold)
    assert scoring.macro_f1_over(some)(totals) == pytest.approx(theirs, abs=1e-15)
    assert scoring.macro_f1_over(np.full(TAGS, True))(totals) == scoring.tag_macro_f1(totals)
    assert abs(theirs - scoring.tag_macro_f1(totals)) > 1e-3


def test_a_tag_without_gold_words_has_no_recall():
    predicted, gold = random_tags(0)
    absent = {UPOS_TAGS.index("INTJ"), UPOS_TAGS.index("SYM")}
    assert set(np.flatnonzero(np.isnan(scoring.tag_recall(totals_of(predicted, gold))))) == absent


def test_a_tag_never_predicted_scores_zero_in_the_mean():
    totals = totals_of(np.array([0, 0, 0, 0]), np.array([0, 0, 1, 1]), 2)
    assert scoring.tag_recall(totals)[1] == 0.0 == scoring.tag_f1(totals)[1]
    assert scoring.tag_macro_f1(totals) == pytest.approx((2 * 2 / 6 + 0) / 2)


def test_counts_of_sentences_add_up_to_the_confusion_matrix():
    predicted, gold = random_tags(1)
    sentence = np.sort(np.random.default_rng(0).integers(0, 30, len(gold)))
    sentence = np.unique(sentence, return_inverse=True)[1]
    counts = scoring.tag_counts(np.stack([predicted, gold]), gold, sentence, TAGS)
    assert counts.shape == (2, sentence.max() + 1, 3 * TAGS)
    for summed, of_seed in zip(counts.sum(axis=1), (predicted, gold), strict=True):
        table = scoring.confusion_matrix(gold, of_seed, TAGS)
        expected = [np.diagonal(table), table.sum(axis=0), table.sum(axis=1)]
        assert np.array_equal(summed, np.concatenate(expected))
    assert scoring.tag_accuracy(counts.sum(axis=1)).tolist() == [(predicted == gold).mean(), 1.0]


@pytest.mark.parametrize(
    ("gold", "predicted"), [([0, 2], [0, 1]), ([0, 1], [0, -1]), ([0], [0, 1])]
)
def test_indices_outside_the_tag_set_are_refused(gold, predicted):
    with pytest.raises(ValueError, match="expected"):
        scoring.confusion_matrix(np.array(gold), np.array(predicted), 2)


# --------------------------------------------------------------------------------- seqeval's trap


def test_seqeval_takes_sconj_for_cconj():
    f1 = {
        name: scoring.seqeval_f1([gold.split()], [predicted.split()])
        for name, (_, gold, predicted) in scoring.SEQEVAL_TRAP.items()
    }
    assert f1["swapped"] == 1.0 and f1["merged"] < 0.5


def test_seqeval_is_right_where_tags_differ_and_stand_alone():
    assert scoring.seqeval_f1([["NOUN", "VERB"]], [["NOUN", "VERB"]]) == 1.0
    assert scoring.seqeval_f1([["NOUN"]], [["VERB"]]) == 0.0


# --------------------------------------------------------------------------------- kinds of error


def test_length_bins_name_their_first_and_last_length():
    bins, names = scoring.length_bins([1, 5, 6, 7, 8, 99], (5, 6, 8))
    assert names == ["1-5", "6", "7-8", "9+"]
    assert bins.tolist() == [0, 0, 1, 2, 2, 3]


def test_reading_evidence_loads_neither_torch_nor_transformers():
    code = (
        "import sys, evidence.acceptability, evidence.tagging, evidence.convergence;"
        "heavy = {'torch', 'transformers', 'datasets', 'evaluate'};"
        "print(sorted(heavy & set(sys.modules)), 'evidence.scoring' in sys.modules)"
    )
    done = run_process(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        cwd=Path(scoring.__file__).parents[1],
    )
    assert done.stdout.strip() == "[] True"

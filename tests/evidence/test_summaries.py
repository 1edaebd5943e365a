import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from evidence import schema

TAGS = ("ADJ", "ADP", "DET", "NOUN", "PRON", "PROPN", "SYM", "VERB")
EN, DE = "en_x:validation", "de_x:test"
LANGUAGES = {EN: "en", DE: "de"}
SEEDS = {"first": [42, 43, 44], "second": [43, 44, 45], "third": [43]}


def sentences(seed=0, items=240):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "text": "x",
            "label": (rng.random(items) < 0.7).astype(int),
            "source": "s",
            "domain": rng.choice(["in", "out"], items),
            "phenomenon": rng.choice(["agreement", "islands", ""], items),
            "length": rng.integers(2, 20, items),
        }
    )


def logits_for(items, qualities, seed=1):
    rng = np.random.default_rng(seed)
    difficulty = rng.normal(size=len(items))
    sign = 2 * items["label"].to_numpy() - 1
    found = {}
    for method, quality in qualities.items():
        noise = rng.normal(size=(len(SEEDS[method]), len(items)))
        margin = quality * sign + 0.6 * difficulty + 0.6 * noise
        found[method] = np.stack([-margin / 2, margin / 2], axis=-1).astype(np.float32)
    return found


def tagged(seed, count):
    rng = np.random.default_rng(seed)
    sentence = np.unique(np.sort(rng.integers(0, count // 8, count)), return_inverse=True)[1]
    common = [tag for tag in TAGS if tag != "SYM"]
    frame = pd.DataFrame(
        {
            "sentence": sentence,
            "form": rng.choice(["Haus", "the", "das", "ging", "ab"], count),
            "tag": rng.choice(common, count),
            "deprel": "",
            "xpos": "",
            "head": -1,
            "pieces": rng.integers(1, 6, count),
            "seen": rng.random(count) < 0.5,
        }
    )
    length = np.bincount(sentence)[sentence]
    return frame.assign(length=length, position=frame.groupby("sentence").cumcount())


def tags_for(frames, rates, seed=2):
    rng = np.random.default_rng(seed)
    found = {}
    for method, rate in rates.items():
        found[method] = {}
        for name, frame in frames.items():
            gold = np.array([TAGS.index(tag) for tag in frame["tag"]])
            shape = (len(SEEDS[method]), len(gold))
            wrong = rng.random(shape) < (rate if name == EN else 2 * rate)
            found[method][name] = np.where(wrong, rng.integers(0, len(TAGS), shape), gold)
    return found


@pytest.fixture(scope="module")
def cola():
    items = sentences()
    logits = logits_for(items, {"first": 1.2, "second": 0.4, "third": 0.4})
    summary = schema.summarise_acceptability(items, logits, SEEDS, 7, 300, train_labels=[1, 1, 0])
    return items, logits, summary


@pytest.fixture(scope="module")
def pos():
    frames = {EN: tagged(3, 900), DE: tagged(4, 700)}
    predicted = tags_for(frames, {"first": 0.05, "second": 0.2, "third": 0.2})
    train = [("the", "DET"), ("Haus", "NOUN"), ("ab", "ADP")]
    summary = schema.summarise_tagging(frames, LANGUAGES, predicted, SEEDS, TAGS, EN, train, 7, 300)
    return frames, predicted, summary


def walk(node, path=()):
    yield path, node
    if isinstance(node, dict | list):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from walk(child, (*path, key))


def estimates(summary):
    return {p: n for p, n in walk(summary) if isinstance(n, dict) and "per_seed" in n}


def comparison(summary, first, second, metric, evaluation=None):
    found = [
        row
        for row in summary["comparisons"]
        if (row["first"], row["second"], row["metric"]) == (first, second, metric)
        and evaluation in (None, row["evaluation"])
    ]
    assert len(found) == 1
    return found[0]


# -------------------------------------------------------------------------------------- both tasks


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_the_summary_is_plain_json_without_nan(task, request):
    summary = request.getfixturevalue(task)[-1]
    plain = {str, int, float, bool, type(None), list, dict}
    assert {type(node) for _, node in walk(summary)} <= plain
    assert {type(key) for _, node in walk(summary) if isinstance(node, dict) for key in node} == {
        str
    }
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_what_is_missing_says_why(task, request):
    found = estimates(request.getfixturevalue(task)[-1])
    assert len(found) > 40
    for path, entry in found.items():
        assert entry["reason"] or entry["sd"] is not None, path
        if entry["value"] is None:
            assert entry["per_seed"] == [], path
        else:
            assert entry["value"] == pytest.approx(np.mean(entry["per_seed"]), abs=1e-6), path
        if entry["low"] is not None:
            assert entry["low"] <= entry["low_items"] + 1e-9, path
            assert entry["high_items"] <= entry["high"] + 1e-9, path


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_seeds_in_common_are_paired_and_controls_go_with_all(task, request):
    summary = request.getfixturevalue(task)[-1]
    control = next(name for name, method in summary["methods"].items() if method["control"])
    expected = {
        ("first", "second"): [43, 44],
        ("first", "third"): [43],
        ("first", control): [42, 43, 44],
        ("third", control): [43],
    }
    for (first, second), seeds in expected.items():
        row = comparison(summary, first, second, "accuracy", summary.get("source"))
        assert row["seeds"] == seeds
        assert row["covers"] == ("items and seeds" if len(seeds) > 1 else "items")
        assert bool(row["reason"]) == (len(seeds) == 1)
    assert summary["methods"][control]["seeds"] == []


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_holm_corrects_within_metric_and_evaluation(task, request):
    rows = request.getfixturevalue(task)[-1]["comparisons"]
    families = {}
    for row in rows:
        families.setdefault((row["evaluation"], row["metric"]), []).append(row)
    assert len(families) == (2 if task == "cola" else 5)
    for family in families.values():
        assert {row["family"] for row in family} == {6} == {len(family)}
        smallest = min(family, key=lambda row: row["p"])
        assert smallest["p_corrected"] == pytest.approx(min(1, 6 * smallest["p"]))
        assert all(row["p"] <= row["p_corrected"] <= 1 for row in family)
        assert all(row["p_items"] <= row["p"] + 1e-12 for row in family)


def test_the_same_seed_gives_the_same_summary_and_another_does_not(cola):
    items, logits, summary = cola
    again = [
        schema.summarise_acceptability(items, logits, SEEDS, s, 300, train_labels=[1, 1, 0])
        for s in (7, 8)
    ]
    assert again[0] == summary != again[1]


# ------------------------------------------------------------------------------------------- CoLA


def test_means_over_seeds_agree_with_scikit_learn(cola):
    items, logits, summary = cola
    labels = items["label"].to_numpy()
    for method, of_method in logits.items():
        predicted = of_method.argmax(axis=-1)
        entry = summary["methods"][method]
        theirs = [sk.matthews_corrcoef(labels, p) for p in predicted]
        assert entry["metrics"]["matthews_correlation"]["per_seed"] == pytest.approx(theirs)
        assert entry["seeds"] == SEEDS[method]
        tables = [sk.confusion_matrix(labels, p) for p in predicted]
        assert np.allclose(entry["confusion"], np.mean(tables, axis=0))


def test_a_large_difference_is_found_and_equal_methods_are_not_told_apart(cola):
    summary = cola[-1]
    apart = comparison(summary, "first", "second", "matthews_correlation")
    assert apart["low"] > 0.1
    assert apart["p_items_corrected"] < 0.05
    alike = comparison(summary, "second", "third", "matthews_correlation")
    assert alike["low"] < 0 < alike["high"]
    assert alike["p_corrected"] > 0.05


def test_effects_are_differences_of_means_over_common_seeds(cola):
    summary = cola[-1]
    row = comparison(summary, "first", "second", "accuracy")
    first, second = (summary["methods"][m]["metrics"]["accuracy"] for m in ("first", "second"))
    expected = np.mean(first["per_seed"][1:]) - np.mean(second["per_seed"][:2])
    assert row["effect"] == pytest.approx(expected)
    assert row["n"] == 240


def test_the_majority_control(cola):
    items, _, summary = cola
    control = summary["methods"][schema.MAJORITY]
    assert summary["majority_label"] == 1
    assert control["metrics"]["matthews_correlation"]["value"] == 0.0
    assert control["metrics"]["accuracy"]["value"] == pytest.approx(items["label"].mean())
    assert control["metrics"]["accuracy"]["low"] < items["label"].mean()
    assert control["metrics"]["loss"]["value"] is None
    assert control["threshold"] is None
    assert control["errors"]["agreement"]["value"] == 1.0


def test_errors_by_kind(cola):
    items, logits, summary = cola
    entry = summary["methods"]["first"]["errors"]
    labels, predicted = items["label"].to_numpy(), logits["first"].argmax(axis=-1)
    for kind, column in (("by_domain", "domain"), ("by_phenomenon", "phenomenon")):
        for row in entry[kind]:
            member = (items[column] == row["group"]).to_numpy()
            right = (predicted == labels)[:, member].mean()
            assert row["items"] == member.sum() > 0
            assert row["accuracy"]["value"] == pytest.approx(right)
            mccs = [sk.matthews_corrcoef(labels[member], p[member]) for p in predicted]
            assert row["matthews_correlation"]["value"] == pytest.approx(np.mean(mccs))
    assert [row["group"] for row in entry["by_domain"]] == ["in", "out"]
    assert [row["group"] for row in entry["by_phenomenon"]] == ["agreement", "islands"]
    assert sum(row["share"] for row in entry["by_length"]) == pytest.approx(1)
    assert {row["group"] for row in entry["by_label"]} == {"majority", "minority"}
    assert all("both labels" in row["matthews_correlation"]["reason"] for row in entry["by_label"])
    assert entry["agreement"]["value"] == pytest.approx(predicted.mean())
    wrong = (predicted != labels).all(axis=0)
    assert entry["always_wrong"]["indices"] == np.flatnonzero(wrong).tolist()
    assert entry["always_wrong"]["count"] > entry["always_wrong"]["expected"]
    every = np.concatenate([logits[m].argmax(axis=-1) != labels for m in logits]).all(axis=0)
    assert summary["always_wrong"]["count"] == every.sum()


def test_the_threshold_curve_is_an_upper_bound(cola):
    entry = cola[-1]["methods"]["first"]
    curve = entry["threshold"]
    assert curve["argmax"] == pytest.approx(entry["metrics"]["matthews_correlation"]["value"])
    assert curve["matthews_correlation"][50] == pytest.approx(curve["argmax"])
    assert curve["gain"] == pytest.approx(curve["upper_bound"] - curve["argmax"])
    assert curve["upper_bound"] >= max(curve["matthews_correlation"])
    assert len(curve["thresholds"]) == len(curve["matthews_correlation"]) == len(curve["sd"]) == 101


def test_one_seed_alone(cola):
    items, logits, _ = cola
    summary = schema.summarise_acceptability(
        items, {"third": logits["third"]}, {"third": [43]}, 0, 200
    )
    entry = summary["methods"]["third"]["metrics"]["matthews_correlation"]
    assert entry["sd"] is None
    assert entry["covers"] == "items"
    assert entry["low"] < entry["value"] < entry["high"]
    assert summary["comparisons"] == []
    assert "no training labels" in summary["reasons"][0]
    assert summary["methods"]["third"]["errors"]["by_label"] == []
    assert summary["methods"]["third"]["errors"]["agreement"] is None


def test_no_seed_in_common_is_said(cola):
    items, logits, _ = cola
    summary = schema.summarise_acceptability(
        items, {m: logits[m][:1] for m in ("first", "second")}, {"first": [1], "second": [2]}, 0, 50
    )
    row = comparison(summary, "first", "second", "matthews_correlation")
    assert (row["effect"], row["p"], row["seeds"]) == (None, None, [])
    assert "no seed in common" in row["reason"]


@pytest.mark.parametrize(
    ("name", "seeds", "rows"),
    [("first", [1, 2], 240), ("first", [1, 1, 2], 240), ("first", [1, 2, 3], 239),
     (schema.MAJORITY, [1, 2, 3], 240)],
)  # fmt: skip
def test_what_does_not_fit_is_refused(cola, name, seeds, rows):
    items, logits, _ = cola
    with pytest.raises(ValueError, match="expected"):
        schema.summarise_acceptability(
            items.head(rows), {name: logits["first"]}, {name: seeds}, 0, 50
        )


# -------------------------------------------------------------------------------------------- POS


def test_tag_scores_agree_with_scikit_learn(pos):
    frames, predicted, summary = pos
    for method, of_method in predicted.items():
        for name, frame in frames.items():
            gold = np.array([TAGS.index(tag) for tag in frame["tag"]])
            metrics = summary["methods"][method]["evaluations"][name]["metrics"]
            options = {"labels": np.unique(gold), "average": "macro", "zero_division": 0}
            macro = [sk.f1_score(gold, p, **options) for p in of_method[name]]
            assert metrics["accuracy"]["per_seed"] == pytest.approx(
                [(p == gold).mean() for p in of_method[name]]
            )
            assert metrics["macro_f1"]["per_seed"] == pytest.approx(macro)
            assert metrics["seqeval_f1"]["low"] is None


def test_tags_without_gold_words_are_none_with_a_reason(pos):
    rows = pos[-1]["methods"]["second"]["evaluations"][EN]["per_tag"]
    by_tag = {row["tag"]: row for row in rows}
    assert list(by_tag) == list(TAGS)
    assert by_tag["SYM"]["support"] == 0
    assert (by_tag["SYM"]["f1"]["value"], by_tag["SYM"]["recall"]) == (None, None)
    assert by_tag["SYM"]["f1"]["reason"] == "no such items"
    assert by_tag["NOUN"]["f1"]["low"] < by_tag["NOUN"]["f1"]["value"]


def test_every_decomposition_adds_up_to_the_drop(pos):
    for method in pos[-1]["methods"].values():
        entry = method["transfer"][DE]
        accuracies = [method["evaluations"][n]["metrics"]["accuracy"]["value"] for n in (EN, DE)]
        drop = entry["drop"]["value"]
        assert drop == pytest.approx(accuracies[0] - accuracies[1])
        for kind in ("by_tag", "by_seen", "by_pieces", "by_length", "cells"):
            assert math.fsum(row["points"] for row in entry[kind]) == pytest.approx(drop, abs=1e-9)
        causes = [row["points"]["value"] for row in entry["causes"]]
        assert math.fsum(causes) == pytest.approx(drop, abs=1e-9)
        assert causes == sorted(causes, reverse=True)
        shares = [row["share"] for row in entry["causes"]]
        assert math.fsum(shares) == pytest.approx(1)


def test_groups_of_words(pos):
    frames, predicted, summary = pos
    frame, right = frames[DE], predicted["first"][DE]
    right = right == np.array([TAGS.index(tag) for tag in frame["tag"]])
    entry = summary["methods"]["first"]["evaluations"][DE]
    for kind, member in (
        ("by_seen", lambda g: frame["seen"] == (g == "seen")),
        ("by_pieces", lambda g: frame["pieces"].clip(upper=4).astype(str) == g.rstrip("+")),
    ):
        for row in entry[kind]:
            chosen = member(row["group"]).to_numpy()
            assert row["words"] == chosen.sum() > 0
            assert row["accuracy"]["value"] == pytest.approx(right[:, chosen].mean())
    assert sum(row["words"] for row in entry["by_length"]) == len(frame)


def test_the_difference_of_drops_is_compared(pos):
    summary = pos[-1]
    row = comparison(summary, "first", "second", "drop", DE)
    on = {n: comparison(summary, "first", "second", "accuracy", n) for n in (EN, DE)}
    assert row["effect"] == pytest.approx(on[EN]["effect"] - on[DE]["effect"])
    assert row["n"] == on[EN]["n"] + on[DE]["n"]
    assert row["low_items"] < row["effect"] < row["high_items"] < 0  # the second loses more


def test_the_lexical_control_knows_forms_only(pos):
    frames, _, summary = pos
    control = summary["methods"][schema.LEXICAL]
    lexicon = {"the": "DET", "Haus": "NOUN", "ab": "ADP"}
    guessed = [lexicon.get(form, "ADP") for form in frames[EN]["form"]]
    expected = np.mean([g == t for g, t in zip(guessed, frames[EN]["tag"], strict=True)])
    assert control["evaluations"][EN]["metrics"]["accuracy"]["value"] == pytest.approx(expected)


def test_targets_are_the_sets_in_other_languages(pos):
    frames, predicted, summary = pos
    assert summary["targets"] == [DE]
    assert summary["evaluations"][DE]["language"] == "de"
    more = {**frames, "en_x:test": frames[EN]}
    predicted = {"first": {**predicted["first"], "en_x:test": predicted["first"][EN]}}
    found = schema.summarise_tagging(
        more, {**LANGUAGES, "en_x:test": "en"}, predicted, SEEDS, TAGS, EN, None, 0, 50
    )
    assert found["targets"] == [DE]
    assert "most-frequent-tag" in found["reasons"][0]


def test_a_set_without_predictions_is_named_and_left_out(pos):
    frames, predicted, _ = pos
    partial = {"first": predicted["first"], "second": {EN: predicted["second"][EN]}}
    found = schema.summarise_tagging(frames, LANGUAGES, partial, SEEDS, TAGS, EN, None, 0, 50)
    assert found["reasons"][0] == f"no predictions of second for {DE}"
    assert list(found["methods"]["second"]["evaluations"]) == [EN]
    assert found["methods"]["second"]["transfer"] == {}
    assert {row["evaluation"] for row in found["comparisons"]} == {EN}


def test_a_gold_tag_outside_the_tag_set_is_named(pos):
    frames, predicted, _ = pos
    with pytest.raises(ValueError, match="VERB"):
        schema.summarise_tagging(frames, LANGUAGES, predicted, SEEDS, TAGS[:-1], EN)


def test_an_unknown_source_is_named(pos):
    frames, predicted, _ = pos
    with pytest.raises(ValueError, match="fr_x"):
        schema.summarise_tagging(frames, LANGUAGES, predicted, SEEDS, TAGS, "fr_x:test")

import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from evidence.acceptability import MAJORITY, summarise_acceptability
from evidence.tagging import LEXICAL, summarise_tagging
from study.errors import StudyError
from study.settings import Roles

TAGS = ("ADJ", "ADP", "DET", "NOUN", "PRON", "PROPN", "SYM", "VERB")
EN, DE = "en_x:validation", "de_x:test"
LANGUAGES = {EN: "en", DE: "de"}
SEEDS = {"first": [42, 43, 44, 45], "second": [43, 44, 45, 46], "third": [43]}
ROLES = Roles(reference="first", adapter="second", control="third", foreign=None)


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
    summary = summarise_acceptability(
        items, logits, SEEDS, 7, 300, train_labels=[1, 1, 0], roles=ROLES
    )
    return items, logits, summary


@pytest.fixture(scope="module")
def pos():
    frames = {EN: tagged(3, 900), DE: tagged(4, 700)}
    predicted = tags_for(frames, {"first": 0.05, "second": 0.2, "third": 0.2})
    train = [("the", "DET"), ("Haus", "NOUN"), ("ab", "ADP")]
    summary = summarise_tagging(
        frames, LANGUAGES, predicted, SEEDS, TAGS, EN, train, 7, 300, roles=ROLES
    )
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
        if entry["low"] is None:
            assert len(entry["per_seed"]) < 3 or entry["low_items"] is None, path
        else:
            assert entry["low"] <= entry["low_items"] + 1e-9, path
            assert entry["high_items"] <= entry["high"] + 1e-9, path


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_seeds_in_common_are_paired_and_controls_go_with_all(task, request):
    summary = request.getfixturevalue(task)[-1]
    control = next(name for name, method in summary["methods"].items() if method["control"])
    expected = {
        ("first", "second"): [43, 44, 45],
        ("first", "third"): [43],
        ("first", control): [42, 43, 44, 45],
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
        primary, controls = [
            [r for r in family if r["primary"] is is_it] for is_it in (True, False)
        ]
        assert [(row["first"], row["second"]) for row in primary] == [("first", "second")]
        assert [(row["family"], row["p_corrected"]) for row in primary] == [(1, primary[0]["p"])]
        assert {row["family"] for row in controls} == {5} == {len(controls)}
        smallest = min(controls, key=lambda row: row["p"])
        assert smallest["p_corrected"] == pytest.approx(min(1, 5 * smallest["p"]))
        assert all(row["p"] <= row["p_corrected"] <= 1 for row in family)
        assert all(row["p_items"] <= row["p"] + 1e-12 for row in family)


def test_the_same_seed_gives_the_same_summary_and_another_does_not(cola):
    items, logits, summary = cola
    again = [
        summarise_acceptability(items, logits, SEEDS, s, 300, train_labels=[1, 1, 0], roles=ROLES)
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
    assert (apart["outcome"], apart["margin"]) == ("better", 0.02)
    alike = comparison(summary, "second", "third", "matthews_correlation")
    assert (alike["low"], alike["high"], alike["covers"]) == (None, None, "items")
    assert alike["low_items"] < 0 < alike["high_items"]
    assert alike["outcome"] == "undecided"
    assert alike["p_corrected"] > 0.05


def test_effects_are_differences_of_means_over_common_seeds(cola):
    summary = cola[-1]
    row = comparison(summary, "first", "second", "accuracy")
    first, second = (summary["methods"][m]["metrics"]["accuracy"] for m in ("first", "second"))
    expected = np.mean(first["per_seed"][1:]) - np.mean(second["per_seed"][:3])
    assert row["effect"] == pytest.approx(expected)
    assert row["n"] == 240


def test_the_majority_control(cola):
    items, _, summary = cola
    control = summary["methods"][MAJORITY]
    assert summary["majority_label"] == 1
    assert control["metrics"]["matthews_correlation"]["value"] == 0.0
    assert control["metrics"]["accuracy"]["value"] == pytest.approx(items["label"].mean())
    assert control["metrics"]["accuracy"]["low"] < items["label"].mean()
    assert control["metrics"]["loss"]["value"] is None
    assert control["threshold"] is None
    assert control["agreement"]["value"] == 1.0
    assert control["learned"] is None


def test_errors_by_kind(cola):
    items, logits, summary = cola
    method = summary["methods"]["first"]
    entry = method["groups"]
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
    assert method["agreement"]["value"] == pytest.approx(predicted.mean())
    wrong = (predicted != labels).all(axis=0)
    assert method["always_wrong"]["indices"] == np.flatnonzero(wrong).tolist()
    assert method["always_wrong"]["count"] > method["always_wrong"]["expected"]
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


def test_two_seeds_have_points_and_no_interval_over_seeds(cola):
    items, logits, _ = cola
    two = {"first": logits["first"][:2], "second": logits["second"][:2]}
    summary = summarise_acceptability(
        items, two, {"first": [1, 2], "second": [1, 2]}, 0, 200, train_labels=[1], roles=ROLES
    )
    for entry in (
        summary["methods"]["first"]["metrics"]["accuracy"],
        comparison(summary, "first", "second", "accuracy"),
    ):
        assert (entry["low"], entry["high"], entry["covers"]) == (None, None, "items")
        assert entry["low_items"] < entry["high_items"]
        assert "two seeds" in entry["reason"]
    row = comparison(summary, "first", "second", "matthews_correlation")
    assert (row["p"], row["outcome"]) == (row["p_items"], "better")
    control = summary["methods"][MAJORITY]["metrics"]["accuracy"]
    assert control["low"] == control["low_items"] < control["value"]


def test_who_has_learned_is_above_the_controls(cola):
    items, logits, summary = cola
    assert [summary["methods"][m]["learned"] for m in ("first", "third")] == [True, True]
    constant = np.zeros_like(logits["second"])
    constant[..., 1] = 1 + 0.1 * np.arange(len(constant))[:, None]
    again = summarise_acceptability(
        items, {**logits, "second": constant}, SEEDS, 7, 200, train_labels=[1, 1, 0], roles=ROLES
    )
    learned = {name: method["learned"] for name, method in again["methods"].items()}
    assert learned == {"first": True, "second": False, "third": True, MAJORITY: None}
    without = summarise_acceptability(items, {"first": logits["first"]}, SEEDS, 7, 50)
    assert without["methods"]["first"]["learned"] is None


def test_groups_are_contrasted_on_the_same_resamples(cola):
    for name, method in cola[-1]["methods"].items():
        assert list(method["contrasts"]) == ["by_domain", "by_label"]
        for kind, found in method["contrasts"].items():
            rows = {row["group"]: row["accuracy"] for row in method["groups"][kind]}
            one, other = rows[found["first"]], rows[found["second"]]
            assert found["difference"]["value"] == pytest.approx(one["value"] - other["value"])
            if not method["control"]:
                assert found["difference"]["low_items"] < found["difference"]["high_items"], name
    # Labels: the majority class is right on one kind only, at any rate of resampling.
    assert cola[-1]["methods"][MAJORITY]["contrasts"]["by_label"]["difference"]["value"] == 1.0


def test_scores_that_differ_from_the_stored_ones_are_refused(cola):
    items, logits, summary = cola
    stored = {
        m: [
            {name: entry["per_seed"][s] for name, entry in method["metrics"].items()}
            for s in range(len(method["seeds"]))
        ]
        for m, method in summary["methods"].items()
    }
    arguments = {"train_labels": [1, 1, 0], "roles": ROLES}
    again = summarise_acceptability(items, logits, SEEDS, 7, 300, scores=stored, **arguments)
    assert again == summary
    stored["second"][1]["f1"] += 1e-6
    with pytest.raises(StudyError, match="f1 of second"):
        summarise_acceptability(items, logits, SEEDS, 7, 50, scores=stored, **arguments)


def test_one_seed_alone(cola):
    items, logits, _ = cola
    summary = summarise_acceptability(items, {"third": logits["third"]}, {"third": [43]}, 0, 200)
    entry = summary["methods"]["third"]["metrics"]["matthews_correlation"]
    assert entry["sd"] is None
    assert entry["covers"] == "items"
    assert (entry["low"], entry["high"]) == (None, None)
    assert entry["low_items"] < entry["value"] < entry["high_items"]
    assert summary["comparisons"] == []
    assert "no training labels" in summary["reasons"][0]
    assert summary["methods"]["third"]["groups"]["by_label"] == []
    assert summary["methods"]["third"]["agreement"] is None


def test_no_seed_in_common_is_said(cola):
    items, logits, _ = cola
    summary = summarise_acceptability(
        items, {m: logits[m][:1] for m in ("first", "second")}, {"first": [1], "second": [2]}, 0, 50
    )
    row = comparison(summary, "first", "second", "matthews_correlation")
    assert (row["effect"], row["p"], row["seeds"]) == (None, None, [])
    assert "no seed in common" in row["reason"]


@pytest.mark.parametrize(
    ("name", "seeds", "rows"),
    [("first", [1, 2], 240), ("first", [1, 1, 2, 3], 240), ("first", [1, 2, 3, 4], 239),
     (MAJORITY, [1, 2, 3, 4], 240)],
)  # fmt: skip
def test_what_does_not_fit_is_refused(cola, name, seeds, rows):
    items, logits, _ = cola
    with pytest.raises(ValueError, match="expected"):
        summarise_acceptability(items.head(rows), {name: logits["first"]}, {name: seeds}, 0, 50)


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
        assert list(entry["groups"]) == ["by_tag", "by_seen", "by_pieces", "by_length"]
        for rows in (*entry["groups"].values(), entry["cells"]):
            assert math.fsum(row["points"] for row in rows) == pytest.approx(drop, abs=1e-9)
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
        for row in entry["groups"][kind]:
            chosen = member(row["group"]).to_numpy()
            assert row["words"] == chosen.sum() > 0
            assert row["accuracy"]["value"] == pytest.approx(right[:, chosen].mean())
    assert sum(row["words"] for row in entry["groups"]["by_length"]) == len(frame)


def test_the_difference_of_drops_is_compared(pos):
    summary = pos[-1]
    row = comparison(summary, "first", "second", "drop", DE)
    on = {n: comparison(summary, "first", "second", "accuracy", n) for n in (EN, DE)}
    assert row["effect"] == pytest.approx(on[EN]["effect"] - on[DE]["effect"])
    assert row["n"] == on[EN]["n"] + on[DE]["n"]
    assert row["low_items"] < row["effect"] < row["high_items"] < 0  # the second loses more


def test_the_lexical_control_knows_forms_only(pos):
    frames, _, summary = pos
    control = summary["methods"][LEXICAL]
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
    found = summarise_tagging(
        more, {**LANGUAGES, "en_x:test": "en"}, predicted, SEEDS, TAGS, EN, None, 0, 50
    )
    assert found["targets"] == [DE]
    assert "most-frequent-tag" in found["reasons"][0]


def test_a_set_without_predictions_is_named_and_left_out(pos):
    frames, predicted, _ = pos
    partial = {"first": predicted["first"], "second": {EN: predicted["second"][EN]}}
    found = summarise_tagging(frames, LANGUAGES, partial, SEEDS, TAGS, EN, None, 0, 50)
    assert found["reasons"][0] == f"no predictions of second for {DE}"
    assert list(found["methods"]["second"]["evaluations"]) == [EN]
    assert found["methods"]["second"]["transfer"] == {}
    assert {row["evaluation"] for row in found["comparisons"]} == {EN}


def test_a_gold_tag_outside_the_tag_set_is_named(pos):
    frames, predicted, _ = pos
    with pytest.raises(ValueError, match="VERB"):
        summarise_tagging(frames, LANGUAGES, predicted, SEEDS, TAGS[:-1], EN)


def test_an_unknown_source_is_named(pos):
    frames, predicted, _ = pos
    with pytest.raises(ValueError, match="fr_x"):
        summarise_tagging(frames, LANGUAGES, predicted, SEEDS, TAGS, "fr_x:test")


def test_macro_f1_falls_over_the_tags_that_both_sets_have(pos):
    frames, predicted, _ = pos
    rare = frames[DE].assign(tag=frames[DE]["tag"].replace("PRON", "SYM"))  # no PRON, but SYM
    own = {"first": predicted["first"]}
    summary = summarise_tagging(
        {EN: frames[EN], DE: rare}, LANGUAGES, own, SEEDS, TAGS, EN, None, 0, 100
    )
    found = summary["methods"]["first"]["transfer"][DE]
    assert found["tags_in_both"] == [tag for tag in TAGS if tag not in ("PRON", "SYM")]
    options = {"average": "macro", "zero_division": 0}
    options["labels"] = [TAGS.index(tag) for tag in found["tags_in_both"]]
    macro = [
        np.mean(
            [sk.f1_score(frame["tag"].map(TAGS.index), p, **options) for p in own["first"][name]]
        )
        for name, frame in ((EN, frames[EN]), (DE, rare))
    ]
    assert found["drop_macro_f1"]["value"] == pytest.approx(macro[0] - macro[1])
    each = [summary["methods"]["first"]["evaluations"][n]["metrics"]["macro_f1"] for n in (EN, DE)]
    assert abs(each[0]["value"] - each[1]["value"] - (macro[0] - macro[1])) > 0.01


def test_pieces_are_those_of_the_methods_own_tokenizer(pos):
    frames, predicted, _ = pos
    own = {name: np.full(len(frame), 2) for name, frame in frames.items()}
    again = summarise_tagging(
        frames, LANGUAGES, predicted, SEEDS, TAGS, EN, None, 0, 100, pieces={"second": own}
    )
    words = {
        method: [
            r["words"] for r in again["methods"][method]["evaluations"][DE]["groups"]["by_pieces"]
        ]
        for method in ("first", "second")
    }
    assert words["second"] == [0, len(frames[DE]), 0, 0]
    assert min(words["first"]) > 0
    rows = again["methods"]["second"]["transfer"][DE]["groups"]["by_pieces"]
    drop = again["methods"]["second"]["transfer"][DE]["drop"]["value"]
    assert rows[1]["points"] == pytest.approx(drop)
    lone = again["methods"]["second"]["evaluations"][DE]["contrasts"]["by_pieces"]
    assert (lone["difference"]["value"], lone["difference"]["reason"]) == (None, "no such items")

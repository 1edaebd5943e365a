"""Facts of both tasks from random predictions, against scikit-learn and against plain counting."""

import functools
import math

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from evidence import intervals, outcomes, scoring
from evidence.acceptability import LABELS, MAJORITY, summarise_acceptability
from evidence.tagging import LEXICAL, summarise_tagging
from facts.fact import KEY
from facts.table import Facts
from study.errors import StudyError
from study.settings import Roles

TAGS = ("ADJ", "ADP", "DET", "NOUN", "PRON", "PROPN", "SYM", "VERB")
COLA, EN, DE = "cola:validation", "en_x:validation", "de_x:test"
LANGUAGES = {EN: "en", DE: "de"}
SEEDS = {"first": [42, 43, 44, 45], "second": [43, 44, 45, 46], "third": [43]}
ROLES = Roles(reference="first", adapter="second", control="third", foreign=None)
CONTROLS = {"cola": MAJORITY, "pos": LEXICAL}


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


def cola_facts(*arguments, **options):
    return Facts(summarise_acceptability(*arguments, **options))


def pos_facts(*arguments, **options):
    return Facts(summarise_tagging(*arguments, **options))


@pytest.fixture(scope="module")
def cola():
    items = sentences()
    logits = logits_for(items, {"first": 1.2, "second": 0.4, "third": 0.4})
    return items, logits, cola_facts(
        items, logits, SEEDS, 7, 300, train_labels=[1, 1, 0], roles=ROLES
    )  # fmt: skip


@pytest.fixture(scope="module")
def pos():
    frames = {EN: tagged(3, 900), DE: tagged(4, 700)}
    predicted = tags_for(frames, {"first": 0.05, "second": 0.2, "third": 0.2})
    train = [("the", "DET"), ("Haus", "NOUN"), ("ab", "ADP")]
    facts = pos_facts(frames, LANGUAGES, predicted, SEEDS, TAGS, EN, train, 7, 300, roles=ROLES)
    return frames, predicted, facts


def one(facts, quantity, **key):
    """The fact, which must be there."""
    fact = facts.one(quantity, **key)
    assert fact in facts.where(quantity=quantity, **key), f"no {quantity} {key}"
    return fact


def on_cola(facts, quantity, **key):
    return one(facts, quantity, task="cola", evaluation=COLA, **key)


def on_pos(facts, quantity, evaluation, **key):
    return one(facts, quantity, task="pos", evaluation=evaluation, **key)


def of_seeds(facts, whole):
    """The values of the runs behind a fact over seeds."""
    place = {name: getattr(whole, name) for name in KEY if name != "seed"}
    return [fact.value for fact in facts.where(**place) if fact.seed is not None]


# -------------------------------------------------------------------------------------- both tasks


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_what_is_missing_says_why(task, request):
    facts = request.getfixturevalue(task)[-1]
    found = facts.where(quantity=("score", "drop", "contrast"), seed=None)
    found = [fact for fact in found if not (fact.tag and fact.metric == "accuracy")]
    assert len(found) > 40
    for fact in found:
        values = of_seeds(facts, fact)
        assert fact.reason or fact.sd is not None, fact
        assert len(values) == fact.seeds, fact
        if fact.value is None:
            assert not values and (fact.low, fact.high, fact.covers) == (None, None, ""), fact
        elif values:
            assert fact.value == pytest.approx(np.mean(values), abs=1e-6), fact
        if fact.low is not None:
            assert fact.low <= fact.value + 1e-9 and fact.value <= fact.high + 1e-9, fact
            assert fact.covers == ("items and seeds" if fact.seeds > 2 else "items"), fact


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_seeds_in_common_are_paired_and_controls_go_with_all(task, request):
    facts = request.getfixturevalue(task)[-1]
    expected = {
        ("first", "second"): 3,
        ("first", "third"): 1,
        ("first", CONTROLS[task]): 4,
        ("third", CONTROLS[task]): 1,
    }
    for (first, second), seeds in expected.items():
        key = {"task": task, "evaluation": EN if task == "pos" else COLA, "metric": "accuracy"}
        fact = one(facts, "difference", method=first, against=second, **key)
        assert fact.seeds == seeds
        assert fact.covers == ("items and seeds" if seeds > 1 else "items")
        assert bool(fact.reason) == (seeds == 1)
    assert {fact.seeds for fact in facts.where(quantity="score", method=CONTROLS[task])} == {0}


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_holm_corrects_within_metric_and_evaluation_and_not_the_primary_comparison(task, request):
    data, predictions, facts = request.getfixturevalue(task)
    families = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "holm", lambda p: families.append(p) or [0.99] * len(p))
        if task == "cola":
            marked = cola_facts(data, predictions, SEEDS, 7, 50, train_labels=[1], roles=ROLES)
        else:
            train = [("the", "DET")]
            marked = pos_facts(
                data, LANGUAGES, predictions, SEEDS, TAGS, EN, train, 7, 50, roles=ROLES
            )
    assert [len(family) for family in families] == [5] * (2 if task == "cola" else 5)
    rows = marked.where(quantity="difference")
    corrected = {(f.method, f.against) for f in rows if f.p == 0.99}
    assert {(f.method, f.against) for f in rows} - corrected == {("first", "second")}
    assert all(0 <= fact.p <= 1 for fact in facts.where(quantity="difference"))


def test_the_same_seed_gives_the_same_facts_and_another_does_not(cola):
    items, logits, facts = cola
    again = [
        cola_facts(items, logits, SEEDS, s, 300, train_labels=[1, 1, 0], roles=ROLES)
        for s in (7, 8)
    ]
    assert list(again[0]) == list(facts) != list(again[1])


# ------------------------------------------------------------------------------------------- CoLA


def test_means_over_seeds_agree_with_scikit_learn(cola):
    items, logits, facts = cola
    labels = items["label"].to_numpy()
    for method, of_method in logits.items():
        predicted = of_method.argmax(axis=-1)
        theirs = [sk.matthews_corrcoef(labels, p) for p in predicted]
        mcc = on_cola(facts, "score", method=method, metric="matthews_correlation")
        assert of_seeds(facts, mcc) == pytest.approx(theirs)
        seeds = facts.where(quantity="score", method=method, metric="loss").distinct("seed")
        assert seeds == [None, *SEEDS[method]]
        table = np.mean([sk.confusion_matrix(labels, p) for p in predicted], axis=0)
        for gold, given in np.ndindex(2, 2):
            cell = {"tag": LABELS[gold], "predicted": LABELS[given]}
            assert on_cola(facts, "confusion", method=method, **cell).value == table[gold, given]


def test_a_large_difference_is_found_and_equal_methods_are_not_told_apart(cola):
    facts, mcc = cola[-1], {"metric": "matthews_correlation"}
    apart = on_cola(facts, "difference", method="first", against="second", **mcc)
    assert apart.low > 0.1 and apart.p < 0.05
    assert (apart.outcome, apart.covers) == ("better", "items and seeds")
    alike = on_cola(facts, "difference", method="second", against="third", **mcc)
    assert (alike.covers, alike.outcome) == ("items", "undecided")
    assert alike.low < 0 < alike.high and alike.p > 0.05


def test_effects_are_differences_of_means_over_common_seeds(cola):
    facts = cola[-1]
    first, second = (
        of_seeds(facts, on_cola(facts, "score", method=m, metric="accuracy"))
        for m in ("first", "second")
    )
    fact = on_cola(facts, "difference", method="first", against="second", metric="accuracy")
    assert fact.value == pytest.approx(np.mean(first[1:]) - np.mean(second[:3]))
    assert fact.n == 240


def test_the_majority_control(cola):
    items, _, facts = cola
    share = items["label"].mean()
    assert on_cola(facts, "share", tag="acceptable", metric="majority").value == share
    control = functools.partial(on_cola, facts, method=MAJORITY)
    assert control("score", metric="matthews_correlation").value == 0.0
    accuracy = control("score", metric="accuracy")
    assert accuracy.low < accuracy.value == pytest.approx(share)
    assert not control("score", metric="loss").known
    assert not facts.where(quantity=("threshold", "learned"), method=MAJORITY)


def test_errors_by_kind(cola):
    items, logits, facts = cola
    labels, predicted = items["label"].to_numpy(), logits["first"].argmax(axis=-1)
    own = facts.where(method="first")
    for grouping, column in (("by_domain", "domain"), ("by_phenomenon", "phenomenon")):
        for group in own.where(quantity="score", grouping=grouping).distinct("group"):
            member = (items[column] == group).to_numpy()
            place = {"method": "first", "grouping": grouping, "group": group}
            fact = on_cola(own, "score", metric="accuracy", **place)
            assert fact.n == member.sum() > 0
            assert fact.value == pytest.approx((predicted == labels)[:, member].mean())
    groups = {
        name: own.where(quantity="score", grouping=name, seed=None)
        for name in ("by_domain", "by_phenomenon", "by_label", "by_length")
    }
    assert groups["by_domain"].distinct("group") == ["in", "out"]
    assert groups["by_phenomenon"].distinct("group") == ["agreement", "islands"]
    assert groups["by_label"].distinct("group") == ["majority", "minority"]
    assert sum(fact.n for fact in groups["by_length"]) == len(items)


def test_shared_errors_are_counted_beside_what_independence_would_give(cola):
    items, logits, facts = cola
    labels = items["label"].to_numpy()
    wrong = {method: own.argmax(axis=-1) != labels for method, own in logits.items()}
    shared = functools.partial(on_cola, facts, "shared errors")
    count = shared(method="first", metric="count").value
    assert count == wrong["first"].all(axis=0).sum()
    expected = shared(method="first", metric="expected").value
    assert (
        expected == pytest.approx(240 * np.prod(wrong["first"].mean(axis=1))) and expected < count
    )
    every = np.concatenate(list(wrong.values()))
    assert shared(metric="count").value == every.all(axis=0).sum()


def test_independent_errors_meet_the_expected_count():
    items, rng = sentences(items=20_000), np.random.default_rng(0)
    labels = items["label"].to_numpy()
    given = np.where(rng.random((2, len(items))) < 0.3, 1 - labels, labels)
    logits = np.eye(2)[given]
    facts = cola_facts(items, {"first": logits}, {"first": [1, 2]}, 0, 5)
    shared = functools.partial(on_cola, facts, "shared errors", method="first")
    assert shared(metric="count").value == pytest.approx(shared(metric="expected").value, rel=0.05)
    assert shared(metric="count").value > 1000


def test_the_best_threshold_is_an_upper_bound(cola):
    items, logits, facts = cola
    bound = on_cola(facts, "threshold", method="first", metric="upper_bound").value
    labels = items["label"].to_numpy()
    margins = np.diff(logits["first"].astype(float))[..., 0]
    best = [
        max(sk.matthews_corrcoef(labels, own > cut) for cut in (-np.inf, 0.0, *own))
        for own in margins
    ]
    assert bound == pytest.approx(np.mean(best))
    assert bound > on_cola(facts, "score", method="first", metric="matthews_correlation").value


def test_two_seeds_have_an_interval_over_items_alone(cola):
    items, logits, _ = cola
    two = {"first": logits["first"][:2], "second": logits["second"][:2]}
    seeds = {"first": [1, 2], "second": [1, 2]}
    facts = cola_facts(items, two, seeds, 0, 200, train_labels=[1], roles=ROLES)
    for fact in (
        on_cola(facts, "score", method="first", metric="accuracy"),
        on_cola(facts, "difference", method="first", against="second", metric="accuracy"),
    ):
        assert fact.covers == "items" and fact.low < fact.value < fact.high
        assert "two seeds" in fact.reason
    mcc = {"metric": "matthews_correlation"}
    assert on_cola(facts, "difference", method="first", against="second", **mcc).outcome == "better"
    control = on_cola(facts, "score", method=MAJORITY, metric="accuracy")
    assert control.low < control.value and control.covers == "items"


def test_each_interval_says_what_it_covers_whatever_other_tasks_and_methods_have(cola, pos):
    """Three seeds of one task and two of another, as after an interruption."""
    items, logits, _ = cola
    frames, predicted, _ = pos
    methods = ("first", "second")
    of_cola = cola_facts(
        items, {m: logits[m][:3] for m in methods}, dict.fromkeys(methods, range(3)), 0, 60
    )
    some = {"first": 3, "second": 2}
    own = {m: {a: p[:n] for a, p in predicted[m].items()} for m, n in some.items()}
    seeds = {m: list(range(n)) for m, n in some.items()}
    of_pos = pos_facts(frames, LANGUAGES, own, seeds, TAGS, EN, None, 0, 60)
    facts = Facts([*of_cola, *of_pos])
    pair = {"method": "first", "against": "second", "metric": "accuracy"}
    assert on_cola(facts, "difference", **pair).covers == "items and seeds"
    assert on_pos(facts, "difference", EN, **pair).covers == "items"
    covered = {m: on_pos(facts, "score", EN, method=m, metric="accuracy").covers for m in some}
    assert covered == {"first": "items and seeds", "second": "items"}


def test_who_has_learned_is_above_the_controls(cola):
    items, logits, facts = cola
    learned = {f.method: f.value for f in facts.where(quantity="learned")}
    assert learned == {"first": 1.0, "second": 0.0, "third": 1.0}, "the second is like the third"
    constant = np.zeros_like(logits["second"])
    constant[..., 1] = 1 + 0.1 * np.arange(len(constant))[:, None]
    again = cola_facts(
        items, {**logits, "second": constant}, SEEDS, 7, 200, train_labels=[1, 1, 0], roles=ROLES
    )
    learned = {f.method: f.value for f in again.where(quantity="learned")}
    assert learned == {"first": 1.0, "second": 0.0, "third": 1.0}
    without = cola_facts(items, {"first": logits["first"]}, SEEDS, 7, 50)
    assert not without.where(quantity="learned")


def test_groups_are_contrasted_on_the_same_resamples(cola):
    facts = cola[-1]
    for method in (*SEEDS, MAJORITY):
        contrasts = facts.where(quantity="contrast", method=method, seed=None)
        assert [fact.grouping for fact in contrasts] == ["by_domain", "by_label"]
        for fact in contrasts:
            place = {"method": method, "grouping": fact.grouping, "metric": "accuracy"}
            values = [
                on_cola(facts, "score", group=group, **place).value
                for group in (fact.group, fact.against)
            ]
            assert fact.value == pytest.approx(values[0] - values[1])
            assert method == MAJORITY or fact.low < fact.high
    # Labels: the majority class is right on one kind only, at any rate of resampling.
    place = {"grouping": "by_label", "group": "majority", "against": "minority"}
    assert on_cola(facts, "contrast", method=MAJORITY, metric="accuracy", **place).value == 1.0


def stored_scores(facts):
    """What the stage that scores runs would have stored for the facts of CoLA."""
    return {
        method: [
            {
                metric: facts.one(
                    "score", task="cola", evaluation=COLA, method=method, metric=metric, seed=seed
                ).value
                for metric in scoring.ACCEPTABILITY_METRICS
            }
            for seed in SEEDS[method]
        ]
        for method in SEEDS
    }


def test_scores_that_differ_from_the_stored_ones_are_refused(cola):
    items, logits, facts = cola
    stored = stored_scores(facts)
    arguments = {"train_labels": [1, 1, 0], "roles": ROLES}
    again = cola_facts(items, logits, SEEDS, 7, 300, scores=stored, **arguments)
    assert list(again) == list(facts)
    stored["second"][1]["f1"] += 1e-6
    with pytest.raises(StudyError, match="f1 of second"):
        cola_facts(items, logits, SEEDS, 7, 50, scores=stored, **arguments)


@pytest.mark.parametrize(("label", "lacking"), [(1, "f1_unacceptable"), (0, "f1")])
def test_what_one_label_leaves_undefined_has_no_value_and_says_why(cola, label, lacking):
    items, logits, _ = cola
    items = items.assign(label=label)
    arguments = {"train_labels": [1, 1, 0], "roles": ROLES}
    facts = cola_facts(items, logits, SEEDS, 7, 50, **arguments)
    of_set = facts.where(quantity="score", grouping="", seed=None, method=list(SEEDS))
    unknown = {fact.metric for fact in of_set if fact.reason == outcomes.ONE_LABEL}
    assert unknown == {"matthews_correlation", "macro_f1", lacking}
    assert {fact.metric for fact in of_set if not fact.known} == unknown
    assert facts.where(quantity="difference").distinct("metric") == ["accuracy"]
    assert not facts.where(quantity=("threshold", "learned"))
    stored = stored_scores(facts)
    assert stored["first"][0]["matthews_correlation"] is None
    assert list(cola_facts(items, logits, SEEDS, 7, 50, scores=stored, **arguments)) == list(facts)
    stored["first"][0]["matthews_correlation"] = 0.0
    with pytest.raises(StudyError, match="matthews_correlation of first"):
        cola_facts(items, logits, SEEDS, 7, 50, scores=stored, **arguments)


def test_one_seed_alone(cola):
    items, logits, _ = cola
    facts = cola_facts(items, {"third": logits["third"]}, {"third": [43]}, 0, 200)
    mcc = on_cola(facts, "score", method="third", metric="matthews_correlation")
    assert (mcc.sd, mcc.covers) == (None, "items") and "one seed" in mcc.reason
    assert mcc.low < mcc.value < mcc.high
    assert not facts.where(quantity="difference")
    assert not facts.where(metric="majority")
    assert not facts.where(grouping="by_label"), "no training labels"


def test_no_seed_in_common_is_said(cola):
    items, logits, _ = cola
    own = {m: logits[m][:1] for m in ("first", "second")}
    facts = cola_facts(items, own, {"first": [1], "second": [2]}, 0, 50)
    mcc = {"metric": "matthews_correlation"}
    fact = on_cola(facts, "difference", method="first", against="second", **mcc)
    assert (fact.value, fact.p, fact.seeds, fact.outcome) == (None, None, 0, "")
    assert "no seed in common" in fact.reason


@pytest.mark.parametrize(
    ("name", "seeds", "rows"),
    [("first", [1, 2], 240), ("first", [1, 1, 2, 3], 240), ("first", [1, 2, 3, 4], 239),
     (MAJORITY, [1, 2, 3, 4], 240)],
)  # fmt: skip
def test_what_does_not_fit_is_refused(cola, name, seeds, rows):
    items, logits, _ = cola
    with pytest.raises(ValueError, match="expected"):
        cola_facts(items.head(rows), {name: logits["first"]}, {name: seeds}, 0, 50)


# -------------------------------------------------------------------------------------------- POS


def test_tag_scores_agree_with_scikit_learn(pos):
    frames, predicted, facts = pos
    for method, of_method in predicted.items():
        for name, frame in frames.items():
            gold = np.array([TAGS.index(tag) for tag in frame["tag"]])
            options = {"labels": np.unique(gold), "zero_division": 0}
            score = functools.partial(on_pos, facts, "score", name, method=method)
            accuracy = [(p == gold).mean() for p in of_method[name]]
            assert of_seeds(facts, score(metric="accuracy")) == pytest.approx(accuracy)
            macro = [sk.f1_score(gold, p, average="macro", **options) for p in of_method[name]]
            assert of_seeds(facts, score(metric="macro_f1")) == pytest.approx(macro)
            assert score(metric="seqeval_f1").low is None
            each = np.mean(
                [sk.recall_score(gold, p, average=None, **options) for p in of_method[name]], axis=0
            )
            tags = [TAGS[index] for index in options["labels"]]
            recall = [score(metric="accuracy", tag=tag).value for tag in tags]
            assert recall == pytest.approx(each)


def test_tags_without_gold_words_have_no_value_and_say_why(pos):
    facts = pos[-1]
    own = facts.where(quantity="score", method="second", evaluation=EN, metric="f1", seed=None)
    assert [fact.tag for fact in own] == list(TAGS)
    absent = on_pos(facts, "score", EN, method="second", metric="f1", tag="SYM")
    assert (absent.n, absent.value, absent.reason) == (0, None, "no such items")
    assert not on_pos(facts, "score", EN, method="second", metric="accuracy", tag="SYM").known
    noun = on_pos(facts, "score", EN, method="second", metric="f1", tag="NOUN")
    assert noun.low < noun.value and noun.n == (pos[0][EN]["tag"] == "NOUN").sum()


def test_every_decomposition_adds_up_to_the_drop(pos):
    facts = pos[-1]
    for method in (*SEEDS, LEXICAL):
        accuracies = [
            on_pos(facts, "score", n, method=method, metric="accuracy").value for n in (EN, DE)
        ]
        drop = on_pos(facts, "drop", DE, method=method, metric="accuracy").value
        assert drop == pytest.approx(accuracies[0] - accuracies[1])
        parts = facts.where(
            quantity="contribution", method=method, evaluation=DE, metric="", seed=None
        )
        ways = {
            "confusion": [f for f in parts if f.predicted],
            "cause": [f for f in parts if f.cause],
        }
        assert sum(map(len, ways.values())) == len(parts)
        for name, way in ways.items():
            assert math.fsum(f.value for f in way) == pytest.approx(drop, abs=1e-9), name
        causes = [fact.value for fact in ways["cause"]]
        assert causes == pytest.approx(sorted(causes, reverse=True))
        mixed = {
            metric: on_pos(
                facts, "contribution", DE, method=method, grouping="by_tag", metric=metric
            ).value
            for metric in ("rate", "mix")
        }
        assert sum(mixed.values()) == pytest.approx(drop)


def test_shares_of_the_drop_are_told_where_it_is_more_than_chance(pos):
    facts = pos[-1]
    told = facts.where(quantity="share", metric="drop", evaluation=DE, method="first")
    assert math.fsum(f.value for f in told if f.cause) == pytest.approx(1)
    assert on_pos(facts, "share", DE, method="first", metric="drop").value == 1.0
    untold = facts.where(quantity="share", metric="drop", method=LEXICAL)
    drop = on_pos(facts, "drop", DE, method=LEXICAL, metric="accuracy")
    assert drop.low < 0 and len(untold) == len(told) > 3
    assert all(not fact.known and "told from zero" in fact.reason for fact in untold)


def test_groups_of_words(pos):
    frames, predicted, facts = pos
    frame, right = frames[DE], predicted["first"][DE]
    right = right == np.array([TAGS.index(tag) for tag in frame["tag"]])
    own = facts.where(quantity="score", method="first", evaluation=DE, seed=None)
    for grouping, member in (
        ("by_seen", lambda g: frame["seen"] == (g == "seen")),
        ("by_pieces", lambda g: frame["pieces"].clip(upper=4).astype(str) == g.rstrip("+")),
    ):
        for fact in own.where(grouping=grouping):
            chosen = member(fact.group).to_numpy()
            assert fact.n == chosen.sum() > 0
            assert fact.value == pytest.approx(right[:, chosen].mean())


def test_the_difference_of_drops_is_compared(pos):
    facts, pair = pos[-1], {"method": "first", "against": "second"}
    fact = on_pos(facts, "difference", DE, metric="drop", **pair)
    on = {n: on_pos(facts, "difference", n, metric="accuracy", **pair) for n in (EN, DE)}
    assert fact.value == pytest.approx(on[EN].value - on[DE].value)
    assert fact.n == on[EN].n + on[DE].n
    assert fact.low < fact.value < fact.high < 0, "the second loses more"


def test_the_lexical_control_knows_forms_only(pos):
    frames, _, facts = pos
    lexicon = {"the": "DET", "Haus": "NOUN", "ab": "ADP"}
    guessed = [lexicon.get(form, "ADP") for form in frames[EN]["form"]]
    expected = np.mean([g == t for g, t in zip(guessed, frames[EN]["tag"], strict=True)])
    accuracy = on_pos(facts, "score", EN, method=LEXICAL, metric="accuracy")
    assert accuracy.value == pytest.approx(expected)


def test_targets_are_the_sets_in_other_languages(pos):
    frames, predicted, facts = pos
    assert facts.where(quantity="drop").distinct("evaluation") == [DE]
    more = {**frames, "en_x:test": frames[EN]}
    predicted = {"first": {**predicted["first"], "en_x:test": predicted["first"][EN]}}
    found = pos_facts(
        more, {**LANGUAGES, "en_x:test": "en"}, predicted, SEEDS, TAGS, EN, None, 0, 50
    )
    assert found.where(quantity="drop").distinct("evaluation") == [DE]
    assert not found.where(method=LEXICAL), "no training words"


def test_a_set_without_predictions_is_left_out(pos):
    frames, predicted, _ = pos
    partial = {"first": predicted["first"], "second": {EN: predicted["second"][EN]}}
    facts = pos_facts(frames, LANGUAGES, partial, SEEDS, TAGS, EN, None, 0, 50)
    assert facts.where(method="second").distinct("evaluation") == [EN]
    assert facts.where(quantity="difference").distinct("evaluation") == [EN]


def test_a_gold_tag_outside_the_tag_set_is_named(pos):
    frames, predicted, _ = pos
    with pytest.raises(ValueError, match="VERB"):
        pos_facts(frames, LANGUAGES, predicted, SEEDS, TAGS[:-1], EN)


def test_an_unknown_source_is_named(pos):
    frames, predicted, _ = pos
    with pytest.raises(ValueError, match="fr_x"):
        pos_facts(frames, LANGUAGES, predicted, SEEDS, TAGS, "fr_x:test")


def test_macro_f1_falls_over_the_tags_that_both_sets_have(pos):
    frames, predicted, _ = pos
    rare = frames[DE].assign(tag=frames[DE]["tag"].replace("PRON", "SYM"))  # no PRON, but SYM
    own, both = {"first": predicted["first"]}, {EN: frames[EN], DE: rare}
    facts = pos_facts(both, LANGUAGES, own, SEEDS, TAGS, EN, None, 0, 100)
    common = [TAGS.index(tag) for tag in TAGS if tag not in ("PRON", "SYM")]
    options = {"average": "macro", "zero_division": 0, "labels": common}
    macro = [
        np.mean(
            [sk.f1_score(frame["tag"].map(TAGS.index), p, **options) for p in own["first"][name]]
        )
        for name, frame in both.items()
    ]
    drop = on_pos(facts, "drop", DE, method="first", metric="macro_f1")
    assert drop.value == pytest.approx(macro[0] - macro[1]) and drop.n == len(common)
    each = [on_pos(facts, "score", n, method="first", metric="macro_f1").value for n in both]
    assert abs(each[0] - each[1] - (macro[0] - macro[1])) > 0.01


def test_sets_without_a_tag_in_common_have_no_drop_in_macro_f1(pos):
    frames, predicted, _ = pos
    other = {EN: frames[EN].assign(tag="NOUN"), DE: frames[DE].assign(tag="VERB")}
    facts = pos_facts(other, LANGUAGES, {"first": predicted["first"]}, SEEDS, TAGS, EN, None, 0, 50)
    drop = on_pos(facts, "drop", DE, method="first", metric="macro_f1")
    assert (drop.value, drop.reason) == (None, "the two sets have no tag in common")


def test_pieces_are_those_of_the_methods_own_tokenizer(pos):
    frames, predicted, _ = pos
    own = {name: np.full(len(frame), 2) for name, frame in frames.items()}
    facts = pos_facts(
        frames, LANGUAGES, predicted, SEEDS, TAGS, EN, None, 0, 100, pieces={"second": own}
    )
    rows = facts.where(quantity="score", grouping="by_pieces", evaluation=DE, seed=None)
    words = {m: [fact.n for fact in rows.where(method=m)] for m in ("first", "second")}
    assert words["second"] == [0, len(frames[DE]), 0, 0]
    assert min(words["first"]) > 0
    place = {"method": "second", "grouping": "by_pieces"}
    whole = on_pos(facts, "score", DE, method="second", metric="accuracy").value
    own = on_pos(facts, "score", DE, metric="accuracy", group="2", **place).value
    assert own == pytest.approx(whole)
    lone = on_pos(facts, "contrast", DE, group="1", against="4+", metric="accuracy", **place)
    assert (lone.value, lone.reason) == (None, "no such items")


def test_two_made_up_cases_show_what_seqeval_does_to_tags(pos):
    values = {(fact.group, fact.metric): fact.value for fact in pos[-1].where(quantity="example")}
    assert values["swapped", "accuracy"] == 0.6 and values["swapped", "seqeval_f1"] == 1.0
    assert values["merged", "accuracy"] == 0.75 and values["merged", "seqeval_f1"] < 0.5

"""Learning curves: what is read off one run, and off the runs of a method together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.convergence import (
    MEASURES,
    Curve,
    convergence_facts,
    describe_run,
    has_turned,
    late_slope,
    noise_of,
    rise_after_minimum,
)
from facts.fact import Fact
from facts.table import Facts
from synthetic_study import Traits, build_study

SMALL = {"sentences": 80, "words": 300, "resamples": 40}


def run_rows(loss, metric=None, train=None, steps_per_epoch=5, **key):
    """Curves of a run: evaluations every 10 steps, training losses every 5."""

    def rows(split, name, values, every):
        return [
            Fact(
                quantity="curve", split=split, metric=name, step=every * n, value=float(value),
                epoch=n * every / 10 / steps_per_epoch, **key,
            )
            for n, value in enumerate(values)
        ]  # fmt: skip

    found = rows("validation", "loss", loss, 10)
    found += rows("validation", "matthews_correlation", metric, 10) if metric is not None else []
    found += rows("train", "loss", train, 5) if train is not None else []
    return Facts(found)


def described(*curves, **options):
    return describe_run(run_rows(*curves, **options))[0]


def u_turn(points=16, lowest=8, height=0.4):
    x = np.arange(points)
    return 0.4 + np.where(x < lowest, (lowest - x) / lowest * 0.3, (x - lowest) * height / points)


# ----------------------------------------------------------------------------------------- one run


def test_a_planted_turn_is_found_where_it_is():
    loss, metric = u_turn(16, lowest=8), np.linspace(0.1, 0.6, 16)
    run = described(loss, metric)
    assert run["best_loss_epoch"] == pytest.approx(1.6)
    assert run["best_loss"] == pytest.approx(0.4)
    assert run["turned"] == 1 and run["direction_after_best_loss"] == 1
    assert run["final_metric"] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [(np.full(16, 0.5), 0), (np.r_[np.full(9, 0.6), np.linspace(0.59, 0.4, 7)], -1)],
)
def test_what_the_metric_does_after_the_lowest_loss(metric, expected):
    assert described(u_turn(), metric)["direction_after_best_loss"] == expected


def test_a_falling_loss_has_not_turned_and_nothing_comes_after_its_end():
    run = described(np.linspace(1, 0.4, 16), np.linspace(0, 0.5, 16))
    assert run["turned"] == 0 == run["rise"]
    assert "direction_after_best_loss" not in run


def test_the_gap_takes_training_loss_since_the_last_but_one_evaluation():
    loss = np.linspace(1, 0.5, 8)  # evaluations at steps 0 .. 70
    train = np.r_[np.full(13, 9.0), 0.2, 0.4]  # steps 0 .. 70; 65 and 70 are after step 60
    run = described(loss, train=train)
    assert run["final_train_loss"] == pytest.approx(0.3)
    assert run["gap"] == pytest.approx(0.2)
    assert "gap" not in described(loss)


def test_the_late_slope_is_that_of_the_last_third_an_epoch():
    metric = np.r_[np.linspace(0, 0.5, 11), 0.5 + 0.01 * np.arange(1, 6)]  # last third: 0.05/epoch
    run, margin = describe_run(run_rows(np.linspace(1, 0.5, 16), metric))
    assert run["slope"] == pytest.approx(0.05)
    assert margin == pytest.approx(0, abs=1e-6)


def test_short_curves_say_nothing_about_turns_and_trends():
    run = described([1, 0.5, 0.9], [0.1, 0.4, 0.3])
    assert run["best_loss_epoch"] == run["best_metric_epoch"] > 0
    assert not {"turned", "slope", "rise", "direction_after_best_loss"} & run.keys()


def test_a_run_without_a_metric_is_described_by_its_losses():
    run = described(u_turn())
    assert run["turned"] == 1 and not [name for name in run if "metric" in name or "slope" in name]
    both = described(u_turn(), np.linspace(0, 0.5, 16), np.linspace(1, 0.5, 31))
    assert both.keys() == MEASURES.keys(), "everything that can be read off is described"
    assert run.keys() < both.keys()


def test_noise_alone_seldom_turns_and_a_rise_of_seven_sigma_nearly_always_does():
    rng = np.random.default_rng(0)
    shape = 0.5 + 0.3 * np.exp(-np.arange(25) / 4)
    noise = rng.normal(scale=0.02, size=(300, 25))
    rise = np.r_[np.zeros(15), np.linspace(0, 0.14, 10)]
    false = np.mean([has_turned(shape + draw) for draw in noise])
    found = np.mean([has_turned(shape + rise + draw) for draw in noise])
    assert false < 0.05
    assert found > 0.9


def alike(rng, runs, points, likeness=0.8):
    """Noise (runs, points) of variance 1 whose neighbours correlate."""
    noise = rng.normal(size=(runs, points))
    for i in range(1, points):
        noise[:, i] = likeness * noise[:, i - 1] + np.sqrt(1 - likeness**2) * noise[:, i]
    return noise


def test_evaluations_that_are_alike_are_no_turn_and_no_slope():
    """Neighbours that move together once passed for a turn, and for a slope, in a run in seven."""
    noise = alike(np.random.default_rng(0), 400, 25)
    shape = 0.5 + 0.3 * np.exp(-np.arange(25) / 4)
    assert np.mean([has_turned(shape + 0.02 * draw) for draw in noise]) < 0.05
    steps = np.arange(25.0)
    lines = [late_slope(Curve(steps, steps / 5, 0.02 * draw)) for draw in noise]
    assert np.mean([abs(slope) > margin for slope, margin in lines]) < 0.06


@settings(max_examples=40)
@given(
    st.lists(st.floats(0.1, 2), min_size=9, max_size=30),
    st.floats(0.5, 4),
    st.floats(0, 3),
)
def test_scaling_and_shifting_a_curve(values, factor, shift):
    values = np.array(values)
    assert noise_of(factor * values + shift) == pytest.approx(factor * noise_of(values), abs=1e-9)
    rise = rise_after_minimum(values)
    assert rise >= 0
    assert rise_after_minimum(factor * values + shift) == pytest.approx(factor * rise, abs=1e-9)
    assert has_turned(4 * values) == has_turned(values)  # a power of two rounds nothing


def test_noise_of_a_line_is_none_and_of_white_noise_its_size():
    rng = np.random.default_rng(1)
    assert noise_of(np.linspace(0, 5, 20)) == pytest.approx(0, abs=1e-12)
    estimates = [noise_of(rng.normal(scale=0.3, size=60)) for _ in range(200)]
    assert np.sqrt(np.mean(np.square(estimates))) == pytest.approx(0.3 / np.sqrt(3), rel=0.05)


# --------------------------------------------------------------------------------------- over runs


def together(runs, **key):
    """The facts of one method from the curves of its runs: seed -> (loss, metric)."""
    rows = [
        f for s, curves in runs.items() for f in run_rows(*curves, task="t", method="m", seed=s)
    ]
    facts = Facts(convergence_facts(Facts(rows)))
    return lambda metric, seed=None: facts.one(
        "convergence", task="t", method="m", metric=metric, seed=seed
    )


def test_methods_are_summarised_over_their_seeds():
    facts = build_study(("full", "lora"), (42, 43, 44), **SMALL).facts
    own = facts.where(quantity="convergence", task="cola")
    assert own.distinct("method") == ["full", "lora"]
    turned = {
        method: facts.one("convergence", task="cola", method=method, metric="turned")
        for method in ("full", "lora")
    }
    assert {m: (f.value, f.n) for m, f in turned.items()} == {"full": (3, 3), "lora": (0, 3)}
    after = {f.method: f.value for f in own.where(metric="direction_after_best_loss", seed=None)}
    assert after.keys() == {"full"} and after["full"] in (0, 1), "no run of LoRA turned"
    gap = facts.one("convergence", task="cola", method="full", metric="gap")
    runs = own.where(method="full", metric="gap", seed=(42, 43, 44)).values()
    assert len(runs) == gap.seeds == 3 and gap.value == pytest.approx(np.mean(runs))
    assert (gap.low, gap.high, gap.covers) == (min(runs), max(runs), "range")
    slope = facts.one("convergence", task="cola", method="full", metric="slope")
    assert slope.low < slope.value < slope.high and slope.covers == "seeds"


def test_the_slope_of_one_run_has_the_interval_of_its_line():
    noisy = np.linspace(0, 0.5, 16) + np.random.default_rng(0).normal(scale=0.01, size=16)
    slope = together({1: (u_turn(), noisy)})("slope")
    _, margin = describe_run(run_rows(u_turn(), noisy))
    assert (slope.covers, slope.seeds) == ("points", 1)
    assert (slope.low, slope.high) == (slope.value - margin, slope.value + margin)
    assert margin > 0


def test_the_direction_is_that_of_most_runs_that_turned():
    rises, falls = np.linspace(0.1, 0.6, 16), np.linspace(0.6, 0.1, 16)
    still = np.linspace(1, 0.4, 16)
    of = {1: (u_turn(), falls), 2: (u_turn(), falls), 3: (u_turn(), rises), 4: (still, rises)}
    assert together(of)("direction_after_best_loss").value == -1
    del of[1]
    assert together(of)("direction_after_best_loss").value == 0, "one falls, one rises"
    assert not together({4: of[4]})("direction_after_best_loss").known


def test_equal_traits_give_equal_convergence_and_missing_runs_are_left_out():
    same = {"a": Traits(), "b": Traits()}
    study = build_study(("a", "b"), (1, 2), traits=same, missing=("cola-b-seed1",), **SMALL)
    own = study.facts.where(quantity="convergence", task="cola")
    assert own.where(method="b").distinct("seed") == [None, 2]
    values = [
        {f.metric: f.value for f in own.where(method=method, seed=2)} for method in ("a", "b")
    ]
    assert values[0] == values[1] and len(values[0]) > 8


def test_a_method_without_runs_is_not_listed():
    study = build_study(("full", "lora"), (1,), missing=("pos-lora-seed1",), **SMALL)
    assert study.facts.where(quantity="convergence", task="pos").distinct("method") == ["full"]


@pytest.mark.parametrize(
    ("ends", "sign"), [((0.5, 0.51, 0.49), 1), ((0.0, 0.005, 0.01), -1), ((0.5, -0.4, 0.2), 0)]
)
def test_the_interval_of_the_slope_over_seeds_says_whether_the_metric_still_rises(ends, sign):
    """What it decides is told in one place above, by rules with three values."""
    late = {1: 0.0, -1: 0.5, 0: 0.0}[sign]
    runs = {s: (u_turn(), np.linspace(late, end, 16)) for s, end in enumerate(ends)}
    slope = together(runs)("slope")
    assert slope.covers == "seeds" and slope.seeds == 3
    assert (slope.low > 0) - (slope.high < 0) == sign

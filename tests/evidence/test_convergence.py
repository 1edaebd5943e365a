import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answers.convergence import summarise_convergence
from evidence import convergence
from evidence.convergence import (
    describe_run,
    has_turned,
    noise_of,
    rise_after_minimum,
)
from synthetic_study import EPOCHS, Traits, build_study

SMALL = {"sentences": 80, "words": 300, "resamples": 40}


def run_rows(loss, metric=None, train=None, steps_per_epoch=5):
    """Rows of ``Study.curves``: evaluations every 10 steps, training losses every 5."""

    def rows(split, name, values, every):
        return [
            {"step": every * n, "epoch": n * every / 10 / steps_per_epoch, "split": split}
            | {"metric": name, "value": float(value)}
            for n, value in enumerate(values)
        ]

    found = rows("validation", "loss", loss, 10)
    found += rows("validation", "matthews_correlation", metric, 10) if metric is not None else []
    found += rows("train", "loss", train, 5) if train is not None else []
    return pd.DataFrame(found)


def u_turn(points=16, lowest=8, height=0.2):
    x = np.arange(points)
    return 0.4 + np.where(x < lowest, (lowest - x) / lowest * 0.3, (x - lowest) * height / points)


# ----------------------------------------------------------------------------------------- one run


def test_a_planted_turn_is_found_where_it_is():
    loss, metric = u_turn(16, lowest=8), np.linspace(0.1, 0.6, 16)
    run = describe_run(run_rows(loss, metric))
    assert run["best_loss_step"] == 80 and run["best_loss_epoch"] == pytest.approx(1.6)
    assert run["best_loss"] == pytest.approx(0.4)
    assert run["turned"] is True
    assert run["metric_after_best_loss"] == "rises"
    assert run["metric_change_after_best_loss"] == pytest.approx((0.5 / 15) * 6)
    assert run["best_metric_step"] == 150 and run["final_metric"] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [(np.full(16, 0.5), "flat"), (np.r_[np.full(9, 0.6), np.linspace(0.59, 0.4, 7)], "falls")],
)
def test_what_the_metric_does_after_the_lowest_loss(metric, expected):
    assert describe_run(run_rows(u_turn(), metric))["metric_after_best_loss"] == expected


def test_a_falling_loss_has_not_turned_and_nothing_comes_after_its_end():
    run = describe_run(run_rows(np.linspace(1, 0.4, 16), np.linspace(0, 0.5, 16)))
    assert run["turned"] is False and run["rise"] == 0
    assert run["metric_after_best_loss"] is None


def test_the_gap_takes_training_loss_since_the_last_but_one_evaluation():
    loss = np.linspace(1, 0.5, 8)  # evaluations at steps 0 .. 70
    train = np.r_[np.full(13, 9.0), 0.2, 0.4]  # steps 0 .. 70; 65 and 70 are after step 60
    run = describe_run(run_rows(loss, train=train))
    assert run["final_train_loss"] == pytest.approx(0.3)
    assert run["gap"] == pytest.approx(0.2)
    assert describe_run(run_rows(loss))["gap"] is None


def test_the_late_slope_is_that_of_the_last_third_an_epoch():
    metric = np.r_[np.linspace(0, 0.5, 11), 0.5 + 0.01 * np.arange(1, 6)]  # last third: 0.05/epoch
    run = describe_run(run_rows(np.linspace(1, 0.5, 16), metric))
    assert run["slope"] == pytest.approx(0.05)
    assert run["slope_margin"] == pytest.approx(0, abs=1e-6)
    assert run["extrapolated_gain"] == pytest.approx(0.05)


def test_an_extrapolation_does_not_pass_one():
    run = describe_run(run_rows(np.linspace(1, 0.5, 16), np.linspace(0.5, 0.99, 16)))
    assert run["slope"] > 0.1
    assert run["extrapolated_gain"] == pytest.approx(0.01)


def test_short_curves_say_nothing_about_turns_and_trends():
    run = describe_run(run_rows([1, 0.5, 0.9], [0.1, 0.4, 0.3]))
    assert run["best_loss_step"] == 10 and run["best_metric_step"] == 10
    assert run["turned"] is None and run["slope"] is None and run["rise"] is None
    assert run["metric_after_best_loss"] is None


def test_a_run_without_a_metric_is_described_by_its_losses():
    run = describe_run(run_rows(u_turn()))
    assert run["metric"] is None and run["turned"] is True
    assert set(convergence.Quantities.__annotations__) <= run.keys() and run["slope"] is None


def test_noise_alone_seldom_turns_and_a_rise_of_six_sigma_nearly_always_does():
    rng = np.random.default_rng(0)
    shape = 0.5 + 0.3 * np.exp(-np.arange(25) / 4)
    noise = rng.normal(scale=0.02, size=(300, 25))
    rise = np.r_[np.zeros(15), np.linspace(0, 0.12, 10)]
    false = np.mean([has_turned(shape + draw) for draw in noise])
    found = np.mean([has_turned(shape + rise + draw) for draw in noise])
    assert false < 0.05
    assert found > 0.9


@settings(max_examples=40)
@given(
    st.lists(st.floats(0.1, 2), min_size=6, max_size=30),
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
    assert np.sqrt(np.mean(np.square(estimates))) == pytest.approx(0.3, rel=0.05)


# --------------------------------------------------------------------------------------- over runs


def test_methods_are_summarised_over_their_seeds():
    study = build_study(("full", "lora"), (42, 43, 44), **SMALL)
    full, lora = summarise_convergence(study, "cola")
    assert (full["method"], lora["method"]) == ("full", "lora")
    assert full["metric"] == "matthews_correlation" and full["epochs"] == EPOCHS and full["decays"]
    assert full["turned"] == full["turn_known"] == 3 and lora["turned"] == 0
    assert full["metric_after_turn"] in ("rises", "flat") and lora["metric_after_turn"] is None
    assert [run["seed"] for run in full["runs"]] == full["seeds"] == [42, 43, 44]
    per_seed = [run["gap"] for run in full["runs"]]
    assert full["gap"]["value"] == pytest.approx(np.mean(per_seed))
    assert (full["gap"]["low"], full["gap"]["high"]) == (min(per_seed), max(per_seed))
    assert full["slope_low"] < full["slope"]["value"] < full["slope_high"]


def test_equal_traits_give_equal_convergence_and_missing_runs_are_left_out():
    same = {"a": Traits(), "b": Traits()}
    study = build_study(("a", "b"), (1, 2), traits=same, missing=("cola-b-seed1",), **SMALL)
    first, second = summarise_convergence(study, "cola")
    assert second["seeds"] == [2]
    assert first["runs"][1] == second["runs"][0]


def test_a_method_without_runs_is_not_listed():
    study = build_study(("full", "lora"), (1,), missing=("pos-lora-seed1",), **SMALL)
    assert [row["method"] for row in summarise_convergence(study, "pos")] == ["full"]


@pytest.mark.parametrize(
    ("slopes", "expected"),
    [
        ([0.05, 0.051, 0.049], "rising"),
        ([-0.05, -0.051, -0.049], "falling"),
        ([0.0001, -0.0001, 0.0], "flat"),
        ([0.05, -0.04, 0.02], "unclear"),
    ],
)
def test_the_outlook_follows_the_interval_of_the_slope(slopes, expected):
    base = describe_run(run_rows(u_turn(), np.linspace(0, 0.5, 16)))
    runs = [{**base, "slope": slope} for slope in slopes]
    assert convergence.aggregate_runs(runs)["outlook"] == expected

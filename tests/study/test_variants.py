"""Experiments in the settings: what they become, what is refused, and addresses of parts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.addresses import Address, parse_address
from study.errors import StudyError
from study.profiles import load_profile
from study.settings import TaskSettings

BASE = Path(__file__).parents[2] / "experiments.toml"
RATES = """
[profiles.mine.cola.experiments.rates]
full = [2e-6, 2e-5, 2e-4]
lora = [1e-4, 3e-4, 1e-3]
"""


def load(tmp_path: Path, text: str) -> TaskSettings:
    local = tmp_path / "experiments.local.toml"
    head = "[profiles.mine.cola.experiments]\nseeds = [42]\n"
    local.write_text(head + text, encoding="utf-8")
    return load_profile("mine", [BASE, local]).tasks["cola"]


def test_rates_are_tried_on_nine_tenths_and_the_last_tenth_selects(tmp_path: Path) -> None:
    task = load(tmp_path, RATES)
    tries = task.experiments.tries
    assert {m: [v.name for v in own] for m, own in tries.items()} == {
        "full": ["lr2e-6", "lr2e-5", "lr2e-4"],
        "lora": ["lr1e-4", "lr3e-4", "lr1e-3"],
    }
    for variant in task.experiments.variants:
        train, held_out = parse_address(variant.train), parse_address(variant.held_out)
        assert variant.train == "cola:train[:90%]" and not train.overlaps(held_out)
        assert variant.evaluations == (*task.evaluations, variant.held_out)
        (change,) = variant.changes
        assert change == ("learning_rate", variant.method.training.learning_rate)
    assert [v.own_rate for v in tries["full"]] == [False, True, False]


def test_a_specification_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    task = load(
        tmp_path,
        """
        [profiles.mine.cola.experiments.specifications]
        rank = { methods = ["lora"], adapter = { r = [1, 64] } }
        longer = { num_train_epochs = 9, weight_decay = 0 }
        matrices = { methods = ["lora"], adapter = { target_modules = ["key"] } }
        share = { train_share = 0.25 }
        """,
    )
    found = task.experiments.specifications
    assert list(found) == ["rank-1", "rank-64", "longer", "matrices", "share"]
    (rank,) = found["rank-1"]
    lora = task.method("lora")
    assert rank.method.adapter is not None and lora.adapter is not None
    assert rank.method.adapter.options == {**lora.adapter.options, "r": 1}
    assert rank.method.training == lora.training and rank.changes == (("r", 1),)
    assert [v.method.name for v in found["longer"]] == ["full", "lora"]
    assert {v.method.training.num_train_epochs for v in found["longer"]} == {9}
    assert found["matrices"][0].changes == (("target_modules", ("key",)),)
    assert {v.train for v in found["share"]} == {"cola:train[:25%]"}
    assert not any(v.held_out for own in found.values() for v in own)


def test_parts_of_a_part(tmp_path: Path) -> None:
    local = tmp_path / "experiments.local.toml"
    local.write_text(
        '[profiles.mine.cola]\ntrain = "cola:train[:50%]"\nexperiments.seeds = [42]\n'
        "[profiles.mine.cola.experiments.specifications]\nshare = { train_share = 0.5 }\n" + RATES
    )
    task = load_profile("mine", [BASE, local]).tasks["cola"]
    trains = {variant.train for variant in task.experiments.variants}
    assert trains == {"cola:train[:45%]", "cola:train[:25%]"}
    assert task.experiments.variants[0].held_out == "cola:train[45%:50%]"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RATES.replace("2e-6, ", ""), "as many tries for each method"),
        (RATES.replace("2e-5", "3e-5"), "the method's own, 2e-05, among them"),
        (RATES.replace("2e-6", "-1.0"), "learning_rate must be above 0"),
        (RATES.replace("lora =", "lorra ="), "did you mean 'lora'"),
        (RATES.replace("full = [2e-6, 2e-5, 2e-4]", "full = 2e-5"), "a list of two rates or more"),
        ("rate = 1", "did you mean 'rates'"),
        ("specifications.x = { epochs = 3 }", "unknown key 'epochs'"),
        ("specifications.x = { weight_decay = [0.0, 0.1], max_length = [32, 64] }", "one list"),
        ("specifications.x = { train_share = 1.5 }", "above 0 and at most 1"),
        ("specifications.x = { train_share = [] }", "a list of values"),
        ("specifications.x = { num_train_epochs = 0 }", "num_train_epochs must be at least 1"),
        ("specifications.x = 3", "a table of settings"),
        ('specifications.x = { methods = ["none"], weight_decay = 0 }', "'none'"),
        ('specifications.linear = { methods = ["lora"], weight_decay = 0 }', "the name"),
    ],
)
def test_what_makes_no_fair_experiment_is_refused(tmp_path: Path, text: str, told: str) -> None:
    extra = ""
    if "linear" in text:
        extra = '\n[profiles.mine.cola]\nmethods_run = ["full", "lora", "lora-linear"]\n'
    with pytest.raises(StudyError) as error:
        load(tmp_path, text + extra)
    assert told in str(error.value)
    assert "cola" in str(error.value)


def test_seeds_are_those_of_the_comparison_and_none_switch_it_off(tmp_path: Path) -> None:
    local = tmp_path / "experiments.local.toml"
    for seeds, refused in (("[7]", True), ("[]", False), ("42", True)):
        local.write_text(f"[profiles.mine.cola.experiments]\nseeds = {seeds}\n{RATES}")
        if refused:
            with pytest.raises(StudyError, match="seeds"):
                load_profile("mine", [BASE, local])
        else:
            assert load_profile("mine", [BASE, local]).tasks["cola"].experiments.variants == ()


def test_the_profiles_spend_equal_budgets_over_two_orders_of_magnitude() -> None:
    for task in load_profile("full", [BASE]).tasks.values():
        assert set(task.experiments.tries) == {"full", "lora", "lora-linear"}
        for tries in task.experiments.tries.values():
            rates = [variant.method.training.learning_rate for variant in tries]
            assert len(rates) == 5 and max(rates) / min(rates) == pytest.approx(100)
    for name, made in (("single", False), ("laptop", False), ("demo", True)):
        tasks = load_profile(name, [BASE]).tasks.values()
        assert any(task.experiments.variants for task in tasks) is made


# ------------------------------------------------------------------------------------- addresses

ENDS = st.integers(0, 1000)


@given(ENDS, ENDS)
def test_an_address_is_read_as_it_is_written(one: int, other: int) -> None:
    low, high = sorted((one, other))
    if low == high:
        return
    address = Address("de_gsd", "train", low / 1000, high / 1000)
    again = parse_address(str(address))
    assert (again.corpus, again.split) == ("de_gsd", "train")
    assert (again.low, again.high) == pytest.approx((address.low, address.high), abs=1e-12)
    assert str(again) == str(address)


@pytest.mark.parametrize(
    "text",
    ["cola", "cola:", ":train", "cola:train:x", "cola:train[", "cola:train[90%]",
     "cola:train[90%:10%]", "cola:train[50%:50%]", "cola:train[:101%]", "cola:train[1.2.3%:]"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(StudyError, match="expected corpus:split"):
        parse_address(text)


def test_training_on_what_is_evaluated_is_refused(tmp_path: Path) -> None:
    local = tmp_path / "experiments.local.toml"
    for address, refused in (("cola:train[40%:60%]", True), ("cola:train[50%:]", False)):
        local.write_text(
            f'[profiles.mine.cola]\ntrain = "cola:train[:50%]"\nevaluations = ["{address}"]\n'
        )
        if refused:
            with pytest.raises(StudyError, match="other sets than the training set"):
                load_profile("mine", [BASE, local])
        else:
            assert load_profile("mine", [BASE, local]).tasks["cola"].validation == address

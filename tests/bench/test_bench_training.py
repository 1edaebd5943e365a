"""What the benchmark counts; never how fast it was."""

import importlib.util
import inspect
import sys
from types import ModuleType, SimpleNamespace

import pytest
from torch import nn

from study.paths import project_root


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    file = project_root() / "bench" / "bench_training.py"
    spec = importlib.util.spec_from_file_location("bench_training", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_training"] = module
    spec.loader.exec_module(module)
    return module


def test_steps_of_the_warm_up_are_not_counted(bench: ModuleType) -> None:
    meter = bench.Meter(ends=[1.0, 2.0, 3.0, 5.0, 9.0], shapes=[(4, 8, 20)] * 3 + [(2, 10, 15)] * 2)
    turn = meter.turn(lambda b, t: float(b * t))
    assert (turn.seconds, turn.sentences, turn.tokens, turn.positions) == (6.0, 4, 30, 40)
    assert turn.flops == 40.0 and turn.rate == pytest.approx(4 / 6)


def test_ratios_are_of_the_same_round(bench: ModuleType) -> None:
    def turns(*rates: float) -> list[object]:
        return [bench.Turn(1.0, rate, 3, 4, 5.0) for rate in rates]

    recipes = {"run_glue": turns(1, 2), "course": turns(2, 4), "full": turns(10, 40)}
    recipes |= {"lora": turns(15, 60), "frozen": turns(100, 400)}
    recipes |= {"full_bfloat16": turns(20, 80), "lora_bfloat16": turns(40, 40)}
    found = bench._summary(recipes, {"float32": [10.0, 10.0], "bfloat16": [20.0, 40.0]})
    assert found["ratios"]["full_over_run_glue"] == {"median": 15.0, "low": 10.0, "high": 20.0}
    assert found["ratios"]["lora_over_full"]["median"] == 1.5
    assert found["full"]["share_of_padding"]["median"] == 0.25
    assert found["full"]["share_of_matmul_limit"]["median"] == 0.5
    assert found["full_bfloat16"]["share_of_matmul_limit"]["median"] == pytest.approx(5 / 30)
    assert found["ratios"]["full_bfloat16_over_full"]["median"] == 2.0
    assert found["ratios"]["lora_bfloat16_over_full_bfloat16"]["low"] == 0.5


def test_our_recipe_calls_the_loop_as_it_is(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other test runs a benchmark: a changed signature was seen by nobody."""
    given = []
    signature = inspect.signature(bench.loop.train)
    monkeypatch.setattr(
        bench.loop, "train", lambda *a, **k: given.append(signature.bind(*a, **k).arguments)
    )
    method = SimpleNamespace(trains_head_alone=False, training="settings")
    shared = SimpleNamespace(
        model=lambda _: nn.Linear(1, 1), methods={"full": method}, validation=1, tokenizer="words"
    )
    bench.run_ours(shared, "full", 0, bench.Meter())
    assert given[0]["settings"] == "settings" and given[0]["tokenizer"] == "words"
    assert (given[0]["data"], given[0]["validation"]) == (0, 1)


def test_padding_to_the_usual_length_is_masked(bench: ModuleType) -> None:
    padded = bench._padded({"input_ids": [5, 6], "attention_mask": [1, 1], "label": 1})
    assert len(padded["input_ids"]) == sum(padded["attention_mask"]) + 126 == 128
    assert padded["label"] == 1


def test_a_faster_format_is_a_recipe_of_its_own(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "this_machine", lambda: ("cpu", "float32"))
    assert bench.our_recipes() == ("full", "lora", "frozen")
    monkeypatch.setattr(bench, "this_machine", lambda: ("cpu", "bfloat16"))
    assert bench.our_recipes()[3:] == ("full_bfloat16", "lora_bfloat16")
    found = bench.prepare()
    assert {name: method.training.precision for name, method in found.methods.items()} == {
        **dict.fromkeys(("full", "lora", "frozen"), "float32"),
        **dict.fromkeys(("full_bfloat16", "lora_bfloat16"), "bfloat16"),
    }
    counts = {name: found.flops(name)(1, 1) for name in found.methods}
    assert counts["lora_bfloat16"] == counts["lora"] == 2 / 3 * counts["full_bfloat16"] > 0

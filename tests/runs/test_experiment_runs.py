"""Experiments as runs: after the comparison, on their own data, through the store, verified."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import FinishedStudy
from corpora.parts import find_families
from evidence.experiments import BEST
from facts.table import Facts
from runs.completion import Grid
from runs.grid import plan_experiments, plan_runs
from runs.stages import train
from store.entries import Store
from store.reading import read_results
from store.results import Results
from study.layers import HEAD
from tiny_study import load_tiny_profile
from verification import checking

SETTINGS = """
[profiles.tiny.cola]
methods_run = ["full", "lora"]
seeds = [1]
[profiles.tiny.cola.training]
num_train_epochs = 1
[profiles.tiny.cola.experiments]
seeds = [1]
[profiles.tiny.cola.experiments.rates]
full = [2e-5, 1e-2]
lora = [3e-4, 3e-2]
[profiles.tiny.cola.experiments.specifications]
head = { methods = ["full"], head_learning_rate = 1e-2 }
share = { train_share = 0.5 }
[profiles.tiny.pos]
methods_run = ["full", "lora"]
seeds = [1]
[profiles.tiny.pos.training]
num_train_epochs = 1
[profiles.tiny.pos.experiments]
seeds = [1]
[profiles.tiny.pos.experiments.specifications]
rank = { methods = ["lora"], adapter = { r = 2 } }
"""
NAMES = [
    *("cola-full-lr2e-5-seed1", "cola-lora-lr3e-4-seed1", "cola-full-lr0.01-seed1"),
    *("cola-lora-lr0.03-seed1", "cola-full-head-seed1", "cola-full-share-seed1"),
    *("cola-lora-share-seed1", "pos-lora-rank-seed1"),
]


@pytest.fixture(scope="module")
def tried(tiny_inputs: Path, common: Path) -> Iterator[FinishedStudy]:
    """A tiny study with experiments; after its comparison a report could be made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(tiny_inputs / "data"))
        patch.setenv("MODEL_DIR", str(tiny_inputs / "models"))
        profile, folder = load_tiny_profile(SETTINGS), common / "tried"
        store = Store(folder / "cache")
        early = list[Results]()

        def report() -> str:
            early.append(read_results(profile, store))
            return "made"

        grid = Grid(profile, store)
        ledger = grid.complete(report=report)
        compared = [run.name for run in plan_runs(profile) if run.variant is None]
        assert [run.run for run in early[-1].runs] == sorted(compared) and not early[-1].variants
        assert [gap.run for gap in early[-1].missing if "cola" in gap.run] == NAMES[:-1]
        yield FinishedStudy(folder, profile, grid, store, ledger)


@pytest.fixture(scope="module")
def study(tried: FinishedStudy) -> Results:
    return read_results(tried.profile, tried.store)


def test_experiments_come_after_the_comparison_and_are_runs_like_others(
    tried: FinishedStudy,
) -> None:
    assert [run.name for run in plan_experiments(tried.profile)] == NAMES
    assert [run.name for run in plan_runs(tried.profile)][-len(NAMES) :] == NAMES
    content = tried.ledger.content
    assert content["failures"] == {} and set(NAMES) <= set(content["runs"])
    for name in NAMES:
        stages = set(content["runs"][name])
        assert stages == {"train", "predict"} | ({"drift"} if "head" in name else set())
    assert "experiments" in content["tasks"]["cola"] and "experiments" in content["tasks"]["pos"]


def test_tries_never_see_the_sentences_that_select(tried: FinishedStudy) -> None:
    runs = {run.name: run for run in plan_runs(tried.profile)}
    inputs, attempt = tried.grid.inputs, runs["cola-full-lr2e-5-seed1"]
    assert attempt.variant is not None
    whole = inputs.split(runs["cola-full-seed1"].task, "cola:train").items
    kept = inputs.split(attempt.task, attempt.task.train).items
    selecting = inputs.split(attempt.task, attempt.variant.held_out).items
    assert sorted(item.text for item in (*kept, *selecting)) == sorted(i.text for i in whole)
    families = dict(zip(whole, find_families(whole).tolist(), strict=True))
    assert not {families[i] for i in kept} & {families[i] for i in selecting}
    keys = [train.key(inputs, run).digest for run in (attempt, runs["cola-full-seed1"])]
    assert keys[0] != keys[1], "other sentences are another training"


def test_a_variant_with_the_settings_of_the_comparison_is_the_same_training(
    tried: FinishedStudy,
) -> None:
    runs = {run.name: run for run in plan_runs(tried.profile)}
    main, head = runs["cola-full-seed1"], runs["cola-full-head-seed1"]
    undone = replace(head, method=main.method)
    inputs = tried.grid.inputs
    assert train.key(inputs, undone).digest == train.key(inputs, main).digest
    assert train.key(inputs, head).digest != train.key(inputs, main).digest


def test_their_facts_stand_beside_those_of_the_comparison(study: Results) -> None:
    assert not study.missing and len(study.runs) == 4 and len(study.variants) == len(NAMES)
    facts = Facts(fact for fact in study.facts if fact.variant)
    assert {"lr2e-5", "lr0.03", "share", "rank", BEST} <= set(facts.distinct("variant"))
    for name, method in (("head", "full"), ("", "full")):
        place = {"layer": HEAD, "kind": "all", "metric": "relative", "variant": name}
        moved = study.facts.one("distance", task="cola", method=method, **place)
        assert moved.value is not None and moved.value > 0
    drop = study.facts.one(
        "difference", task="pos", method="full", against="lora", variant="rank", metric="drop",
        evaluation="de_gsd:test",
    )  # fmt: skip
    assert drop.known


def test_what_is_stored_is_verified_and_what_is_false_is_found(
    tried: FinishedStudy, tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = checking.verify(tried.profile, tried.store, tmp_path)
    assert tally.wrong == []
    kinds = ("score", "difference")
    true = read_results(tried.profile, tried.store)
    spoiled = []
    for kind in kinds:
        own = next(f for f in true.facts if f.quantity == kind and f.variant)
        value = 0.5 if own.value is None else own.value + 0.25
        spoiled.append(replace(own, value=value))
    keys = {fact.key for fact in spoiled}
    facts = Facts([*(f for f in true.facts if f.key not in keys), *spoiled])
    monkeypatch.setattr(checking, "read_results", lambda *_: replace(true, facts=facts))
    wrong = checking.verify(tried.profile, tried.store, tmp_path).wrong
    assert {line.partition(":")[0] for line in wrong} == set(kinds)
    assert len(wrong) == len(kinds)


def test_finished_runs_are_collected_without_training(
    tried: FinishedStudy, tiny_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was made again")

    monkeypatch.setattr(Store, "_make", refuse)
    content = Grid(tried.profile, tried.store).collect().content
    assert content["runs"] == tried.ledger.content["runs"]
    assert (
        content["tasks"]["cola"]["experiments"]
        == (tried.ledger.content["tasks"]["cola"]["experiments"])
    )

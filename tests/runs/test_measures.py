"""Stages that measure: the price of a step, parts set back, tokens behind CKA, a head alone."""

import itertools
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import nn
from transformers import set_seed

from conftest import FinishedStudy
from encoders.models import load_trained
from encoders.tokens import Encoded
from evidence.forgetting import NO_HEAD
from facts.fact import BASE
from facts.files import read_facts
from facts.table import Facts
from runs.grid import Run, plan_runs
from runs.inputs import Inputs
from runs.stages import forgetting, latency, masked, restoration
from runs.stages import train as train_stage
from runs.stages.restored import array_name, choose_sentences
from store.entries import Entry, Store
from store.reading import read_results
from study.errors import StudyError
from tiny import save_checkpoint
from tiny_study import find_words
from training import loop


def find_run(finished: FinishedStudy, name: str) -> Run:
    return next(run for run in plan_runs(finished.profile) if run.name == name)


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_the_price_of_a_step_is_known_for_every_method(finished: FinishedStudy, task: str) -> None:
    facts = load_facts(finished).where(task=task)
    seconds = facts.where(quantity="step", metric="seconds")
    assert seconds.distinct("method") == ["full", "lora", "frozen"]
    assert min(seconds.values()) > 0 and seconds.distinct("n") == [2]
    ratios = facts.where(quantity="ratio", metric="step_seconds", against="full")
    assert ratios.distinct("method") == seconds.distinct("method")
    assert ratios.where(method="full").values() == [1] and min(ratios.values()) > 0
    assert all(f.low is f.high is None for f in ratios), "two steps have no interval"


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_a_forward_pass_is_measured_unmerged_and_merged(finished: FinishedStudy, task: str) -> None:
    facts = load_facts(finished).where(quantity="latency", task=task)
    assert facts.distinct("method") == ["lora"], "what has no adapter has nothing to merge"
    assert facts.distinct("group") == ["1", "32"] and facts.distinct("n") == [2]
    assert min(facts.values()) > 0 and len(facts) == 2 * 3
    ratios = facts.where(metric="unmerged_over_merged")
    assert len(ratios) == 2 and all(f.low is f.high is None for f in ratios)


def test_the_two_models_of_a_forward_pass_compute_the_same(
    finished: FinishedStudy, tiny_environment: Path
) -> None:
    """An adapter as it is and merged: what is timed differs in time alone."""
    run, inputs = find_run(finished, "cola-lora-seed1"), finished.grid.inputs
    trained = finished.store.open(finished.ledger.content["runs"][run.name]["train"])
    assert trained is not None
    kept = load_file(trained.path("trained.safetensors"))
    state = {name: tensor + 0.1 * torch.randn_like(tensor) for name, tensor in kept.items()}
    unmerged, whole = inputs.fresh_model(run), inputs.fresh_model(run)
    fresh = unmerged.eval()(input_ids=torch.arange(5, 12)[None]).logits
    for model in (unmerged, whole):
        load_trained(model, state)
    merged = whole.merge_and_unload().eval()
    for batch in latency._batches(inputs, run.task, run.method, 32)[:2]:
        with torch.inference_mode():
            expected, got = unmerged(**batch).logits, merged(**batch).logits
        assert torch.allclose(expected, got, atol=1e-4)
    with torch.inference_mode():
        tuned = merged(input_ids=torch.arange(5, 12)[None]).logits
    assert not torch.allclose(fresh, tuned, atol=1e-3), "nothing was trained: a vacuous comparison"


def load_facts(finished: FinishedStudy) -> Facts:
    return read_results(finished.profile, finished.store).facts


def test_parts_set_back_are_scored_on_the_same_sentences(finished: FinishedStudy) -> None:
    facts = load_facts(finished)
    lost = facts.where(quantity="restoration", against="")
    assert lost.distinct("method") == ["full", "lora"]
    assert lost.distinct("n") == [12] and lost.distinct("seeds") == [2]
    parts = {"embeddings", "middle", "upper", "classifier"}  # two layers: no lower third
    places = {(f.task, f.method, f.evaluation) for f in lost}
    assert len(places) == 2 * 3
    for task, method, evaluation in places:
        place = {"task": task, "method": method, "evaluation": evaluation}
        own, scores = lost.where(**place), facts.where(quantity="score", part=parts, **place)
        assert set(own.distinct("part")) == parts and len(own) == len(scores) == 4, place
        whole = [one.value + other.value for one, other in zip(own, scores, strict=True)]
        assert np.allclose(whole, whole[0]), "each loss is from the same trained model"
        thirds = facts.where(quantity="restoration", against=("middle", "upper"), **place)
        assert {(f.part, f.against) for f in thirds} == {("middle", "upper"), ("upper", "middle")}
    lora = lost.where(method="lora", part="embeddings")
    assert set(lora.values()) == {0.0}, "LoRA leaves the embeddings alone"


def test_one_label_leaves_no_loss_to_tell(
    finished: FinishedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, address = find_run(finished, "cola-full-seed1"), "cola:validation"
    stages, inputs = finished.ledger.content["runs"][run.name], finished.grid.inputs
    arrays = [finished.store.open(stages["restored"]).arrays()]
    whole = [finished.store.open(stages["predict"][address]).array()]
    key = {"task": "cola", "method": "full", "evaluation": address}
    assert restoration._summarise(inputs, run.task, key, [1], arrays, whole)
    monkeypatch.setattr(Inputs, "gold", lambda *_: np.ones(len(whole[0]), dtype=int))
    assert restoration._summarise(inputs, run.task, key, [1], arrays, whole) == []


def test_the_trained_head_matters(finished: FinishedStudy) -> None:
    """Guards the test above: setting back the head changes predictions."""
    stages = finished.ledger.content["runs"]["cola-full-seed1"]
    entry, address = finished.store.open(stages["restored"]), "cola:validation"
    assert entry is not None
    arrays = entry.arrays()
    kept = arrays[array_name("items", address)]
    predicted = finished.store.open(stages["predict"][address])
    assert predicted is not None
    whole = predicted.arrays()["logits"]
    assert not np.allclose(arrays[array_name("classifier", address)], whole[kept], atol=1e-6)
    assert len(kept) == len(arrays[array_name("upper", address)]) == 12 < len(whole)


# ------------------------------------------------------------------------------------ forgetting


def test_every_method_that_moves_its_encoder_is_asked_what_it_forgot(
    finished: FinishedStudy,
) -> None:
    facts = load_facts(finished).where(quantity="forgetting")
    added = facts.where(against=BASE, seed=None)
    sets = {(f.task, f.evaluation) for f in added}
    assert sets == {
        ("cola", "cola:validation"),
        ("pos", "en_ewt:validation"),
        ("pos", "de_gsd:test"),
    }
    assert added.distinct("method") == ["full", "lora"] and len(added) == 2 * len(sets)
    assert all(f.value and f.low <= f.value <= f.high and f.seeds == 2 for f in added)
    assert {(f.method, f.against) for f in facts} >= {("full", "lora")}


def forget(store: Store, inputs: Inputs, run: Run, trained: Entry) -> Facts:
    """What that run alone forgot, measured in a store of its own."""
    entry = masked.make(store, inputs, run, trained)
    return read_facts(forgetting.make(store, run.task, [run], {run.name: entry}).path("facts.csv"))


def test_an_untouched_encoder_forgot_nothing_exactly(
    finished: FinishedStudy,
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, inputs = find_run(finished, "pos-full-seed1"), Inputs(tmp_path / "corpora")
    trained = finished.store.open(finished.ledger.content["runs"][run.name]["train"])
    assert trained is not None
    base, _ = inputs.pair(run, trained)
    moved = forget(Store(tmp_path / "moved"), inputs, run, trained).where(against=BASE)
    monkeypatch.setattr(Inputs, "pair", lambda *_: (base, base))
    kept = forget(Store(tmp_path / "kept"), inputs, run, trained).where(against=BASE)
    assert {(f.value, f.low or 0.0, f.high or 0.0) for f in kept} == {(0.0, 0.0, 0.0)}
    assert len(kept) == len(moved) == 2 * 2 and 0.0 not in moved.values()


def test_an_encoder_without_the_head_is_said_to_have_none(
    finished: FinishedStudy,
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = find_words(tiny_environment / "data")
    save_checkpoint(tmp_path / "models" / "tiny", words=words)
    monkeypatch.setenv("MODEL_DIR", str(tmp_path / "models"))
    run = find_run(finished, "cola-lora-seed1")
    trained = finished.store.open(finished.ledger.content["runs"][run.name]["train"])
    assert trained is not None
    (fact,) = forget(Store(tmp_path / "cache"), Inputs(tmp_path / "corpora"), run, trained)
    assert (fact.value, fact.reason, fact.against) == (None, NO_HEAD, BASE)


def test_no_sentence_of_the_training_set_is_masked(
    finished: FinishedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, inputs = find_run(finished, "cola-full-seed1"), finished.grid.inputs
    whole = masked._held_out(inputs, run, "cola:validation")
    items = inputs.split(run.task, "cola:validation").items
    assert len(whole) == len(items) and all(len(text.masked) for text in whole)
    split = replace(inputs.split(run.task, run.task.train), items=items[1:])
    original = Inputs.split
    monkeypatch.setattr(
        Inputs, "split", lambda self, t, a: split if a == t.train else original(self, t, a)
    )
    assert [text.ids.tolist() for text in masked._held_out(inputs, run, "cola:validation")] == [
        whole[0].ids.tolist()
    ]


@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=30), number=st.integers(0, 35))
def test_chosen_sentences_are_whole_and_numbered_anew(lengths: list[int], number: int) -> None:
    sentence_of = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum([0, *lengths])
    items = [np.array([-1, *range(start, stop), -1]) for start, stop in itertools.pairwise(starts)]
    features = [{"input_ids": list(own)} for own in items]
    data = Encoded(features, items, np.arange(len(sentence_of)))
    chosen, kept = choose_sentences(data, sentence_of, number)
    wanted = len(lengths) if number == 0 else min(number, len(lengths))
    assert len(set(sentence_of[kept])) == len(chosen.features) == wanted
    assert len(kept) == sum(lengths[s] for s in set(sentence_of[kept]))
    numbers = np.concatenate(chosen.items)
    assert sorted(numbers[numbers >= 0]) == list(range(len(kept)))
    for own, feature in zip(chosen.items, chosen.features, strict=True):
        words = np.array(feature["input_ids"])
        assert (kept[own[own >= 0]] == words[words >= 0]).all()


def test_cka_compares_equally_many_tokens_of_each_language(finished: FinishedStudy) -> None:
    stages = finished.ledger.content["runs"]["pos-full-seed1"]
    result = finished.store.open(stages["representation"]).result()
    sentences = {
        address: finished.grid.inputs.split(finished.profile.tasks["pos"], address).items
        for address in result["cka"]
    }
    assert len(sentences) == 2 and result["tokens"] > 50
    for address, used in result["sentences"].items():
        assert 0 < used <= len(sentences[address])
    assert all(len(values) == 3 for values in result["cka"].values())


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_the_pass_through_a_frozen_encoder_is_part_of_its_costs(
    finished: FinishedStudy, task: str
) -> None:
    run = find_run(finished, f"{task}-frozen-seed1")
    outputs = finished.grid.inputs.encoder_outputs(run.task, run.method, 1)
    assert outputs is not None and all(split.seconds > 0 for split in outputs)
    instruments = train_stage._instruments(outputs)
    instruments.start({})
    readings = instruments.readings()
    assert readings["training_seconds"] > outputs[0].seconds
    assert readings["evaluation_seconds"] >= outputs[1].seconds


def test_seeds_share_the_outputs_and_not_the_heads(finished: FinishedStudy) -> None:
    inputs, run = finished.grid.inputs, find_run(finished, "cola-frozen-seed1")
    first = inputs.encoder_outputs(run.task, run.method, 1)
    assert first is not None
    assert inputs.encoder_outputs(run.task, run.method, 2) is first
    weights = [
        load_file(
            finished.store.open(
                finished.ledger.content["runs"][f"cola-frozen-seed{seed}"]["train"]
            ).path("trained.safetensors")
        )
        for seed in (1, 2)
    ]
    assert set(weights[0]) == set(weights[1]) and "classifier.weight" in weights[0]
    assert not (weights[0]["classifier.weight"] == weights[1]["classifier.weight"]).all()


def test_only_a_head_alone_gets_another_key_by_its_stored_outputs(finished: FinishedStudy) -> None:
    inputs = finished.grid.inputs
    for method in ("full", "lora", "frozen"):
        key = train_stage.key(inputs, find_run(finished, f"cola-{method}-seed1"))
        assert ("encoder_dropout" in key.payload) == (method == "frozen")


@pytest.mark.parametrize("method", ["full", "lora", "frozen"])
def test_generators_are_fixed_before_model_and_head_are_built(
    finished: FinishedStudy,
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    """Whatever was drawn before, also where another seed has computed the encoder's outputs."""
    run = find_run(finished, f"cola-{method}-seed2")
    seen = []

    def build(self: Inputs, asked: Run) -> nn.Module:
        seen.append(draw())
        return original(self, asked)

    def stop(*_: object) -> None:
        raise StudyError("far enough")

    original = Inputs.fresh_model
    monkeypatch.setattr(Inputs, "fresh_model", build)
    monkeypatch.setattr(loop, "train", stop)
    set_seed(99)
    with pytest.raises(StudyError, match="far enough"):
        train_stage.make(
            Store(tmp_path), Inputs(tmp_path / "corpora"), run, lambda _step, _loss: None
        )
    set_seed(run.seed)
    assert seen[-1] == draw()
    assert len(seen) == (2 if method == "frozen" else 1)


def draw() -> tuple[float, float, float]:
    """The next number of each generator."""
    of_numpy = np.random.random()  # noqa: NPY002 - the global one is what the libraries use
    return random.random(), of_numpy, torch.rand(1).item()

"""Training: determinism, resumption, curves, and a clock that stops for evaluations."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from transformers import TrainingArguments

from corpora.items import UPOS_TAGS
from encoders.models import (
    build_model,
    find_checkpoint,
    head_parameters,
    load_tokenizer,
    trained_state,
)
from encoders.tokens import Encoded, build_collator, encode_sentences, encode_tagged
from runs.data import ACCEPTABILITY_LABELS
from study.errors import StudyError
from tiny_study import load_tiny_profile
from training import loop
from training.batches import LengthBatches
from training.loop import build_schedule, learning_rates, train
from training.prediction import group_by_length, length_sorted_batches, predict
from training.validation import _gold, choose_validation

PROFILE = load_tiny_profile()


@pytest.fixture
def parts(tiny_environment: Path):
    """A function that gives everything for training a task with a method."""
    from corpora.loading import load_corpus

    checkpoint = find_checkpoint("tiny", "")
    tokenizer = load_tokenizer(checkpoint)

    def build(task_name: str, method_name: str, seed: int = 1, **changes: object):
        task = PROFILE.tasks[task_name]
        method = task.method(method_name)
        settings = replace(method.training, **changes)
        name = task.train.split(":")[0]
        splits = load_corpus(name, "local", ("train", "validation")).splits
        token = task.kind == "token"
        labels = UPOS_TAGS if token else ACCEPTABILITY_LABELS
        encoded = [
            encode_tagged(splits[s].items, tokenizer, labels, settings.max_length)
            if token
            else encode_sentences(splits[s].items, tokenizer, settings.max_length)
            for s in ("train", "validation")
        ]
        model = build_model(checkpoint, task.kind, len(labels), method, seed)
        return model, task.kind, *encoded, tokenizer, settings, seed

    return build


@given(st.integers(1, 20_000), st.integers(1, 64), st.integers(1, 30))
@hypothesis_settings(max_examples=200)
def test_a_checkpoint_never_falls_between_two_records(
    features: int, batch: int, points: int
) -> None:
    settings = replace(
        PROFILE.tasks["cola"].methods[0].training,
        per_device_train_batch_size=batch,
        evaluations_per_epoch=points,
    )
    schedule = build_schedule(features, settings)
    assert schedule.steps_per_epoch == -(-features // batch)
    assert schedule.eval_steps % schedule.logging_steps == 0
    assert schedule.save_steps % schedule.eval_steps == 0
    assert schedule.steps_per_epoch // schedule.eval_steps >= min(points, schedule.steps_per_epoch)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_head_may_have_a_rate_of_its_own(parts, tmp_path: Path, method: str) -> None:
    """A rate that hardly moves the head leaves the rest to learn; the same rate changes nothing."""
    rate = PROFILE.tasks["cola"].method(method).training.learning_rate
    states = {}
    for own in (None, rate, rate * 1e-6):
        model, *rest = parts("cola", method, head_learning_rate=own, num_train_epochs=1)
        start = trained_state(model)
        head = head_parameters(model)
        assert 0 < len(head) < len(start)
        train(model, *rest, tmp_path / str(own))
        states[own] = trained_state(model)
    moved = {name for name in start if not torch.allclose(states[rate * 1e-6][name], start[name])}
    assert moved and not moved & head
    assert any(not torch.equal(states[None][name], states[rate * 1e-6][name]) for name in head)
    assert all(torch.equal(states[None][name], states[rate][name]) for name in start)


@pytest.mark.parametrize("task", ["cola", "pos"])
@pytest.mark.parametrize("method", ["full", "lora", "frozen"])
def test_a_run_is_deterministic_and_moves_only_what_it_may(
    parts, tmp_path: Path, task: str, method: str
) -> None:
    states, curves = [], []
    for number in range(2):
        inputs = parts(task, method)
        untouched = {n: p.clone() for n, p in inputs[0].named_parameters() if not p.requires_grad}
        before = trained_state(inputs[0])
        result = train(*inputs, tmp_path / str(number))
        states.append(trained_state(inputs[0]))
        curves.append([(r["step"], r["split"], r["metric"], r["value"]) for r in result.curves])
        now = dict(inputs[0].named_parameters())
        assert all(torch.equal(now[name], value) for name, value in untouched.items())
        assert any(not torch.equal(states[-1][n], value) for n, value in before.items())
    assert curves[0] == curves[1]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_another_seed_is_another_run(parts, tmp_path: Path) -> None:
    losses = []
    for seed in (1, 2):
        result = train(*parts("cola", "full", seed=seed), tmp_path / str(seed))
        losses.append([r["value"] for r in result.curves])
    assert losses[0] != losses[1]


class InterruptedByUserError(Exception):
    """Stands for Ctrl-C."""


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("task", "method"), [("cola", "full"), ("pos", "lora")])
def test_an_interrupted_run_ends_with_the_same_result(
    parts, tmp_path: Path, task: str, method: str, precision: str
) -> None:
    whole = parts(task, method, precision=precision)
    expected = train(*whole, tmp_path / "whole")
    schedule = build_schedule(len(whole[2].features), whole[5])

    def stop(step: int, _loss: float | None) -> None:
        if step == schedule.save_steps + 1:
            raise InterruptedByUserError

    with pytest.raises(InterruptedByUserError):
        train(*parts(task, method, precision=precision), tmp_path / "cut", stop)
    steps: list[int] = []
    resumed = parts(task, method, precision=precision)
    result = train(*resumed, tmp_path / "cut", lambda step, _: steps.append(step))
    assert steps[0] == schedule.save_steps + 1, "it began from the start instead of the checkpoint"

    def plain(rows):
        return [(r["step"], r["split"], r["metric"], r["value"]) for r in rows]

    assert plain(result.curves) == plain(expected.curves)
    theirs, ours = trained_state(whole[0]), trained_state(resumed[0])
    assert all(torch.equal(theirs[name], ours[name]) for name in theirs)


def test_a_checkpoint_that_was_cut_off_is_not_resumed_from(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-5").mkdir()
    assert loop._last_checkpoint(tmp_path) is None
    (tmp_path / "checkpoint-5" / "trainer_state.json").write_text("{}")
    assert loop._last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-5")


def test_curves_hold_both_losses_and_the_metrics(parts, tmp_path: Path) -> None:
    inputs = parts("pos", "lora")
    result = train(*inputs, tmp_path)
    schedule = build_schedule(len(inputs[2].features), inputs[5])
    steps = {(r["split"], r["metric"]): [] for r in result.curves}
    for row in result.curves:
        steps[row["split"], row["metric"]].append(row["step"])
    assert set(steps) == {
        ("train", "loss"),
        ("validation", "loss"),
        ("validation", "accuracy"),
        ("validation", "macro_f1"),
    }
    total = schedule.steps_per_epoch * 2
    expected = sorted({*range(0, total + 1, schedule.eval_steps), total})
    assert steps["validation", "loss"] == expected
    assert result.costs["steps"] == total
    assert result.costs["training_seconds"] > 0 and result.costs["peak_memory_bytes"] >= 0


class SmallMemory:
    """Stands for a device that holds no more than so many features at once."""

    def __init__(self, model: torch.nn.Module, features: int, on: str = "training"):
        self.calls, self._features, self._on, self._forward = 0, features, on, model.forward
        # No method: accelerate would call its function with the model in place of this object.
        model.forward = lambda *args, **kwargs: self._limited(*args, **kwargs)
        self._model = model

    def _limited(self, *args, **kwargs):
        applies = self._on == "both" or self._model.training
        if applies and len(kwargs["input_ids"]) > self._features:
            self.calls += 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self._forward(*args, **kwargs)


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_memory_that_runs_out_halves_the_micro_batch_and_not_the_batch(
    parts, tmp_path: Path, capsys: pytest.CaptureFixture[str], task: str
) -> None:
    """Without dropout both are the same training up to rounding."""
    results, states = [], []
    for number in range(2):
        wanted = {"learning_rate": 1e-3, "precision": "float32"}  # rounded alike in both sizes
        inputs = parts(task, "full", num_train_epochs=2, **wanted)
        without_dropout(inputs[0])
        memory = SmallMemory(inputs[0], 3 if number else 99)
        results.append(train(*inputs, tmp_path / str(number)))
        states.append(trained_state(inputs[0]))
        assert memory.calls == (2 if number else 0)
    assert results[0].costs["steps"] == results[1].costs["steps"]
    assert "2 at a time" in capsys.readouterr().err
    whole, parted = ([row["value"] for row in result.curves] for result in results)
    assert np.allclose(whole, parted, atol=1e-3)
    states.append(trained_state(parts(task, "full")[0]))
    whole_end, parted_end, start = (
        torch.cat([value.flatten() for value in state.values()]) for state in states
    )
    moved = (whole_end - start).norm()
    assert moved > 0.1 and (whole_end - parted_end).norm() < 0.02 * moved


def without_dropout(model: torch.nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0


def test_a_sentence_that_does_not_fit_is_a_study_error(parts, tmp_path: Path) -> None:
    inputs = parts("cola", "full")
    SmallMemory(inputs[0], 0)
    with pytest.raises(StudyError, match="memory is too small"):
        train(*inputs, tmp_path)


def test_predictions_take_smaller_batches_where_memory_runs_out(parts) -> None:
    model, kind, _, validation, tokenizer, *_ = parts("cola", "full")
    expected = predict(model, kind, validation, tokenizer, 16)
    memory = SmallMemory(model, 4, on="both")
    assert np.allclose(predict(model, kind, validation, tokenizer, 16), expected, atol=1e-6)
    assert memory.calls == 2
    SmallMemory(model, 0, on="both")
    with pytest.raises(StudyError, match="memory is too small"):
        predict(model, kind, validation, tokenizer, 16)


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_the_curve_does_not_depend_on_the_batches_it_is_measured_in(
    parts, tmp_path: Path, task: str
) -> None:
    curves = []
    for size in (1, 64):
        inputs = parts(task, "lora", num_train_epochs=1, per_device_eval_batch_size=size)
        rows = train(*inputs, tmp_path / str(size)).curves
        curves.append([row["value"] for row in rows if row["split"] == "validation"])
    assert len(curves[0]) > 3 and np.allclose(*curves, atol=1e-6)


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_the_curve_ends_with_the_final_score(parts, tmp_path: Path, task: str) -> None:
    inputs = parts(task, "full", num_train_epochs=1)
    model, kind, _, validation, tokenizer, *_ = inputs
    result = train(*inputs, tmp_path)
    logits = predict(model, kind, validation, tokenizer, 5)
    gold = _gold(validation)
    last = {row["metric"]: row for row in result.curves if row["split"] == "validation"}
    assert last["accuracy"]["step"] == result.costs["steps"]
    assert last["accuracy"]["value"] == pytest.approx((logits.argmax(1) == gold).mean())
    exp = np.exp(logits.astype(float))
    chosen = exp[np.arange(len(gold)), gold] / exp.sum(1)
    assert last["loss"]["value"] == pytest.approx(-np.log(chosen).mean(), rel=1e-5)


def test_a_run_uses_one_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(PROFILE.tasks["cola"].methods[0].training, precision="float32")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "set_device", lambda _device: None)
    built = TrainingArguments(output_dir=str(tmp_path), per_device_train_batch_size=8)
    assert built.n_gpu == 4 and built.train_batch_size == 32, "four devices are not simulated"
    arguments = loop._arguments(settings, build_schedule(100, settings), 1, tmp_path, True)
    assert arguments.n_gpu == 1
    assert arguments.train_batch_size == settings.per_device_train_batch_size
    assert not arguments.bf16 and not arguments.fp16


def test_a_diverged_run_is_a_sentence(parts, tmp_path: Path) -> None:
    inputs = list(parts("cola", "full"))
    with torch.no_grad():
        next(inputs[0].parameters()).fill_(float("nan"))
    with pytest.raises(StudyError, match="not finite"):
        train(*inputs, tmp_path)


def test_the_validation_subset_does_not_depend_on_the_training_seed() -> None:
    features = [{"input_ids": [i]} for i in range(50)]
    data = Encoded(features, [np.array([i]) for i in range(50)], np.ones(50, dtype=int))
    chosen = choose_validation(data, 10)
    assert len(chosen.features) == 10
    assert chosen.features == choose_validation(data, 10).features
    assert choose_validation(data, 0) is data and choose_validation(data, 50) is data


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_predictions_come_in_corpus_order_whatever_the_batches(parts, task: str) -> None:
    model, kind, _, validation, tokenizer, *_ = parts(task, "full", max_length=16)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 5  # a freshly initialised head hardly tells sentences apart
    one = predict(model, kind, validation, tokenizer, 1)
    many = predict(model, kind, validation, tokenizer, 7)
    assert one.shape == many.shape == (len(validation.pieces), 17 if task == "pos" else 2)
    assert np.allclose(one, many, atol=1e-4)
    assert np.abs(one - one[::-1]).max() > 1e-3, "all rows alike: the order is not tested"


@given(st.lists(st.integers(1, 200), max_size=60), st.integers(1, 12))
def test_groups_are_of_like_length_and_hold_all(lengths: list[int], size: int) -> None:
    groups = list(group_by_length(lengths, size))
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        own = [lengths[index] for index in group]
        assert len(group) <= size and own == sorted(own)
        assert own[-1] <= max(1.25 * own[0], own[0] + 4)
    assert len(groups) >= -(-len(lengths) // size)


def test_batches_hold_every_feature_once(parts) -> None:
    _, kind, data, _, tokenizer, *_ = parts("pos", "full")
    seen = [i for indices, _ in length_sorted_batches(data, kind, tokenizer, 7) for i in indices]
    assert sorted(seen) == list(range(len(data.features)))


@pytest.fixture
def record_losses(parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that trains without dropout and gives the loss of every step, and the inputs."""
    original = loop.StudyTrainer.training_step

    def run(method: str, **changes: object) -> tuple[list[float], tuple]:
        losses: list[float] = []

        def record(trainer, *args, **kwargs):
            loss = original(trainer, *args, **kwargs)
            losses.append(float(loss))
            return loss

        monkeypatch.setattr(loop.StudyTrainer, "training_step", record)
        inputs = parts("cola", method, num_train_epochs=9, **changes)
        without_dropout(inputs[0])
        train(*inputs, tmp_path / f"{method} {changes}")
        return losses, inputs

    return run


FIFTY = {"per_device_train_batch_size": 8, "learning_rate": 1e-3}


def test_fifty_losses_are_those_of_the_plain_recipe(parts, record_losses) -> None:
    """A plain loop on the same batches, with AdamW as it is written: equal to 1e-5."""
    wanted = {**FIFTY, "precision": "float32"}
    ours, _ = record_losses("full", **wanted)
    plain = parts("cola", "full", num_train_epochs=9, **wanted)
    without_dropout(plain[0])
    expected = plain_losses(plain[0], plain[2], plain[4], plain[5], seed=plain[6], steps=50)
    assert len(ours) >= 50
    np.testing.assert_allclose(ours[:50], expected, rtol=0, atol=1e-5)
    assert max(expected) - min(expected) > 0.02, "the losses hardly move: the test would be vacuous"


@pytest.mark.parametrize(("method", "rate"), [("full", 1e-3), ("lora", 3e-2)])
def test_fifty_losses_in_bfloat16_are_those_in_float32(
    record_losses, method: str, rate: float
) -> None:
    """Within what eight bits of a product can tell; the weights stay float32."""
    (single, _), (half, inputs) = (
        record_losses(method, **{**FIFTY, "learning_rate": rate, "precision": name})
        for name in ("float32", "bfloat16")
    )
    assert len(half) == len(single) >= 50
    assert half != single, "nothing was computed in bfloat16"
    np.testing.assert_allclose(half[:50], single[:50], rtol=0, atol=2 * BFLOAT16)
    assert max(single[:50]) - min(single[:50]) > 5 * BFLOAT16, "the losses hardly move"
    assert {parameter.dtype for parameter in inputs[0].parameters()} == {torch.float32}


#: Spacing of bfloat16 just below 1, where the losses are.
BFLOAT16 = 2.0**-8


def plain_losses(model, data: Encoded, tokenizer, settings, seed: int, steps: int) -> list[float]:
    """The textbook loop: mean cross-entropy, clipping, unfused AdamW without decay of biases."""
    names = {id(p): name for name, p in model.named_parameters()}
    decayed = [p for p in model.parameters() if is_decayed(names[id(p)])]
    kept = [p for p in model.parameters() if not is_decayed(names[id(p)])]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": kept}],
        lr=settings.learning_rate,
        weight_decay=0.0,
        foreach=False,
    )
    rates = learning_rates(len(data.features), settings)
    batches = LengthBatches([len(f["input_ids"]) for f in data.features], 8, seed)
    collate, losses, epoch = build_collator("sequence", tokenizer), [], 0
    model.train()
    while len(losses) < steps:
        batches.set_epoch(epoch)
        for indices in batches:
            for group in optimizer.param_groups:
                group["lr"] = rates[len(losses)]
            batch = collate([data.features[i] for i in indices])
            loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(float(loss.detach()))
            if len(losses) == steps:
                break
        epoch += 1
    return losses


def is_decayed(name: str) -> bool:
    return not name.endswith("bias") and "LayerNorm" not in name

"""Training: determinism, resumption, curves, and a clock that stops for evaluations."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from corpora.loading import UPOS_TAGS
from encoders.models import build_model, find_checkpoint, load_tokenizer, trained_state
from encoders.tokens import Encoded, encode_sentences, encode_tagged
from runs.data import ACCEPTABILITY_LABELS
from study.errors import StudyError
from tiny_study import load_tiny_profile
from training import loop
from training.loop import build_schedule, choose_validation, train
from training.prediction import length_sorted_batches, predict

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
        return model, task.kind, labels, *encoded, tokenizer, settings, seed

    return build


@given(st.integers(1, 20_000), st.integers(1, 64), st.integers(1, 30))
@hypothesis_settings(deadline=None, max_examples=200)
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


@pytest.mark.parametrize(("task", "method"), [("cola", "full"), ("pos", "lora")])
def test_an_interrupted_run_ends_with_the_same_result(
    parts, tmp_path: Path, task: str, method: str
) -> None:
    whole = parts(task, method)
    expected = train(*whole, tmp_path / "whole")
    schedule = build_schedule(len(whole[3].features), whole[6])

    def stop(step: int, _loss: float | None) -> None:
        if step == schedule.save_steps + 1:
            raise InterruptedByUserError

    with pytest.raises(InterruptedByUserError):
        train(*parts(task, method), tmp_path / "cut", stop)
    steps: list[int] = []
    resumed = parts(task, method)
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
    schedule = build_schedule(len(inputs[3].features), inputs[6])
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
    assert steps["validation", "loss"] == list(range(0, total + 1, schedule.eval_steps))
    assert result.costs["steps"] == total
    assert result.costs["training_seconds"] > 0 and result.costs["peak_memory_bytes"] >= 0


def test_a_full_gpu_names_the_setting() -> None:
    settings = PROFILE.tasks["cola"].methods[0].training
    with (
        pytest.raises(StudyError, match="per_device_train_batch_size"),
        loop.gpu_memory_errors(settings),
    ):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")


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
    model, kind, _, _, validation, tokenizer, *_ = parts(task, "full", max_length=16)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 5  # a freshly initialised head hardly tells sentences apart
    one = predict(model, kind, validation, tokenizer, 1)
    many = predict(model, kind, validation, tokenizer, 7)
    assert one.shape == many.shape == (len(validation.pieces), 17 if task == "pos" else 2)
    assert np.allclose(one, many, atol=1e-4)
    assert np.abs(one - one[::-1]).max() > 1e-3, "all rows alike: the order is not tested"


def test_batches_hold_every_feature_once(parts) -> None:
    _, kind, _, data, _, tokenizer, *_ = parts("pos", "full")
    seen = [i for indices, _ in length_sorted_batches(data, kind, tokenizer, 7) for i in indices]
    assert sorted(seen) == list(range(len(data.features)))

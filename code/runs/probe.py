"""What a training will take, from a few steps of a model with random weights.

The model is built from the encoder's configuration, so that no weights are fetched; its values do
not matter for time and memory. Steps are those of a training (``training.price``), on the longest
batch and on half of it, in turns. On a CPU a few sentences stand for the batch.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from encoders.checkpoints import Checkpoint
from encoders.memory import with_smaller_batches
from encoders.models import (
    build_model,
    choose_device,
    compute_memory,
    count_parameters,
    load_config,
)
from encoders.precision import CPU, device_kind, resolve_precision
from encoders.tokens import Encoded, build_collator
from runs.grid import Run
from runs.inputs import Inputs
from study.settings import MethodSettings
from training.instruments import Instruments
from training.loop import build_schedule
from training.price import build_stepper, take_turns

CPU_TOKENS = 128  # of a probed batch on a CPU, where a whole one can take a minute
STEPS = 2  # of each batch, after the warm-up
#: Passes over the evaluated sets after a training: as trained, with each of five parts set back,
#: hidden states and masked words of base and tuned model.
MEASURING_PASSES = 10
FORWARD = 1 / 3  # of a step, where all weights are trained

Interval = tuple[float, float]


@dataclass(frozen=True)
class Needs:
    """What each run of a group takes."""

    steps: int  # optimisation steps
    precision: str  # of the matrix products
    computed_bytes: int  # weights, gradients and AdamW's moments
    kept_bytes: int  # what stays on the disk
    working_bytes: int  # a checkpoint on the disk while it is trained
    # memory on the longest batch, computed ones included; None without a probe
    peak_bytes: int | None = None
    # sentences that go through the model at once where memory does not hold a whole batch; None
    # where it does
    micro_batch: int | None = None
    # of steps at their fastest, and of all steps and evaluations at their slowest; None without a
    # probe
    seconds: Interval | None = None


def compute_needs(inputs: Inputs, run: Run, folder: Path, probe: bool) -> Needs:
    """What the run takes: counted from its settings and data, and by steps of random weights.

    Raises:
        StudyError: data or encoder cannot be had, the machine has not the precision, or a single
            sentence does not fit into memory.
    """
    method, features = run.method, inputs.encoded(run.task, run.method, run.task.train).features
    labels = len(inputs.labels(run.task))
    precision = resolve_precision(method.training.precision)
    random = random_weights(inputs.checkpoint(run.task, method), folder)
    # Before the model is made: its weights count as memory.
    instruments = Instruments(choose_device())
    model = build_model(random, run.task.kind, labels, method, run.seed).to(choose_device())
    trained = 4 * count_parameters(model)["trainable_parameters"]
    steps = build_schedule(len(features), method.training).steps_per_epoch
    needs = Needs(
        steps=steps * method.training.num_train_epochs,
        precision=precision,
        computed_bytes=sum(compute_memory(model).values()),
        kept_bytes=trained,
        working_bytes=3 * trained,
    )
    return _probe(inputs, run, model, needs, instruments) if probe else needs


def random_weights(checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    """A checkpoint of the same configuration with random weights, written once below a folder."""
    from transformers import AutoModel

    own = folder / hashlib.sha256(checkpoint.identity.encode()).hexdigest()
    if not own.exists():
        AutoModel.from_config(load_config(checkpoint)).save_pretrained(own)
    return replace(checkpoint, location=str(own), revision=None)


def _probe(inputs: Inputs, run: Run, model: Any, needs: Needs, instruments: Instruments) -> Needs:
    data = inputs.encoded(run.task, run.method, run.task.train)
    order = np.argsort([len(feature["input_ids"]) for feature in data.features])
    batch = min(run.method.training.per_device_train_batch_size, len(order))
    longest = [data.features[index] for index in order[-batch:]]
    length = len(longest[-1]["input_ids"])
    on_cpu = device_kind() == CPU
    probed = max(1, min(batch, CPU_TOKENS // length)) if on_cpu else batch
    collate = build_collator(
        run.task.kind, inputs.tokenizer(inputs.checkpoint(run.task, run.method))
    )
    dtype = getattr(torch, needs.precision)

    def measure(size: int) -> tuple[int, NDArray[np.float64]]:
        """Seconds of steps on ``size`` sentences and on half of them, (2, STEPS), and that size."""
        halves = [longest[-size:], longest[-max(1, size // 2) :]]
        step = build_stepper(model, run.method.training, halves, collate, dtype)
        steppers = {"whole": lambda _: step(0), "half": lambda _: step(1)}
        times = take_turns(steppers, STEPS, choose_device()).seconds
        return size, np.stack([times["whole"], times["half"]])

    size, seconds = with_smaller_batches(measure, probed)
    peak = instruments.readings()["peak_memory_bytes"]
    tokens = (size * length, max(1, size // 2) * length)
    if on_cpu:  # activations grow with the sentences of a batch
        beside = max(0, peak - needs.computed_bytes) * batch / size
        peak, size = needs.computed_bytes + round(beside), batch
    fastest, slowest = (
        _line(tokens, chosen) for chosen in (seconds.min(axis=1), seconds.max(axis=1))
    )
    return replace(
        needs,
        peak_bytes=peak,
        micro_batch=size if size < batch else None,
        seconds=(
            _training_seconds(data, run.method, *fastest),
            _training_seconds(data, run.method, *slowest)
            + _forward_seconds(inputs, run, slowest[1]),
        ),
    )


def _line(tokens: tuple[int, int], seconds: NDArray[np.float64]) -> Interval:
    """Seconds of a step that do not depend on its tokens, and seconds a token."""
    whole, half = seconds.tolist()
    slope = (whole - half) / (tokens[0] - tokens[1]) if tokens[0] > tokens[1] else 0.0
    if not 0 < slope * tokens[0] <= whole:  # disturbed, or a single sentence
        return 0.0, whole / tokens[0]
    return whole - slope * tokens[0], slope


def _training_seconds(
    data: Encoded, method: MethodSettings, of_a_step: float, of_a_token: float
) -> float:
    """Seconds of all steps; a head alone is trained on outputs that are computed once."""
    lengths = np.sort([len(feature["input_ids"]) for feature in data.features])
    size = method.training.per_device_train_batch_size
    last = np.append(np.arange(size - 1, len(lengths) - 1, size), len(lengths) - 1)
    counts = np.diff(np.append(-1, last))
    positions = float((lengths[last] * counts).sum())
    if method.trains_head_alone:
        return positions * of_a_token
    return method.training.num_train_epochs * (len(last) * of_a_step + positions * of_a_token)


def _forward_seconds(inputs: Inputs, run: Run, of_a_token: float) -> float:
    """Seconds of the validation curve and of the measures after a training."""
    task, training = run.task, run.method.training
    share = 1.0 if run.method.trains_head_alone else FORWARD
    validation = inputs.encoded(task, run.method, task.validation)
    curve = validation.tokens * training.evaluations_per_epoch * training.num_train_epochs
    if training.validation_items:
        curve = round(curve * min(1, training.validation_items / len(validation.features)))
    sets = sum(inputs.encoded(task, run.method, address).tokens for address in task.evaluations)
    passes = MEASURING_PASSES if run.method.moves_encoder and not run.variant else 1
    if run.method.trains_head_alone:
        curve = validation.tokens
    return of_a_token * share * (curve + passes * sets)

"""The price of a training step: methods take turns on the same batches.

Whole runs are minutes apart, and a machine that others use too is slower in some of them: their
times do not compare methods. Here every method makes one step on a batch, in alternating order,
before the next batch comes, so that a busy moment meets all of them. What a step is: a collated
batch moved to the device, forward and backward pass, clipping and AdamW. On a GPU it is timed by
CUDA events, on a CPU by the clock and by the seconds that this process computed.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoders.tokens import Encoded
from study.settings import TrainingSettings
from training.dropout import draw_masks_in_bulk
from training.formats import keep_adapters_in_float32

WARM_UP = 3  # steps that are not counted: memory is taken, kernels are chosen
Seconds = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class StepTimes:
    """Seconds of each counted step by method, (N,): on the clock and, on a CPU, computed."""

    seconds: Seconds
    cpu_seconds: Seconds | None


def take_turns(
    steppers: Mapping[str, Callable[[int], None]], steps: int, device: torch.device
) -> StepTimes:
    """Times ``steps`` steps of each method after the warm-up."""
    times = {name: np.zeros((steps, 2)) for name in steppers}
    names = list(steppers)
    for number in range(-WARM_UP, steps):
        for name in names if number % 2 else reversed(names):
            measured = _time(steppers[name], number + WARM_UP, device)
            if number >= 0:
                times[name][number] = measured
    seconds, cpu_seconds = ({n: t[:, i].copy() for n, t in times.items()} for i in (0, 1))
    return StepTimes(seconds, None if device.type == "cuda" else cpu_seconds)


def _time(step: Callable[[int], None], number: int, device: torch.device) -> tuple[float, float]:
    """Seconds of one step, and those that this process computed."""
    if device.type == "cuda":
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        step(number)
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / 1000, 0.0
    wall, cpu = time.perf_counter(), time.process_time()
    step(number)
    return time.perf_counter() - wall, time.process_time() - cpu


def choose_batches(data: Encoded, size: int, number: int) -> list[list[int]]:
    """Batches of features of like length, drawn at random: (number, size) indices.

    Drawn by rank in length, so that two encodings of one split give batches of the same place.
    """
    lengths = [len(feature["input_ids"]) for feature in data.features]
    order = np.argsort(lengths, kind="stable")
    last = max(0, len(order) - size)
    starts = np.random.default_rng(0).random(number) * (last + 1)
    return [order[int(start) : int(start) + size].tolist() for start in starts]


def build_stepper(
    model: nn.Module,
    settings: TrainingSettings,
    batches: Sequence[Sequence[Any]],
    collate: Callable[[Any], Mapping[str, Tensor]],
    precision: torch.dtype,
) -> Callable[[int], None]:
    """One optimisation step of a method, as a function of the batch's number."""
    draw_masks_in_bulk(model)
    keep_adapters_in_float32(model)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    device = trained[0].device
    scaler = torch.amp.GradScaler(device.type, enabled=precision == torch.float16)
    mixed = torch.autocast(device.type, precision, enabled=precision != torch.float32)
    model.train()

    def step(number: int) -> None:
        batch = {name: value.to(device) for name, value in collate(batches[number]).items()}
        with mixed:
            loss = model(**batch).loss
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(trained, settings.max_grad_norm)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()

    return step

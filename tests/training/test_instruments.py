"""The stopwatch and the memory meter: pauses, resumption, weights and evaluations."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from training.instruments import Instruments

CPU = torch.device("cpu")
MEBIBYTE = 2**20
NEEDS_PROC = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the peak cannot be reset on this system"
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, float], None]:
    """Time passes only by calling it: seconds, and those of them that the process computes."""
    now = [100.0, 10.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    monkeypatch.setattr("time.process_time", lambda: now[1])

    def let_pass(seconds: float, computing: float = 0.0) -> None:
        now[:] = now[0] + seconds, now[1] + computing

    return let_pass


def test_the_watch_stops_for_pauses(clock: Callable[..., None]) -> None:
    watch = Instruments(CPU)
    watch.start({})
    clock(2)
    with watch.paused():
        clock(3)
        inside = watch.readings()
        with watch.paused():
            clock(4)
    readings = watch.readings()
    assert readings["evaluation_seconds"] == 7
    assert readings["training_seconds"] == inside["training_seconds"] == 2


def test_the_watch_goes_on_from_an_earlier_reading(clock: Callable[..., None]) -> None:
    watch = Instruments(CPU)
    watch.start({"training_seconds": 100.0, "evaluation_seconds": 7.0})
    clock(1)
    readings = watch.readings()
    assert readings["training_seconds"] == 101 and readings["evaluation_seconds"] == 7


def test_the_watch_tells_work_from_waiting(clock: Callable[..., None]) -> None:
    watch = Instruments(CPU)
    watch.start({"training_cpu_seconds": 3.0})
    clock(5, computing=2)
    readings = watch.readings()
    assert (readings["training_seconds"], readings["training_cpu_seconds"]) == (5, 5)


def allocate(mebibytes: int) -> torch.Tensor:
    return torch.ones(mebibytes * MEBIBYTE // 4)


@NEEDS_PROC
def test_the_weights_count_and_so_does_what_a_step_takes() -> None:
    meter = Instruments(CPU)
    model = nn.Linear(4096, 4096, bias=False)  # 64 MiB
    meter.start({})
    assert meter.readings()["peak_memory_bytes"] >= 0.98 * 64 * MEBIBYTE
    step = allocate(96)
    del step
    peak = meter.readings()["peak_memory_bytes"]
    assert 0.98 * 160 * MEBIBYTE <= peak < 220 * MEBIBYTE
    assert model.weight.numel() == 4096**2


@NEEDS_PROC
def test_a_large_evaluation_does_not_raise_the_peak() -> None:
    meter = Instruments(CPU)
    meter.start({})
    step = allocate(32)
    with meter.paused(), meter.paused():
        batches = [allocate(100) for _ in range(3)]
        small = [torch.ones(2000) for _ in range(3000)]  # below the size that glibc maps by itself
        del batches, small
    step = step + 1
    peak = meter.readings()["peak_memory_bytes"]
    assert 0.98 * 64 * MEBIBYTE <= peak < 110 * MEBIBYTE


@NEEDS_PROC
def test_what_was_held_before_does_not_count_unless_it_belongs_to_the_training() -> None:
    held = allocate(64)
    without, with_it = Instruments(CPU), Instruments(CPU, counted=64 * MEBIBYTE)
    for meter in (without, with_it):
        meter.start({})
    assert without.readings()["peak_memory_bytes"] < 32 * MEBIBYTE
    assert with_it.readings()["peak_memory_bytes"] >= 60 * MEBIBYTE
    assert held.numel()


def test_a_resumed_run_keeps_its_earlier_peak_and_its_time() -> None:
    instruments = Instruments(CPU)
    first = 2**45
    instruments.start({"peak_memory_bytes": first, "training_seconds": 50.0})
    readings = instruments.readings()
    assert readings["peak_memory_bytes"] == first and readings["training_seconds"] >= 50
    assert readings["memory_kind"] == "resident"


def test_time_spent_before_counts_once() -> None:
    spent = {"training_seconds": 7e6, "training_cpu_seconds": 5e6}
    fresh, resumed = Instruments(CPU, spent), Instruments(CPU, spent)
    fresh.start({})
    resumed.start({"training_seconds": 2e6, "peak_memory_bytes": 1})
    assert 7e6 <= fresh.readings()["training_seconds"] < 8e6
    assert 2e6 <= resumed.readings()["training_seconds"] < 3e6

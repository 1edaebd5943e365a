"""Time and peak memory of a training's steps, with pauses for what is no step.

They are measured over the whole run: evaluations and checkpoints pause them, and a resumed run goes
on from the readings that its last record holds.
"""

import contextlib
import ctypes
import gc
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

KIBIBYTE = 1024


class Instruments:
    """Stopwatch and memory meter of one training.

    To be made before the model is built: what the process holds at that moment does not count as
    memory, so that libraries and corpora do not. On a GPU the peak is the allocator's own, on a CPU
    that of the resident set, weights included. Seconds are read when the GPU's queue is done; those
    that this process computes, all its threads together, tell work from waiting on a machine that
    others use too.

    Args:
        device: what is trained on.
        spent: readings of the stopwatch for what was done before and belongs to the training.
        counted: bytes that the process holds already and that belong to the training all the same.
    """

    def __init__(
        self, device: torch.device, spent: Mapping[str, float] | None = None, counted: int = 0
    ):
        self._device, self._spent, self._depth = device, spent or {}, 0
        self._probe = _GpuProbe(device) if device.type == "cuda" else _ResidentProbe()
        gc.collect()
        self.start({})
        self._before = max(0, self._probe.held() - counted)

    def start(self, earlier: Mapping[str, Any]) -> None:
        """Begins, with the readings of an earlier, interrupted training (or an empty mapping)."""
        self._peak = earlier.get("peak_memory_bytes") or 0
        self._probe.reset()
        times = earlier or self._spent
        self._on = times.get("training_seconds", 0.0)
        self._cpu = times.get("training_cpu_seconds", 0.0)
        self._off = times.get("evaluation_seconds", 0.0)
        self._mark, self._cpu_mark = self._now(), time.process_time()

    def readings(self) -> dict[str, Any]:
        """Seconds of training, computed seconds of it, seconds of pauses; peak memory in bytes."""
        self._settle()
        return {
            "training_seconds": self._on,
            "training_cpu_seconds": self._cpu,
            "evaluation_seconds": self._off,
            "peak_memory_bytes": self._peak,
            "memory_kind": self._probe.kind,
        }

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Time and memory inside do not count; may be nested."""
        self._settle()
        self._depth += 1
        try:
            yield
        finally:
            self._settle()
            self._depth -= 1

    def _settle(self) -> None:
        """Books what has happened since the last time, in a pause or outside of it."""
        if self._depth:
            self._probe.reset()  # what a pause takes goes back to the system: no step's memory
        else:
            self._peak = max(self._peak, self._probe.peak() - self._before)
        now, cpu = self._now(), time.process_time()
        if self._depth:
            self._off += now - self._mark
        else:
            self._on += now - self._mark
            self._cpu += cpu - self._cpu_mark
        self._mark, self._cpu_mark = now, cpu

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()


class _GpuProbe:
    kind = "gpu"

    def __init__(self, device: torch.device):
        self._device = device

    def reset(self) -> None:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(self._device)

    def held(self) -> int:
        return torch.cuda.memory_allocated(self._device)

    def peak(self) -> int:
        return torch.cuda.max_memory_allocated(self._device)


class _ResidentProbe:
    kind = "resident"

    def reset(self) -> None:
        # glibc's free pages go back, so that one run's garbage is not the next one's baseline.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        # Sets VmHWM to the present size (proc(5): 5 in clear_refs); no effect where not allowed.
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")

    def held(self) -> int:
        return _resident("VmRSS")

    def peak(self) -> int:
        return _resident("VmHWM")


def _resident(field: str) -> int:
    """``VmRSS`` or ``VmHWM`` of this process in bytes (proc(5)); elsewhere the lifetime's peak."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * KIBIBYTE
    unit = 1 if sys.platform == "darwin" else KIBIBYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

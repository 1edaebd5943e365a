"""Instruments: a stopwatch with pauses, and a meter of peak memory."""

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


class Stopwatch:
    """Seconds on the clock and off it; waits for the GPU's queue before each reading."""

    def __init__(self, device: torch.device):
        self._device = device
        self._on = self._off = 0.0
        self._depth = 0
        self._mark = self._now()

    def start(self, earlier: Mapping[str, Any]) -> None:
        """Sets the watch to the readings of an earlier, interrupted training (empty: to zero)."""
        self._on = earlier.get("training_seconds", 0.0)
        self._off = earlier.get("evaluation_seconds", 0.0)
        self._mark = self._now()

    def readings(self) -> dict[str, float]:
        """``training_seconds`` on the clock and ``evaluation_seconds`` off it."""
        self._settle()
        return {"training_seconds": self._on, "evaluation_seconds": self._off}

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Takes what happens inside off the clock; may be nested."""
        self._settle()
        self._depth += 1
        try:
            yield
        finally:
            self._settle()
            self._depth -= 1

    def _settle(self) -> None:
        now = self._now()
        if self._depth:
            self._off += now - self._mark
        else:
            self._on += now - self._mark
        self._mark = now

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()


class MemoryMeter:
    """Peak memory between entering and leaving, in bytes.

    On a GPU: the allocator's own peaks, allocated and reserved. On the CPU: the growth of the peak
    resident set over what the process held on entry, so that libraries and corpora do not count.
    """

    def __enter__(self) -> "MemoryMeter":
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        else:
            _release_free_memory()
            _reset_peak_resident()
            self._before = _resident("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        if torch.cuda.is_available():
            self._peak = torch.cuda.max_memory_allocated()
            self._reserved: int | None = torch.cuda.max_memory_reserved()
        else:
            self._peak, self._reserved = max(0, _resident("VmHWM") - self._before), None

    def result(self) -> dict[str, Any]:
        """``peak_memory_bytes``, ``reserved_memory_bytes`` (None on the CPU), and the kind."""
        return {
            "peak_memory_bytes": self._peak,
            "reserved_memory_bytes": self._reserved,
            "memory_kind": "gpu" if torch.cuda.is_available() else "resident",
        }


def _resident(field: str) -> int:
    """``VmRSS`` or ``VmHWM`` of this process in bytes (proc(5)); elsewhere the lifetime's peak."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * KIBIBYTE
    if field == "VmRSS":
        return 0
    unit = 1 if sys.platform == "darwin" else KIBIBYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _reset_peak_resident() -> None:
    """Sets VmHWM to the present size (proc(5): 5 in clear_refs); no effect where not allowed."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _release_free_memory() -> None:
    """Gives glibc's free pages back, so that one run's garbage is not the next one's baseline."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)

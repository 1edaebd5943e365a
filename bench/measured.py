"""What the benchmarks share: the machine's own rate, and the file that results go to."""

import json
import statistics
import time
from typing import Any

import torch

from study.paths import project_root


def matmul_rate(rows: int, hidden: int, wide: int, precision: torch.dtype = torch.float32) -> float:
    """FLOP/s of the products of a step: (B T, H) x (H, H) and (B T, H) x (H, F), forward.

    Taken is the median of twelve; in bfloat16 nothing is cast, so it is a limit.
    """
    x, square = (torch.randn(n, hidden).to(precision) for n in (rows, hidden))
    broad = torch.randn(hidden, wide).to(precision)
    seconds = []
    for _ in range(12):
        start = time.perf_counter()
        for _ in range(4):
            x @ square
        x @ broad
        seconds.append(time.perf_counter() - start)
    return 2 * rows * hidden * (4 * hidden + wide) / statistics.median(seconds)


def write_results(name: str, result: dict[str, Any]) -> None:
    """Prints the results and writes them to ``_output/<name>``."""
    file = project_root() / "_output" / name
    file.parent.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1)
    file.write_text(text + "\n", encoding="utf-8")
    print(text)

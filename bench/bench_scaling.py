"""How the cost grows: with tokens, width, depth of a training step, and with the number of runs.

Three sizes each, everything else fixed; the exponent b of cost = a size^b is the slope of a line
through the logarithms (least squares). The sizes of a row take turns, medians are compared.

    python bench/bench_scaling.py                   prints and writes _output/bench-scaling.json
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "code"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
import torch
from measured import matmul_rate, write_results
from transformers import BertConfig, BertForSequenceClassification

from runs.completion import Grid
from store.entries import Store
from study.profiles import load_profile
from tiny_study import load_tiny_profile, write_tiny_inputs
from training.price import WARM_UP, build_stepper, take_turns

STEPS = 15
BASE = {"tokens": 512, "width": 256, "depth": 4}  # of a batch; hidden size; layers
SIZES = {"tokens": (512, 1024, 2048), "width": (256, 512, 1024), "depth": (4, 8, 16)}
LENGTH = 32
RUNS = (1, 2, 4)  # seeds of every method


def build_step(tokens: int, width: int, depth: int) -> Callable[[int], None]:
    """A step of full fine-tuning of a random encoder of that size."""
    config = BertConfig(
        vocab_size=1000,
        hidden_size=width,
        num_hidden_layers=depth,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
    )
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 1000, (tokens // LENGTH, LENGTH), generator=generator)
    labels = torch.randint(0, 2, (tokens // LENGTH,), generator=generator)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
    return build_stepper(
        BertForSequenceClassification(config),
        load_profile("demo").tasks["cola"].method("full").training,
        [[batch]] * (WARM_UP + STEPS),
        lambda given: given[0],
        torch.float32,
    )


def measure_steps(name: str) -> dict[int, float]:
    """Size -> median seconds of a step; the sizes take turns."""
    steppers = {str(size): build_step(**BASE | {name: size}) for size in SIZES[name]}
    times = take_turns(steppers, STEPS, torch.device("cpu")).seconds
    return {int(size): float(np.median(seconds)) for size, seconds in times.items()}


def measure_grids() -> dict[int, float]:
    """Number of seeds -> seconds of a whole tiny study."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        inputs = write_tiny_inputs(Path(folder) / "inputs")
        os.environ |= {"DATA_DIR": str(inputs / "data"), "MODEL_DIR": str(inputs / "models")}
        for number in (1, *RUNS):  # the first one loads what all use
            seeds = list(range(1, number + 1))
            tables = [f"[profiles.tiny.{task}]\nseeds = {seeds}\n" for task in ("cola", "pos")]
            start = time.perf_counter()
            with tempfile.TemporaryDirectory() as cache:
                Grid(load_tiny_profile("".join(tables)), Store(Path(cache))).complete()
            found[number] = time.perf_counter() - start
    return found


def exponent(costs: Mapping[int, float]) -> float:
    """The b of cost = a size^b."""
    sizes, seconds = np.log(list(costs)), np.log(list(costs.values()))
    return float(np.polyfit(sizes, seconds, 1)[0])


def main() -> None:
    """Runs the benchmark, prints it and writes ``_output/bench-scaling.json``."""
    costs = {name: measure_steps(name) for name in SIZES} | {"runs": measure_grids()}
    result: dict[str, Any] = {
        name: {"seconds": of_name, "exponent": round(exponent(of_name), 2)}
        for name, of_name in costs.items()
    }
    rate = matmul_rate(BASE["tokens"], BASE["width"], 4 * BASE["width"])
    result |= {"matmul_gflops": rate / 1e9, "threads": torch.get_num_threads()}
    write_results("bench-scaling.json", result)


if __name__ == "__main__":
    main()

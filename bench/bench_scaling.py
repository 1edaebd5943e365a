"""How the cost grows: with tokens, width, depth of a training step, and with the number of seeds.

Three sizes each, everything else fixed; the exponent b of cost = a size^b is the slope of a line
through the logarithms (least squares). The sizes of a row take turns, medians are compared.

    python bench/bench_scaling.py                   prints and writes _output/bench-scaling.json
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "code"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
import torch
from measured import matmul_rate, write_results
from transformers import BertConfig, BertForSequenceClassification

from encoders.models import choose_device
from encoders.precision import resolve_precision
from runs.completion import Grid
from store.entries import Store
from study.profiles import load_profile
from tiny_study import load_tiny_profile, write_tiny_inputs
from training.price import WARM_UP, build_stepper, take_turns

STEPS = 15
LENGTH = 32
BASE = {"tokens": 512, "width": 256, "depth": 4}  # of a batch; hidden size; layers
SIZES = {
    "tokens": (512, 1024, 2048),
    "width": (256, 512, 1024),
    "depth": (4, 8, 16),
    "seeds": (1, 2, 4),
}


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
        BertForSequenceClassification(config).to(choose_device()),
        load_profile("demo").tasks["cola"].method("full").training,
        [[batch]] * (WARM_UP + STEPS),
        lambda given: given[0],
        getattr(torch, resolve_precision("auto")),
    )


def measure_steps(name: str) -> dict[int, float]:
    """Size -> median seconds of a step; the sizes take turns."""
    steppers = {str(size): build_step(**BASE | {name: size}) for size in SIZES[name]}
    times = take_turns(steppers, STEPS, choose_device()).seconds
    return {int(size): float(np.median(seconds)) for size, seconds in times.items()}


def measure_grids() -> dict[int, float]:
    """Number of seeds -> seconds of a whole tiny study."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        inputs = write_tiny_inputs(Path(folder) / "inputs")
        os.environ |= {"DATA_DIR": str(inputs / "data"), "MODEL_DIR": str(inputs / "models")}
        for number in (1, *SIZES["seeds"]):  # the first one loads what all use
            seeds = list(range(1, number + 1))
            tables = [f"[profiles.tiny.{task}]\nseeds = {seeds}\n" for task in ("cola", "pos")]
            start = time.perf_counter()
            with tempfile.TemporaryDirectory() as cache:
                Grid(load_tiny_profile("".join(tables)), Store(Path(cache))).complete()
            found[number] = time.perf_counter() - start
    return found


def exponent(seconds: dict[int, float]) -> float:
    """The b of seconds = a size^b."""
    return float(np.polyfit(np.log([*seconds]), np.log([*seconds.values()]), 1)[0])


def main() -> None:
    """Measures, prints, writes the JSON."""
    found = {name: measure_steps(name) for name in BASE} | {"seeds": measure_grids()}
    rate = matmul_rate(BASE["tokens"], BASE["width"], 4 * BASE["width"])
    rows = {name: {"seconds": own, "exponent": exponent(own)} for name, own in found.items()}
    facts = {"matmul_gflops": rate / 1e9, "threads": torch.get_num_threads()}
    write_results("bench-scaling.json", {"base": BASE, **rows, **facts})


if __name__ == "__main__":
    main()

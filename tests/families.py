"""Every family of encoders with every method through every stage, in tiny studies of seconds."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from pytest import MonkeyPatch
from transformers import AutoModelForMaskedLM, AutoModelForPreTraining
from transformers.models.auto.modeling_auto import MODEL_FOR_PRETRAINING_MAPPING_NAMES

import tiny
from hub_content import write_local
from runs import export
from runs.grid import Run
from runs.inputs import Inputs
from runs.stages import drift, masked, predict, representation, restored, structure, train
from store.entries import Store
from study.errors import StudyError
from study.settings import Profile
from tiny_study import find_words, load_tiny_profile
from verification.measuring import can_measure, measure_run

FAMILIES = (*tiny.FAMILIES, *tiny.OTHERS)
TASKS = ("cola", "pos")
STAGES = (
    "train", "predict", "drift", "verify", "structure", "similarity", "restore", "forget", "export",
)  # fmt: skip
_ATTENTION = r".*\.(query|value|query_proj|value_proj|q_lin|v_lin|q_proj|v_proj|q|v|Wqkv)"
_FEED_FORWARD = r".*\.(intermediate\.dense|lin1|Wi|up_proj|albert_layers\.\d+\.ffn)"
METHODS = MappingProxyType(
    {
        "full": "",
        "lora": f"adapter = {{ peft_type = 'LORA', r = 2, target_modules = '{_ATTENTION}' }}",
        "lora-default": "adapter = { peft_type = 'LORA', r = 2 }",
        "lora-linear": "adapter = { peft_type = 'LORA', r = 2, target_modules = 'all-linear' }",
        "dora": "adapter = { peft_type = 'LORA', r = 2, use_dora = true,"
        " target_modules = 'all-linear' }",
        "pissa": "adapter = { peft_type = 'LORA', r = 2, init_lora_weights = 'pissa',"
        " target_modules = 'all-linear' }",
        "ia3": f"adapter = {{ peft_type = 'IA3', target_modules = '{_ATTENTION}|{_FEED_FORWARD}',"
        f" feedforward_modules = '{_FEED_FORWARD}' }}",
        "vera": f"adapter = {{ peft_type = 'VERA', r = 4, target_modules = '{_ATTENTION}' }}",
        "prefix": "adapter = { peft_type = 'PREFIX_TUNING', num_virtual_tokens = 2 }",
        "bitfit": "trainable = 'bias'",
        "frozen": "trainable = 'head'",
    }
)


@dataclass(frozen=True)
class Cell:
    """How far a method on an encoder came.

    Attributes:
        done: stages that were gone through.
        refused: why the method is not made, as the user is told before the first step.
        broken: the stage that failed afterwards and how; empty for a cell that works.
    """

    done: tuple[str, ...] = ()
    refused: str = ""
    broken: str = ""


def write_family(folder: Path, family: str, data: Path) -> Path:
    """A checkpoint with the heads of its pretraining, and a tokenizer of the family's kind."""
    known = family in MODEL_FOR_PRETRAINING_MAPPING_NAMES
    kind = AutoModelForPreTraining if known else AutoModelForMaskedLM
    return tiny.save_checkpoint(folder, family, find_words(data), kind=kind)


def load_family_profile(family: str, methods: Mapping[str, str]) -> Profile:
    """Both tasks with these methods, one seed, one epoch."""
    extra = ""
    for task in TASKS:
        extra += f"[profiles.tiny.{task}]\nmodel_name_or_path = '{family}'\nseeds = [1]\n"
        extra += f"methods_run = {list(methods)}\n"
        extra += (
            f"[profiles.tiny.{task}.training]\nnum_train_epochs = 1\nevaluations_per_epoch = 1\n"
        )
        for name, settings in methods.items():
            extra += f"[profiles.tiny.{task}.methods.{name}]\nlearning_rate = 1e-3\n{settings}\n"
    return load_tiny_profile(extra)


@contextmanager
def inputs_of(families: tuple[str, ...]) -> Iterator[Path]:
    """A folder with the corpora and the checkpoints, where ``DATA_DIR``, ``MODEL_DIR`` point."""
    with tempfile.TemporaryDirectory() as temporary, MonkeyPatch.context() as patch:
        folder = Path(temporary)
        write_local(folder / "data")
        for family in families:
            write_family(folder / "models" / family, family, folder / "data")
        patch.setenv("DATA_DIR", str(folder / "data"))
        patch.setenv("MODEL_DIR", str(folder / "models"))
        yield folder


def go_through(store: Store, inputs: Inputs, run: Run) -> Cell:
    """One run through all stages that it has."""
    try:
        train.work(inputs, run)
    except StudyError as refused:
        return Cell(refused=str(refused))
    done: list[str] = []
    try:
        for stage in _stages(store, inputs, run):
            done.append(stage)
    except Exception as error:  # what a cell is: any failure
        broken = STAGES[STAGES.index(done[-1]) + 1] if done else STAGES[0]
        return Cell(tuple(done), broken=f"{broken}: {type(error).__name__}: {error}")
    return Cell(tuple(done))


def _stages(store: Store, inputs: Inputs, run: Run) -> Iterator[str]:
    trained = train.make(store, inputs, run, lambda *_: None)
    yield "train"
    for address in run.task.evaluations:
        predict.make(store, inputs, run, trained, address)
    yield "predict"
    if run.method.mergeable:
        moved = drift.make(store, inputs, run, trained).result()
        yield "drift"
        if can_measure(run):
            again = measure_run(run, trained, inputs)
            for row in moved["rows"]:
                found = again[row["layer"], row["kind"], "l2"]
                assert np.isclose(row["l2"], found, rtol=1e-5, atol=1e-7), (row, found)
            yield "verify"
    if run.method.moves_encoder:
        structure.make(store, inputs, run, trained)
        yield "structure"
        representation.make(store, inputs, run, trained)
        yield "similarity"
        restored.make(store, inputs, run, trained)
        yield "restore"
        if masked.make(store, inputs, run, trained).result()["head"]:
            yield "forget"
    with tempfile.TemporaryDirectory(dir=os.fspath(store.root)) as temporary:
        folder = Path(temporary) / "export"
        folder.mkdir()
        export._write(inputs, run, trained, folder)
        export._check(inputs, run, trained, folder)
    yield "export"

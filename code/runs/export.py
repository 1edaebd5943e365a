"""A trained run as a folder that transformers and peft load without this project.

Of a run that trained the model's own weights it is a checkpoint; of an adapter it is peft's folder,
with a ``config.json`` that names the labels. A base model that the hub does not serve under a
pinned revision is written beside the adapter. Before the folder is there under its name, what the
libraries load from it is compared with the trained model.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from encoders.adapters import name_without_adapter
from encoders.checkpoints import read_json
from encoders.models import load_base
from encoders.tokens import take_features
from runs.card import write_card
from runs.grid import Run, plan_runs
from runs.inputs import Inputs
from store.entries import Entry, Store, disk_errors
from store.reading import read_results
from store.results import Results
from study.errors import StudyError
from study.settings import Profile
from training.prediction import predict

BASE = "base"  # folder of an adapter's base model
COMPARED = 8  # features of the validation set that the export is checked on
TOLERANCE = 1e-4  # of a logit


def export_run(profile: Profile, store: Store, name: str, folder: Path) -> None:
    """Writes a finished run's model, with card and tokenizer, into a new or empty folder.

    Raises:
        StudyError: there is no such finished run, the folder holds something, or what the libraries
            load from it is not the trained model.
    """
    results = read_results(profile, store)
    run, trained = _find(results, store, name)
    folder = folder.resolve()
    _refuse_content(folder)
    inputs = Inputs(store.root / "corpora")
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)  # of an export that was killed
    try:
        with disk_errors(folder, "FOLDER"):
            temporary.mkdir(parents=True)
            _write(inputs, run, trained, temporary)
            write_card(results, run, trained, temporary)
            _check(inputs, run, trained, temporary)
            if folder.is_dir():
                folder.rmdir()
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB; {folder / 'README.md'} says how it is loaded")
    sys.stdout.flush()


def load_exported(folder: Path, kind: str) -> nn.Module:
    """What transformers and peft make of an exported folder."""
    import transformers
    from peft import PeftModel

    automatic = {
        "sequence": transformers.AutoModelForSequenceClassification,
        "token": transformers.AutoModelForTokenClassification,
    }[kind]
    if not (folder / "adapter_config.json").is_file():
        return automatic.from_pretrained(folder, trust_remote_code=False)
    adapter = read_json(folder / "adapter_config.json")
    beside = (folder / BASE).is_dir()
    base = automatic.from_pretrained(
        folder / BASE if beside else adapter["base_model_name_or_path"],
        config=transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False),
        revision=adapter["revision"] or "main",
        trust_remote_code=False,
    )
    return PeftModel.from_pretrained(base, str(folder), trust_remote_code=False)


def _find(results: Results, store: Store, name: str) -> tuple[Run, Entry]:
    """The run of that name and the entry of its training, as the report shows it."""
    runs = {run.name: run for run in plan_runs(results.profile)}
    finished = results.ledger["runs"]
    if name not in runs:
        raise StudyError(f"unknown run {name!r}; finished: {', '.join(finished)}")
    if name not in finished:
        raise StudyError(
            f"the run {name!r} is not finished, so that there is no model to export",
            remedy=f"python code/run.py --profile {results.profile.name}",
        )
    trained = store.open(finished[name]["train"])
    assert trained is not None, "the results were read from it"
    return runs[name], trained


def _refuse_content(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        kind = "a folder that is not empty" if folder.is_dir() else "a file"
        raise StudyError(
            f"expected a new or an empty folder, got {kind}",
            where=str(folder),
            remedy="name another one: nothing is overwritten",
        )


def _write(inputs: Inputs, run: Run, trained: Entry, folder: Path) -> None:
    """Weights, configuration with the names of the labels, tokenizer."""
    checkpoint, labels = inputs.checkpoint(run.task, run.method), inputs.labels(run.task)
    model: Any = inputs.trained_model(run, trained)
    _name_labels(model.config, labels)
    if run.method.adapter is None:
        model.save_pretrained(folder)
    else:
        adapter = model.peft_config["default"]
        # A start such as PiSSA's takes its part out of the base's matrices.
        altered = {n: p for n, p in model.named_parameters() if n in model.altered_base}
        if altered:
            adapter.init_lora_weights = True  # else the libraries would take it out once more
        beside = checkpoint.revision is None or bool(altered)
        adapter.base_model_name_or_path = BASE if beside else checkpoint.location
        adapter.revision = checkpoint.revision
        # Embeddings are the base model's; peft would look on the hub whether they were changed.
        model.save_pretrained(folder, save_embedding_layers=False)
        model.config.save_pretrained(folder)
        if beside:
            base: Any = load_base(checkpoint, run.task.kind, len(labels), run.seed)[0]
            changed = {name_without_adapter(n): p for n, p in altered.items()}
            base.load_state_dict(changed, strict=False)
            _name_labels(base.config, labels)
            base.save_pretrained(folder / BASE)
    inputs.tokenizer(checkpoint).save_pretrained(folder)


def _name_labels(config: Any, labels: tuple[str, ...]) -> None:
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: number for number, label in enumerate(labels)}
    vars(config).pop("pooler_role", None)  # this project's own note


def _check(inputs: Inputs, run: Run, trained: Entry, folder: Path) -> None:
    """Refuses a folder from which the libraries load another model than the trained one."""
    data = inputs.encoded(run.task, run.method, run.task.validation)
    sample, _ = take_features(data, range(min(COMPARED, len(data.features))))
    tokenizer = inputs.tokenizer(inputs.checkpoint(run.task, run.method))
    models = (inputs.trained_model(run, trained), load_exported(folder, run.task.kind))
    expected, got = (predict(m, run.task.kind, sample, tokenizer, COMPARED) for m in models)
    if not np.allclose(expected, got, rtol=0, atol=TOLERANCE):
        raise StudyError(
            f"the run {run.name!r} cannot be exported: what transformers and peft load from the "
            f"folder has logits that differ by up to {np.abs(expected - got).max():.3g}, so that "
            "their format has no place for a part of what was trained",
            remedy="export a run of another method; this one's weights stay in "
            f"{trained.folder / 'trained.safetensors'}",
        )

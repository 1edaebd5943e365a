"""A trained run taken away: plain transformers and peft load it and compute what was stored."""

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch import nn

import run as command_line
from conftest import FinishedStudy
from facts.table import Facts
from runs import export
from runs.export import export_run
from runs.grid import Run, plan_runs
from runs.inputs import Inputs
from store.entries import Entry
from store.reading import read_results
from study.errors import StudyError
from tiny_study import PROFILE, load_tiny_profile
from waiting import run_process

LOADED = ("cola-full-seed1", "cola-lora-seed2", "cola-frozen-seed1", "pos-full-seed1")
LOADED += ("pos-lora-seed1",)
SCRIPT = """
import json, sys, torch
from pathlib import Path
from peft import PeftModel
from transformers import AutoConfig, AutoTokenizer
import transformers

def compute(folder, kind, texts):
    auto = {"sequence": transformers.AutoModelForSequenceClassification,
            "token": transformers.AutoModelForTokenClassification}[kind]
    if Path(folder, "adapter_config.json").exists():
        base = auto.from_pretrained(f"{folder}/base", config=AutoConfig.from_pretrained(folder))
        model = PeftModel.from_pretrained(base, folder).eval()
    else:
        model = auto.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for text in texts:
        words = isinstance(text, list)
        inputs = tokenizer(
            text, is_split_into_words=words, return_tensors="pt", truncation=True, max_length=128
        )
        with torch.no_grad():
            logits = model(**inputs).logits[0]
        if words:
            ids = inputs.word_ids()
            logits = logits[[ids.index(i) for i in range(len(text))]]
        found.append(logits.tolist())
    return {"logits": found, "labels": model.config.id2label}

def run_card(folder):
    code = Path(folder, "README.md").read_text().split("```python\\n")[1].split("```")[0]
    names = {"folder": folder}
    exec(code, names)
    return names.get("label") or names["tags"]

wanted = json.loads(Path(sys.argv[1]).read_text())
found = {name: compute(*given) for name, given in wanted.items()}
cards = {name: run_card(given[0]) for name, given in wanted.items()}
own = [name for name in sys.modules if name.split(".")[0] in ("study", "encoders", "runs", "store")]
print(json.dumps({"found": found, "cards": cards, "own": own}))
"""


def find_run(finished: FinishedStudy, name: str) -> Run:
    return next(run for run in plan_runs(finished.profile) if run.name == name)


def texts_of(finished: FinishedStudy, run: Run) -> list:
    items = finished.grid.inputs.split(run.task, run.task.evaluations[-1]).items
    if run.task.kind == "sequence":
        return [item.text for item in items]
    return [[word.form for word in item.words] for item in items]


@pytest.fixture(scope="module")
def taken(
    finished: FinishedStudy, tiny_inputs: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict]:
    """Exported runs, and what a script computes from them that knows nothing of this project."""
    folder = tmp_path_factory.mktemp("taken")
    wanted = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(tiny_inputs / "data"))
        patch.setenv("MODEL_DIR", str(tiny_inputs / "models"))
        for name in LOADED:
            run = find_run(finished, name)
            export_run(finished.profile, finished.store, name, folder / name)
            wanted[name] = (str(folder / name), run.task.kind, texts_of(finished, run))
    (folder / "wanted.json").write_text(json.dumps(wanted))
    (folder / "script.py").write_text(SCRIPT)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = run_process(
        [sys.executable, "script.py", "wanted.json"],
        cwd=folder,
        env=environment | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def stored_arrays(finished: FinishedStudy, run: Run) -> dict:
    stages = finished.ledger.content["runs"][run.name]
    entry = finished.store.open(stages["predict"][run.task.evaluations[-1]])
    assert entry is not None
    return entry.arrays()


@pytest.mark.parametrize("name", LOADED)
def test_plain_transformers_and_peft_compute_what_was_stored(
    finished: FinishedStudy, taken: tuple[Path, dict], name: str
) -> None:
    run, found = find_run(finished, name), taken[1]["found"][name]
    labels = finished.grid.inputs.labels(run.task)
    assert found["labels"] == {str(i): label for i, label in enumerate(labels)}
    stored = stored_arrays(finished, run)
    if run.task.kind == "sequence":
        got = np.array(found["logits"])
        assert got.shape == stored["logits"].shape
        np.testing.assert_allclose(got, stored["logits"], atol=1e-5)
        other = find_run(finished, name[:-1] + str(3 - run.seed))  # another seed's are others
        assert np.abs(got - stored_arrays(finished, other)["logits"]).max() > 1e-3
    else:
        tags = np.concatenate([np.array(rows).argmax(1) for rows in found["logits"]])
        np.testing.assert_array_equal(tags, stored["predicted"])
        other = find_run(finished, name[:-1] + str(3 - run.seed))
        assert (tags != stored_arrays(finished, other)["predicted"]).any()


def test_the_code_of_the_card_runs_as_it_stands_without_this_project(
    finished: FinishedStudy, taken: tuple[Path, dict]
) -> None:
    cards = taken[1]["cards"]
    assert taken[1]["own"] == [] and set(cards) == set(LOADED)
    for name, told in cards.items():
        labels = finished.grid.inputs.labels(find_run(finished, name).task)
        assert set([told] if isinstance(told, str) else told) <= set(labels)


def test_an_adapter_comes_with_its_base_and_a_checkpoint_alone(
    taken: tuple[Path, dict], tiny_environment: Path
) -> None:
    names = ("cola-lora-seed2", "cola-full-seed1")
    adapter, whole = (
        {p.relative_to(taken[0] / n).as_posix() for p in (taken[0] / n).rglob("*") if p.is_file()}
        for n in names
    )
    common = {"config.json", "README.md", "tokenizer.json", "tokenizer_config.json"}
    assert common | {"model.safetensors"} <= whole and not {f for f in whole if "adapter" in f}
    assert common | {"adapter_config.json", "adapter_model.safetensors"} <= adapter
    assert {"base/config.json", "base/model.safetensors"} <= adapter
    assert "model.safetensors" not in adapter
    for name in names:
        for file in (taken[0] / name).rglob("*.json"):
            assert str(taken[0]) not in file.read_text(), file
            assert str(tiny_environment) not in file.read_text(), file
            assert "pooler_role" not in file.read_text()


def test_the_card_is_made_of_facts(finished: FinishedStudy, taken: tuple[Path, dict]) -> None:
    text = (taken[0] / "pos-lora-seed1" / "README.md").read_text(encoding="utf-8")
    _, header, body = text.split("---\n", 2)
    known = yaml.safe_load(header)
    assert known["library_name"] == "peft" and known["pipeline_tag"] == "token-classification"
    assert known["language"] == ["en", "de"] and "base_model" not in known
    facts: Facts = read_results(finished.profile, finished.store).facts
    scores = {
        (f.evaluation.split(":")[0], f.metric): f
        for f in facts.where(quantity="score", task="pos", method="lora", seed=1, tag="", group="")
        if f.metric in ("accuracy", "macro_f1") and not f.part
    }
    told = {
        (result["dataset"]["type"], metric["type"]): metric["value"]
        for result in known["model-index"][0]["results"]
        for metric in result["metrics"]
    }
    assert told == {place: fact.value for place, fact in scores.items()} and len(told) == 4
    mean = facts.one(
        "score", task="pos", method="lora", evaluation="de_gsd:test", metric="accuracy"
    )
    assert f"[{100 * mean.low:.1f}, {100 * mean.high:.1f}]" in body
    assert "2 seeds" in body and "`learning_rate`: 0.0005" in body and '"r": 8' in body
    run = read_results(finished.profile, finished.store).runs[0]
    assert f"commit {run.machine['commit'] or 'unknown'}" in body
    assert "[{" not in body and "]{" not in body, "no marks of numbers"


def test_what_cannot_be_exported_says_so(
    finished: FinishedStudy,
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(name: str, folder: Path) -> str:
        with pytest.raises(StudyError) as error:
            export_run(finished.profile, finished.store, name, folder)
        return str(error.value)

    assert "unknown run 'cola-lora-seed9'" in refused("cola-lora-seed9", tmp_path / "a")
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("kept")
    assert "a folder that is not empty" in refused("cola-lora-seed1", full)
    assert "got a file" in refused("cola-lora-seed1", full / "mine.txt")
    assert [file.name for file in full.iterdir()] == ["mine.txt"]
    # A format that loses a part of what was trained: here the bias of the head.
    original = export.load_exported

    def load_without_bias(folder: Path, kind: str) -> nn.Module:
        model = original(folder, kind)
        for name, parameter in model.named_parameters():
            if "classifier" in name and name.endswith("bias"):
                parameter.data.add_(1.0)
        return model

    monkeypatch.setattr(export, "load_exported", load_without_bias)
    assert "cannot be exported" in refused("cola-lora-seed1", tmp_path / "b")
    assert not (tmp_path / "b").exists() and not list(tmp_path.glob(".*"))


def test_a_run_that_is_not_finished_says_so(
    finished: FinishedStudy,
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cache = shutil.copytree(finished.store.root, tmp_path / "cache")
    ledger = cache / "ledger-tiny.json"
    content = json.loads(ledger.read_text())
    del content["runs"]["cola-lora-seed2"]
    ledger.write_text(json.dumps(content))
    (tmp_path / "tiny.toml").write_text(PROFILE)
    monkeypatch.setenv("CACHE_DIR", str(cache))
    monkeypatch.setenv("EXPERIMENTS_FILE", str(tmp_path / "tiny.toml"))
    words = ["export", "--profile", "tiny", "cola-lora-seed2", str(tmp_path / "out")]
    assert command_line.main(words) == 1
    assert "'cola-lora-seed2' is not finished" in capsys.readouterr().err
    words[3] = "cola-lora-seed1"
    (tmp_path / "out").mkdir()  # an empty one is taken
    assert command_line.main(words) == 0
    assert "README.md says how it is loaded" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        command_line.main(["export", "cola-lora-seed1"])
    assert "a run and a folder, got cola-lora-seed1" in capsys.readouterr().err


ADAPTERS = {
    "PiSSA": """adapter = { peft_type = "LORA", r = 4, init_lora_weights = "pissa" }""",
    "DoRA": """adapter = { peft_type = "LORA", r = 4, use_dora = true }""",
    "prefix": """adapter = { peft_type = "PREFIX_TUNING", num_virtual_tokens = 4 }
        [profiles.tiny.cola.training]
        max_length = 64""",
}


@pytest.mark.parametrize("name", ADAPTERS)
def test_other_adapters_load_as_they_were_trained(
    tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Also one that takes its start out of the base's weights: the altered base goes along."""
    head = '[profiles.tiny.cola]\nmethods_run = ["full", "mine"]\n'
    head += "[profiles.tiny.cola.methods.mine]\nlearning_rate = 1e-3\n"
    profile = load_tiny_profile(head + ADAPTERS[name])
    run = next(run for run in plan_runs(profile) if run.name == "cola-mine-seed1")
    inputs, folder = Inputs(tmp_path / "corpora"), tmp_path / "out"
    model = inputs.fresh_model(run)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.1 * torch.randn_like(parameter)
    monkeypatch.setattr(Inputs, "trained_model", lambda *_: model)
    entry = Entry(tmp_path)  # not read: the model is given
    folder.mkdir()
    export._write(inputs, run, entry, folder)
    export._check(inputs, run, entry, folder)
    written = load_file(folder / "base" / "model.safetensors")
    before = load_file(tiny_environment / "models" / "tiny" / "model.safetensors")
    same = [torch.equal(written[n], tensor) for n, tensor in before.items() if "query.w" in n]
    assert same and set(same) == {name != "PiSSA"}

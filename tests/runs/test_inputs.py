"""What runs share is made once a study, not once a run."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from runs import inputs as module
from runs.completion import Grid
from runs.data import Data
from runs.grid import plan_runs
from runs.inputs import Inputs
from runs.stages import train
from store.entries import Store
from study.errors import StudyError
from study.profiles import load_profile
from tiny import save_checkpoint
from tiny_study import find_words, load_tiny_profile


def test_methods_of_one_encoder_share_their_encodings(
    tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    encode = module.encode_sentences
    monkeypatch.setattr(
        module, "encode_sentences", lambda *given: made.append(given) or encode(*given)
    )
    task = load_tiny_profile().tasks["cola"]
    inputs = Inputs(tmp_path)
    found = [
        inputs.encoded(task, m, a) for m in task.methods for a in (task.train, task.validation)
    ]
    assert len(made) == 2 and len(task.methods) == 3
    assert found[0] is found[2] is found[4]


POSITIONS = """
[profiles.tiny.pos.training]
max_length = 131
"""


def test_windows_longer_than_the_positions_are_refused_before_anything_is_trained(
    tiny_environment: Path, tmp_path: Path
) -> None:
    grid = Grid(load_tiny_profile(POSITIONS), Store(tmp_path))
    refused = grid.check()
    assert set(refused) == {run.name for run in plan_runs(grid.profile) if run.task.name == "pos"}
    said = "max_length is 131, but the model has 130 positions"
    assert all(said in reason for reason in refused.values())
    assert not list(tmp_path.glob("train/*"))


@pytest.mark.parametrize(("lowered", "removed"), [(True, "case,accents"), (False, None)])
def test_a_training_tells_what_its_tokenizer_takes_away(
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lowered: bool,
    removed: str | None,
) -> None:
    words = [*find_words(tiny_environment / "data"), "Maus", "Ente"]
    folder = save_checkpoint(tmp_path / "models" / "tiny", words=words)
    if lowered:
        file = folder / "tokenizer.json"
        parts = json.loads(file.read_text(encoding="utf-8"))
        lowers = {"clean_text": True, "handle_chinese_chars": True, "strip_accents": None}
        parts["normalizer"] = {"type": "BertNormalizer", "lowercase": True, **lowers}
        file.write_text(json.dumps(parts), encoding="utf-8")
    monkeypatch.setenv("MODEL_DIR", str(tmp_path / "models"))
    store = Store(tmp_path / "cache")
    run = next(r for r in plan_runs(load_tiny_profile()) if r.name == "cola-frozen-seed1")
    entry = train.make(store, Inputs(store.root), run, lambda _step, _loss: None)
    assert entry.result()["costs"].get("tokenizer_removes") == removed


@pytest.mark.parametrize(("files", "refused"), [(("ab", "ab"), True), (("ab", "bc"), False)])
def test_a_set_that_was_trained_on_is_no_evaluation(
    files: tuple[str, str], refused: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, words in zip(("train", "dev"), files, strict=True):
        path = tmp_path / "data" / "ud" / "UD_English-Toy" / f"en_toy-ud-{name}.conllu"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"1\t{w}\t_\tX\t_\t_\t0\t_\t_\t_\n\n" for w in words))
    task = load_profile("demo").tasks["pos"]
    task = replace(task, origin="local", train="en_toy:train", evaluations=("en_toy:validation",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(tmp_path / "data"))
        if refused:
            with pytest.raises(StudyError, match="also in the training set"):
                Data(tmp_path).split(task, "en_toy:validation")
        else:
            assert len(Data(tmp_path).split(task, "en_toy:validation").items) == 2
            assert "50% of the sentences" in capsys.readouterr().err
        with pytest.raises(StudyError, match="needs sentences with labels"):
            Data(tmp_path).split(replace(task, kind="sequence"), "en_toy:train")

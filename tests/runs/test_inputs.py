"""What runs share is made once a study, not once a run."""

from dataclasses import replace
from pathlib import Path

import pytest

from runs import inputs as module
from runs.data import Data
from runs.inputs import Inputs
from study.errors import StudyError
from study.profiles import load_profile
from tiny_study import load_tiny_profile


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

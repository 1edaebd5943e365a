"""What runs share is made once a study, not once a run."""

from pathlib import Path

import pytest

from runs import inputs as module
from runs.inputs import Inputs
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

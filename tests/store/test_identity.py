"""What decides something shown: results, the code that shows them, and nothing of the machine."""

from dataclasses import replace
from pathlib import Path

import pytest

from store.identity import code_of, digest, fingerprint
from study.paths import project_root
from synthetic_study import build_study


def test_python_s_cache_folder_does_not_count() -> None:
    """Importing from a fresh clone leaves a folder beside the code."""
    before = code_of(("plots",), ())
    folder = project_root() / "code" / "plots" / "__pycache__"
    folder.mkdir(exist_ok=True)
    code_of.cache_clear()
    assert code_of(("plots",), ()) == before and len(before) == 24


def test_code_texts_and_versions_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.identity.project_root", lambda: tmp_path)
    found = set()
    for name, text in (("a.py", "1"), ("a.py", "2"), ("b/texts.toml", "x"), ("notes.md", "y")):
        file = tmp_path / "code" / "room" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        code_of.cache_clear()
        found.add(code_of(("room",), ()))
    found.add(code_of(("room",), ("numpy",)))
    code_of.cache_clear()
    assert len(found) == 4


def test_results_with_another_number_are_others() -> None:
    study = build_study(seeds=(42,), sentences=60, words=90, resamples=10)
    other = replace(study, runs=study.runs.assign(training_seconds=1.5))
    assert fingerprint(study) == fingerprint(replace(study)) != fingerprint(other)


def test_a_digest_is_of_the_value() -> None:
    assert digest({"a": 1, "b": [2.5]}) == digest({"b": [2.5], "a": 1}) != digest({"a": 1})

"""What decides something shown: results, the code that shows them, and nothing of the machine."""

from dataclasses import replace
from pathlib import Path

import pytest

from facts.table import Facts
from store.identity import code_of, digest, fingerprint
from synthetic_study import build_study


def test_what_python_and_an_editor_leave_beside_the_code_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing from a fresh clone leaves a folder beside the code, with files in it."""
    monkeypatch.setattr("store.identity.project_root", lambda: tmp_path)
    room = tmp_path / "code" / "room"
    (room / "__pycache__").mkdir(parents=True)
    (room / "a.py").write_text("1")
    code_of.cache_clear()
    before = code_of(("room",), ())
    for name in ("__pycache__/a.cpython-311.pyc", "a.py.swp", "__pycache__/left.py"):
        (room / name).write_bytes(b"\x00\xff")
        code_of.cache_clear()
        assert code_of(("room",), ()) == before, name
    (room / "a.py").write_text("2")
    code_of.cache_clear()
    assert code_of(("room",), ()) != before and len(before) == 24
    code_of.cache_clear()


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
    copied = replace(study, facts=Facts(list(study.facts)))
    assert fingerprint(study) == fingerprint(copied), "the same facts in another table"
    other = replace(study.facts[0], value=0.123)
    changed = replace(study, facts=Facts([other, *study.facts[1:]]))
    assert fingerprint(study) != fingerprint(changed)


def test_a_digest_is_of_the_value() -> None:
    assert digest({"a": 1, "b": [2.5]}) == digest({"b": [2.5], "a": 1}) != digest({"a": 1})

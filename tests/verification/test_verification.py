"""``run.py verify``: it agrees with a true report, and says what is wrong with a false one."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import FinishedStudy
from evidence.metrics import score_acceptability, score_tags
from rendering.export import export_results
from store.entries import Store
from store.results import load_results
from verification.checking import Tally, verify
from verification.counting import score_sentences, score_words
from verification.reading import numbers_of, read_document


@given(st.lists(st.tuples(st.integers(0, 16), st.integers(0, 16)), min_size=1, max_size=60))
@settings(deadline=None, max_examples=40)
def test_two_ways_of_counting_words_agree(pairs: list[tuple[int, int]]) -> None:
    predicted, gold = np.array(pairs).T
    ours, theirs = score_words(predicted, gold), score_tags(predicted, gold)
    assert ours == pytest.approx({name: float(theirs[name]) for name in ours}, abs=1e-12)


@given(st.integers(0, 10**6), st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_two_ways_of_counting_sentences_agree(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    logits, gold = rng.normal(size=(count, 2)).astype(np.float32), rng.integers(0, 2, count)
    theirs = score_acceptability(logits, gold)
    ours = score_sentences(logits, gold)
    assert ours == pytest.approx({name: theirs[name] for name in ours}, abs=1e-9)


@pytest.fixture
def report(finished: FinishedStudy, tiny_environment: Path, tmp_path: Path) -> tuple[Store, Path]:
    """A copy of the tiny study's store, and its ``results.json`` with a document of its tables."""
    store = Store(shutil.copytree(finished.store.root, tmp_path / "cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("store.results.load_profile", lambda _: finished.profile)
        file = export_results(load_results("tiny", store.root), tmp_path)
    shown = json.loads(file.read_text())
    cells = [
        c["text"] for t in shown["tables"]["en"].values() for r in t["rows"] for c in r.values()
    ]
    answers = [answer["text"] for answer in shown["answers"]["en"].values()]
    text = "</td><td>".join(cells + answers).replace("\\", "")
    (tmp_path / "report.html").write_text(f"<style>9.99</style><td>{text}</td>", encoding="utf-8")
    return store, tmp_path


def check(finished: FinishedStudy, report: tuple[Store, Path]) -> Tally:
    return verify(finished.profile, *report)


def test_a_true_report_is_verified(finished: FinishedStudy, report: tuple[Store, Path]) -> None:
    tally = check(finished, report)
    assert tally.wrong == []
    assert tally.checked["scores"] == tally.checked["scores of results.json"] > 60
    assert tally.checked["distances"] == tally.checked["distances of results.json"] > 500
    assert tally.checked["checksums"] > 200 and tally.checked["keys"] > 50
    assert tally.checked["numbers in report.html"] > 500
    assert tally.summary().endswith("wrong: 0")


def _change(file: Path, change: Any) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


@pytest.mark.parametrize("frame", ["scores", "drift"])
def test_a_changed_number_is_found(
    finished: FinishedStudy, report: tuple[Store, Path], frame: str
) -> None:
    key = {"scores": "value", "drift": "euclidean_distance"}[frame]

    def change(content: dict[str, Any]) -> None:
        row = next(r for r in content[frame] if r["method"] == "full" and r[key])
        row[key] *= 1.01

    _change(report[1] / "results.json", change)
    assert len(check(finished, report).wrong) == 1


def test_a_number_that_the_document_lacks_is_found(
    finished: FinishedStudy, report: tuple[Store, Path]
) -> None:
    def change(content: dict[str, Any]) -> None:
        table = next(t for t in content["tables"]["en"].values() if t["rows"])
        table["rows"].append({"x": {"text": "1234.5678"}})

    _change(report[1] / "results.json", change)
    assert check(finished, report).wrong == ["report.html: 1234.5678 is 1 times too rare"]


def test_damage_is_found_and_listed_as_such(
    finished: FinishedStudy, report: tuple[Store, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.damage.LARGE_FILE", 100)
    store = report[0]
    name = finished.ledger.content["runs"]["cola-full-seed1"]["train"]
    file = store.root / name / "trained.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    wrong = check(finished, report).wrong
    assert len(wrong) == 1 and name in wrong[0] and "damaged" in wrong[0]
    assert not (store.root / name).exists()


def test_numbers_are_read_as_they_are_written(tmp_path: Path) -> None:
    found = numbers_of("−0.228 [0.015, 0.430], 12\u202f345 words; 97,9\u00a0% and 3.")
    assert found == {"0.228": 1, "0.015": 1, "0.430": 1, "12345": 1, "97,9": 1, "3": 1}
    page = tmp_path / "x.html"
    page.write_text("<script>1</script><p>2<svg><text>3</text></svg></p>")
    assert (read_document(page) or "").split() == ["2"]

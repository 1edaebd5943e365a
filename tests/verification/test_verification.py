"""``run.py verify``: it agrees with a true report, and says what is wrong with a false one."""

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import FinishedStudy
from evidence.metrics import score_acceptability, score_tags
from rendered import Rendered
from rendering.export import export_results
from store import damage
from store.entries import Store
from store.results import load_results
from verification.checking import Tally, verify
from verification.counting import score_sentences, score_words
from verification.placing import Passage, place_numbers, tokens_of
from verification.reading import read_document

FORMATS = (".html", ".pdf")


@given(st.lists(st.tuples(st.integers(0, 16), st.integers(0, 16)), min_size=1, max_size=60))
@settings(max_examples=40)
def test_two_ways_of_counting_words_agree(pairs: list[tuple[int, int]]) -> None:
    predicted, gold = np.array(pairs).T
    ours, theirs = score_words(predicted, gold), score_tags(predicted, gold)
    assert ours == pytest.approx({name: float(theirs[name]) for name in ours}, abs=1e-12)


@given(st.integers(0, 10**6), st.integers(1, 60))
@settings(max_examples=40)
def test_two_ways_of_counting_sentences_agree(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    logits, gold = rng.normal(size=(count, 2)).astype(np.float32), rng.integers(0, 2, count)
    theirs = score_acceptability(logits, gold)
    ours = score_sentences(logits, gold)
    assert ours == pytest.approx({name: theirs[name] for name in ours}, abs=1e-9)


@pytest.fixture
def report(finished: FinishedStudy, tiny_environment: Path, tmp_path: Path) -> tuple[Store, Path]:
    """A copy of the tiny study's store, and its ``results.json`` with documents of its numbers."""
    store = Store(shutil.copytree(finished.store.root, tmp_path / "cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("store.results.load_profile", lambda _: finished.profile)
        file = export_results(load_results("tiny", store.root), tmp_path)
    write_documents(tmp_path, shown_lines(json.loads(file.read_text())))
    return store, tmp_path


def shown_lines(content: dict[str, Any]) -> list[str]:
    """Answers, as a document has them."""
    lines = [answer["text"] for answer in content["answers"]["en"].values()]
    return [re.sub(r"\\(?=[^\w\s])", "", line) for line in lines]


def write_documents(folder: Path, lines: list[str], formats: tuple[str, ...] = FORMATS) -> None:
    if ".html" in formats:
        text = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
        page = f"<style>9.99</style>{text}"
        (folder / "report.html").write_text(page, encoding="utf-8")
    if ".pdf" in formats:
        source = "\n\n".join(f"#{json.dumps(line, ensure_ascii=False)}" for line in lines)
        (folder / "report.typ").write_text(source, encoding="utf-8")
        typst.compile(folder / "report.typ", output=folder / "report.pdf")


def check(finished: FinishedStudy, report: tuple[Store, Path]) -> Tally:
    return verify(finished.profile, *report)


def test_a_true_report_is_verified(finished: FinishedStudy, report: tuple[Store, Path]) -> None:
    tally = check(finished, report)
    assert tally.wrong == []
    assert tally.checked["scores"] == tally.checked["scores of results.json"] > 60
    assert tally.checked["distances"] == tally.checked["distances of results.json"] > 500
    assert tally.checked["checksums"] > 200 and tally.checked["keys"] > 50
    for kind in ("evidence", "evidence of results.json"):
        assert tally.checked[kind] > 2000
    assert tally.checked["parts set back"] > 20 and tally.checked["prices"] > 10
    numbers = [tally.checked[f"numbers in report{ending}"] for ending in FORMATS]
    assert numbers[0] == numbers[1] > 80
    assert tally.checked["of them by the words around"] > 0.95 * sum(numbers)
    assert tally.summary().endswith("wrong: 0")


def _change(file: Path, change: Any) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def _forge(entry: Path, change: Any) -> None:
    """Changes a stored result, checksums included."""
    manifest = json.loads((entry / damage.MANIFEST).read_text())
    _change(entry / "result.json", change)
    (entry / damage.MANIFEST).unlink()
    content = {**manifest, "files": damage.describe_files(entry)}
    (entry / damage.MANIFEST).write_text(json.dumps(content))


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


@pytest.mark.parametrize("ending", FORMATS)
def test_a_number_that_the_document_lacks_is_found(
    finished: FinishedStudy, report: tuple[Store, Path], ending: str
) -> None:
    for other in set(FORMATS) - {ending}:
        (report[1] / f"report{other}").unlink()

    def change(content: dict[str, Any]) -> None:
        content["answers"]["en"]["answers.new"] = {"text": "1234.5678"}

    _change(report[1] / "results.json", change)
    (found,) = check(finished, report).wrong
    assert found.startswith(f"report{ending}: answers.new") and "1234.5678 is not" in found


@pytest.mark.parametrize("ending", FORMATS)
def test_a_wrong_number_of_a_document_is_found_with_its_place(
    finished: FinishedStudy, report: tuple[Store, Path], ending: str
) -> None:
    """Also where the right one stands elsewhere and the wrong one is right elsewhere."""
    content = json.loads((report[1] / "results.json").read_text())
    lines = shown_lines(content)
    answer = re.sub(r"\\(?=[^\w\s])", "", content["answers"]["en"]["answers.cola.time"]["text"])
    number = next(n for n in re.findall(r"\d+\.\d+|\d+", answer) if sum(n in x for x in lines) > 1)
    wrong = "3" if number != "3" else "4"
    lines[lines.index(answer)] = answer.replace(number, wrong, 1)
    write_documents(report[1], lines, (ending,))
    (found,) = check(finished, report).wrong
    assert found == (
        f"report{ending}: answers.cola.time: {wrong} is shown, {number} is in results.json"
    )


PLACES = {  # a claim's beginning -> where the number stands in the evidence of CoLA
    "full, matthews_correlation, mean": ("methods", "full", "metrics", "matthews_correlation"),
    "lora, by_label, contrast, mean": ("methods", "lora", "contrasts", "by_label", "difference"),
    "majority class, accuracy, mean": ("methods", "majority class", "metrics", "accuracy"),
}


@pytest.mark.parametrize("where", PLACES)
def test_a_wrong_estimate_is_found(
    finished: FinishedStudy, report: tuple[Store, Path], where: str
) -> None:
    """The evidence and what was made of it agree with each other, and not with the predictions."""
    store, folder = report
    name = finished.ledger.content["tasks"]["cola"]["evidence"]

    def forge(content: dict[str, Any]) -> None:
        for step in PLACES[where]:
            content = content[step]
        content["value"] += 0.01

    _forge(store.root / name, forge)
    _change(folder / "results.json", lambda content: forge(content["evidence"]["cola"]))
    (found,) = check(finished, report).wrong
    assert found.startswith(f"evidence: {where}: ")


def test_a_wrong_estimate_of_the_export_is_found(
    finished: FinishedStudy, report: tuple[Store, Path]
) -> None:
    def change(content: dict[str, Any]) -> None:
        content["evidence"]["pos"]["comparisons"][0]["p_value"] = 0.123456

    _change(report[1] / "results.json", change)
    (found,) = check(finished, report).wrong
    assert found.startswith("evidence of results.json: pos/comparisons/0/p: 0.123456 is shown")


@pytest.mark.parametrize("stage", ["restoration", "price"])
def test_a_wrong_measurement_of_a_task_is_found(
    finished: FinishedStudy, report: tuple[Store, Path], stage: str
) -> None:
    store, name = report[0], finished.ledger.content["tasks"]["pos"][stage]

    def forge(content: dict[str, Any]) -> None:
        row = content["rows"][0] if stage == "restoration" else content["prices"]["lora"]
        row["drop" if stage == "restoration" else "ratio"] += 0.01

    _forge(store.root / name, forge)
    assert len(check(finished, report).wrong) == 1


@pytest.mark.slow
def test_the_rendered_documents_are_verified(
    rendered: Rendered, finished: FinishedStudy, tiny_environment: Path
) -> None:
    tally = verify(finished.profile, finished.store, rendered.folder)
    assert tally.wrong == []
    expected = sum(tally.checked[f"numbers in {rendered.stem}{ending}"] for ending in FORMATS)
    assert tally.checked["of them by the words around"] > 0.9 * expected > 1000


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


def test_a_raised_number_is_that_number() -> None:
    """Typst 0.13, which Quarto brings along, writes superscripts as characters of their own."""
    assert tokens_of("at 1.04·10⁻⁵ or 10¹²") == tokens_of("at 1.04·10-5 or 1012")
    assert tokens_of("10⁻⁵") == ("10", "5")


def test_numbers_are_read_as_they_are_written(tmp_path: Path) -> None:
    found = tokens_of("−0.228 [0.015, 0.430], 12\u202f345 words; 97,9\u00a0% and fine-\ntuning 3.")
    numbers = ["0.228", "0.015", "0.430", "12345", "97,9", "3"]
    assert [token for token in found if token[0].isdigit()] == numbers
    assert [token for token in found if not token[0].isdigit()] == ["words", "and", "finetuning"]
    page = tmp_path / "x.html"
    page.write_text("<script>1</script><p>2<svg><text>3</text></svg></p>")
    assert read_document(page).split() == ["2"]


def test_words_that_a_page_tears_apart_leave_their_numbers_in_place() -> None:
    text = "It took LoRA 12 minutes and the full page 7 of the report model 34 minutes in all."
    sentence = Passage(
        "x", tokens_of("It took LoRA 12 minutes and the full model 34 minutes in all.")
    )
    placing = place_numbers(text, [sentence])
    assert (placing.expected, placing.placed, placing.wrong) == (2, 2, [])
    placing = place_numbers(text.replace("34", "35"), [sentence])
    assert placing.wrong == ["x: 34 is not there"]


def step_sentence(share: int, first: str, second: str) -> str:
    return (
        f"A step of the small method takes {share}% of the time of a step of the other, so that "
        f"trainings took {first} s and {second} s by the clock and are not compared."
    )


COLA, POS = step_sentence(163, "0.4", "1.1"), step_sentence(141, "0.6", "0.7")
PASSAGES = [Passage("cola.time", tokens_of(COLA)), Passage("pos.time", tokens_of(POS))]
FIGURE = "18 Report Figure 8: a figure's caption, in between."


@pytest.mark.parametrize(
    ("at", "torn"),
    [
        ("and are", f"and {FIGURE} are"),
        ("A step of the small", f"A {FIGURE} step of the small"),
        ("compared", f"com-\n{FIGURE} pared"),
        ("by the clock", f"by {FIGURE} the {FIGURE} clock"),
    ],
)
def test_a_torn_sentence_is_not_taken_for_another_in_the_same_words(at: str, torn: str) -> None:
    text = f"{COLA} The body repeats it: {COLA} The other task: {POS.replace(at, torn)}"
    placing = place_numbers(text, PASSAGES)
    assert (placing.expected, placing.placed, placing.wrong) == (6, 6, [])
    wrong = place_numbers(text.replace("0.7", "0.9"), PASSAGES).wrong
    assert wrong and all(line.startswith("pos.time: ") for line in wrong)


def test_an_equal_sentence_elsewhere_excuses_no_wrong_number() -> None:
    text = f"{COLA} {POS.replace('0.6', '0.8')} {POS}"
    wrong = place_numbers(text, [*PASSAGES, PASSAGES[1]]).wrong
    assert wrong == ["pos.time: 0.8 is shown, 0.6 is in results.json"]

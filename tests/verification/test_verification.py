"""``run.py verify``: it agrees with a true report, and says what is wrong with a false one."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pypandoc
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import FinishedStudy
from evidence.metrics import score_acceptability, score_tags
from facts.fact import Fact
from facts.files import read_facts, write_facts
from facts.table import Facts
from rendered import Rendered
from rendering.export import export_results
from rendering.report import embed_facts
from store import damage
from store.entries import Store
from store.reading import read_results
from store.results import Results
from study.paths import project_root
from verification import checking
from verification.checking import Tally, check_documents, describe, verify
from verification.counting import score_sentences, score_words
from verification.pages import forms_of, missing_in_pdf, read_page, tokens_of
from words.numbers import Numbers
from words.wording import LANGUAGES, load_wording

COUNTED = ("score", "difference", "drop", "contrast", "distance")


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


# ------------------------------------------------------------------------------ stored facts


@pytest.fixture(scope="module")
def study(finished: FinishedStudy) -> Results:
    return read_results(finished.profile, finished.store)


@pytest.fixture
def store(finished: FinishedStudy, tmp_path: Path) -> Store:
    return Store(shutil.copytree(finished.store.root, tmp_path / "cache"))


def test_a_true_report_is_verified(
    finished: FinishedStudy, study: Results, tiny_environment: Path, tmp_path: Path
) -> None:
    export_results(study, tmp_path)
    tally = verify(finished.profile, finished.store, tmp_path)
    assert tally.wrong == []
    assert tally.checked["facts.csv"] == tally.checked["results.json"] == len(study.facts) > 5000
    assert tally.checked["checksums"] > 200 and tally.checked["keys"] > 50
    assert tally.checked["score"] > 500 and tally.checked["distance"] > 2000
    assert min(tally.checked[quantity] for quantity in COUNTED) >= 2
    assert tally.summary().endswith("wrong: 0")


def test_a_wrong_fact_of_each_quantity_is_found(
    finished: FinishedStudy,
    study: Results,
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A number that is off by a hundredth, one that is missing, and one that stands for nothing."""
    facts = {fact.key: fact for fact in study.facts}

    def spoil(quantity: str, **changes: Any) -> str:
        old = next(
            f
            for f in study.facts.where(quantity=quantity)
            if f.value and (f.seed is not None or quantity != "distance")
        )
        facts[old.key] = replace(old, **(changes or {"value": old.value + 0.01}))  # type: ignore[operator]
        return describe(old)

    expected = [f"{quantity}: {spoil(quantity)}: " for quantity in COUNTED]
    nothing = next(f for f in study.facts.where(quantity="score", metric="loss") if not f.known)
    facts[nothing.key] = replace(nothing, value=0.0)
    expected.append(f"score: {describe(nothing)}: 0.0 is stored, None recomputed")
    lacking = next(f for f in study.facts.where(quantity="score", metric="macro_f1") if f.known)
    facts[lacking.key] = replace(lacking, value=None)
    expected.append(f"score: {describe(lacking)}: None is stored, ")
    spoilt = SimpleNamespace(facts=Facts(facts.values()))
    monkeypatch.setattr(checking, "read_results", lambda *_: spoilt)
    wrong = verify(finished.profile, finished.store, tmp_path / "none").wrong
    for beginning in expected:
        assert [told for told in wrong if told.startswith(beginning)], beginning
    # The mean over seeds and over layers of a spoilt distance is wrong with it.
    assert len(expected) <= len(wrong) <= len(expected) + 2


def _change(file: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def test_a_forged_entry_is_found(
    finished: FinishedStudy, store: Store, tiny_environment: Path, tmp_path: Path
) -> None:
    """Its checksums are right; the number does not follow from the predictions."""
    entry = store.root / finished.ledger.content["tasks"]["cola"]["evidence"]
    key = {"task": "cola", "method": "full", "evaluation": "cola:validation"}
    score = Fact(quantity="score", metric="matthews_correlation", **key)  # type: ignore[arg-type]
    manifest = json.loads((entry / damage.MANIFEST).read_text())
    forged = [
        replace(fact, value=(fact.value or 0.0) + 0.01) if fact.key == score.key else fact
        for fact in read_facts(entry / "facts.csv")
    ]
    write_facts(forged, entry / "facts.csv")
    (entry / damage.MANIFEST).unlink()
    content = {**manifest, "files": damage.describe_files(entry)}
    (entry / damage.MANIFEST).write_text(json.dumps(content))
    (found,) = verify(finished.profile, store, tmp_path / "none").wrong
    assert found.startswith("score: score, task cola, method full, evaluation cola:validation")


def test_damage_is_found_and_listed_as_such(
    finished: FinishedStudy, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.damage.LARGE_FILE", 100)
    name = finished.ledger.content["runs"]["cola-full-seed1"]["train"]
    file = store.root / name / "trained.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    wrong = verify(finished.profile, store).wrong
    assert len(wrong) == 1 and name in wrong[0] and "damaged" in wrong[0]
    assert not (store.root / name).exists()


@pytest.mark.parametrize("name", ["facts.csv", "results.json"])
def test_a_file_that_says_something_else_is_found(
    study: Results, tmp_path: Path, name: str
) -> None:
    export_results(study, tmp_path)
    fact = next(f for f in study.facts.where(quantity="curve") if f.value)
    text = (tmp_path / name).read_text(encoding="utf-8")
    changed = text.replace(str(fact.value), "0.123456", 1)
    (tmp_path / name).write_text(changed, encoding="utf-8")
    tally = Tally()
    checking.check_files(tally, tmp_path, study.facts)
    (found,) = tally.wrong
    assert found.startswith(f"{name}: ") and "value is 0.123456" in found


# ---------------------------------------------------------------------------- numbers of pages


def write_report(folder: Path, facts: Facts, language: str) -> Numbers:
    """A page and its PDF with a number of every quantity, by the filter that the report uses."""
    numbers = Numbers(load_wording(language))
    lines = ["| what | estimate | n | p |", "|:--|--:|--:|--:|"]
    for quantity in facts.distinct("quantity"):
        fact = next((f for f in facts.where(quantity=quantity) if f.low is not None), None)
        fact = fact or next(f for f in facts.where(quantity=quantity) if f.known)
        told = f"| {describe(fact)} | {numbers.estimate(fact)} | {numbers.value(fact, column='n')} "
        lines.append(f"{told}| {numbers.p_value(fact)} |")
    sentences = [
        f"Told of {f.method} in words that stand nowhere else: {numbers.value(f, signed=True)}.\n"
        for f in facts.where(quantity="difference")
        if f.known
    ]
    turned = facts.where(quantity="difference")[0].turned()
    sentences.append(f"And turned round it is a loss of {numbers.value(turned, size=True)} here.\n")
    body = "\n".join([*sentences, *lines, "", embed_facts(numbers.shown.values())])
    lua = project_root() / "code" / "rendering" / "numbers.lua"
    stem = "report" if language == "en" else f"report.{language}"
    for kind in ("html", "typst"):
        command = [pypandoc.get_pandoc_path(), "-f", "markdown", "-t", kind, f"--lua-filter={lua}"]
        file = folder / f"{stem}.{kind}"
        done = subprocess.run(command, input=body, capture_output=True, text=True, check=True)
        file.write_text(done.stdout, encoding="utf-8")
    typst.compile(folder / f"{stem}.typst", output=folder / f"{stem}.pdf")
    return numbers


@pytest.fixture(scope="module", params=LANGUAGES)
def report(
    request: pytest.FixtureRequest, study: Results, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Numbers]:
    folder = tmp_path_factory.mktemp("pages")
    return folder, write_report(folder, study.facts, request.param)


def check(report: tuple[Path, Numbers], study: Results, *, old: str = "", new: str = "") -> Tally:
    """Checks a copy of the report whose page was changed."""
    folder, numbers = report
    (page,) = folder.glob("*.html")
    tally = Tally()
    text = page.read_text(encoding="utf-8")
    assert old in text
    page.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    try:
        check_documents(tally, folder, page.stem, study.facts, numbers)
    finally:
        page.write_text(text, encoding="utf-8")
    return tally


def test_the_numbers_of_a_page_are_read_by_their_keys(
    report: tuple[Path, Numbers], study: Results
) -> None:
    tally = check(report, study)
    assert tally.wrong == []
    of_page, of_pdf, embedded = (
        next(count for kind, count in tally.checked.items() if re.fullmatch(pattern, kind))
        for pattern in (r"numbers in .*html", r"numbers in .*pdf", r"facts in .*html")
    )
    assert of_page == of_pdf > 50 and embedded == len(report[1].shown) > 20


def test_every_wrong_number_of_a_page_is_found(
    report: tuple[Path, Numbers], study: Results
) -> None:
    page = read_page(next(report[0].glob("*.html")))
    seen = {(study.facts.distinct("quantity")[0], "")}
    for mark in page.marks:
        fact = report[1].shown[mark.fact]
        if (fact.quantity, mark.column) in seen:
            continue
        seen.add((fact.quantity, mark.column))
        digit = re.search(r"[0-8]", mark.text) or re.search(r"9", mark.text)
        assert digit is not None
        wrong = mark.text[: digit.start()] + "9" * 3 + mark.text[digit.end() :]
        spoilt = replace(mark, text=wrong)
        assert mark.text in forms_of(report[1], fact, mark)
        assert wrong not in forms_of(report[1], fact, spoilt), (fact.quantity, mark.column)
    assert len(seen) > 30


def test_a_number_that_belongs_to_another_fact_is_found(
    report: tuple[Path, Numbers], study: Results
) -> None:
    marks = [m for m in read_page(next(report[0].glob("*.html"))).marks if m.column == "value"]
    tally = check(report, study, old=f'data-f="{marks[0].fact}v"', new='data-f="00000000v"')
    assert any("there is no fact 00000000" in told for told in tally.wrong)


def test_a_number_where_nothing_should_stand_is_found(
    report: tuple[Path, Numbers], study: Results
) -> None:
    """Also 0.0, which an early version let pass."""
    absent = next(f for f in study.facts if f.value is None)
    tally = check(
        report, study, old="</table>", new=f'</table><p><data data-f="{absent.id}v">0.0</data></p>'
    )
    assert any("0.0 is shown, nothing is stored" in told for told in tally.wrong)


def test_a_fact_that_a_page_tells_otherwise_is_found(
    report: tuple[Path, Numbers], study: Results
) -> None:
    tally = check(report, study, old='"entry":"', new='"entry":"x')
    (found,) = tally.wrong
    assert found.startswith("facts in report") and "entry is x" in found


def test_a_number_that_the_pdf_shows_otherwise_is_found(
    report: tuple[Path, Numbers], study: Results
) -> None:
    folder, _ = report
    (source,) = folder.glob("*.typst")
    pdf = source.with_suffix(".pdf")
    kept, text = pdf.read_bytes(), source.read_text(encoding="utf-8")
    number = re.search(r"nowhere else: [+−]?([\d.,]+)", re.sub(r"\s+", " ", text))
    assert number is not None
    place = text.index(number[1], text.index("nowhere"))
    spoilt = text[:place] + "7" + text[place + 1 :]
    source.write_text(spoilt, encoding="utf-8")
    typst.compile(source, output=pdf)
    try:
        (found,) = check(report, study).wrong
    finally:
        pdf.write_bytes(kept)
        source.write_text(text, encoding="utf-8")
    assert found.startswith(f"{pdf.name}: ") and "does not stand there after" in found


def test_a_figure_in_the_middle_of_a_sentence_makes_no_number_wrong(tmp_path: Path) -> None:
    """Wherever it stands, though its caption holds one of the numbers; a wrong one is found."""
    sentence = (
        "A step takes {} of the time of a step of the other, so that trainings took {} and {} by "
        "the clock."
    )
    rows = [("163%", "0.4 s", "1.1 s"), ("163%", "0.4 s", "1.1 s"), ("141%", "0.6 s", "0.7 s")]
    marks = [
        [f'<data data-f="{i}{j}aaaaaav">{n}</data>' for j, n in enumerate(row)]
        for i, row in enumerate(rows)
    ]
    page_file = tmp_path / "report.html"
    page_file.write_text(
        "".join(f"<p>{sentence.format(*row)}</p>" for row in marks), encoding="utf-8"
    )
    page = read_page(page_file)
    assert len(page.marks) == 9
    whole = " ".join(sentence.format(*row) for row in rows[:2])
    words = sentence.format(*rows[2]).split()
    for place in range(len(words) + 1):
        torn = [*words[:place], "18 Report Figure 8: in 0.7 s, see below.", *words[place:]]
        assert list(missing_in_pdf(page, tokens_of(f"{whole} {' '.join(torn)}"))) == []
    spoilt = " ".join([*words[:-4], "Figure 8:", *words[-4:]]).replace("0.7", "0.8")
    (found,) = missing_in_pdf(page, tokens_of(f"{whole} {spoilt}"))
    assert found.startswith("0.7 s does not stand there")


def test_nothing_and_nought_differ() -> None:
    tally = Tally()
    tally.hold("x", "a", 0.0, None)
    tally.hold("x", "b", None, 0.0)
    tally.hold("x", "c", None, None)
    tally.hold("x", "d", 1.0, 1.0 + 1e-12)
    assert [told.split(": ")[1] for told in tally.wrong] == ["a", "b"]


def test_text_is_read_as_words_and_numbers() -> None:
    assert tokens_of("at 1.04·10⁻⁵ or 10¹²") == tokens_of("at 1.04·10-5 or 1012")
    found = tokens_of("−0.228 [0.015, 0.430], 12\u202f345 words; 97,9\u00a0% and fine-\ntuning 3.")
    assert found == ("0.228", "0.015", "0.430", "12345", "words", "97,9", "and", "finetuning", "3")


@pytest.mark.slow
def test_the_rendered_documents_are_verified(rendered: Rendered, study: Results) -> None:
    tally = Tally()
    numbers = Numbers(load_wording(rendered.language))
    check_documents(tally, rendered.folder, rendered.stem, study.facts, numbers)
    assert tally.wrong == []

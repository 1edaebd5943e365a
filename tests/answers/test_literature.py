"""Published numbers: the file, the references, and what is put beside them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from answers import literature
from answers.literature import Own, compare_with_published, load_literature
from store.results import Results
from study.errors import StudyError
from study.paths import project_root
from synthetic_study import TRAITS, build_study
from words.wording import LANGUAGES, load_wording

FEW = {"sentences": 200, "words": 300, "resamples": 60}


@pytest.fixture(scope="module")
def study() -> Results:
    return build_study(**FEW)


def references() -> dict[str, str]:
    text = (project_root() / "references.bib").read_text(encoding="utf-8")
    entries = re.split(r"^@\w+\{", text, flags=re.MULTILINE)[1:]
    return {entry.split(",", 1)[0]: entry for entry in entries}


def test_references_are_complete_and_sorted() -> None:
    found = references()
    assert len(found) > 40
    assert list(found) == sorted(found)
    for key, entry in found.items():
        assert re.search(r"^\s*title\s*=", entry, re.MULTILINE), key
        assert re.search(r"^\s*author\s*=", entry, re.MULTILINE), key
        dated = re.search(r"year\s*=\s*\{(19|20)\d\d\}", entry)
        undated = re.search(r"howpublished", entry) and re.search(r"url", entry)
        assert dated or undated, key
        assert entry.count("{") == entry.count("}") - 1, key


def test_every_citation_of_the_project_has_an_entry() -> None:
    known = set(references())
    files = [*project_root().glob("code/words/texts/*/*.toml"), *project_root().glob("*.qmd")]
    cited = {
        key
        for file in files
        for group in re.findall(r"\[(-?@[^\]]+)\]", file.read_text(encoding="utf-8"))
        for key in re.findall(r"@([\w-]+)", group)
        if not key.startswith(("fig-", "tbl-", "sec-"))
    }
    cited |= {entry.citation for entry in load_literature()}
    assert len(cited) > 8
    assert cited <= known


def test_published_values_are_fractions_from_both_tasks() -> None:
    entries = load_literature()
    assert {entry.task for entry in entries} == {"cola", "pos"}
    assert {entry.quantity for entry in entries} == set(literature.QUANTITIES)
    assert all(0 < entry.value < 1 for entry in entries)


def test_published_drops_are_the_difference_of_the_scores() -> None:
    entries = load_literature()
    drops = [entry for entry in entries if entry.quantity == "drop"]
    assert drops
    for drop in drops:
        scores = {
            e.language: e.value
            for e in entries
            if (e.citation, e.quantity, e.metric) == (drop.citation, "score", "accuracy")
        }
        assert scores["en"] - scores[drop.language] == pytest.approx(drop.value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_settings_have_texts(language: str) -> None:
    words = load_wording(language)
    for entry in load_literature():
        assert words.has("tables", f"settings_{entry.settings}"), entry


def test_a_bad_entry_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "literature.toml"
    file.write_text('[[published]]\ncitation = "x"\n', encoding="utf-8")
    with pytest.raises(StudyError, match="does not fit"):
        load_literature(file)
    with pytest.raises(StudyError, match="rumour"):
        replace(load_literature()[0], quantity="rumour")


def test_ours_is_the_method_that_does_the_same(study: Results) -> None:
    methods = study.evidence["cola"]["methods"]
    found = {row.published.adapter: row for row in scores(study)}
    assert found["none"].own == own_of(methods["full"]["metrics"]["matthews_correlation"], "full")
    assert found["lora"].own == own_of(methods["lora"]["metrics"]["matthews_correlation"], "lora")


def scores(study: Results) -> list[literature.Beside]:
    return [r for r in compare_with_published(study, "cola") if r.published.quantity == "score"]


def own_of(estimate: dict, method: str) -> Own:
    return Own(estimate["value"], estimate["low"], estimate["high"], method, "synthetic/encoder")


def test_the_gap_is_full_minus_lora_in_either_order() -> None:
    [straight] = gaps(build_study(methods=("full", "lora"), **FEW))
    [turned] = gaps(build_study(methods=("lora", "full"), **FEW))
    assert straight.own is not None and turned.own is not None
    assert straight.own.value == pytest.approx(turned.own.value)
    assert straight.own.value != 0
    for row in (straight, turned):
        assert row.own.low <= row.own.value <= row.own.high


def gaps(study: Results) -> list[literature.Beside]:
    return [r for r in compare_with_published(study, "cola") if r.published.quantity == "gap"]


def test_covered_means_inside_the_interval(study: Results) -> None:
    rows = [row for task in ("cola", "pos") for row in compare_with_published(study, task)]
    judged = [row for row in rows if row.covered is not None]
    assert {row.covered for row in judged} == {True, False}
    for row in judged:
        assert row.covered == (row.own.low <= row.published.value <= row.own.high)


def test_without_a_counterpart_there_is_no_verdict() -> None:
    french = build_study(methods=("full", "lora"), languages=("fr",), **FEW)
    german = [r for r in compare_with_published(french, "pos") if r.published.language == "de"]
    assert german
    assert all(row.own is None and row.covered is None for row in german)
    single = build_study(methods=("frozen",), seeds=(42,), **FEW)
    assert all(row.own is None for row in compare_with_published(single, "cola"))


def test_the_same_model_is_recognised_whatever_its_owner(study: Results) -> None:
    assert not any(row.same_model for row in compare_with_published(study, "cola"))
    named = replace(TRAITS["full"], model="google-bert/bert-base-uncased")
    bert = build_study(methods=("full",), traits={"full": named}, **FEW)
    same = {row.published.model for row in compare_with_published(bert, "cola") if row.same_model}
    assert same == {"bert-base-uncased"}

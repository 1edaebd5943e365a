"""What the page is given: the explorer's data, the box on reproduction, the figures' colours."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from facts.fact import Fact
from facts.table import Facts
from plots.style import DARK, FAINT, GRID, INK, PAPER
from rendering import explorer, reproduction
from rendering.report import Report, embed_facts
from synthetic_study import build_study
from words.wording import LANGUAGES, load_wording

SMALL = {"sentences": 120, "words": 500, "resamples": 40}
FOLDER = Path(explorer.__file__).parent


@pytest.fixture(scope="module")
def study():
    return build_study(("full", "lora", "frozen"), (42, 43), **SMALL)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_data_are_facts(study, language):
    data = explorer.collect_data(study, load_wording(language))
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    facts = study.facts.where(quantity="score", task="cola", metric="matthews_correlation")
    expected = {f.method: f.value for f in facts if f.seed is None and not f.group and not f.part}
    rows = [row for row in data["estimates"] if row[2] == "matthews_correlation"]
    assert {row[4]: row[5] for row in rows} == pytest.approx(expected, abs=1e-5)
    # With two seeds intervals are over items: they are drawn, and so are the seeds.
    assert all(row[6] <= row[5] <= row[7] and len(row[8]) == 2 for row in rows if row[4] == "lora")
    changed = study.facts.where(quantity="distance", kind="all", metric="l2")
    assert len([row for row in data["drift"] if row[3] == "l2"]) == len(
        [f for f in changed if f.value and f.seed is not None and f.layer != "all"]
    )
    assert {row[0] for row in data["prices"]} == {"cola", "pos"}
    assert {row[2] for row in data["estimates"] if row[3]} == {"f1_by_tag"}


def test_no_label_ends_the_script_that_holds_it(study):
    hostile = "</script><script>alert(1)</script>"
    facts = [replace(f, layer=hostile) if f.layer == "classifier" else f for f in study.facts]
    renamed = replace(study, facts=Facts(facts))
    markdown = explorer.build_explorer(renamed, load_wording("en"))
    content = re.search(r'id="explorer-data">(.*?)</script>', markdown, re.DOTALL)
    assert content is not None and "<" not in content[1]
    assert hostile in {row[4] for row in json.loads(content[1])["drift"]}
    embedded = embed_facts([Fact(quantity="score", task=hostile, value=0.5)])
    assert hostile not in embedded and embedded.count("</script>") == 1


def test_without_runs_there_is_no_explorer():
    missing = [f"{task}-full-seed42" for task in ("cola", "pos")]
    empty = build_study(("full",), (42,), missing=missing, **SMALL)
    assert Report(empty, "en").explorer() is None


def test_both_languages_have_the_same_texts():
    english, russian = (load_wording(language).texts[explorer.SECTION] for language in LANGUAGES)
    assert english.keys() == russian.keys() and len(english) > 30


def test_every_script_of_the_page_is_there_and_ends_no_element():
    for name in (*explorer.SCRIPTS, "page.js", "vendor/sortable-4.1.7.min.js"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert text and "</script" not in text, name
    for name in (FOLDER / "vendor").glob("*.js"):
        assert name.name in (FOLDER / "vendor" / "README.md").read_text(encoding="utf-8")


def test_the_style_sheet_knows_every_colour_that_changes():
    sheet = (FOLDER / "figures.css").read_text(encoding="utf-8")
    for light, dark in DARK.items():
        assert f"--c-{light[1:]}: {dark};" in sheet
        assert f"fill: {light}" in sheet and f"stroke: {light}" in sheet
    for color in (INK, FAINT, GRID, PAPER):
        assert f"fill: {color}" in sheet and f"stroke: {color}" in sheet


def test_the_box_says_how_to_make_the_report_again(study):
    text = reproduction.describe_reproduction(study, load_wording("ru"))
    assert "make render PROFILE=synthetic LANGUAGE=ru" in text
    assert "0" * 40 in text and "`42, 43`" in text
    assert "@software{" in text and "title = {Full fine-tuning against LoRA" in text

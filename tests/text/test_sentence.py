"""Sentences: every wording in every language, filled with facts; what is lacking is named."""

import dataclasses
import re
from pathlib import Path

import pytest

from study.errors import StudyError
from study.paths import project_root
from synthetic_study import build_study
from text.costs import CostSentences
from text.sentence import Said, clauses, load_speaker
from text.view import TaskView
from words.numbers import MARK, unmark
from words.wording import LANGUAGES

TEXT = project_root() / "code" / "text"


def test_every_language_has_the_same_sentences() -> None:
    keys = {language: set(load_speaker(language).templates) for language in LANGUAGES}
    assert len(keys["en"]) > 5
    for language in LANGUAGES:
        assert keys[language] == keys["en"], keys[language] ^ keys["en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_in_a_sentence_says_which_fact_it_is(language: str) -> None:
    speaker = load_speaker(language)
    said = CostSentences(TaskView(build_study(), "cola"), speaker).time
    marks = MARK.findall(said)
    assert [letter for _, _, letter in marks] == ["c", "i", "n"]
    assert {identifier for _, identifier, _ in marks} == set(said.facts)
    assert set(said.facts) <= set(speaker.numbers.shown)
    assert "{f=" not in unmark(said) and unmark(said)[-1] == "."


def test_a_missing_wording_or_placeholder_is_a_sentence() -> None:
    speaker = load_speaker("en")
    with pytest.raises(StudyError, match=r"'speed-less' cannot be said in 'en'"):
        speaker.say("speed", "less")
    with pytest.raises(StudyError, match="with these placeholders: first"):
        speaker.say("wall", "plain", first="a")


def test_lists_and_clauses_pass_over_nothing() -> None:
    speaker = load_speaker("en")
    assert speaker.listed(["a", "b", "c"]) == "a, b and c"
    assert speaker.listed(["a"]) == "a" and speaker.listed([]) == "–"
    more = {"x-yes": "Yes: {listed}.", "x-no": "No ({count}): {listed}."}
    speaker = dataclasses.replace(speaker, templates={**speaker.templates, **more})
    said = clauses(speaker, "x", {"yes": ["a"], "no": ["b", "c"], "untold": []})
    assert isinstance(said, Said) and said == "Yes: a. No (2): b and c."


def test_no_sentence_holds_a_number_of_its_own() -> None:
    """A result is a fact; what is written out in a wording is no result."""
    allowed = re.compile(r"\{[^}]*\}|[@A-Za-z][\w.-]*\d[\w.-]*|\[?-?@[^\]\s]*|20\d\d")
    for file in sorted(Path(TEXT).glob("*/*.toml")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            key, _, text = line.partition(" = ")
            left = allowed.sub("", text)
            assert not re.search(r"\d", left), f"{file.name}:{number} {key}: {left}"

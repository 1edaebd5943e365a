"""Number formats of both languages, and texts that are complete in both."""

import re
import string

import pytest

from answers.voice import FORMS
from study.errors import StudyError
from words.wording import LANGUAGES, load_wording

EN, RU = load_wording("en"), load_wording("ru")


@pytest.mark.parametrize(
    ("english", "russian"),
    [
        (EN.number(1234.567, 2), RU.number(1234.567, 2)),
        (EN.percent(0.1234), RU.percent(0.1234)),
        (EN.signed(-0.5, 1), RU.signed(-0.5, 1)),
        (EN.interval(-0.1, 0.25, 2), RU.interval(-0.1, 0.25, 2)),
        (EN.duration(3725), RU.duration(3725)),
        (EN.megabytes(1.25e6), RU.megabytes(1.25e6)),
    ],
)
def test_languages_differ_where_they_should(english: str, russian: str) -> None:
    assert english != russian and "-" not in english + russian


def test_formats() -> None:
    assert EN.number(1234.567, 2) == "1\u202f234.57" and RU.number(1234.567, 2) == "1\u202f234,57"
    assert EN.percent(0.1234) == "12.3%" and RU.percent(0.1234) == "12,3\u00a0%"
    assert EN.signed(0.5, 1) == "+0.5" and EN.signed(-0.04, 1) == "0.0" and EN.signed(0, 1) == "0.0"
    assert EN.points(0.0123) == "+1.2" and RU.points(-0.0123) == "\u22121,2"
    assert EN.interval(0.1, 0.2, 1) == "[0.1, 0.2]" and RU.interval(0.1, 0.2, 1) == "[0,1; 0,2]"
    assert EN.duration(59.94) == "59.9\u00a0s" and EN.duration(61) == "1\u00a0min 1\u00a0s"
    assert EN.duration(3600) == "1\u00a0h 0\u00a0min"
    assert EN.megabytes(438e6) == "438\u00a0MB" and EN.megabytes(1.2e6) == "1.2\u00a0MB"


@pytest.mark.parametrize("words", [EN, RU])
def test_missing_values_are_a_dash_everywhere(words) -> None:
    shown = [words.number(None, 1), words.percent(None), words.signed(None, 1), words.points(None)]
    shown += [words.interval(None, 1.0, 1), words.megabytes(None)]
    assert set(shown) == {"–"}


CASE = re.compile(rf"[-_]({'|'.join(FORMS)})$")


def test_every_language_has_the_same_keys_and_placeholders() -> None:
    """A language may spell out the cases of method names, use them, and begin with another name."""

    def placeholders(text: str) -> set[str]:
        fields = (field for _, field, _, _ in string.Formatter().parse(text) if field)
        return {CASE.sub("", field).lower() for field in fields}

    assert EN.texts.keys() == RU.texts.keys() and EN.texts
    for section, texts in EN.texts.items():
        own = RU.texts[section]
        cases = {key for key in own if key.startswith("method-") and CASE.search(key)}
        assert texts.keys() == own.keys() - cases, section
        assert {CASE.sub("", key) for key in cases} <= texts.keys(), section
        for key, text in texts.items():
            assert placeholders(text) == placeholders(own[key]), (section, key)


def test_an_unknown_key_names_the_file_and_an_unknown_value_shows_itself() -> None:
    with pytest.raises(StudyError, match=r"texts/ru/tables\.toml"):
        RU.say("tables", "no such key")
    assert RU.name("tables", "no such method") == "no such method"


def test_an_unknown_language_lists_the_known_ones() -> None:
    with pytest.raises(StudyError, match=", ".join(LANGUAGES)):
        load_wording("de")


def test_a_span_of_numbers_is_written_with_an_en_dash() -> None:
    assert RU.name("tables", "6-10") == "6–10"
    assert RU.name("tables", "x6-10") == "x6-10"

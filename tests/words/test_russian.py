"""The Russian report: the same study in Russian words, digits and typography; no English left."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_prose import body_of, prose_of, typed_comparisons
from test_wording import name_groups

from corpora.items import UPOS_TAGS
from store.results import Results
from study.paths import project_root
from synthetic_study import Traits, build_study
from text.answers import load_answers
from text.sentence import load_speaker
from words.numbers import unmark
from words.wording import CASES, load_wording

ROOT = project_root()
ENGLISH, RUSSIAN = ROOT / "report.qmd", ROOT / "report.ru.qmd"
RU = load_wording("ru")
INLINE = re.compile(r"`\{python\} ([^`]*)`")
NO_BREAK_SPACE = "\u00a0"
DECLINED = ("genitive", "dative", "instrumental", "prepositional")

# Latin words that stay Latin in a Russian text: names, tags, symbols, foreign words under study.
NAMES = re.compile(
    r"mBERT|BERT|MiniLM|ELECTRA|base|small|"  # encoders
    r"LoRA|CoLA|GLUE|BERT|AdamW|FFN|MCC|CKA|RMS|POS|UD|EWT|GSD|GPU|CPU|Universal|Dependencies|CoNLL"
    r"|IOB|Python|numpy|torch|seqeval|git|UTC|LayerNorm|argmax|SVG|PNG|CSV|JSON|JavaScript|Devlin|query|key|value"
    r"|Tab|Esc|[Aa]ccuracy|loss|seed|zero|shot|intruder|dimensions"  # glosses of a Russian term
)
ITALIC = re.compile(r"(?<!\*)\*[^*\n]+\*(?!\*)")  # German and English words under discussion
LATIN_WORD = re.compile(r"(?<![\w@{./])[A-Za-z]{3,}")
# Frequent words that are spelt with ё and are easily typed without it.
WITHOUT_YO = re.compile(
    r"\b(?:еще|ее|нее|свое|мое|идет|дает|ведет|берет|растет|остается|удается|передает|слоев|трех"
    r"|четырех|зерен|вперед|причем|путем|учтен\w*|объем\w*|расчет\w*|счет\w*"
    r"|надежн\w*|отчет\w*|черн\w+ ящик\w*)\b",
    re.IGNORECASE,
)


def russian_texts() -> dict[str, str]:
    """Every template, sentence and name of the Russian texts, by section and key."""
    sections = {**RU.texts, "sentences": load_speaker("ru").templates}
    return {
        f"{section}: {key}": text
        for section, texts in sections.items()
        for key, text in texts.items()
    }


def english_words(text: str) -> list[str]:
    """Latin words of a text that are no names; code, placeholders and italics do not count."""
    plain = re.sub(
        r"`[^`]*`|@(?:[\w-]|\{\w+\})+|\{[^}]*\}|\(#[\w-]+\)|https?://\S+",
        " ",
        ITALIC.sub(" ", text),
    )
    return [
        word
        for word in LATIN_WORD.findall(plain)
        if word not in UPOS_TAGS and not NAMES.fullmatch(word)
    ]


def typographic_faults(text: str) -> list[str]:
    """Straight quotes, hyphens for dashes, dashes that may begin a line, points in numbers."""
    patterns = {
        "straight quote": r'(?<!\\)"',
        "hyphen for a dash": r"(?<=\w) - (?=\w)",
        "dash without its space": r"(?<![\u00a0\n–]) —(?= )|(?<=[^\W\d_])—(?=[^\W\d_])",
        "decimal point": r"\d\.\d",
        "ё": WITHOUT_YO.pattern,
    }
    return [
        f"{name}: {match[0]!r} in {text[max(0, match.start() - 30) : match.end() + 20]!r}"
        for name, pattern in patterns.items()
        for match in re.finditer(pattern, text, re.IGNORECASE)
    ]


def expressions(report: Path) -> list[str]:
    return INLINE.findall(body_of(report))


def say_all(study: Results) -> dict[str, str]:
    """Every inline expression of the Russian report, evaluated, and the lists that chunks show."""
    scope = {"say": load_answers(study, "ru")}
    shown = re.findall(r"^report\.text\((say\.[\w.]+)\)$", body_of(RUSSIAN), re.MULTILINE)
    return {text: unmark(str(eval(text, scope))) for text in {*expressions(RUSSIAN), *shown}}


METHODS = ("full", "lora", "frozen", "monolingual")
STUDIES: dict[str, dict[str, Any]] = {
    "usual": {},
    "one seed": {"seeds": (42,)},
    "exchanged": {"traits": {"full": Traits(quality=0.1), "lora": Traits(quality=1.5)}},
    "overfits": {"traits": {"full": Traits(overfits=0.5), "lora": Traits(overfits=0.5)}},
    "no adapter": {"methods": ("full", "frozen")},
}


@pytest.fixture(scope="module", params=list(STUDIES))
def study(request: pytest.FixtureRequest) -> Results:
    options: dict[str, Any] = {"methods": METHODS, **STUDIES[request.param]}
    return build_study(sentences=120, words=200, resamples=40, **options)


def test_the_header_is_russian() -> None:
    header = yaml.safe_load(RUSSIAN.read_text(encoding="utf-8").split("---\n")[1])
    english = yaml.safe_load(ENGLISH.read_text(encoding="utf-8").split("---\n")[1])
    assert header["lang"] == "ru" and 'open_report("ru")' in body_of(RUSSIAN)
    assert header.keys() - {"crossref"} == english.keys() - {"crossref"}
    for key in ("title", "subtitle"):
        assert re.search("[а-яё]", header[key]) and header[key] != english[key]
    prefixes = {header["crossref"][f"{kind}-prefix"] for kind in ("fig", "tbl", "sec")}
    assert all(prefix.endswith(".") for prefix in prefixes), "only an abbreviation does not decline"


def test_both_reports_state_the_same_results() -> None:
    english, russian = Counter(expressions(ENGLISH)), Counter(expressions(RUSSIAN))
    assert english == russian and sum(russian.values()) > 80


def test_both_reports_cite_the_same_works_and_have_the_same_sections() -> None:
    def found(report: Path, pattern: str) -> set[str]:
        return set(re.findall(pattern, prose_with_citations(report)))

    for pattern in (r"@([a-z]+\d{4}\w+)", r"\{#(sec-[\w-]+)", r"@((?:fig|tbl|sec)-[\w-]*\w)"):
        assert found(ENGLISH, pattern) == found(RUSSIAN, pattern)
        assert len(found(RUSSIAN, pattern)) > 5


def prose_with_citations(report: Path) -> str:
    return re.sub(r"^```\{python\}\n.*?^```$", " ", body_of(report), flags=re.M | re.S)


def test_captions_are_russian() -> None:
    captions = re.findall(r'^#\| (?:fig|tbl)-cap: "(.*)"$', body_of(RUSSIAN), re.MULTILINE)
    assert len(captions) > 30 and len(set(captions)) == len(captions)
    for caption in captions:
        assert re.search("[а-яё]", caption) and english_words(caption) == [], caption


def test_no_english_is_left() -> None:
    assert english_words(prose_of(body_of(RUSSIAN))) == []
    left = {key: found for key, text in russian_texts().items() if (found := english_words(text))}
    assert left == {}


def test_prose_and_texts_keep_to_russian_typography() -> None:
    assert typographic_faults(prose_of(body_of(RUSSIAN))) == []
    faults = {key: found for key, t in russian_texts().items() if (found := typographic_faults(t))}
    assert faults == {}


def test_the_scans_find_what_they_look_for() -> None:
    assert english_words("точность of LoRA, *sich* и `results.json`") == []
    assert english_words("точность, accuracies, NOUN") == ["accuracies"]
    faulty = 'еще "раз" - слово — и 0.5'
    assert len(typographic_faults(faulty)) == 5
    assert typographic_faults(f"ещё «раз»{NO_BREAK_SPACE}— слово, 0,5") == []
    typed = "Полным дообучением качество лучше. Оно учит. Контроли хуже. LoRA обучается быстрее."
    assert len(typed_comparisons(typed, "ru")) == 3


def test_every_answer_is_russian(study: Results) -> None:
    said = say_all(study)
    assert sum(bool(re.search("[а-яё]{3}", text)) for text in said.values()) > 60
    # Device, profile and encoder are named as the run names them.
    of_the_run = {"say.setup.devices", "say.setup.note", "say.abstract.text", "say.causes.examples"}
    for expression in said.keys() - of_the_run:
        text = said[expression]
        assert english_words(text) == [], (expression, text)
        assert typographic_faults(text) == [], (expression, text)
        assert "{" not in text and "  " not in text, (expression, text)


def test_methods_decline_wherever_their_name_does() -> None:
    speaker = load_speaker("ru")
    methods = name_groups("ru")["methods"]
    assert set(DECLINED) < set(CASES) and len(methods) > 5
    for method in methods:
        names = speaker.methods(first=method)
        forms = {names[f"first_{form}"] for form in DECLINED}
        latin = re.fullmatch("[A-Za-z]+", names["first"])
        assert (forms == {names["first"]}) if latin else len(forms - {names["first"]}) >= 3, method


def test_an_unknown_method_speaks_in_its_own_name() -> None:
    names = load_speaker("ru").methods(first="new-method")
    assert {names[f"first_{form}"] for form in CASES} == {"new-method"}

"""The prose of every report: nothing typed that results decide, nothing referenced that is missing.

Scans ``report.qmd`` and its translations, and the templates of computed sentences.
"""

import re
import tomllib
from pathlib import Path

import pytest

from study.paths import project_root
from synthetic_experiments import study_with_experiments
from synthetic_study import build_study
from tables import Context, render, requirements
from text.answers import load_answers
from words.numbers import Numbers
from words.wording import load_wording

ROOT = project_root()
REPORTS = sorted(ROOT.glob("report*.qmd"))
LANGUAGES = ("en", "ru")

_HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_CHUNK = re.compile(r"^```\{python\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`\{python\}[^`]*`")
_CODE = re.compile(r"`[^`]*`")
_REFERENCE = re.compile(r"@((?:fig|tbl|sec)-[\w-]*\w)")
_CITATION = re.compile(r"@([a-z][\w-]*\d{4}\w*(?:-\w+)*)")
_PLACEHOLDER = re.compile(r"\{\w*(?:[:.]\w*)*\}")
_ATTRIBUTES = re.compile(r"\{[#.][^}]*\}|\]\(#[\w-]+\)")

# Digits that are names and not numbers.
DIGIT_NAMES = {
    "F1": r"\bF1\b",  # the metric
    "task numbers": r"\bTasks? [123]\b|\bзадани\w* [123]\b",
}

# Words that compare, and what they may not be typed of: the study's own methods.
COMPARATIVES = {
    "en": (
        r"faster|slower|quicker|better|worse|loses?|lost|wins?|won|higher|lower|larger|smaller"
        r"|bigger|cheaper|dearer|ahead|behind|outperforms?|exceeds?|beats?|best|worst|fewer|rises?"
        r"|falls?|superior|inferior|more|less|equally"
    ),
    "ru": (
        r"быстрее|медленнее|лучше|хуже|теряет|выигрывает|проигрывает|превосходит|уступает"
        r"|опережает|отстаёт|выше|ниже|больше|меньше|дешевле|дороже|одинаково|сильнее|слабее|точнее"
        r"|дольше|хуже|худш\w+|лучш\w+|теряют|выигрывают|проигрывают|превосходят|уступают|опережают"
    ),
}
METHODS = {
    "en": r"LoRA|full fine-tuning|full model|adapters?|frozen encoder|(?:two|both) methods|controls?",  # noqa: E501
    "ru": (
        r"LoRA|полн\w+ дообучени\w+|полн\w+ модел\w+|адаптер\w*|заморожен\w+"
        r"|(?:об[ао]\w*|дв\w+) метод\w*|контрол\w+"
    ),
}
# Sentences that compare without reporting a result: the beginning of each, and why it may stand.
ALLOWED = {
    "en": {
        "The number of tasks": "an argument about deployment, no measurement",
        "Full fine-tuning has fewer settings": "an argument about settings, cited",
        "Does LoRA lose much": "the assignment's question",
        "A control that trains the head alone; without it": "feedback on the assignment",
        "Seqeval gives a figure": "feedback on the assignment",
    },
    "ru": {},
}

# The assignment's questions, in the order of their answers.
QUESTIONS = {
    "en": (
        "How strongly does training time differ?",
        "Does LoRA lose much to (or win over) the full model in quality?",
        "In which situations is full fine-tuning justified for such tasks, and in which is an "
        "adapter enough?",
        "How strongly does quality fall in the other language?",
        "Is there a difference between the full model and LoRA in the ability to transfer? Which "
        "of them transferred better?",
        "Why is this transfer possible at all? Which linguistic categories are universal, which "
        "are language-specific, and how does that influence the result?",
        "Is it true that fine-tuning mainly changes only the upper layers of the transformer? Do "
        "your figures confirm it?",
        "Does the distribution of weight changes differ between sentence classification (CoLA) and "
        "token classification (POS)?",
        "Why does the classifier layer (the head) usually change most?",
        "Judging by the learning curves, is there any point in more epochs? Do you see signs of "
        "overfitting?",
    ),
    "ru": (
        "Насколько сильно отличается время обучения? Опционально можете сравнить потребления "
        "видеопамяти в момент обучения",
        "Сильно ли уступает (или выигрывает) LoRA по качеству полной модели?",
        "Как вы думаете, в каких ситуациях оправдано использование полного дообучения для таких "
        "задач, а в каких хватит адаптера?",
        "Насколько сильно падает качество при переходе на другой язык?",
        "Есть ли разница в способности переносить знания между полной моделью и LoRA? Кто лучше "
        "справился с переносом?",
        "Почему вообще этот перенос возможен? Какие лингвистические категории являются "
        "универсальными, а какие специфичны для языка, и как это влияет на результат?",
        "Правда ли, что при дообучении основные изменения происходят только в верхних слоях "
        "трансформера? Подтверждают ли это ваши цифры?",
        "Есть ли разница в распределении изменений весов между задачей классификации предложений "
        "(CoLA) и классификации токенов (POS)?",
        "Почему слой классификатора (голова) обычно меняется сильнее всего?",
        "Если смотреть на кривые обучения, есть ли смысл увеличивать количество эпох? Видите ли вы "
        "признаки переобучения?",
    ),
}


def language_of_report(report: Path) -> str:
    found = re.search(r"^lang: (\w+)$", report.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{report.name} has no lang"
    return found[1]


def body_of(report: Path) -> str:
    return _HEADER.sub("", report.read_text(encoding="utf-8"))


def prose_of(text: str) -> str:
    """Markdown without chunks, inline code, references, citations and attributes."""
    for pattern in (_CHUNK, _INLINE, _CODE, _REFERENCE, _CITATION, _ATTRIBUTES):
        text = pattern.sub(" ", text)
    return text


def typed_digits(prose: str) -> list[str]:
    """Words of the prose with digits that are no names."""
    for pattern in DIGIT_NAMES.values():
        prose = re.sub(pattern, " ", prose, flags=re.IGNORECASE)
    return [word for word in prose.split() if re.search(r"\d", word)]


def typed_comparisons(text: str, language: str) -> list[str]:
    """Sentences that compare the study's own methods in typed words and cite nobody."""
    text = _INLINE.sub(" . ", _CHUNK.sub(" ", text))
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    sentences = re.split(r"(?<=[.:;?!*])\s+|\n\n", text)
    found = []
    for sentence in sentences:
        plain = sentence.strip(" \n*-.")
        cites = _CITATION.search(sentence)
        if cites or any(plain.startswith(start) for start in ALLOWED.get(language, {})):
            continue
        compares = re.search(rf"\b(?:{COMPARATIVES[language]})\b", plain, re.IGNORECASE)
        if compares and re.search(rf"\b(?:{METHODS[language]})\b", plain, re.IGNORECASE):
            found.append(plain)
    return found


def templates_of(language: str) -> dict[str, str]:
    """The computed sentences of a language, of all topics."""
    files = sorted((ROOT / "code" / "text" / language).glob("*.toml"))
    return {k: t for f in files for k, t in tomllib.loads(f.read_text(encoding="utf-8")).items()}


def bibliography_keys() -> set[str]:
    text = (ROOT / "references.bib").read_text(encoding="utf-8")
    return set(re.findall(r"^@\w+\{([^,\s]+),", text, re.MULTILINE))


def chunk_labels(text: str) -> list[str]:
    labels = [re.search(r"^#\| label: (\S+)$", c, re.MULTILINE) for c in _CHUNK.findall(text)]
    return [label[1] for label in labels if label]


def test_there_is_a_report_to_scan() -> None:
    assert ROOT / "report.qmd" in REPORTS
    assert len(prose_of(body_of(ROOT / "report.qmd")).split()) > 1500


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.name)
def test_every_number_is_computed(report: Path) -> None:
    assert typed_digits(prose_of(body_of(report))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_hold_no_numbers(language: str) -> None:
    templates = templates_of(language)
    assert len(templates) > 300
    plain = {key: prose_of(_PLACEHOLDER.sub(" ", text)) for key, text in templates.items()}
    assert {key: found for key, text in plain.items() if (found := typed_digits(text))} == {}


def test_the_scan_for_digits_finds_them() -> None:
    text = "MCC is 0.57 with LoRA, as `{python} answers.cola.quality` and @fig-cola1 [@hu2022lora]."
    assert typed_digits(prose_of(text)) == ["0.57"]
    assert typed_digits("F1 in Task 2 and GPT4") == ["GPT4"]


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.name)
def test_no_comparison_of_methods_is_typed(report: Path) -> None:
    assert typed_comparisons(body_of(report), language_of_report(report)) == []


def test_the_scan_for_comparisons_finds_them() -> None:
    text = "It trains. LoRA is faster than that. `{python} x` LoRA is what [@hu2022lora] call less."
    assert typed_comparisons(text, "en") == ["LoRA is faster than that"]


@pytest.mark.parametrize("language", ALLOWED)
def test_every_allowed_sentence_is_still_there(language: str) -> None:
    texts = [body_of(r) for r in REPORTS if language_of_report(r) == language]
    text = re.sub(r"[*]", "", " ".join(texts))
    stale = [start for start in ALLOWED[language] if texts and start not in text]
    assert stale == []


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.name)
def test_references_have_targets_and_floats_are_referenced(report: Path) -> None:
    text = body_of(report)
    sections = set(re.findall(r"\{#(sec-[\w-]+)", text))
    labels = chunk_labels(text)
    references = set(_REFERENCE.findall(_CHUNK.sub(" ", text)))
    assert references - sections - set(labels) == set()
    folder = ROOT / "code" / "text" / language_of_report(report)
    said = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.toml"))
    assert set(_REFERENCE.findall(said)) - sections - set(labels) == set()
    # What only some studies have is referenced by the sentences that these studies say.
    conditional = re.findall(r"label: (\S+)\n(?:#\|.*\n)*.* if say\.", text)
    references |= set(_REFERENCE.findall(said)) & set(conditional)
    answers = load_answers(study_with_experiments(), language_of_report(report))
    topics = (
        (answers.cola_experiments, ("answer", "how", "share")),
        (answers.cola_rates, ("rates",)),
    )
    told = " ".join(str(getattr(topic, name)) for topic, names in topics for name in names)
    tried = _REFERENCE.findall(told)
    references |= {*tried, *(name.replace("cola", "pos") for name in tried)}
    floats = {label for label in labels if label.startswith(("fig-", "tbl-"))}
    assert len(floats) > 20
    assert floats - references == set()
    at = Context(build_study(), Numbers(load_wording("en")))
    table = render(requirements(at), at)
    answered = set(re.findall(r"@(sec-[\w-]+)", table))
    assert len(answered) == 16
    assert answered - sections == set()


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.name)
def test_floats_have_captions_and_labels_are_unique(report: Path) -> None:
    text = body_of(report)
    labels = chunk_labels(text)
    assert len(labels) == len(set(labels)) == len(_CHUNK.findall(text))
    for chunk in _CHUNK.findall(text):
        label = re.search(r"^#\| label: (fig|tbl)-", chunk, re.MULTILINE)
        if label:
            assert re.search(rf'^#\| {label[1]}-cap: ".+"$', chunk, re.MULTILINE), chunk
            assert "{python}" not in chunk


@pytest.mark.parametrize("source", [*REPORTS, *LANGUAGES], ids=str)
def test_citations_are_in_the_bibliography(source: Path | str) -> None:
    if isinstance(source, Path):
        text = source.read_text(encoding="utf-8")
    else:
        text = " ".join(templates_of(source).values())
    cited = set(_CITATION.findall(_CHUNK.sub(" ", text)))
    assert len(cited) >= 3
    assert cited - bibliography_keys() == set()


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.name)
def test_every_question_is_asked_in_the_assignments_words(report: Path) -> None:
    headings = re.findall(r"^## (.*) \{#sec-answer-\w+\}$", body_of(report), re.MULTILINE)
    questions = QUESTIONS[language_of_report(report)]
    wrong = [(q, h) for q, h in zip(questions, headings, strict=True) if not h.startswith(q)]
    assert wrong == []


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.name)
def test_every_answer_begins_with_its_result(report: Path) -> None:
    starts = re.findall(r"\{#sec-answer-\w+\}\n\n(.{9})", body_of(report))
    assert starts == ["`{python}"] * len(QUESTIONS["en"])


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.name)
def test_links_to_sections_and_appendices_have_targets(report: Path) -> None:
    text = _CHUNK.sub(" ", body_of(report))
    targets = set(re.findall(r"\{#((?:sec|app)-[\w-]+)", text))
    links = set(re.findall(r"\]\(#([\w-]+)\)", text))
    assert links - targets == set() and len(links) > 10
    appendices = re.findall(r"^# (?:Appendix|Приложение) ([A-Z])\. .*\{#(app-\w+)", text, re.M)
    assert [letter for letter, _ in appendices] == list("ABCDEFGH")
    assert {name for _, name in appendices} <= links
    assert text.index("{#refs}") < text.index("{#app-")


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.name)
def test_translations_share_all_chunks(report: Path) -> None:
    def code(path: Path) -> list[str]:
        lines = "\n".join(_CHUNK.findall(body_of(path))).splitlines()
        return [
            re.sub(r'open_report\("\w+"\)', "open_report(...)", line)
            for line in lines
            if not line.startswith(("#| fig-cap", "#| tbl-cap", "#| fig-alt"))
        ]

    assert code(report) == code(ROOT / "report.qmd")


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_the_same_templates(language: str) -> None:
    own = templates_of(language)
    assert set(own) == set(templates_of("en"))
    assert all(text.strip() for text in own.values())

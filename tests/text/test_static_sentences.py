"""The whole report under opposite outcomes: what its prose says must follow from the results.

A sentence of the document stands in every one of these reports, so that it may state no result.
``static_sentences.txt`` holds those that were read with this in mind, computed parts as ``(...)``;
a new one is added there by whoever has read it so.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facts.table import Facts
from store.results import Results
from study.paths import project_root
from study.settings import AdapterSettings
from synthetic_study import TRAITS, build_study
from text.answers import Answers
from text.sentence import load_speaker
from words.numbers import unmark
from words.wording import LANGUAGES

DOCUMENTS = {"en": "report.qmd", "ru": "report.ru.qmd"}
REVIEWED = Path(__file__).with_name("static_sentences.txt")
INLINE = re.compile(r"`\{python\} ([^`]*)`")
CHUNK = re.compile(r"^```\{[^\n]*\n.*?^```$", re.MULTILINE | re.DOTALL)

FULL, LORA = TRAITS["full"], TRAITS["lora"]
MATRICES = ["query", "key", "value", "dense"]
ON_ALL = AdapterSettings.of("LORA", r=8, lora_alpha=16, lora_dropout=0.1, target_modules=MATRICES)
AS_FULL, AHEAD = replace(FULL, adapter=LORA.adapter), replace(LORA, quality=1.5)
EVERYWHERE = replace(LORA, adapter=ON_ALL)
SMALL: dict[str, Any] = {"sentences": 120, "words": 300, "resamples": 40}
STUDIES: dict[str, dict[str, Any]] = {
    "usual": {},
    "LoRA ahead": {"traits": {"full": replace(FULL, quality=0.3, error=0.3), "lora": AHEAD}},
    "equal": {"traits": {"lora": AS_FULL}},
    "one seed": {"seeds": (42,)},
    "no adapter": {"methods": ("full", "frozen")},
    "no control, balanced": {"methods": ("full", "lora"), "acceptable": 0.5},
    "nothing learned": {"traits": {m: replace(TRAITS[m], quality=0.0, error=0.9) for m in TRAITS}},
    "all matrices, overfitting": {
        "traits": {"full": replace(FULL, overfits=0.6), "lora": replace(EVERYWHERE, overfits=0.6)}
    },
    "three languages, unbalanced": {"languages": ("de", "fr"), "acceptable": 0.9},
    "another language, no overfitting": {
        "languages": ("fr",),
        "traits": {"full": replace(FULL, overfits=0.0)},
    },
}

# What such sentences said before they were rules: each is true for some outcomes alone.
CLAIMS = (
    r"CoLA is unbalanced",
    r"embedding table looks restless",
    r"depend on what one divides by",
    r"adapters on all matrices could",
    r"[Ii]ts few matrices",
    r"learns everything it knows",
    r"no contradiction",
    r"has to learn here",
)


def study_of(name: str) -> Results:
    if name == "a third task":
        return with_third_task(build_study(**SMALL))
    return build_study(**SMALL, **STUDIES[name])


def with_third_task(study: Results) -> Results:
    """A copy of the first task under another name, with all its facts."""
    first = study.profile.tasks["cola"]
    tasks = {**study.profile.tasks, "third": replace(first, name="third")}
    copied = [replace(fact, task="third") for fact in study.facts.where(task="cola")]
    return replace(
        study,
        profile=replace(study.profile, tasks=tasks),
        facts=Facts([*study.facts, *copied]),
        runs=(*study.runs, *(replace(r, task="third") for r in study.runs if r.task == "cola")),
        items={**study.items, "third": study.items["cola"]},
    )


def spoken(study: Results, language: str) -> str:
    """The prose of a report, with what its inline expressions say of a study."""
    say = Answers(study, load_speaker(language))
    text = (project_root() / DOCUMENTS[language]).read_text(encoding="utf-8")
    lists = re.findall(r"^report\.text\((say\.[\w.]+)\)$", text, re.MULTILINE)
    prose = CHUNK.sub("", text.split("---\n", 2)[2])
    told = INLINE.sub(lambda found: unmark(str(eval(found[1], {"say": say}))), prose)
    return "\n\n".join([told, *(unmark(str(eval(name, {"say": say}))) for name in lists)])


def sentences_of(text: str) -> list[str]:
    """Sentences of the prose; headings and comments are none."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"^(?::::|#).*$", "", text, flags=re.MULTILINE)
    blocks = (re.sub(r"\s+", " ", block).strip() for block in re.split(r"\n\s*\n", text))
    ends = re.compile(r"(?<=[.:?!*]) (?=[\W_]?[A-ZА-ЯЁ*@])")
    return [sentence for block in blocks for sentence in ends.split(block) if sentence]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*STUDIES, "a third task"])
def test_the_report_of_any_study_can_be_told(name: str, language: str) -> None:
    text = spoken(study_of(name), language)
    assert "{" not in re.sub(r"\{[#.=-][^}]*\}", "", text), re.findall(r".{30}\{[^#.].{30}", text)
    for fault in ("  .", " ,", "..", "None", "nan", "()"):
        assert fault not in re.sub(r"  +", " ", text.replace("\n", " ")), fault
    if language == "en":
        assert [claim for claim in CLAIMS if re.search(claim, text)] == []


def test_no_static_sentence_states_a_result() -> None:
    """What the document says of every study was read as saying nothing of any of them."""
    text = (project_root() / DOCUMENTS["en"]).read_text(encoding="utf-8")
    prose = INLINE.sub("(...)", CHUNK.sub("", text.split("---\n", 2)[2]))
    said = [s for s in dict.fromkeys(sentences_of(prose)) if s.strip("(.) -") != ""]
    reviewed = REVIEWED.read_text(encoding="utf-8").splitlines()
    assert len(said) > 100
    assert [s for s in said if s not in reviewed] == [], "read, then add to the list or mend"
    assert [s for s in reviewed if s not in said] == [], "no longer in the report: remove"


def test_opposite_studies_share_no_verdict() -> None:
    """Each answer changes its first sentence between studies that have opposite outcomes."""
    ahead, behind = (load(name) for name in ("LoRA ahead", "usual"))
    for read in (
        lambda say: say.quality.answer,
        lambda say: say.quality.advice,
        lambda say: say.transfer.verdict,
        lambda say: say.transfer.drop,
        lambda say: say.abstract.conclusion,
    ):
        one, other = (sentences_of(unmark(str(read(say))))[0] for say in (ahead, behind))
        assert one != other, one
    # The abstract begins with what was studied; each of its findings on quality is another one.
    findings = [
        [
            s
            for s in sentences_of(unmark(str(say.abstract.text)))
            if re.match("On CoLA|In German", s)
        ]
        for say in (ahead, behind)
    ]
    assert all(findings) and not set(findings[0]) & set(findings[1])


def load(name: str) -> Answers:
    return Answers(study_of(name), load_speaker("en"))

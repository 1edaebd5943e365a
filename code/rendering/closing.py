"""The last lines of a render: where the report lies and what it found, in plain words."""

import re
from pathlib import Path

from store.results import Results
from text.answers import load_answers
from words.escaping import Markup
from words.numbers import unmark
from words.wording import Wording

SUFFIXES = (".html", ".pdf")
_MARKUP = re.compile(r"<!--.*?-->|\*\*|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)|\s*\[-?@[^\]]*\]")


def closing_lines(results: Results, words: Wording, report: Path) -> list[str]:
    """What a reader wants to know first, a line a finding; then the report's files that exist."""
    abstract = load_answers(results, words.language).abstract
    findings = abstract.findings
    # Not with_suffix: of "report.ru" it would take the language for a suffix.
    candidates = [report.with_name(report.name + suffix) for suffix in SUFFIXES]
    files = [file for file in candidates if file.is_file()]
    where = abstract.speak.say("closing-report", files=Markup(", ".join(map(_shown, files))))
    return [
        abstract.speak.say("closing-findings"),
        *(f"  {number}. {plain_text(text)}" for number, text in enumerate(findings, 1)),
        *([where] if files else []),
    ]


def plain_text(markdown: str) -> str:
    """A sentence without emphasis, marks of numbers, citations and comments."""
    return re.sub(r" {2,}", " ", _MARKUP.sub("", unmark(markdown))).strip()


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)

"""The last lines of a render: files that exist, three findings, no Markdown."""

from pathlib import Path

import pytest

from rendering.closing import closing_lines, plain_text
from synthetic_study import build_study
from text.answers import load_answers
from words.wording import load_wording


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_lines_name_the_files_and_the_findings_of_the_report(
    tmp_path: Path, language: str
) -> None:
    results, words = build_study(), load_wording(language)
    name = "report" if language == "en" else f"report.{language}"
    (tmp_path / f"{name}.html").write_text("", encoding="utf-8")
    lines = closing_lines(results, words, tmp_path / name)
    findings = load_answers(results, language).abstract.findings
    numbered = [f"  {n}. {plain_text(finding)}" for n, finding in enumerate(findings, 1)]
    assert len(lines) == 5
    assert lines[1:4] == numbered
    assert str(tmp_path / f"{name}.html") in lines[4] and ".pdf" not in lines[4]
    assert not any(mark in line for line in lines for mark in ("*", "[@", "<!--"))


def test_where_nothing_is_rendered_yet_no_line_speaks_of_files(tmp_path: Path) -> None:
    for language in ("en", "ru"):
        lines = closing_lines(build_study(), load_wording(language), tmp_path / "report")
        assert len(lines) == 4 and lines[-1].startswith("  3. ")


def test_findings_follow_the_results(tmp_path: Path) -> None:
    words = load_wording("en")
    one, other = (
        closing_lines(build_study(seeds=seeds), words, tmp_path / "report")
        for seeds in ((42, 43), (44, 45, 46))
    )
    assert one != other


def test_plain_text_drops_markup_and_keeps_the_words() -> None:
    text = "*Cost.* LoRA is **not** slower [@hu2022lora; @biderman2024lora], 2 * 3. <!-- -->"
    assert plain_text(text) == "Cost. LoRA is not slower, 2 * 3."

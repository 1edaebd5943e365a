"""results.json: described by its schema, complete, and silent about the machine."""

import ast
import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest
from store.frames import FRAMES, RUN_COLUMNS

from conftest import FinishedStudy
from rendering import export
from rendering.export import KEYS, SCHEMA, export_results
from rendering.shown import evaluate
from store.results import Results, _Reader
from study.errors import StudyError
from study.paths import project_root
from synthetic_study import build_study

DOCUMENTS = {"en": "report.qmd", "ru": "report.ru.qmd"}


@pytest.fixture(scope="module")
def study(finished: FinishedStudy) -> Results:
    return _Reader(finished.profile, finished.store, finished.ledger).read()


@pytest.fixture(scope="module")
def content(study: Results, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return read(export_results(study, tmp_path_factory.mktemp("export")))


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def validate(folder: Path) -> None:
    schema = read(folder / SCHEMA)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(read(folder / "results.json"), schema)


def test_it_is_what_its_schema_says(study: Results, tmp_path: Path) -> None:
    export_results(study, tmp_path)
    validate(tmp_path)


@pytest.mark.parametrize("missing", [(), ("pos-lora-seed43",), ("cola-full-seed42",)])
def test_a_poor_study_is_what_the_schema_says_too(missing: tuple[str, ...], tmp_path: Path) -> None:
    poor = build_study(
        seeds=(42, 43), missing=missing, sentences=60, words=90, resamples=10, phenomena=()
    )
    export_results(poor, tmp_path)
    validate(tmp_path)


def test_the_schema_refuses_what_is_not_a_result(study: Results, tmp_path: Path) -> None:
    wrong = read(export_results(study, tmp_path))
    del wrong["answers"]["en"]["answers.cola.time"]["text"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, read(tmp_path / SCHEMA))


def test_every_frame_is_there_under_words(study: Results, content: dict[str, Any]) -> None:
    for name, columns in FRAMES.items():
        assert len(content[name]) == len(getattr(study, name)) > 0, name
        expected = {KEYS.get(column, column) for column in (*RUN_COLUMNS, *columns)}
        assert expected <= content[name][0].keys(), name
    assert content["scores"][3]["value"] == pytest.approx(study.scores.value.iloc[3], abs=1e-14)


@pytest.mark.parametrize("language", DOCUMENTS)
def test_all_that_the_document_shows_is_there(language: str, content: dict[str, Any]) -> None:
    text = (project_root() / DOCUMENTS[language]).read_text(encoding="utf-8")
    inline = {i.strip() for i in re.findall(r"(?<!`)`\{python\}[ \t]+([^`]+)`", text)}
    inline = {ast.unparse(ast.parse(i)) for i in inline}
    assert len(inline) > 30
    assert inline <= content["answers"][language].keys()
    assert content["answers"][language]["answers.cola.time"]["text"]


def test_it_names_no_machine(content: dict[str, Any]) -> None:
    texts = list(strings(content))
    assert len(texts) > 1000
    assert not any("host" in row for row in content["provenance"])
    for text in texts:
        assert str(Path.home()) not in text and str(project_root()) not in text, text
        assert not re.search(r"(?<![\w.:/-])/(?:tmp|home|root|usr|var|work)/", text), text
        assert os.uname().nodename not in text or len(os.uname().nodename) < 4, text


def strings(value: Any) -> Any:
    if isinstance(value, str):
        yield value
    inner = value.values() if isinstance(value, dict) else value
    for item in inner if isinstance(value, dict | list) else ():
        yield from strings(item)


def test_folders_leave_paths_and_nothing_else() -> None:
    plain = export._plain
    assert plain("read /home/me/data/x.tsv again") == "read x.tsv again"
    for kept in ("NOUN/PROPN", "https://example.org/a/b", "3/4", "a/b/c", "~/x"):
        assert plain(kept) == kept
    assert plain({"l2": float("nan"), "a": (1, 2)}) == {"euclidean_distance": None, "a": [1, 2]}
    frame = pd.DataFrame({"host": ["here"], "rms": [0.5]})
    assert plain(frame) == [{"root_mean_square_change": 0.5}]


def test_an_expression_that_cannot_be_recorded_is_refused() -> None:
    for source in ("1 + 1", "unknown.name", "[x for x in y]"):
        with pytest.raises(StudyError, match="cannot record"):
            evaluate(ast.parse(source, mode="eval").body, {})

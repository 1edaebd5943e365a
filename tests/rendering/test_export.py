"""facts.csv and results.json: described by the schema, complete, and silent about the machine."""

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conftest import FinishedStudy
from facts.files import read_facts
from rendering import export
from rendering.export import FACTS, RESULTS, SCHEMA, export_results
from store.reading import read_results
from store.results import Results
from study.paths import project_root
from synthetic_study import build_study
from words.wording import LANGUAGES


@pytest.fixture(scope="module")
def study(finished: FinishedStudy) -> Results:
    return read_results(finished.profile, finished.store)


@pytest.fixture(scope="module")
def folder(study: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_results(study, tmp_path_factory.mktemp("export")).parent


def read(file: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    text = file.read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


@pytest.mark.parametrize("missing", [(), ("pos-lora-seed43",), ("cola-full-seed42",)])
def test_a_poor_study_is_what_the_schema_says(missing: tuple[str, ...], tmp_path: Path) -> None:
    poor = build_study(
        seeds=(42, 43), missing=missing, sentences=60, words=90, resamples=10, phenomena=()
    )
    content, schema = read(export_results(poor, tmp_path)), read(tmp_path / SCHEMA)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    del content["facts"][0]["quantity"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema)


def test_both_files_hold_all_facts(study: Results, folder: Path) -> None:
    assert list(read_facts(folder / FACTS)) == list(study.facts)
    assert [fact["id"] for fact in read(folder / RESULTS)["facts"]] == [f.id for f in study.facts]
    assert sorted(f.name for f in folder.iterdir()) == sorted((FACTS, RESULTS, SCHEMA))


def test_every_fact_names_an_entry_that_is_stored(study: Results, finished: FinishedStudy) -> None:
    own = [fact for fact in study.facts if fact.quantity != "calibration"]
    for entry in dict.fromkeys(fact.entry for fact in own):
        found = list(finished.store.root.glob(entry))
        assert found and all(path.is_dir() for path in found), entry
    (train,) = {
        fact.entry
        for fact in study.facts.where(quantity="curve", method="full", seed=1, task="cola")
    }
    assert train == finished.ledger.content["runs"]["cola-full-seed1"]["train"]


def test_answers_are_told_in_both_languages(folder: Path) -> None:
    answers = read(folder / RESULTS)["answers"]
    assert set(answers) == set(LANGUAGES) and answers["en"].keys() == answers["ru"].keys()
    assert {"cola_costs.time", "transfer.verdict", "abstract.text"} <= answers["en"].keys()
    assert answers["en"]["cola_costs.time"]["text"] != answers["ru"]["cola_costs.time"]["text"]


def test_it_names_no_machine(folder: Path) -> None:
    content = read(folder / RESULTS)
    texts = list(strings(content))
    assert len(texts) > 1000
    assert not any("host" in row["machine"] for row in content["provenance"]["runs"])
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
    assert plain({"x": float("nan"), "a": (1, 2)}) == {"x": None, "a": [1, 2]}
    assert plain([{"host": "here", "rms": 0.5}]) == [{"rms": 0.5}]

"""The table of facts: keys, the two queries, files, and every unit."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.over_seeds import over_seeds
from facts.fact import COLUMNS, KEY, Fact
from facts.files import read_facts, record, schema, write_facts
from facts.quantities import QUANTITIES, unit_of
from facts.table import Chosen, Facts, Key
from study.errors import StudyError
from synthetic_study import build_study

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=8)
NUMBER = st.none() | st.floats(allow_nan=False, allow_infinity=False)
FACTS = st.builds(
    Fact,
    quantity=st.sampled_from(sorted(QUANTITIES)),
    task=TEXT,
    method=TEXT,
    against=TEXT,
    seed=st.none() | st.integers(0, 5),
    value=NUMBER,
    low=NUMBER,
    high=NUMBER,
)


def test_columns_that_identify_are_the_columns_of_both_queries() -> None:
    assert set(Key.__annotations__) == set(KEY) - {"quantity"}
    assert set(Chosen.__annotations__) == set(KEY)


@given(st.lists(FACTS, unique_by=lambda fact: fact.key))
def test_facts_come_back_from_a_file_bit_for_bit(tmp_path_factory, rows) -> None:
    file = tmp_path_factory.mktemp("facts") / "facts.csv"
    write_facts(rows, file)
    assert list(read_facts(file)) == rows


def test_other_columns_are_refused_with_the_place(tmp_path: Path) -> None:
    file = tmp_path / "facts.csv"
    file.write_text("quantity,value\nscore,1\n")
    with pytest.raises(StudyError, match=r"expected the columns .*, got quantity, value") as error:
        read_facts(file)
    assert "facts.csv:1" in str(error.value)


def test_nan_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="finite"):
        write_facts([Fact(quantity="score", value=float("nan"))], tmp_path / "facts.csv")
    with pytest.raises(StudyError, match="finite"):
        record(Fact(quantity="score", value=float("inf")))


def test_the_same_fact_twice_is_refused() -> None:
    with pytest.raises(StudyError, match="twice"):
        Facts([Fact(quantity="score", value=1.0), Fact(quantity="score", value=2.0)])


def test_one_means_exactly_these_columns_and_where_means_any() -> None:
    whole = Fact(quantity="score", task="cola", method="full", value=0.5)
    seed = Fact(quantity="score", task="cola", method="full", seed=42, value=0.4)
    facts = Facts([whole, seed])
    assert facts.one("score", task="cola", method="full") is whole
    assert facts.one("score", task="cola", method="full", seed=42) is seed
    assert not facts.one("score", task="cola").known
    assert list(facts.where(quantity="score", method=("full", "lora"))) == [whole, seed]
    assert list(facts.where(task="cola", seed=42)) == [seed]
    assert len(facts.where(task="pos")) == 0


def test_a_difference_is_told_from_either_side() -> None:
    stored = Fact(
        quantity="difference", method="full", against="lora", value=0.2, low=0.1, high=0.4,
        outcome="better", p=0.01,
    )  # fmt: skip
    facts = Facts([stored])
    assert facts.difference(method="full", against="lora") is stored
    turned = facts.difference(method="lora", against="full")
    assert (turned.value, turned.low, turned.high) == (-0.2, -0.4, -0.1)
    assert (turned.outcome, turned.p) == ("worse", 0.01)
    assert not facts.difference(method="full", against="frozen").known
    contrast = Fact(quantity="contrast", method="full", grouping="g", group="in", against="out")
    assert (contrast.turned().method, contrast.turned().group) == ("full", "out")


def test_a_study_becomes_facts_with_known_units_and_distinct_ids() -> None:
    facts = build_study(languages=("de", "fr")).facts
    assert len(facts) > 1000
    assert len({fact.id for fact in facts}) == len(facts)
    assert {fact.quantity for fact in facts} <= set(QUANTITIES)
    for fact in facts:
        unit_of(fact)


def test_records_satisfy_the_schema_that_is_made_from_the_row() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    facts = build_study().facts
    validator = jsonschema.Draft202012Validator(schema())
    for fact in facts[:: max(1, len(facts) // 300)]:
        validator.validate(json.loads(json.dumps(record(fact), allow_nan=False)))
    assert list(validator.iter_errors({"id": "00000000", "quantity": "speed"}))
    assert set(schema()["properties"]) == {"id", *COLUMNS}


def test_over_seeds_is_the_mean_and_of_costs_the_median() -> None:
    runs = [
        Fact(quantity=quantity, method="full", metric="x", seed=seed, value=value)
        for quantity in ("cost", "distance")
        for seed, value in enumerate((1.0, 2.0, 9.0))
    ]
    facts = Facts(over_seeds(runs))
    cost, distance = (facts.one(q, method="full", metric="x") for q in ("cost", "distance"))
    assert (cost.value, distance.value) == (2.0, 4.0)
    assert (cost.low, cost.high, cost.seeds) == (1.0, 9.0, 3)
    assert distance.sd == pytest.approx(4.3589, abs=1e-4)

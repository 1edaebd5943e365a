"""Names of layers: their order, the assignment's components, the parts that are set back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study import layers as names
from study.errors import StudyError
from study.layers import layer_order, sort_layers


def test_components_of_twelve_layers_and_of_one():
    assert names.components(12) == {
        "embeddings": "embeddings",
        "first": "encoder.layer.0",
        "middle": "encoder.layer.6",
        "last": "encoder.layer.11",
        "classifier": "classifier",
    }
    assert names.components(1)["middle"] == "encoder.layer.0"
    with pytest.raises(StudyError, match="at least one layer, got 0"):
        names.components(0)


@given(st.permutations([*layer_order(3), "unknown", "encoder.layer.10"]))
def test_layers_are_sorted_from_input_to_output(layers: list[str]) -> None:
    inner = ["encoder.layer.0", "encoder.layer.1", "encoder.layer.2", "encoder.layer.10"]
    expected = ["embeddings", *inner, "other", "pooler", "unknown", "classifier"]
    assert sort_layers([*layers, *layers]) == expected

"""Each family of encoders goes through every stage; what cannot be made says so beforehand."""

import pytest
from transformers import logging

from families import FAMILIES, METHODS, STAGES, Cell, go_through, inputs_of, load_family_profile
from runs.grid import plan_runs
from runs.inputs import Inputs
from store.entries import Store

WITHOUT_HEAD = ("electra",)  # its pretraining tells replaced words; it guesses none


def go(family: str, *methods: str) -> dict[str, Cell]:
    """The cells of both tasks by the names of their runs."""
    logging.set_verbosity_error()
    profile = load_family_profile(family, {name: METHODS[name] for name in methods})
    with inputs_of((family,)) as folder:
        store, inputs = Store(folder / "cache"), Inputs(folder / "corpora")
        return {run.name: go_through(store, inputs, run) for run in plan_runs(profile)}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_goes_through_every_stage(family: str) -> None:
    expected = tuple(s for s in STAGES if not (s == "forget" and family in WITHOUT_HEAD))
    cells = go(family, "full", "lora-linear")
    assert len(cells) == 4
    assert {name: cell.refused or cell.broken for name, cell in cells.items()} == dict.fromkeys(
        cells, ""
    )
    assert {name: cell.done for name, cell in cells.items()} == dict.fromkeys(cells, expected)


@pytest.mark.parametrize(
    ("family", "method", "words"),
    [
        ("modernbert", "prefix", "no keys and values from before a sentence"),
        ("distilbert", "prefix", "no keys and values from before a sentence"),
        ("modernbert", "bitfit", "has no biases in its encoder"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(family: str, method: str, words: str) -> None:
    cells = go(family, method)
    assert len(cells) == 2
    for cell in cells.values():
        assert words in cell.refused and "leave" in cell.refused and cell.done == ()

"""Which encoders go with which methods: a table of real runs of a few steps.

Encoders are tiny and random, of each family's own class and with a tokenizer of its kind, so that
scores say nothing; what is shown is which stages a cell goes through.

    python bench/families.py                      all families and methods
    python bench/families.py bert modernbert      these families
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "code"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from transformers.utils import logging

from families import FAMILIES, METHODS, STAGES, Cell, go_through, inputs_of, load_family_profile
from runs.grid import plan_runs
from runs.inputs import Inputs
from store.entries import Store


def show(cell: Cell, sentences: list[str]) -> str:
    """The initials of the stages of a cell; a number stands for what refuses or breaks it."""
    letters = "".join(LETTERS[stage] for stage in cell.done)
    if not (said := cell.refused or cell.broken):
        return letters
    if said not in sentences:
        sentences.append(said)
    return f"{letters}{' FAILED ' if cell.broken else ''}({sentences.index(said) + 1})"


LETTERS = dict(zip(STAGES, "TPDVUSRFX", strict=True))


def main(families: tuple[str, ...]) -> None:
    """Prints the table, then the sentences that refuse."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    print("; ".join(f"{letter} {stage}" for stage, letter in LETTERS.items()))
    print("| family | task | " + " | ".join(METHODS) + " |")
    print("|" + "---|" * (len(METHODS) + 2))
    sentences: list[str] = []
    for family in families:
        with inputs_of((family,)) as folder:
            store, inputs = Store(folder / "cache"), Inputs(folder / "corpora")
            row: dict[str, list[str]] = {}
            for run in plan_runs(load_family_profile(family, METHODS)):
                cell = go_through(store, inputs, run)
                row.setdefault(run.task.name, []).append(show(cell, sentences))
            for task, cells in row.items():
                print(f"| {family} | {task} | {' | '.join(cells)} |", flush=True)
    for number, sentence in enumerate(sentences, 1):
        print(f"({number}) {sentence}")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or FAMILIES)

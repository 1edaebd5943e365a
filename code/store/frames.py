"""The frames of ``store.results.Results``: their columns, and the one way to choose rows."""

from collections.abc import Collection
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd

RUN_COLUMNS = ["run", "task", "method", "seed"]
FRAMES: dict[str, tuple[str, ...]] = {
    "runs": ("training_seconds",),
    "scores": ("evaluation", "language", "metric", "value"),
    "curves": ("step", "epoch", "seconds", "split", "metric", "value"),
    "drift": ("layer", "kind", "parameters", "l2", "relative", "rms", "angle"),
    "structure": ("layer", "kind", "rank", "effective_rank", "top8_share", "intruders"),
    "representation": ("evaluation", "language", "layer", "cka", "tokens", "sentences"),
    "embedding_rows": ("rows", "touched_rows", "touched_share"),
    "untouched": ("tensors", "parameters", "changed"),
    "sources": ("item", "source"),
    "provenance": ("time", "device", "memory_kind", "tokenizer_removes"),
}
"""Frame -> the columns that it has in any case, after ``RUN_COLUMNS``."""

TASK_COLUMNS = ["task", "method"]
TASK_FRAMES: dict[str, tuple[str, ...]] = {
    "prices": ("seconds", "cpu_seconds", "ratio", "low", "high", "steps", "device"),
    "restoration": (
        *("part", "evaluation", "language", "metric", "value", "drop", "low", "high"),
        *("low_items", "high_items", "covers", "reason", "seeds", "units"),
    ),
}
"""Frame of a task's methods, all seeds together -> its columns after ``TASK_COLUMNS``."""

Choice = str | int | None | Collection[str] | Collection[int]


class Chosen(TypedDict, total=False):
    """Columns to choose rows by; a column that is not named may hold anything."""

    task: Choice
    method: Choice
    seed: Choice
    metric: Choice
    split: Choice
    evaluation: Choice
    layer: Choice
    kind: Choice


def plain_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a frame whose texts are plain objects.

    A report chooses rows a thousand times, and pandas takes rows of columns of its own string type
    one column at a time.
    """
    frame = pd.DataFrame(rows)
    return frame.astype(dict.fromkeys(frame.select_dtypes("str"), object))


def select(frame: pd.DataFrame, **chosen: Unpack[Chosen]) -> pd.DataFrame:
    """The rows of a frame of ``Results`` with the chosen values.

    Args:
        frame: the frame.
        chosen: column = a value, or several of which any will do; None is the value of no row, so
            that the rows of a method that does not exist are none.
    """
    keep = np.ones(len(frame), dtype=bool)
    for column, wanted in chosen.items():
        several = isinstance(wanted, Collection) and not isinstance(wanted, str)
        values = list(wanted) if several else [] if wanted is None else [wanted]  # type: ignore[call-overload]
        keep &= frame[column].isin(values).to_numpy()
    return frame[keep]

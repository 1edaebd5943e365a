"""Metrics of one run on an evaluated set."""

from pathlib import Path
from typing import Any

from runs.data import Data
from runs.grid import Run, Stage
from store.entries import Entry, Store

STAGE = Stage("score", 3, __name__)


def make(store: Store, data: Data, run: Run, predicted: Entry, address: str) -> Entry:
    """Scores stored predictions, or finds them scored."""

    def score(_folder: Path) -> dict[str, Any]:
        from evidence.metrics import score_acceptability, score_tags

        arrays, gold = predicted.arrays(), data.gold(run.task, address)
        if run.task.kind == "token":
            return {"metrics": score_tags(arrays["predicted"], gold)}
        return {"metrics": score_acceptability(arrays["logits"], gold)}

    return STAGE.produce(store, STAGE.key(run.name, {"predict": predicted.digest}), score)

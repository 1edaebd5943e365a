"""The stored evidence of a task against what follows from its stored predictions."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runs.data import Data
from store.entries import Entry
from study.settings import TaskSettings
from verification.claims import Claim
from verification.counting import score_run
from verification.sentences import claim_sentences
from verification.tagged import Words, claim_words

Array = NDArray[Any]
Ledger = Mapping[str, Any]
Open = Callable[[str], Entry]
_EXPORTED = {  # in the evidence -> in results.json
    "sd": "standard_deviation",
    "p": "p_value",
    "p_corrected": "p_value_corrected",
    "p_items": "p_value_items",
    "p_items_corrected": "p_value_items_corrected",
}


def claim_evidence(task: TaskSettings, data: Data, content: Ledger, find: Open) -> Iterator[Claim]:
    """The point estimates of a task's evidence.

    Args:
        task: with at least one finished run.
        data: the corpora.
        content: of the ledger.
        find: the entry of a name.
    """
    stages = content["tasks"][task.name]
    evidence = find(stages["evidence"]).result()
    items = {address: find(name).result() for address, name in stages["items"].items()}

    def predictions(method: str, seeds: list[int], address: str) -> Array:
        runs = [content["runs"][f"{task.name}-{method}-seed{seed}"] for seed in seeds]
        return np.stack([_predictions(find(run["predict"][address])) for run in runs])

    predicted = {
        method: {a: predictions(method, entry["seeds"], a) for a in task.evaluations}
        for method, entry in evidence["methods"].items()
        if entry["seeds"]
    }
    training = data.split(task, task.train).items
    columns = {address: of_set["columns"] for address, of_set in items.items()}
    if task.kind == "token":
        pieces = {
            method.name: {
                address: of_set["pieces"][method.model_name_or_path]
                for address, of_set in items.items()
                if method.model_name_or_path in of_set["pieces"]
            }
            for method in task.methods
        }
        seen = [(word.form, word.upos) for item in training for word in item.words]
        yield from claim_words(Words(evidence, columns, pieces, predicted, seen))
    else:
        address = evidence["evaluation"]
        logits = {method: of_method[address] for method, of_method in predicted.items()}
        labels = [item.label for item in training]
        yield from claim_sentences(evidence, columns[address], logits, labels)


def claim_restoration(task: TaskSettings, content: Ledger, find: Open) -> Iterator[Claim]:
    """What a metric is with a part set back, and how much lower that is."""
    stages = content["tasks"][task.name]
    for row in find(stages["restoration"]).result()["rows"]:
        address, method = row["evaluation"], row["method"]
        place, ending = f"{method}, {address}, {row['part']} set back", address.replace(":", "-")
        columns = find(stages["items"][address]).result()["columns"]
        values, drops = [], []
        for seed in task.seeds:
            of_run = content["runs"].get(f"{task.name}-{method}-seed{seed}", {})
            if "restored" in of_run:
                arrays = find(of_run["restored"]).arrays()
                kept, own = arrays[f"items {ending}"], arrays[f"{row['part']} {ending}"]
                whole = _predictions(find(of_run["predict"][address]))[kept]
                value, as_trained = (
                    score_run(task.kind, predictions, columns, kept)[row["metric"]]
                    for predictions in (own, whole)
                )
                values.append(value)
                drops.append(as_trained - value)
        yield Claim(f"{place}, {row['metric']}", row["value"], float(np.mean(values)))
        yield Claim(f"{place}, drop", row["drop"], float(np.mean(drops)))


def _predictions(entry: Entry) -> Array:
    """Tag indices or logits, whichever the entry holds."""
    (array,) = entry.arrays().values()
    return array


def claim_prices(result: Mapping[str, Any]) -> Iterator[Claim]:
    """A step's seconds, and their ratio to the reference's on the same batches."""
    reference = np.array(result["seconds"][result["reference"]])
    for method, price in result["prices"].items():
        seconds = np.array(result["seconds"][method])
        ratio = float(np.exp(np.median(np.log(seconds) - np.log(reference))))
        yield Claim(f"{method}, seconds of a step", price["seconds"], float(np.median(seconds)))
        yield Claim(f"{method}, price of a step", price["ratio"], ratio)


def claim_export(exported: Any, stored: Any, where: str = "") -> Iterator[Claim]:
    """Every number of ``results.json``'s evidence, which must be the stored one."""
    if isinstance(stored, Mapping):
        for key, value in stored.items():
            found = exported.get(_EXPORTED.get(key, key)) if isinstance(exported, Mapping) else None
            yield from claim_export(found, value, f"{where}/{key}")
    elif isinstance(stored, list):
        for number, value in enumerate(stored):
            there = isinstance(exported, list) and number < len(exported)
            found = exported[number] if there else None
            yield from claim_export(found, value, f"{where}/{number}")
    elif isinstance(stored, int | float) and not isinstance(stored, bool):
        yield Claim(where, exported, stored)

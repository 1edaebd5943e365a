"""``results.json``: every number of the report, for those who want to calculate with them.

Beside the frames and the evidence it holds what the documents say, in each language: each answer
with its text, its numbers and the outcome that chose its words. What a document says is read from
the document, so that the record and the report cannot differ. ``results.schema.json``, written
beside it, describes it.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from answers.convergence import summarise_convergence
from answers.findings import cost_ratios, layer_profile
from answers.judging import rank_correlation, upper_over_lower
from rendering.shown import find_shown
from store.entries import disk_errors
from store.results import Results
from study.paths import output_folder
from words.wording import LANGUAGES

SCHEMA = "results.schema.json"
COSTS = ("training_seconds", "peak_memory_bytes", "trainable_parameters", "kept_bytes")
# Keys of the code -> the words that they stand for.
KEYS: Mapping[str, str] = {
    "l2": "euclidean_distance",
    "relative": "relative_distance",
    "rms": "root_mean_square_change",
    "top8_share": "share_in_eight_directions",
    "cka": "centered_kernel_alignment",
    "sd": "standard_deviation",
    "p": "p_value",
    "p_corrected": "p_value_corrected",
    "p_items": "p_value_items",
    "p_items_corrected": "p_value_items_corrected",
}
_LEFT_OUT = ("host", "platform")  # columns that name the machine
_FOLDERS = re.compile(r"(?<![\w.:/~-])/(?:[^\s/'\"]+/)+")


def export_results(results: Results, folder: Path | None = None) -> Path:
    """Writes ``results.json`` and its schema; NaN becomes null, paths lose their folders.

    Args:
        results: the results.
        folder: where to, if not the profile's folder of the output.

    Returns:
        The file.
    """
    folder = folder or output_folder(results.profile.name)
    frames = {f.name: getattr(results, f.name) for f in fields(results) if f.name != "items"}
    shown = {language: find_shown(results, language) for language in LANGUAGES}
    content = {
        **frames,
        "derived": {task: _derived(results, task) for task in results.profile.tasks},
        "answers": {language: of["answers"] for language, of in shown.items()},
    }
    file = folder / "results.json"
    text = json.dumps(_plain(content), indent=1, ensure_ascii=False, allow_nan=False)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    with disk_errors(folder, "OUTPUT_DIR"):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(text + "\n", encoding="utf-8")
            part.replace(file)  # whoever reads it never finds half of it
        finally:
            part.unlink(missing_ok=True)
        shutil.copyfile(Path(__file__).with_name(SCHEMA), folder / SCHEMA)
    return file


# ----------------------------------------------------------------------------- what follows


def _derived(results: Results, task: str) -> dict[str, Any]:
    """Numbers that the answers derive from the frames, for one task."""
    roles = results.roles(task)
    profiles = {
        method: layer_profile(results, task, method, "relative")
        for method in results.moving_methods(task)
    }
    return {
        "cost_ratios_adapter_over_reference": {
            column: cost_ratios(results, task, roles.reference, roles.adapter, column)
            for column in COSTS
        },
        "rank_correlation_of_change_with_depth": {
            m: rank_correlation(of) for m, of in profiles.items()
        },
        "upper_third_over_lower_third": {m: upper_over_lower(of) for m, of in profiles.items()},
        "convergence": summarise_convergence(results, task),
    }


# ------------------------------------------------------------------------------ plain values


def _plain(value: Any) -> Any:
    """A value as JSON knows it: records, lists, words for keys; NaN is null, numpy is Python."""
    if isinstance(value, pd.DataFrame):
        kept = value.drop(columns=[column for column in _LEFT_OUT if column in value])
        return _plain(json.loads(kept.to_json(orient="records", double_precision=15)))
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {KEYS.get(str(key), str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return _FOLDERS.sub("", value)
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value != value else value

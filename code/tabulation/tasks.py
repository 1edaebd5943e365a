"""Tables that both tasks share: what was run, what it cost, which differences hold.

Costs are medians over seeds; times are those of training alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from store.frames import select
from store.results import Results
from study.architecture import HEAD, number_of_layers
from study.settings import (
    AdapterSettings,
    LoraSettings,
    MethodSettings,
    PrefixSettings,
    language_of,
)
from tabulation.cells import (
    PLAIN,
    Cells,
    escape,
    median_of,
    pipe_table,
    scale_of,
    with_notes,
)
from words.wording import MISSING, Wording

# ------------------------------------------------------------------------------ set-up


def tabulate_setup(results: Results, words: Wording) -> str:
    """Methods of both tasks with what they train and how."""
    cells = Cells(words)
    header = cells.titles("task", "method", "trained", "rate", "epochs", "batch", "seeds")
    rows = [
        [
            cells.name(task.name),
            *_method_row(method, cells),
            _seeds(results, task.name, method.name),
        ]
        for task in results.profile.tasks.values()
        for method in task.methods
    ]
    some = next(iter(results.profile.tasks.values())).methods[0].training
    note = cells.say(
        "note_setup",
        decay=words.number(some.weight_decay, 2),
        warmup=cells.percent(some.warmup_ratio, 0),
        scheduler=cells.name(some.lr_scheduler_type),
        length=some.max_length,
    )
    return with_notes(pipe_table(header, rows, "lllrrrl"), note if _same_training(results) else "")


def _method_row(method: MethodSettings, cells: Cells) -> list[str]:
    training = method.training
    return [
        cells.name(method.name),
        _what_is_trained(method, cells),
        cells.significant(training.learning_rate, 1),
        str(training.num_train_epochs),
        str(training.per_device_train_batch_size),
    ]


def _what_is_trained(method: MethodSettings, cells: Cells) -> str:
    if method.adapter is None:
        return (
            cells.say("trains_all")
            if method.trainable == "all"
            else cells.words.name(HEAD, case="definite")
        )
    return _adapter(method.adapter, cells)


def _adapter(adapter: AdapterSettings, cells: Cells) -> str:
    if isinstance(adapter, LoraSettings):
        return cells.say(
            "trains_lora",
            r=adapter.r,
            alpha=adapter.lora_alpha,
            dropout=cells.words.number(adapter.lora_dropout, 1),
            roles=cells.names(adapter.roles),
        )
    assert isinstance(adapter, PrefixSettings)
    return cells.say("trains_prefix", tokens=adapter.num_virtual_tokens)


def _seeds(results: Results, task: str, method: str) -> str:
    seeds = select(results.runs, task=task, method=method)["seed"]
    return ", ".join(str(seed) for seed in seeds) or MISSING


def _same_training(results: Results) -> bool:
    """Whether all methods share what the note under the table says once."""
    shared = {
        (t.weight_decay, t.warmup_ratio, t.lr_scheduler_type, t.max_length)
        for task in results.profile.tasks.values()
        for t in (method.training for method in task.methods)
    }
    return len(shared) == 1


def tabulate_models(results: Results, words: Wording) -> str:
    """Encoders: for which methods, how deep, how many parameters with the head."""
    cells = Cells(words)
    if results.runs.empty:
        return cells.say("no_results")
    header = cells.titles("task", "encoder", "methods", "layers", "parameters")
    rows = []
    for task in results.profile.tasks:
        runs = select(results.runs, task=task)
        for model in runs["model"].drop_duplicates():
            own = runs[runs["model"] == model]
            methods = [m for m in results.methods(task) if m in set(own["method"])]
            size = cells.count(own["total_parameters"].min())
            depth = cells.count(_layers(results, task, methods))
            rows.append([cells.name(task), escape(model), cells.names(methods), depth, size])
    return with_notes(pipe_table(header, rows, "lllrr"), cells.say("note_models"))


def _layers(results: Results, task: str, methods: Sequence[str]) -> int | None:
    return number_of_layers(select(results.drift, task=task, method=methods)["layer"]) or None


def tabulate_corpora(results: Results, words: Wording) -> str:
    """Splits of the corpora: their use, sentences and words."""
    cells = Cells(words)
    header = cells.titles("task", "split", "use", "language", "sentences", "words")
    rows = []
    for task in results.profile.tasks.values():
        rows.append(
            _corpus_row(cells, task.name, task.train, "train", _train_size(results, task.name))
        )
        for position, evaluation in enumerate(task.evaluations):
            use = "validation" if position == 0 else "test"
            size = _size(results.items[task.name].get(evaluation))
            rows.append(_corpus_row(cells, task.name, evaluation, use, size))
    return pipe_table(header, rows, "llllrr")


def _corpus_row(
    cells: Cells, task: str, split: str, use: str, size: tuple[int | None, int | None]
) -> list[str]:
    sentences, words = (cells.count(number) for number in size)
    language = cells.name(language_of(split))
    return [cells.name(task), escape(split), cells.name(use), language, sentences, words]


def _size(items: pd.DataFrame | None) -> tuple[int | None, int | None]:
    """Sentences and words of an evaluated set; CoLA's items are sentences, POS's words."""
    if items is None:
        return None, None
    if "sentence" in items:
        return items["sentence"].nunique(), len(items)
    return len(items), int(items["length"].sum())


def _train_size(results: Results, task: str) -> tuple[int | None, int | None]:
    runs = select(results.runs, task=task)
    found = [
        median_of(runs[column]) if column in runs else None
        for column in ("train_sentences", "train_words")
    ]
    sentences, words = (None if number is None else int(number) for number in found)
    return sentences, words


# ------------------------------------------------------------------------------ costs


def tabulate_costs(results: Results, task: str, words: Wording) -> str:
    """Time, speed, memory, trained parameters and what is kept, by method."""
    cells = Cells(words)
    if not results.methods(task):
        return cells.say("no_results")
    header = cells.titles(
        "method", "time", "speed", "peak_memory", "trainable", "trainable_share", "kept"
    )
    rows = [[cells.name(m), *_cost_row(results, task, m, cells)] for m in results.methods(task)]
    notes = [cells.say("note_costs"), _memory_note(results, task, cells)]
    return with_notes(pipe_table(header, rows, "lr"), *notes)


def _cost_row(results: Results, task: str, method: str, cells: Cells) -> list[str]:
    runs = select(results.runs, task=task, method=method)
    median = {name: median_of(runs[name]) for name in runs if name in _COSTS}
    trainable, total = median["trainable_parameters"], median["total_parameters"]
    share = trainable / total if trainable is not None and total else None
    return [
        cells.duration(median["training_seconds"]),
        cells.count(median["tokens_per_second"]),
        cells.megabytes(median["peak_memory_bytes"]),
        cells.count(trainable),
        cells.percent(share, 2),
        cells.megabytes(median["kept_bytes"]),
    ]


_COSTS = (
    "training_seconds",
    "tokens_per_second",
    "peak_memory_bytes",
    "trainable_parameters",
    "total_parameters",
    "kept_bytes",
)
_MEMORY = ("memory_parameters_bytes", "memory_gradients_bytes", "memory_optimizer_bytes")


def _memory_note(results: Results, task: str, cells: Cells) -> str:
    kinds = select(results.runs, task=task)["memory_kind"].drop_duplicates()
    known = [key for kind in kinds if cells.words.has("tables", key := f"note_memory_{kind}")]
    return " ".join(cells.say(key) for key in known)


def tabulate_memory(results: Results, task: str, words: Wording) -> str:
    """Memory computed from the parameters, beside the measured peak."""
    cells = Cells(words)
    if not results.methods(task):
        return cells.say("no_results")
    header = cells.titles("method", "weights", "gradients", "optimizer", "computed", "peak_memory")
    rows = []
    for method in results.methods(task):
        runs = select(results.runs, task=task, method=method)
        parts = [median_of(runs[name]) for name in _MEMORY]
        known = [part for part in parts if part is not None]
        total = sum(known) if len(known) == len(parts) else None
        peak = median_of(runs["peak_memory_bytes"])
        shown = [cells.megabytes(size) for size in (*parts, total, peak)]
        rows.append([cells.name(method), *shown])
    note = cells.say("note_memory")
    return with_notes(pipe_table(header, rows, "lr"), note, _memory_note(results, task, cells))


# ------------------------------------------------------------------------------ comparisons


def tabulate_comparisons(
    results: Results, task: str, words: Wording, metrics: Sequence[str] | None = None
) -> str:
    """Differences between methods: effect, interval and corrected p value.

    Shown are the pairs with at least one main method.

    Args:
        results: the results.
        task: ``cola`` or ``pos``.
        words: the language.
        metrics: which metrics of the comparisons; without, the first one and the drop.
    """
    cells = Cells(words)
    summary = results.evidence[task]
    if not summary:
        return cells.say("no_results")
    chosen = _chosen_comparisons(results, task, metrics)
    header = cells.titles("evaluation", "metric", "pair", "effect", "interval", "p_corrected")
    several = len({row["evaluation"] for row in chosen}) > 1
    columns = slice(None) if several else slice(1, None)
    rows = [_comparison_row(results, task, row, cells)[columns] for row in chosen]
    notes = [
        cells.say("note_comparisons", family=_families(chosen)),
        _comparison_note(cells, chosen),
    ]
    align = "lllrrr" if several else "llrrr"
    return with_notes(pipe_table(header[columns], rows, align), *notes)


def _chosen_comparisons(
    results: Results, task: str, metrics: Sequence[str] | None
) -> list[Mapping[str, Any]]:
    rows = results.evidence[task]["comparisons"]
    wanted = metrics or list(dict.fromkeys([*(row["metric"] for row in rows[:1]), "drop"]))
    main = set(results.main_methods(task))
    return [row for row in rows if row["metric"] in wanted and {row["first"], row["second"]} & main]


def _comparison_row(results: Results, task: str, row: Mapping[str, Any], cells: Cells) -> list[str]:
    scale = scale_of(row["metric"])
    unit = "unit_plain" if scale == PLAIN else "unit_points"
    return [
        cells.evaluation(results, task, row["evaluation"]),
        cells.say(unit, metric=cells.name(row["metric"])),
        cells.say("pair", first=cells.name(row["first"]), second=cells.name(row["second"])),
        cells.signed(row["effect"], scale),
        cells.interval(row, scale),
        cells.p_value(row["p_corrected"]),
    ]


def _families(rows: Sequence[Mapping[str, Any]]) -> str:
    return "–".join(str(n) for n in sorted({row["family"] for row in rows if row["family"]}))


def _comparison_note(cells: Cells, rows: Sequence[Mapping[str, Any]]) -> str:
    notes = []
    if any(row["covers"] == "items" and row["effect"] is not None for row in rows):
        notes.append(cells.say("note_items_only"))
    if any(row["effect"] is None for row in rows):
        notes.append(cells.say("note_no_common_seed"))
    return " ".join(notes)


__all__ = [
    "tabulate_comparisons",
    "tabulate_corpora",
    "tabulate_costs",
    "tabulate_memory",
    "tabulate_models",
    "tabulate_setup",
]

"""Tables of Task 3: how far and in what way the weights moved, and the representations with them.

Means over seeds, ± their standard deviation. A method whose adapter cannot be merged has no tuned
weights to compare; the tables say so instead of leaving it out silently.
"""

from collections.abc import Iterator

import pandas as pd

from store.frames import select
from store.results import Results, needs
from study.architecture import HEAD, components, layer_number, number_of_layers
from tabulation.cells import (
    PERCENT,
    PLAIN,
    Cells,
    Scale,
    mean_of,
    nothing,
    present,
    scale_of,
)
from tabulation.markdown import Table
from words.wording import MISSING, Wording

METRICS = {
    "l2": Scale(1, 3),
    "relative": Scale(100, 3),
    "rms": Scale(1e6, 1),
    "angle": Scale(1e3, 2),
}
"""Measures of ``drift`` and how the tables write them: per cent, millionths, milliradians."""


def tabulate_drift(results: Results, words: Wording, *measures: str) -> Table:
    """The table of weight drift: models in rows, the assignment's five components in columns.

    Each of the ``measures`` (keys of ``METRICS``) has a row; without any, Euclidean and relative
    distance.
    """
    cells, measures = Cells(words), measures or ("l2", "relative")
    several, rows = len(measures) > 1, []
    for task, method in _models(results):
        drift = select(results.drift, task=task, method=method, kind="all")
        layers = components(number_of_layers(drift["layer"])).values() if len(drift) else ()
        parts = [select(drift, layer=layer) for layer in layers]
        for measure in measures if parts else ():
            shown = [cells.mean(part[measure], METRICS[measure]) for part in parts]
            kind = [cells.say(f"measure_{measure}")] if several else []
            rows.append([cells.model(task, method), *kind, *shown])
    kind = ["measure"] if several else []
    header = cells.titles("model", *kind, "embeddings", "first", "middle", "last", HEAD)
    notes = [cells.say(f"note_{measure}") for measure in measures]
    notes += [cells.say("note_spread"), cells.say("note_drift_head"), _undefined(results, cells)]
    return cells.table(header, rows, "llr" if several else "lr", *notes)


def tabulate_mean_distance(results: Results, words: Wording) -> Table:
    """Mean Euclidean distance over all corresponding layers: ``weight_distance`` without names."""
    cells = Cells(words)
    rows = []
    for task, method in _models(results):
        drift = select(results.drift, task=task, method=method, kind="all")
        inner = drift[drift["layer"].map(layer_number).notna()]
        body = drift[drift["layer"] != HEAD]
        means = [part.groupby("seed")["l2"].mean() for part in (drift, body, inner)]
        count = cells.count(drift["layer"].nunique())
        shown = [cells.mean(mean, METRICS["l2"]) for mean in means]
        rows.append([cells.model(task, method), count, *shown])
    header = cells.titles("model", "layers", "mean_all", "mean_without_head", "mean_encoder")
    notes = [cells.say("note_mean_distance"), _undefined(results, cells)]
    return cells.table(header, rows, "lr", *notes)


def tabulate_structure(results: Results, words: Wording) -> Table:
    """Rank and concentration of the update, overall and in the first, middle and last layer."""
    cells, rows = Cells(words), []
    for task, method in _models(results):
        found = select(results.structure, task=task, method=method)
        parts = {"whole_encoder": found} if len(found) else {}
        for name, layer in components(number_of_layers(found["layer"])).items() if parts else ():
            if layer_number(layer) is not None:
                parts[f"component_{name}"] = select(found, layer=layer)
        for name, part in parts.items():
            row = [cells.model(task, method), cells.say(name), *_structure_cells(part, cells)]
            rows.append(row)
    titles = ("model", "part", "matrices", "rank", "effective_rank", "top8_share", "intruders")
    notes = [cells.say("note_structure"), _undefined(results, cells)]
    return cells.table(cells.titles(*titles), rows, "llr", *notes)


def _structure_cells(found: pd.DataFrame, cells: Cells) -> list[str]:
    changed = found[found["rank"] > 0]
    seeds = found["seed"].nunique()
    return [
        cells.count(len(changed) / seeds),
        cells.count(changed["rank"].max() if len(changed) else None),
        cells.number(mean_of(changed["effective_rank"]), Scale(1, 1)),
        cells.number(mean_of(changed["top8_share"]), PERCENT),
        cells.number(found["intruders"].sum() / seeds, Scale(1, 1)),
    ]


def tabulate_embedding_rows(results: Results, words: Wording) -> Table:
    """Drift of the embedding rows that training touched, and of the others, beside weight decay."""
    cells, rows = Cells(words), []
    for task, method in _models(results):
        found = select(results.embedding_rows, task=task, method=method)
        if len(found):
            drifts = ("touched_mean", "untouched_mean", "decay_mean", "unexplained_max")
            shown = [cells.significant(mean_of(found[name])) for name in drifts]
            share = cells.number(mean_of(found["touched_share"]), PERCENT)
            count = cells.count(mean_of(found["rows"]))
            rows.append([cells.model(task, method), count, share, *shown])
    titles = ("rows", "touched", "drift_touched", "drift_untouched", "decay", "unexplained")
    note = cells.say("note_embedding_rows")
    return cells.table(cells.titles("model", *titles), rows, "lr", note, empty="no_embedding_rows")


def tabulate_untouched(results: Results, words: Wording) -> Table:
    """The check that nothing outside what a method trains has changed by a single bit."""
    cells, rows = Cells(words), []
    for task in results.profile.tasks:
        for method in results.methods(task):
            found = select(results.untouched, task=task, method=method)
            if found["tensors"].any():
                means = [mean_of(found[name]) for name in ("tensors", "parameters")]
                counts = (len(found), *means, found["changed"].sum())
                rows.append([cells.model(task, method), *map(cells.count, counts)])
    header = cells.titles("model", "seeds_count", "tensors", "weights_outside", "changed")
    notes = [cells.say("note_untouched"), _undefined(results, cells)]
    return cells.table(header, rows, "lr", *notes)


def tabulate_representation(results: Results, words: Wording) -> Table:
    """Linear CKA between base and tuned hidden states at five depths, by language."""
    cells, rows = Cells(words), []
    for names, found in _by_evaluation(results, results.representation, cells):
        depths = components(int(found["layer"].max())).values()
        numbers = [number for layer in depths if (number := layer_number(layer)) is not None]
        # Hidden state 0 is the embeddings' output, that of layer n is n + 1.
        values = [select(found, layer=layer)["cka"] for layer in (0, *(n + 1 for n in numbers))]
        rows.append([*names, *(cells.mean(value, PLAIN) for value in values)])
    header = cells.titles("model", "language", "embeddings", "first", "middle", "last")
    tokens, sentences = (
        cells.words.span(results.representation[name]) for name in ("tokens", "sentences")
    )
    note = cells.say("note_representation", tokens=tokens, sentences=sentences)
    notes = [note, _undefined(results, cells)]
    return cells.table(header, rows, "llr", *notes)


def _by_evaluation(
    results: Results, frame: pd.DataFrame, cells: Cells
) -> Iterator[tuple[list[str], pd.DataFrame]]:
    """The rows of every model on every evaluated set, with the names of both."""
    for task, method in _models(results):
        own = select(frame, task=task, method=method)
        for place in own["evaluation"].drop_duplicates():
            names = [cells.model(task, method), cells.evaluation(results, task, place)]
            yield names, select(own, evaluation=place)


def _models(results: Results) -> list[tuple[str, str]]:
    """(task, method) of the finished models whose encoder's weights can have changed."""
    return [(task, m) for task in results.profile.tasks for m in results.moving_methods(task)]


def _undefined(results: Results, cells: Cells) -> str:
    """Names the finished methods without tuned weights."""
    methods = {
        method
        for task in results.profile.tasks
        for method in results.main_methods(task)
        if not results.profile.tasks[task].method(method).mergeable
    }
    names = cells.names(sorted(methods))
    return cells.say("note_undefined", methods=names) if methods else ""


@needs("restoration", nothing)
def tabulate_restoration(results: Results, words: Wording) -> Table:
    """What a trained model loses when a part of it is set back to its values before training."""
    cells, parts = Cells(words), list(dict.fromkeys(results.restoration["part"]))
    rows = [
        [*names, *(_loss(found.set_index("part"), part, cells) for part in parts)]
        for names, found in _by_evaluation(results, results.restoration, cells)
    ]
    header = [*cells.titles("model", "language"), *(cells.title(part) for part in parts)]
    return cells.table(header, rows, "llr", cells.say("note_restoration"))


def _loss(found: pd.DataFrame, part: str, cells: Cells) -> str:
    """The drop with its interval, over items and seeds where there are enough seeds."""
    if part not in found.index:
        return MISSING
    row = found.loc[part]
    names = ("low_items", "high_items") if present(row["low"]) is None else ("low", "high")
    ends = {end: row[name] for end, name in zip(("low", "high"), names, strict=True)}
    return cells.estimate({"value": row["drop"], **ends}, scale_of(row["metric"]))

"""Tables of Task 3: how far and in what way the weights moved, and the representations with them.

Means over seeds, ± their standard deviation. A method whose adapter cannot be merged has no tuned
weights to compare; the tables say so instead of leaving it out silently.
"""

from collections.abc import Callable, Iterator

import pandas as pd

from store.frames import select
from store.results import Results
from study.architecture import HEAD, components, layer_number, number_of_layers
from tabulation.cells import PERCENT, Cells, Scale, mean_of, present, scale_of
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
    for model, drift in _by_model(results, select(results.drift, kind="all"), cells):
        layers = components(number_of_layers(drift["layer"])).values()
        parts = [select(drift, layer=layer) for layer in layers]
        for measure in measures:
            shown = [cells.mean(part[measure], METRICS[measure]) for part in parts]
            kind = [cells.say(f"measure_{measure}")] if several else []
            rows.append([model, *kind, *shown])
    kind = ["measure"] if several else []
    header = cells.titles("model", *kind, "embeddings", "first", "middle", "last", HEAD)
    notes = [cells.say(f"note_{measure}") for measure in measures]
    notes += [cells.say("note_spread"), cells.say("note_drift_head"), _undefined(results, cells)]
    return cells.table(header, rows, "llr" if several else "lr", *notes)


def tabulate_mean_distance(results: Results, words: Wording) -> Table:
    """Mean Euclidean distance over all corresponding layers: ``weight_distance`` without names."""
    cells, rows = Cells(words), []
    for model, drift in _by_model(results, select(results.drift, kind="all"), cells):
        inner = drift[drift["layer"].map(layer_number).notna()]
        body = drift[drift["layer"] != HEAD]
        means = [part.groupby("seed")["l2"].mean() for part in (drift, body, inner)]
        count = cells.count(drift["layer"].nunique())
        shown = [cells.mean(mean, METRICS["l2"]) for mean in means]
        rows.append([model, count, *shown])
    header = cells.titles("model", "layers", "mean_all", "mean_without_head", "mean_encoder")
    notes = [cells.say("note_mean_distance"), _undefined(results, cells)]
    return cells.table(header, rows, "lr", *notes)


def tabulate_structure(results: Results, words: Wording) -> Table:
    """Rank and concentration of the update, overall and in the first, middle and last layer."""
    cells, rows = Cells(words), []
    for model, found in _by_model(results, results.structure, cells):
        parts = {"whole_encoder": found}
        for name, layer in components(number_of_layers(found["layer"])).items():
            if layer_number(layer) is not None:
                parts[f"component_{name}"] = select(found, layer=layer)
        rows += [
            [model, cells.say(name), *_structure_cells(part, cells)] for name, part in parts.items()
        ]
    titles = ("model", "part", "matrices", "rank", "effective_rank", "top8_share", "intruders")
    notes = [cells.say("note_structure"), _undefined(results, cells)]
    return cells.table(cells.titles(*titles), rows, "llr", *notes)


def _structure_cells(found: pd.DataFrame, cells: Cells) -> list[str]:
    changed, seeds = found[found["rank"] > 0], found["seed"].nunique()
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
    for model, found in _by_model(results, results.embedding_rows, cells):
        drifts = ("touched_mean", "untouched_mean", "decay_mean", "unexplained_max")
        shown = [cells.significant(mean_of(found[name])) for name in drifts]
        share = cells.number(mean_of(found["touched_share"]), PERCENT)
        rows.append([model, cells.count(mean_of(found["rows"])), share, *shown])
    titles = ("rows", "touched", "drift_touched", "drift_untouched", "decay", "unexplained")
    note = cells.say("note_embedding_rows")
    return cells.table(cells.titles("model", *titles), rows, "lr", note, empty="no_embedding_rows")


def tabulate_untouched(results: Results, words: Wording) -> Table:
    """The check that nothing outside what a method trains has changed by a single bit."""
    cells, rows = Cells(words), []
    for model, found in _by_model(results, results.untouched, cells, Results.methods):
        if found["tensors"].any():
            means = [mean_of(found[name]) for name in ("tensors", "parameters")]
            counts = (len(found), *means, found["changed"].sum())
            rows.append([model, *map(cells.count, counts)])
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
        rows.append([*names, *map(cells.mean, values)])
    header = cells.titles("model", "language", "embeddings", "first", "middle", "last")
    tokens, sentences = (
        cells.words.span(results.representation[name]) for name in ("tokens", "sentences")
    )
    note = cells.say("note_representation", tokens=tokens, sentences=sentences)
    return cells.table(header, rows, "llr", note, _undefined(results, cells))


def _by_model(
    results: Results,
    frame: pd.DataFrame,
    cells: Cells,
    methods: Callable[[Results, str], list[str]] = Results.moving_methods,
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows of every model that has any, of the methods whose encoder can have changed."""
    for task in results.profile.tasks:
        for method in methods(results, task):
            if len(rows := select(frame, task=task, method=method)):
                yield cells.model(task, method), rows


def _by_evaluation(
    results: Results, frame: pd.DataFrame, cells: Cells
) -> Iterator[tuple[list[str], pd.DataFrame]]:
    """The rows of every model on every evaluated set, with the names of both."""
    for model, rows in _by_model(results, frame, cells):
        for place in rows["evaluation"].drop_duplicates():
            names = [model, cells.evaluation(results, rows["task"].iloc[0], place)]
            yield names, select(rows, evaluation=place)


def _undefined(results: Results, cells: Cells) -> str:
    """Names the finished methods without tuned weights."""
    methods = {
        method
        for name, task in results.profile.tasks.items()
        for method in results.main_methods(name)
        if not task.method(method).mergeable
    }
    return cells.say("note_undefined", methods=cells.names(sorted(methods))) if methods else ""


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
    suffix = "_items" if present(row["low"]) is None else ""
    low, high = row[f"low{suffix}"], row[f"high{suffix}"]
    entry = {"value": row["drop"], "low": low, "high": high}
    return cells.estimate(entry, scale_of(row["metric"]))

"""The table of the learning curves: where validation loss turns, and what the metric does then."""

from collections.abc import Mapping
from typing import Any

from answers.convergence import summarise_convergence
from store.results import Results
from tabulation.cells import PLAIN, Cells, Scale, pipe_table, scale_of, with_notes
from words.wording import MISSING, Wording

EPOCH = Scale(1, 1)


def tabulate_convergence(results: Results, task: str, words: Wording) -> str:
    """Lowest loss, gap to training, turn, best and last metric, and the outlook, by method."""
    cells = Cells(words)
    found = summarise_convergence(results, task)
    if not found:
        return cells.say("no_results")
    metric = found[0]["metric"]
    header = cells.titles("method", "lowest_loss", "gap", "turned", "metric_then")
    name = MISSING if metric is None else cells.name(metric)
    header += cells.titles("best_metric", "final_metric", "one_more_epoch", metric=name)
    rows = [_convergence_row(entry, cells) for entry in found]
    points = metric is not None and scale_of(metric) != PLAIN
    notes = [cells.say("note_convergence"), cells.say("note_points") if points else ""]
    return with_notes(pipe_table(header, rows, "lr"), *notes)


def _convergence_row(entry: Mapping[str, Any], cells: Cells) -> list[str]:
    scale = scale_of(entry["metric"] or "")
    after, outlook = entry["metric_after_turn"], entry["outlook"]
    gain = cells.signed(entry["extrapolated_gain"]["value"], scale)
    return [
        cells.name(entry["method"]),
        _at(entry, "best_loss", PLAIN, cells),
        cells.signed(entry["gap"]["value"]),
        describe_turn(entry, cells),
        MISSING if after is None else cells.name(after),
        _at(entry, "best_metric", scale, cells),
        cells.value(entry["final_metric"], scale),
        gain if outlook is None else f"{gain} ({cells.name(outlook)})",
    ]


def _at(entry: Mapping[str, Any], name: str, scale: Scale, cells: Cells) -> str:
    """A best value and, in brackets, its epoch."""
    value, epoch = cells.value(entry[name], scale), cells.value(entry[f"{name}_epoch"], EPOCH)
    return value if value == MISSING else f"{value} ({epoch})"


def describe_turn(entry: Mapping[str, Any], cells: Cells) -> str:
    """In how many of the runs that are long enough to tell the validation loss turned."""
    if not entry["turn_known"]:
        return MISSING
    return cells.say("k_of_n", k=entry["turned"], n=entry["turn_known"])

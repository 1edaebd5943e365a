"""The table of the learning curves: where validation loss turns, and what the metric does then."""

from answers.convergence import MethodConvergence, summarise_convergence
from evidence.convergence import Spread
from store.results import Results
from tabulation.cells import PLAIN, Cells, Scale, scale_of
from tabulation.markdown import Table
from words.wording import MISSING, Shown, Wording

EPOCH = Scale(1, 1)


def tabulate_convergence(results: Results, task: str, words: Wording) -> Table:
    """Lowest loss, gap to training, turn, best and last metric, and the outlook, by method."""
    cells = Cells(words)
    found = summarise_convergence(results, task)
    metric = found[0]["metric"] if found else None
    first = ("method", "lowest_loss", "gap", "turned", "metric_then")
    last = ("best_metric", "final_metric", "one_more_epoch")
    header = cells.titles(*first, *last, metric=cells.name(metric) if metric else MISSING)
    rows = [_convergence_row(entry, cells) for entry in found]
    points = cells.say("note_points") if metric and scale_of(metric) != PLAIN else ""
    return cells.table(header, rows, "lr", cells.say("note_convergence"), points)


def _convergence_row(entry: MethodConvergence, cells: Cells) -> list[str]:
    scale = scale_of(entry["metric"] or "")
    after, outlook = entry["metric_after_turn"], entry["outlook"]
    gain = cells.signed(entry["extrapolated_gain"]["value"], scale)
    return [
        cells.name(entry["method"]),
        _at(entry["best_loss"], entry["best_loss_epoch"], PLAIN, cells),
        cells.signed(entry["gap"]["value"]),
        describe_turn(entry, cells),
        MISSING if after is None else cells.name(after),
        _at(entry["best_metric"], entry["best_metric_epoch"], scale, cells),
        cells.value(entry["final_metric"], scale),
        gain if outlook is None else Shown(f"{gain} ({cells.name(outlook)})", gain.number),
    ]


def _at(best: Spread, epoch: Spread, scale: Scale, cells: Cells) -> str:
    """A best value and, in brackets, its epoch."""
    value, when = cells.value(best, scale), cells.value(epoch, EPOCH)
    both = {"value": value.number, "epoch": when.number}
    return value if value == MISSING else Shown(f"{value} ({when})", both)


def describe_turn(entry: MethodConvergence, cells: Cells) -> str:
    """In how many of the runs that are long enough to tell the validation loss turned."""
    if not entry["turn_known"]:
        return MISSING
    return cells.say("k_of_n", k=entry["turned"], n=entry["turn_known"])

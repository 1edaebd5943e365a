"""Tables of what training costs: medians over seeds; times are those of training alone."""

from collections.abc import Sequence

from answers import findings
from answers.findings import COMPUTED_MEMORY
from store.frames import select
from store.results import Results, needs
from tabulation.cells import Cells, Scale, nothing
from tabulation.markdown import Table, escape
from words.wording import Shown, Wording

MILLISECONDS, RATIO = Scale(1e3, 0), Scale(1, 2)
MAIN = ("training_seconds", "trainable_parameters", "peak_memory_bytes")
_PARAMETERS = ("trainable_parameters", "total_parameters")
_COSTS = (
    *("training_seconds", "tokens_per_second", "peak_memory_bytes"),
    *("trainable_parameters", "kept_bytes"),
)
_COMPUTED = ("memory_parameters_bytes", "memory_gradients_bytes", "memory_optimizer_bytes")
_MEMORY = (*_COMPUTED, COMPUTED_MEMORY, "peak_memory_bytes")


def show_cost(column: str, value: float | None, cells: Cells) -> Shown:
    """A cost in the unit that the name of its column ends on."""
    shows = {"seconds": cells.duration, "bytes": cells.megabytes}
    return shows.get(column.rpartition("_")[2], cells.count)(value)


def show_costs(
    results: Results, task: str, method: str, cells: Cells, columns: Sequence[str] = MAIN
) -> list[str]:
    """Costs of a method: in the main tables its time, trained parameters and peak of memory."""
    return [show_cost(c, findings.cost(results, task, method, c), cells) for c in columns]


@needs("runs", nothing)
def tabulate_costs(results: Results, task: str, words: Wording) -> Table:
    """Time, speed, memory, trained parameters and what is kept, by method."""
    cells, rows = Cells(words), []
    for method in results.methods(task):
        *first, kept = show_costs(results, task, method, cells, _COSTS)
        trainable, total = (findings.cost(results, task, method, name) for name in _PARAMETERS)
        share = trainable / total if trainable is not None and total else None
        rows.append([cells.name(method), *first, cells.percent(share, 2), kept])
    titles = ("time", "speed", "peak_memory", "trainable", "trainable_share", "kept")
    notes = [cells.say("note_costs"), _memory_note(results, task, cells)]
    return cells.table(cells.titles("method", *titles), rows, "lr", *notes)


def _memory_note(results: Results, task: str, cells: Cells) -> str:
    kinds = select(results.runs, task=task)["memory_kind"].drop_duplicates()
    known = [key for kind in kinds if cells.words.has("tables", key := f"note_memory_{kind}")]
    return " ".join(cells.say(key) for key in known)


@needs("runs", nothing)
def tabulate_memory(results: Results, task: str, words: Wording) -> Table:
    """Memory computed from the parameters, beside the measured peak."""
    cells = Cells(words)
    rows = [
        [cells.name(method), *show_costs(results, task, method, cells, _MEMORY)]
        for method in results.methods(task)
    ]
    header = cells.titles("method", "weights", "gradients", "optimizer", "computed", "peak_memory")
    note = cells.say("note_memory")
    return cells.table(header, rows, "lr", note, _memory_note(results, task, cells))


def tabulate_growth(results: Results, words: Wording) -> Table:
    """What a step and a whole study cost by their size, and the exponent of that growth."""
    cells, rows = Cells(words), []
    for quantity, sizes in results.growth.groupby("quantity", sort=False):
        name: str = cells.say(f"growth_{quantity}")
        exponent: str = cells.number(sizes["exponent"].iloc[0], RATIO)
        for row in sizes.itertuples():
            rows.append([name, cells.count(row.size), cells.number(row.seconds), exponent])
            name, exponent = "", ""
    devices = ", ".join(map(escape, results.growth["device"].drop_duplicates()))
    header = cells.titles("quantity", "size", "seconds", "exponent")
    note = cells.say("note_growth", device=devices)
    return cells.table(header, rows, "lrrr", note, empty="no_growth")


def tabulate_prices(results: Results, task: str, words: Wording) -> Table:
    """The price of a training step: all methods on the same batches, in turns."""
    cells = Cells(words)
    rows = [
        [
            cells.name(row.method),
            cells.number(row.seconds, MILLISECONDS),
            cells.number(row.cpu_seconds, MILLISECONDS),
            cells.estimate({"value": row.ratio, "low": row.low, "high": row.high}, RATIO),
            cells.count(row.steps),
            escape(str(row.device)),
        ]
        for row in select(results.prices, task=task).itertuples()
    ]
    header = cells.titles("method", "step_time", "step_cpu", "price_ratio", "steps", "device")
    return cells.table(header, rows, "lrrrrl", cells.say("note_prices"))

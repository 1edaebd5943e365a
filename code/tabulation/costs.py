"""Tables of what training costs: medians over seeds; times are those of training alone."""

from answers import findings
from answers.findings import COMPUTED_MEMORY
from store.frames import select
from store.results import Results, needs
from tabulation.cells import Cells, Scale, nothing
from tabulation.markdown import Table, escape
from words.wording import Wording

MILLISECONDS, THOUSANDTHS, RATIO = Scale(1e3, 0), Scale(1, 3), Scale(1, 2)
_COSTS = (
    "training_seconds",
    "tokens_per_second",
    "peak_memory_bytes",
    "trainable_parameters",
    "total_parameters",
    "kept_bytes",
)
_MEMORY = (
    "memory_parameters_bytes",
    "memory_gradients_bytes",
    "memory_optimizer_bytes",
    COMPUTED_MEMORY,
    "peak_memory_bytes",
)


def main_costs(results: Results, task: str, method: str, cells: Cells) -> list[str]:
    """Time, trained parameters and peak of memory of a method."""
    names = ("training_seconds", "trainable_parameters", "peak_memory_bytes")
    seconds, trainable, memory = (findings.cost(results, task, method, name) for name in names)
    return [cells.duration(seconds), cells.count(trainable), cells.megabytes(memory)]


@needs("runs", nothing)
def tabulate_costs(results: Results, task: str, words: Wording) -> Table:
    """Time, speed, memory, trained parameters and what is kept, by method."""
    cells = Cells(words)
    header = cells.titles(
        "method", "time", "speed", "peak_memory", "trainable", "trainable_share", "kept"
    )
    rows = [[cells.name(m), *_cost_row(results, task, m, cells)] for m in results.methods(task)]
    notes = [cells.say("note_costs"), _memory_note(results, task, cells)]
    return cells.table(header, rows, "lr", *notes)


def _cost_row(results: Results, task: str, method: str, cells: Cells) -> list[str]:
    cost = {name: findings.cost(results, task, method, name) for name in _COSTS}
    trainable, total = cost["trainable_parameters"], cost["total_parameters"]
    share = trainable / total if trainable is not None and total else None
    return [
        cells.duration(cost["training_seconds"]),
        cells.count(cost["tokens_per_second"]),
        cells.megabytes(cost["peak_memory_bytes"]),
        cells.count(trainable),
        cells.percent(share, 2),
        cells.megabytes(cost["kept_bytes"]),
    ]


def _memory_note(results: Results, task: str, cells: Cells) -> str:
    kinds = select(results.runs, task=task)["memory_kind"].drop_duplicates()
    known = [key for kind in kinds if cells.words.has("tables", key := f"note_memory_{kind}")]
    return " ".join(cells.say(key) for key in known)


@needs("runs", nothing)
def tabulate_memory(results: Results, task: str, words: Wording) -> Table:
    """Memory computed from the parameters, beside the measured peak."""
    cells, rows = Cells(words), []
    header = cells.titles("method", "weights", "gradients", "optimizer", "computed", "peak_memory")
    for method in results.methods(task):
        sizes = (findings.cost(results, task, method, name) for name in _MEMORY)
        rows.append([cells.name(method), *map(cells.megabytes, sizes)])
    note = cells.say("note_memory")
    return cells.table(header, rows, "lr", note, _memory_note(results, task, cells))


def not_measured(words: Wording) -> Table:
    """What stands in place of the table where ``make bench`` was not run."""
    return Table(Cells(words).say("no_growth"))


@needs("growth", not_measured)
def tabulate_growth(results: Results, words: Wording) -> Table:
    """What a step and a whole study cost by their size, and the exponent of that growth."""
    cells, rows = Cells(words), []
    for quantity, sizes in results.growth.groupby("quantity", sort=False):
        first, *others = (
            [cells.count(row.size), cells.number(row.seconds, THOUSANDTHS)]
            for row in sizes.itertuples()
        )
        exponent = cells.number(sizes["exponent"].iloc[0], RATIO)
        rows.append([cells.say(f"growth_{quantity}"), *first, exponent])
        rows += [["", *other, ""] for other in others]
    devices = ", ".join(map(escape, results.growth["device"].drop_duplicates()))
    header = cells.titles("quantity", "size", "seconds", "exponent")
    return cells.table(header, rows, "lrrr", cells.say("note_growth", device=devices))


@needs("prices", nothing)
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

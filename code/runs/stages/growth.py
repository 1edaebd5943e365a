"""How the cost of a step and of a study grows with their size; measured by ``make bench`` alone."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from encoders.models import describe_device
from encoders.precision import Machine, this_machine
from evidence.costs import growth_exponent
from runs.grid import Stage
from store.entries import Entry, Key, Store

STAGE = Stage("growth", 1, __name__)
BASE = {"tokens": 512, "width": 256, "depth": 4}  # of a batch; hidden size; layers
SIZES = {
    "tokens": (512, 1024, 2048),
    "width": (256, 512, 1024),
    "depth": (4, 8, 16),
    "seeds": (1, 2, 4),
}
Seconds = Mapping[str, Mapping[int, float]]  # what grows -> size -> seconds


def key(machine: Machine) -> Key:
    """The sizes, and the kind of machine."""
    sizes = {name: list(of_name) for name, of_name in SIZES.items()}
    device, precision = machine
    payload = {"base": BASE, "sizes": sizes, "device": device, "precision": precision}
    return STAGE.key("cost", payload)


def make(store: Store, measure: Callable[[], Seconds]) -> Entry:
    """Measures the growth on this kind of machine, or finds it measured.

    Args:
        store: where the entry is.
        measure: seconds of a training step by ``tokens``, ``width`` and ``depth``, everything else
            as in ``BASE``, and of a whole tiny study by the number of ``seeds``.
    """

    def write(_folder: Path) -> dict[str, Any]:
        return {"base": BASE, "rows": list(_rows(measure()))}

    return STAGE.produce(store, key(this_machine()), write, describe_device())


def _rows(found: Seconds) -> Iterator[dict[str, Any]]:
    for quantity, seconds in found.items():
        exponent = growth_exponent(list(seconds), list(seconds.values()))
        for size, of_size in seconds.items():
            yield {"quantity": quantity, "size": size, "seconds": of_size, "exponent": exponent}

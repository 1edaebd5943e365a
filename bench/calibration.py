"""How often the report's verdicts are false, in simulated studies whose truth is known.

    python bench/calibration.py [--quick] [--only KIND ...] [--check]

Writes ``code/evidence/calibration.json``, which the report reads, and ``bench/calibration.md``. The
results are known by the code of the rules and of the evidence behind them, without comments and
docstrings; a test fails when that code has changed since. ``--only`` renews some kinds and keeps
the others, if they are of the present code. ``--check`` says whether the stored results are, and
exits with status 1 if not. ``--quick`` takes half a minute on a quiet machine, the whole five.
"""

import argparse
import ast
import hashlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "code"))

import numpy as np
import searches
import simulated
from simulated import Case

from evidence.calibration import FILE, Rate, read_rates
from store.provenance import modules_behind
from study.paths import project_root

TABLE = project_root() / "bench" / "calibration.md"
FULL = 10  # times as many studies as in the quick mode
RESAMPLES = 1000  # of each study; the report takes four times as many
FOUNDATIONS = (
    "text.rules",
    "evidence.comparisons",
    "evidence.convergence",
    "evidence.costs",
    "evidence.experiments",
)

HEAD = """<!-- written by bench/calibration.py -->
How often statements are false, in simulated studies whose truth is known (`bench/simulated.py`): in
all studies, and at the true difference, in margins, where it is most often. "More" and "less" are
false where the truth is not on that side of zero, "no difference that matters" where it reaches the
margin. What rests on items, points or batches is a statement about these runs and held against the
truth about them; how often it would be false about the method stands beside it. Errors are one
standard error of the simulation."""

Simulation = Callable[[np.random.Generator], Iterator[Case]]


def simulations(scale: int) -> dict[str, Simulation]:
    """All simulations; those that resample, or read curves, are repeated less often.

    Args:
        scale: 1 for the quick mode.
    """
    few, many = 4 * scale, 50 * scale
    return {
        "acceptability": partial(simulated.acceptability, few, RESAMPLES),
        "contrasts": partial(simulated.contrasts, few, RESAMPLES),
        "tagging": partial(simulated.tagging, few, RESAMPLES),
        "searches": partial(searches.searches, few, RESAMPLES),
        "curves": partial(simulated.curves, 2 * scale),
        "turns": partial(simulated.turns, 4 * scale),
        "tags": partial(simulated.tags, many),
        "depth": partial(simulated.depth, many),
        "states": partial(simulated.states, many),
        "durations": partial(simulated.durations, many),
        "steps": partial(simulated.steps, 2 * many, RESAMPLES),
    }


def code_digest() -> str:
    """Hash of the code that decides the results, as it is parsed: comments do not count."""
    behind = {name for root in FOUNDATIONS for name in modules_behind(root)}
    names = sorted(name for name in behind if name.startswith(("evidence.", "text.rules")))
    files = [project_root().joinpath("code", *name.split(".")).with_suffix(".py") for name in names]
    digest = hashlib.sha256(repr(simulated.MARGINS).encode())
    for file in [*files, Path(simulated.__file__), Path(searches.__file__)]:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):  # a docstring is an expression that is a constant
                node.body = [part for part in body if not _is_text(part)]  # type: ignore[attr-defined]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:16]


def stored_code() -> str | None:
    """The hash that the stored results are known by; None without any."""
    return json.loads(FILE.read_text(encoding="utf-8"))["code"] if FILE.exists() else None


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def summarise(simulation: str, cases: Iterable[Case]) -> Iterator[Rate]:
    """Rates of each kind and number of seeds; the worst is that of the worst true difference."""
    groups: dict[tuple[str, int], list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.kind, case.seeds].append(case)
    for (kind, seeds), own in groups.items():
        sizes: dict[float, list[bool]] = defaultdict(list)
        for case in own:
            sizes[case.size].append(case.false)
        size, worst = max(sizes.items(), key=lambda item: float(np.mean(item[1])))
        yield Rate(
            simulation=simulation,
            kind=kind,
            seeds=seeds,
            covers=own[0].covers,
            studies=len(own),
            false=float(np.mean([case.false for case in own])),
            worst=float(np.mean(worst)),
            worst_size=size,
            worst_studies=len(worst),
            false_of_method=float(
                np.mean([simulated.is_false(case.verdict, case.method) for case in own])
            ),
            unclear=float(np.mean([not case.verdict.decided for case in own])),
        )


def table(rates: Iterable[Rate]) -> str:
    """The rates as a table in Markdown."""
    lines = [
        HEAD,
        "",
        "| statement | runs | interval over | studies | false, % | worst, % at margins "
        "| false of the method, % | unclear, % |",
        "|:--|--:|:--|--:|--:|--:|--:|--:|",
    ]
    for rate in rates:
        if not rate.covers:
            continue
        where = f" at {abs(rate.worst_size):g}" if rate.worst else ""
        lines.append(
            f"| {rate.kind} | {rate.seeds} | {rate.covers} | {rate.studies:,} "
            f"| {100 * rate.false:.1f} ± {100 * rate.error:.1f} "
            f"| {100 * rate.worst:.1f} ± {100 * rate.worst_error:.1f}{where} "
            f"| {100 * rate.false_of_method:.1f} | {100 * rate.unclear:.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Simulate, store, write the table; 1 if ``--check`` finds the results out of date."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=list(simulations(1)), default=[])
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args()
    digest = code_digest()
    current = stored_code() == digest
    if chosen.check:
        print("up to date" if current else "the code has changed: python bench/calibration.py")
        return 0 if current else 1
    known = read_rates() if current else []
    for name, simulate in simulations(1 if chosen.quick else FULL).items():
        if chosen.only and name not in chosen.only:
            continue
        start = time.perf_counter()
        found = list(summarise(name, simulate(np.random.default_rng(0))))
        known = [rate for rate in known if rate.simulation != name] + found
        known.sort(key=lambda rate: list(simulations(1)).index(rate.simulation))
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
        rows = [vars(rate) for rate in known]
        FILE.write_text(json.dumps({"code": digest, "rates": rows}, indent=1) + "\n")
    TABLE.write_text(table(known), encoding="utf-8")
    print(TABLE.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())

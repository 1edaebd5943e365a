"""Kills a small study at random moments and lets it go on, until its results can be compared.

A child process runs the study from what is stored and is killed (SIGKILL) after a random time,
again and again, until one gets through. Then everything stored must be what a study that was never
killed has stored: weights, predictions and evidence bit for bit, and nothing set aside as damaged.
The child is a fork of a process that has loaded the libraries, so that a kill costs no start.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest import MonkeyPatch

from rendering.export import export_results
from runs.completion import Grid
from store.entries import Store
from store.results import load_results
from study.settings import Profile
from tiny_study import load_tiny_profile

ONE_SEED = """
[profiles.tiny.cola]
seeds = [1]
[profiles.tiny.pos]
seeds = [1]
"""
MEASURED = ("price",)  # stages whose content is time and memory
SHOWN = ("shown", "figure")  # known by when and where their results were made
VOLATILE = ("seconds", "bytes", "costs")  # what a resumption may measure differently


@dataclass
class Tally:
    """What was done: kills by the stage that was being made, and studies that were compared."""

    kills: Counter[str] = field(default_factory=Counter)
    studies: int = 0
    files: int = 0


def torture(kills: int, folder: Path, seed: int = 0) -> Tally:
    """Kills so often, in as many studies as that takes; raises where a result differs.

    ``DATA_DIR`` and ``MODEL_DIR`` must name the inputs of ``tiny_study``.
    """
    profile, chance, tally = load_tiny_profile(ONE_SEED), random.Random(seed), Tally()
    _complete(profile, folder / "whole")  # here, so that every child has all libraries loaded
    shutil.rmtree(folder / "whole")
    started = time.monotonic()
    _run(profile, folder / "whole", None)
    duration = time.monotonic() - started
    whole = stored(folder / "whole")
    assert len(whole) > 40, "the comparison would be empty"
    while tally.kills.total() < kills:
        cache = folder / f"study{tally.studies}"
        through = False
        while not through:
            # Several deaths before a study is through; the last one is left in peace.
            limit = 0.25 * duration * chance.random()
            through = _run(profile, cache, limit if tally.kills.total() < kills else None)
            if not through:
                tally.kills[_unfinished(cache)] += 1
        found = stored(cache)
        differing = sorted(name for name in whole if found.get(name) != whole[name])
        assert found.keys() == whole.keys(), sorted(found.keys() ^ whole.keys())
        assert not differing, f"study {tally.studies} differs: {differing}"
        assert not (cache / "damaged").exists(), "a kill has left damage"
        tally.studies += 1
        tally.files += len(found)
        shutil.rmtree(cache)
        print(report(tally), file=sys.stderr, flush=True)
    return tally


def _run(profile: Profile, cache: Path, limit: float | None) -> bool:
    """Runs the study and exports its results in a child; False if it was killed at the limit."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            log = os.open(os.devnull, os.O_WRONLY)
            os.dup2(log, 1), os.dup2(log, 2)
            _complete(profile, cache)
            status = 0
        finally:
            os._exit(status)
    deadline = None if limit is None else time.monotonic() + limit
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, f"the study ended with status {status}"
            return True
        if deadline is not None and time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            return status == 0
        time.sleep(0.005)


def _complete(profile: Profile, cache: Path) -> None:
    """The study, and the file of its results."""
    Grid(profile, Store(cache)).complete()
    with MonkeyPatch.context() as patch:
        patch.setattr("store.results.load_profile", lambda _: profile)
        patch.setenv("CACHE_DIR", str(cache))
        export_results(load_results("tiny", cache), cache.parent / "output")


def _unfinished(cache: Path) -> str:
    """The stage whose entry was being made: its temporary folder was left behind."""
    left = sorted(cache.glob("*/.*.tmp"), key=lambda path: path.stat().st_mtime)
    return left[-1].parent.name if left else "between"


def stored(cache: Path) -> dict[str, str]:
    """File of an entry -> hash of its content, without what is measured anew."""
    found = {}
    for file in sorted(cache.glob("*/*/*")):
        stage, entry = file.relative_to(cache).parts[:2]
        if stage[0] == "." or entry[0] == "." or stage in (*MEASURED, *SHOWN, "corpora", "damaged"):
            continue
        if file.name in ("manifest.json", "provenance.json"):
            continue
        content = file.read_bytes()
        if file.name == "result.json":
            content = json.dumps(_stable(json.loads(content)), sort_keys=True).encode()
        found[f"{stage}/{entry}/{file.name}"] = hashlib.sha256(content).hexdigest()
    return found


def _stable(content: Any) -> Any:
    if isinstance(content, dict):
        kept = {k: v for k, v in content.items() if not k.endswith(VOLATILE)}
        return {name: _stable(value) for name, value in kept.items()}
    return [_stable(value) for value in content] if isinstance(content, list) else content


def report(tally: Tally) -> str:
    """One line of counts."""
    stages = ", ".join(f"{stage} {count}" for stage, count in tally.kills.most_common())
    return (
        f"{tally.kills.total()} kills ({stages}) in {tally.studies} studies; "
        f"{tally.files} stored files equal, bit for bit"
    )


def main(kills: int) -> None:
    """Tortures in a temporary folder and prints the counts."""
    import tempfile

    from tiny_study import write_tiny_inputs

    with tempfile.TemporaryDirectory() as folder:
        inputs = write_tiny_inputs(Path(folder) / "inputs")
        os.environ |= {"DATA_DIR": str(inputs / "data"), "MODEL_DIR": str(inputs / "models")}
        print(report(torture(kills, Path(folder))), file=sys.stdout)

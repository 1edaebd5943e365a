"""Kills a small study at random moments and lets it go on, until its results can be compared.

A child process runs the study from what is stored and is killed (SIGKILL) after a random time,
again and again, until one gets through. Then everything stored must be what a study that was never
killed has stored: weights, predictions and evidence bit for bit, and nothing set aside as damaged.
A fifth of the kills meets the render of the report: what lies in the output folder then is a whole
report or none, the store is as it was, and the next render is that of an undisturbed one.
The child is a fork of a process that has loaded the libraries, so that a kill costs no start.
"""

import functools
import gc
import hashlib
import json
import os
import random
import re
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest import MonkeyPatch
from tqdm import tqdm

from rendering import preview
from rendering.export import export_results
from runs.completion import Grid
from store.entries import Store
from store.reading import load_results
from study.paths import project_root
from study.settings import Profile
from tiny_study import PROFILE, load_tiny_profile
from verification.pages import read_pdf
from waiting import PATIENCE

ONE_SEED = """
[profiles.tiny.cola]
seeds = [1]
[profiles.tiny.pos]
seeds = [1]
"""
RENDERS = 5  # one kill in so many meets the render
MEASURED = ("price", "latency")  # stages whose content is time and memory
SHOWN = ("figure",)  # known by when and where their results were made
VOLATILE = ("seconds", "bytes", "costs")  # what a resumption may measure differently


@dataclass
class Tally:
    """What was done: kills by the stage that was being made, and studies that were compared."""

    kills: Counter[str] = field(default_factory=Counter)
    studies: int = 0
    files: int = 0
    reports: int = 0


def torture(kills: int, folder: Path, seed: int = 0) -> Tally:
    """Kills so often, in as many studies as that takes; raises where a result differs.

    ``DATA_DIR`` and ``MODEL_DIR`` must name the inputs of ``tiny_study``.
    """
    # tqdm's own lock is shared with forked processes: a killed one would hold it for ever.
    tqdm.set_lock(threading.RLock())
    profile, chance, tally = load_tiny_profile(ONE_SEED), random.Random(seed), Tally()
    _complete(profile, folder / "whole")  # here, so that every child has all libraries loaded
    shutil.rmtree(folder / "whole")
    gc.freeze()  # no child need go through what has been loaded when it collects garbage
    duration = _time(lambda: _complete(profile, folder / "whole"))
    whole = stored(folder / "whole")
    assert len(whole) > 40, "the comparison would be empty"
    _torture_renders(-(-kills // RENDERS), folder / "whole", chance, tally)
    while tally.kills.total() < kills:
        cache = folder / f"study{tally.studies}"
        through = False
        while not through:
            # Several deaths before a study is through; the last one is left in peace.
            limit = 0.25 * duration * chance.random()
            through = _survives(
                functools.partial(_complete, profile, cache),
                limit if tally.kills.total() < kills else None,
            )
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


def _torture_renders(kills: int, cache: Path, chance: random.Random, tally: Tally) -> None:
    """Kills the render of a finished study, over an older report or where there is none."""
    folder = cache.parent / "rendered"
    folder.mkdir()
    settings, output = folder / "tiny.toml", folder / "output"
    settings.write_text(PROFILE.replace("seeds = [1, 2]", "seeds = [1]"), encoding="utf-8")

    def render() -> None:
        preview.render(project_root() / "report.qmd", output, "tiny")

    with MonkeyPatch.context() as patch:
        patch.setenv("EXPERIMENTS_FILE", str(settings))
        patch.setenv("CACHE_DIR", str(cache))
        patch.setenv("OUTPUT_DIR", str(output))
        patch.setenv("FIGURES_DIR", str(folder / "figures"))
        duration, before = _time(render), stored(cache)
        whole = _shown(output)
        assert len(whole) == 3, whole.keys()
        while tally.kills["render"] < kills:
            if chance.random() < 0.5:
                shutil.rmtree(output, ignore_errors=True)  # a kill may have come before it
                shutil.rmtree(folder / "figures", ignore_errors=True)
            through = _survives(render, duration * chance.random())
            tally.kills["render"] += not through
            assert _shown(output).items() <= whole.items(), "a part of a report was left behind"
        assert _survives(render, None) and _shown(output) == whole
        assert stored(cache) == before, "a render has changed what is stored"
        assert not list(output.glob(".render-*")), "a killed render's work was left behind"
        tally.reports += 1


def _shown(output: Path) -> dict[str, str]:
    """What a reader finds: the text of each document, and the numbers."""
    found = {file.name: " ".join(read_pdf(file)) for file in output.glob("report.*pdf")}
    for page in output.glob("report.*html"):
        body = re.sub(
            r"<(script|style|svg)\b.*?</\1>", " ", page.read_text("utf-8"), flags=re.DOTALL
        )
        found[page.name] = re.sub(r"<[^>]+>", " ", body)
    if (numbers := output / "results.json").is_file():
        found[numbers.name] = json.dumps(json.loads(numbers.read_text(encoding="utf-8")))
    return found


def _time(work: Callable[[], None]) -> float:
    started = time.monotonic()
    assert _survives(work, None)
    return time.monotonic() - started


def _survives(work: Callable[[], None], limit: float | None) -> bool:
    """Does the work in a child; False if it was killed (SIGKILL) after so many seconds."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            log = os.open(os.devnull, os.O_WRONLY)
            os.dup2(log, 1), os.dup2(log, 2)
            work()
            status = 0
        finally:
            os._exit(status)
    deadline = time.monotonic() + (PATIENCE if limit is None else limit)
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, f"the child ended with status {status}"
            return True
        if time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            assert limit is not None, f"waited {PATIENCE:.0f} seconds for {work}"
            return status == 0
        time.sleep(0.005)


def _complete(profile: Profile, cache: Path) -> None:
    """The study, and the file of its results."""
    Grid(profile, Store(cache)).complete()
    with MonkeyPatch.context() as patch:
        patch.setattr("store.reading.load_profile", lambda _: profile)
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
        f"{tally.files} stored files equal, bit for bit, {tally.reports} report whole"
    )


def main(kills: int, seed: int) -> None:
    """Tortures in a temporary folder and prints the counts; the seed decides the moments."""
    import tempfile

    from tiny_study import write_tiny_inputs

    with tempfile.TemporaryDirectory() as folder:
        inputs = write_tiny_inputs(Path(folder) / "inputs")
        os.environ |= {"DATA_DIR": str(inputs / "data"), "MODEL_DIR": str(inputs / "models")}
        print(report(torture(kills, Path(folder), seed)), file=sys.stdout)

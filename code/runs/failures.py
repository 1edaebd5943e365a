"""Records a run that failed: a sentence for the ledger, and a log with the traceback."""

import contextlib
import time
import traceback
from pathlib import Path

from store.entries import file_name
from study.errors import StudyError

FOLDER = "failures"  # below the stored results


def record(root: Path, run: str, error: BaseException) -> str:
    """Writes ``failures/<run>.log`` and returns why the run failed, as a sentence."""
    log = Path(FOLDER) / f"{file_name(run)}.log"
    said = time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime()) + run + "\n"
    with contextlib.suppress(OSError):  # the run may have failed because the disk is full
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        (root / log).write_text(said + "".join(traceback.format_exception(error)), encoding="utf-8")
    if isinstance(error, StudyError):
        return str(error)
    first = next(iter(str(error).strip().splitlines()), "")
    kind = type(error).__name__
    return f"{kind}: {first} (traceback: {log})" if first else f"{kind} (traceback: {log})"

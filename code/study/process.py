"""Prepares a process for a study: standard streams, folders, variables, a home.

Closed streams, characters that a stream cannot show, a missing home or user, and relative paths
must not end a study.
"""

import contextlib
import getpass
import os
import sys
from pathlib import Path

from study.environment import take_away
from study.paths import cache_folder, project_root

# Folders and files that the user names; other processes of the study have other working folders.
PLACES = (
    *("CACHE_DIR", "DATA_DIR", "EXPERIMENTS_FILE", "FIGURES_DIR", "MODEL_DIR", "OUTPUT_DIR"),
    *("HF_HOME", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "MPLCONFIGDIR", "TMPDIR"),
)


def prepare() -> list[str]:
    """Makes this process fit for a study; doing it twice changes nothing.

    Returns:
        Names of variables that were set and would have decided results (``environment``).
    """
    _open_streams()
    try:
        Path.cwd()
    except FileNotFoundError:  # it was removed after the command's shell had entered it
        os.chdir(project_root())
    for variable in PLACES:
        if value := os.environ.get(variable):
            with contextlib.suppress(RuntimeError):  # "~" where there is no home
                os.environ[variable] = str(Path(value).expanduser().absolute())
    _find_home()
    return take_away()


def say_taken_away(names: list[str]) -> None:
    """Names the removed variables on standard error."""
    if names:
        print(
            f"not heeded, because experiments.toml alone decides results: {', '.join(names)}",
            file=sys.stderr,
            flush=True,
        )


def _open_streams() -> None:
    """Opens closed standard streams; characters that a stream cannot show are replaced."""
    # All of them first: what sys holds, opened in between, would take a number of theirs, and no
    # child, such as the report's kernel, would inherit it.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # else the next file that is opened would get this number
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None or stream.closed:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure") and mode == "w" and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _find_home() -> None:
    """Gives a home and a name to a user that the system does not know (as in many containers)."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = str(cache_folder() / ".home")
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["USER"] = f"user-{os.getuid()}"

"""The project's folders. Functions, not constants: nothing is computed at import.

Three environment variables move folders: ``CACHE_DIR`` (stored results), ``DATA_DIR`` (the user's
corpora) and ``MODEL_DIR`` (the user's checkpoints).
"""

import contextlib
import os
import re
from pathlib import Path

from study.errors import StudyError

# The folders of an absolute path, of this or another system; the part of an address is none.
_FOLDERS = re.compile(r"(?<![\w.:/~])(?:~?/(?:[^\s/'\"]+/)+|[A-Za-z]:\\(?:[^\s\\'\"]+\\)+)")


def project_root() -> Path:
    """The folder that holds ``report.qmd`` and ``code/``."""
    return Path(__file__).resolve().parents[2]


def cache_folder() -> Path:
    """The folder of the stored results (``CACHE_DIR``, else ``cache/``)."""
    return Path(os.environ.get("CACHE_DIR") or project_root() / "cache")


def figures_folder() -> Path:
    """The folder that the render writes every figure of the report to."""
    return Path(os.environ.get("FIGURES_DIR") or project_root() / "figures")


def output_folder(profile: str) -> Path:
    """The folder of a profile's ``report.html``, ``report.pdf`` and ``results.json``."""
    return Path(os.environ.get("OUTPUT_DIR") or project_root() / "_output" / profile)


def data_folder() -> Path | None:
    """The user's folder of corpora, or None where ``DATA_DIR`` is not set.

    Raises:
        StudyError: ``DATA_DIR`` is set and is not a folder.
    """
    return _folder_from_environment("DATA_DIR")


def model_folder() -> Path | None:
    """The user's folder of checkpoints, or None where ``MODEL_DIR`` is not set.

    Raises:
        StudyError: ``MODEL_DIR`` is set and is not a folder.
    """
    return _folder_from_environment("MODEL_DIR")


def without_folders(text: str) -> str:
    """Removes this machine's folders from a text, because results are passed on.

    Paths below the project become relative to it, paths in the user's folders begin with the
    variable that names the folder, and other absolute paths are cut to their last name.
    """
    known = {str(project_root()): ""}
    with contextlib.suppress(RuntimeError):  # a user whom the system does not know has no home
        known[str(Path.home())] = "~"
    known |= {os.environ[v]: v for v in ("CACHE_DIR", "DATA_DIR", "MODEL_DIR") if os.environ.get(v)}
    for folder in sorted(known, key=len, reverse=True):
        inside = f"{known[folder]}/" if known[folder] else ""
        text = text.replace(folder.rstrip("/") + "/", inside)
    return _FOLDERS.sub("…/", text)


def _folder_from_environment(variable: str) -> Path | None:
    value = os.environ.get(variable)
    if not value:
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise StudyError(
            f"{variable} is set to {value!r}, which is not a folder",
            remedy=f"point {variable} at an existing folder, or unset it to use the hub",
        )
    return folder.resolve()

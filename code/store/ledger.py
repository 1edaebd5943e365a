"""Which stored entries a profile's report shows: ``cache/ledger-<profile>.json``.

Written by the run, read by the report. It lets the report be rendered where neither the data nor
the models nor torch are at hand, from a copied ``cache/``.
"""

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from store.entries import canonical_json, disk_errors
from study.errors import StudyError
from study.paths import without_folders
from study.settings import Profile


class Ledger:
    """Entries by run and stage, and the reasons of runs that failed."""

    def __init__(self, profile: Profile, content: dict[str, Any] | None = None):
        empty: dict[str, Any] = {"runs": {}, "tasks": {}, "failures": {}}
        self.content = content or {**empty, "profile": profile.name, "settings": digest_of(profile)}
        self._profile = profile

    @classmethod
    def load(cls, root: Path, profile: Profile) -> "Ledger":
        """The ledger of a profile.

        Raises:
            StudyError: nothing has been run with these settings yet.
        """
        file = _file(root, profile)
        problem = f"no results for the present settings of profile {profile.name!r}"
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            if not _is_ledger(content):
                problem = "the list of stored results is damaged"
            elif content["settings"] == digest_of(profile):
                return cls(profile, content)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, RecursionError):
            problem = "the list of stored results cannot be read"
        raise StudyError(
            problem, where=str(file), remedy=f"python code/run.py --profile {profile.name}"
        )

    def save(self, root: Path) -> None:
        """Writes the ledger, replacing the old one in one step; an equal one is left alone.

        Raises:
            StudyError: the folder cannot be written.
        """
        file = _file(root, self._profile)
        text = json.dumps(self.content, indent=1, ensure_ascii=False) + "\n"
        with disk_errors(root):
            if file.exists() and file.read_bytes() == text.encode():
                return
            root.mkdir(parents=True, exist_ok=True)
            temporary = file.with_suffix(f".{os.getpid()}.tmp")
            temporary.write_text(text, encoding="utf-8", newline="\n")
            temporary.replace(file)

    def record(self, run: str, stages: dict[str, Any]) -> None:
        """Records the entries of a finished run."""
        self.content["runs"][run] = stages
        self.content["failures"].pop(run, None)

    def record_left_out(self, run: str, reason: str) -> None:
        """Records a run that is trained but not shown, because its kind of machine is another."""
        self.content.setdefault("left_out", {})[run] = reason

    def record_failure(self, run: str, reason: str) -> None:
        """Records why a run could not be finished, without this machine's folders."""
        self.content["failures"][run] = without_folders(reason)

    def record_task(self, task: str, stages: dict[str, Any]) -> None:
        """Records entries that belong to a task as a whole."""
        self.content["tasks"].setdefault(task, {}).update(stages)

    def finished(self, run: str) -> bool:
        """Whether the run's entries are recorded."""
        return run in self.content["runs"]


def digest_of(profile: Profile) -> str:
    """Hash of a profile's settings; its title does not count."""
    return hashlib.sha256(canonical_json(dataclasses.asdict(profile)["tasks"]).encode()).hexdigest()


def _is_ledger(content: Any) -> bool:
    """Whether it has the shape of a ledger; names are checked when entries are opened."""
    if not isinstance(content, dict) or content.get("settings") is None:
        return False
    parts: list[Any] = [content.get(name) for name in ("runs", "tasks", "failures")]
    if not all(isinstance(part, dict) for part in (*parts, content.get("left_out", {}))):
        return False
    return all(isinstance(stages, dict) for part in parts[:2] for stages in part.values())


def _file(root: Path, profile: Profile) -> Path:
    return root / f"ledger-{profile.name}.json"

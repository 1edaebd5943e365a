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

from store.entries import canonical_json
from study.errors import StudyError
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
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            content = {}
        if content.get("settings") != digest_of(profile):
            raise StudyError(
                f"no results for the present settings of profile {profile.name!r}",
                where=str(file),
                remedy=f"python code/run.py --profile {profile.name}",
            )
        return cls(profile, content)

    def save(self, root: Path) -> None:
        """Writes the ledger, replacing the old one in one step."""
        root.mkdir(parents=True, exist_ok=True)
        file = _file(root, self._profile)
        temporary = file.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(self.content, indent=1, ensure_ascii=False) + "\n")
        temporary.replace(file)

    def record(self, run: str, stages: dict[str, Any]) -> None:
        """A run is finished."""
        self.content["runs"][run] = stages
        self.content["failures"].pop(run, None)

    def record_failure(self, run: str, reason: str) -> None:
        """A run could not be finished."""
        self.content["failures"][run] = reason

    def record_task(self, task: str, stages: dict[str, Any]) -> None:
        """Entries that belong to a task as a whole."""
        self.content["tasks"].setdefault(task, {}).update(stages)

    def finished(self, run: str) -> bool:
        """Whether the run's entries are recorded."""
        return run in self.content["runs"]


def digest_of(profile: Profile) -> str:
    """Hash of a profile's settings; its title does not count."""
    return hashlib.sha256(canonical_json(dataclasses.asdict(profile)["tasks"]).encode()).hexdigest()


def _file(root: Path, profile: Profile) -> Path:
    return root / f"ledger-{profile.name}.json"

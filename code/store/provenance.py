"""Where a result came from: commit, versions, device, time, and the code that made it.

Provenance is stored beside a result and never decides whether it can be reused (``store``).
"""

import hashlib
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from study.paths import project_root

PACKAGES = (
    "torch",
    "transformers",
    "datasets",
    "peft",
    "evaluate",
    "seqeval",
    "scikit-learn",
    "accelerate",
    "huggingface_hub",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "seaborn",
    "conllu",
)


def describe(modules: tuple[str, ...], device: str) -> dict[str, Any]:
    """Provenance of a result made now.

    Args:
        modules: the names of our own modules whose code decides the result.
        device: the device in words.
    """
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "device": device,
        "packages": package_versions(),
        **commit_state(),
        "modules": module_digests(modules),
    }


def package_versions() -> dict[str, str]:
    """Installed versions of the packages that the study rests on; absent ones are left out."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def commit_state() -> dict[str, Any]:
    """The project's commit and whether the working tree differs from it (None: not a checkout)."""
    commit = _git("rev-parse", "HEAD")
    status = _git("status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": None if status is None else bool(status)}


def module_digests(modules: tuple[str, ...]) -> dict[str, str]:
    """First 12 hex digits of each module file's SHA-256."""
    folder = project_root() / "code"
    return {name: _digest(folder / f"{name.replace(chr(46), chr(47))}.py") for name in modules}


def changed_modules(recorded: dict[str, str]) -> list[str]:
    """Modules whose file differs from the digest recorded with a result."""
    return [name for name, digest in recorded.items() if module_digests((name,))[name] != digest]


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.exists() else "absent"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(project_root()), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()

"""Where a result came from: commit, versions, device, time, and the code that made it.

Provenance is stored beside a result and never decides whether it can be reused (``store``).
"""

import ast
import functools
import hashlib
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping
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


def describe(module: str, device: str) -> dict[str, Any]:
    """Provenance of a result made now."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "device": device,
        "packages": package_versions(),
        **commit_state(),
        "modules": module_digests(modules_behind(module)),
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


def modules_behind(module: str) -> tuple[str, ...]:
    """Names of our modules that a module imports, directly or indirectly, that one first.

    Read from the imports, transitively. Left out: this room, which stores what it is given, and the
    ``__init__`` of packages, which only re-export names.
    """
    behind, waiting = [module], [module]
    while waiting:
        file = _file(waiting.pop())
        imported = _imports(file, file.stat().st_mtime_ns)
        new = [name for name in imported if name not in behind]
        behind += new
        waiting += new
    return (module, *sorted(set(behind) - {module}))


def module_digests(modules: Iterable[str]) -> dict[str, str]:
    """First 12 hex digits of each module file's SHA-256."""
    return {name: _digest(_file(name)) for name in modules}


def changed_modules(recorded: Mapping[str, str]) -> list[str]:
    """Modules whose file differs from the digest recorded with a result."""
    present = module_digests(recorded)
    return [name for name, digest in recorded.items() if present[name] != digest]


@functools.cache
def _imports(file: Path, _modified: int) -> list[str]:
    """Our own modules that a file imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return sorted(n for n in names if not n.startswith("store.") and _file(n).is_file())


def _file(module: str) -> Path:
    return project_root().joinpath("code", *module.split(".")).with_suffix(".py")


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

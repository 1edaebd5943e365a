"""Finds damage in a stored entry, and moves a damaged entry aside.

An entry is whole if its manifest can be read, belongs to the folder's name, names the three files
that every entry has, and every file that it names is there with its checksum. Files above
``LARGE_FILE`` are checked when they are opened, not whenever the entry is found. Line ends do not
count in JSON: a copy by way of another operating system may have changed them.
"""

import errno
import hashlib
import itertools
import json
import re
import sys
from pathlib import Path
from typing import Any

from filelock import FileLock

from study.errors import StudyError

MANIFEST = "manifest.json"
LARGE_FILE = 16 * 2**20  # bytes
ALWAYS = ("config.json", "result.json", "provenance.json")
DAMAGED, LOCKS = "damaged", ".locks"
_NAME = re.compile(r"[\w-]+/[\w.-]*-[0-9a-f]{12}", re.ASCII)


def entry_folder(root: Path, name: str) -> Path:
    """The folder of the entry ``<stage>/<name>-<hash12>`` in a store.

    Raises:
        StudyError: that is no name of an entry, or it leads out of the store.
    """
    folder = root / name if isinstance(name, str) and _NAME.fullmatch(name) else None
    if folder is None or not folder.resolve().is_relative_to(root.resolve()):
        raise StudyError(
            f"expected the name of a stored result, <stage>/<name>-<hash>, got {name!r}",
            where=str(root),
            remedy="delete the ledger-*.json there and run the command again",
        )
    return folder


def find_damage(folder: Path, digest: str | None = None, *, thorough: bool = False) -> str | None:
    """What is wrong with an entry, in words, or None; ``thorough`` checks large files too."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files, recorded = dict(manifest["files"]), str(manifest["digest"])
        facts = {name: (int(file["bytes"]), str(file["sha256"])) for name, file in files.items()}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "its manifest is missing or unreadable"
    if recorded != (digest or recorded) or recorded[:12] != folder.name[-12:]:
        return "it belongs to another key"
    for name in ALWAYS:
        if name not in facts:
            return f"its manifest lacks {name}"
    for name, (size, checksum) in facts.items():
        damage = _file_damage(folder, name, size, checksum, thorough)
        if damage:
            return f"{name} {damage}"
    return None


def _file_damage(folder: Path, name: str, size: int, checksum: str, thorough: bool) -> str | None:
    file = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return "lies outside the entry"
    if not file.is_file():
        return "is missing"
    if file.suffix != ".json" and file.stat().st_size != size:
        return f"has {file.stat().st_size} bytes instead of {size}"
    if (thorough or size <= LARGE_FILE) and file_digest(file) != checksum:
        return "does not match its checksum"
    return None


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and checksum of every file of an entry, for its manifest."""
    return {
        file.relative_to(folder).as_posix(): {
            "bytes": file.stat().st_size,
            "sha256": file_digest(file),
        }
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def file_digest(file: Path) -> str:
    """SHA-256 (hex) of a file; of JSON with line feeds, whatever its line ends are."""
    if file.suffix == ".json":
        return hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def set_aside(folder: Path, digest: str | None = None, *, thorough: bool = False) -> Path | None:
    """Moves a damaged entry to ``damaged/`` beside the stages and says so.

    The damage is looked for again under a lock, with the arguments of ``find_damage``, because
    another process may have moved the entry and made it anew.

    Returns:
        Its new place, or None where there was nothing to move.

    Raises:
        StudyError: it cannot be moved.
    """
    root = folder.parent.parent
    try:
        (root / LOCKS).mkdir(exist_ok=True)
        with FileLock(root / LOCKS / "damaged.lock"):
            reason = find_damage(folder, digest, thorough=thorough) if folder.exists() else None
            if reason is None:
                return None
            damaged, name = root / DAMAGED, f"{folder.parent.name}-{folder.name}"
            damaged.mkdir(parents=True, exist_ok=True)
            names = itertools.chain([name], (f"{name}.{number}" for number in itertools.count(1)))
            target = next(damaged / name for name in names if not (damaged / name).exists())
            folder.rename(target)
    except OSError as error:
        raise StudyError(
            f"a stored result is damaged and cannot be moved aside: {error.strerror}",
            where=str(folder),
            remedy="make the folder writable, or delete that result: it is made anew",
        ) from error
    print(
        f"A stored result is damaged: {folder.parent.name}/{folder.name} ({reason}). "
        f"It is kept as {DAMAGED}/{target.name} and made anew when it is needed.",
        file=sys.stderr,
    )
    return target


def is_set_aside(root: Path, name: str) -> bool:
    """Whether a damaged entry of that name was moved aside."""
    plain = name.replace("/", "-")
    return any((root / DAMAGED).glob(f"{plain}*"))


def is_disk_error(error: BaseException) -> bool:
    """Whether an error comes from the disk or its permissions and not from the program."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _DISK_ERRORS
    # torch, safetensors and Typst report a full disk by an error without a number.
    return any(text in str(error) for text in ("No space left on device", "file write failed"))


_DISK_ERRORS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG),
    *(errno.EISDIR, errno.ELOOP, errno.EMFILE, errno.ENFILE),
    *(errno.EIO, errno.ESTALE, errno.ENOLCK, errno.ENOTSUP),  # network drives, also without locks
}

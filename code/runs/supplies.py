"""Whether what a study starts from can be had: corpora, checkpoints at their revisions, Quarto."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from encoders.checkpoints import WEIGHTS, Checkpoint, find_file, loading
from encoders.models import load_tokenizer
from runs.inputs import Inputs
from study.errors import StudyError
from study.settings import MethodSettings, Profile, TaskSettings

QUARTO_SECONDS = 30


@dataclass(frozen=True)
class Supply:
    """A corpus or a model that a profile needs."""

    name: str  # with its splits, or its revision
    told: str  # where it comes from, or what was tried and what to do
    here: bool  # whether it can be had


def find_supplies(inputs: Inputs, profile: Profile) -> list[Supply]:
    """Every corpus and checkpoint of a profile, each once.

    Texts are read as a run reads them, which fetches a few megabytes where they come from the hub.
    Of a checkpoint on the hub configuration and tokenizer are fetched, and its weights looked for.
    """
    found: dict[str, Supply] = {}
    for task in profile.tasks.values():
        for supply in (*_corpora(inputs, task), *_models(inputs, task)):
            found.setdefault(supply.name, supply)
    return list(found.values())


def describe_quarto() -> str:
    """Quarto's place and version, in a sentence; without it the report is rendered all the same."""
    binary = shutil.which("quarto")
    if binary is None:
        return "Quarto: not on the PATH; `python code/run.py render` writes the report without it"
    try:
        done = subprocess.run(
            [binary, "--version"],
            capture_output=True,
            text=True,
            timeout=QUARTO_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"Quarto: {binary} does not run ({type(error).__name__})"
    return f"Quarto: {done.stdout.strip()}, {binary}"


def _corpora(inputs: Inputs, task: TaskSettings) -> Iterator[Supply]:
    for address in (task.train, *task.evaluations):
        try:
            count = len(inputs.split(task, address).items)
        except StudyError as error:
            yield Supply(address, str(error), False)
        else:
            yield Supply(address, f"{count} sentences, {inputs.source(task, address)}", True)


def _models(inputs: Inputs, task: TaskSettings) -> Iterator[Supply]:
    for name, method in {name_model(method): method for method in task.methods}.items():
        try:
            yield Supply(name, _find_model(inputs, task, method), True)
        except StudyError as error:
            yield Supply(name, str(error), False)


def name_model(method: MethodSettings) -> str:
    """The name of the supply that a method starts from."""
    pinned = f" at {method.revision[:12]}" if method.revision else ""
    return f"{method.model_name_or_path}{pinned}"


def _find_model(inputs: Inputs, task: TaskSettings, method: MethodSettings) -> str:
    """Where a checkpoint comes from.

    Raises:
        StudyError: it, its tokenizer or its weights cannot be had.
    """
    checkpoint = inputs.checkpoint(task, method)
    load_tokenizer(checkpoint)
    if checkpoint.revision is None:
        return checkpoint.source
    size = _bytes_to_fetch(checkpoint)
    return f"{checkpoint.source}, " + (f"{size / 1e6:.0f} MB to fetch" if size else "fetched")


def _bytes_to_fetch(checkpoint: Checkpoint) -> int:
    """Bytes of the weights on the hub; 0 where they lie in its local cache already.

    Raises:
        StudyError: they are in neither place.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache

    revision = checkpoint.revision
    if isinstance(try_to_load_from_cache(checkpoint.location, WEIGHTS, revision=revision), str):
        return 0
    with loading(checkpoint):
        index = find_file(checkpoint, f"{WEIGHTS}.index.json")
        info = HfApi().model_info(checkpoint.location, revision=revision, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        weights = [s for n, s in sizes.items() if n.endswith(".safetensors") and "/" not in n]
        if not weights or not (index or WEIGHTS in sizes):
            raise FileNotFoundError(f"{WEIGHTS} is missing at this revision")
        return sizes[WEIGHTS] if WEIGHTS in sizes else sum(weights)

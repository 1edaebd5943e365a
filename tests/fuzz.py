"""Damages corpora, settings and checkpoints and reads them: a valid load, or one sentence.

A damaged file must either be read whole, its sentences reconciled with a plain count, or
be refused by a ``StudyError`` that names the file (and the line, where it has lines). Anything else
that is raised is a finding.
"""

import random
import re
import shutil
import sys
import tempfile
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from transformers.utils import logging

from corpora.treebank import read_conllu
from corpora.tsv import read_acceptability
from encoders.models import find_checkpoint, load_base, load_tokenizer
from encoders.packaged import write_checkpoint
from encoders.packed import read_packed
from packed_file import write_small_file
from study.errors import StudyError
from study.paths import project_root
from study.profiles import load_profile
from tiny import save_checkpoint
from tiny_study import write_tiny_inputs

PACKED = "packed encoder"
SPACES = ("\r\n", "\r", "\n", "\n\n", "\t", "\t\t", " ", "\u00a0", "\u2028", "\x0b", "\x1c", "\x85")
LETTERS = (
    "\ufeff",
    "\u200b",
    "\u200d",
    "e\u0301",
    "\u05d0\u05d1",
    "\u202e",
    "👩\u200d👧",
    "\x00",
    "X",
)
VALUES = ("0", "-1", "1-2", "8.1", "9" * 21, "NaN", "1e999", "null", "{}", "[]", '"', "'", "#", "=")
PIECES = (*SPACES, *LETTERS, *VALUES)


@dataclass
class Tally:
    """What became of the damaged inputs, by kind."""

    loaded: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line of counts."""
        kinds = ", ".join(
            f"{kind} {self.loaded[kind]} read and {self.refused[kind]} refused"
            for kind in sorted(self.loaded | self.refused)
        )
        total = self.loaded.total() + self.refused.total() + len(self.findings)
        return f"{total} damaged inputs: {kinds}; findings: {len(self.findings)}"


def damage(content: bytes, chance: random.Random) -> bytes:
    """One to three changes: bytes, pieces of text, lines, an end cut off."""
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(content) + 1)
        kind = chance.randrange(7)
        if kind == 0 and content:
            place = min(place, len(content) - 1)
            content = content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
        elif kind == 1:
            content = content[:place]
        elif kind == 2:
            content = content[:place] + content[place + chance.randint(1, 40) :]
        elif kind == 3:
            content = content[:place] + chance.choice(PIECES).encode() + content[place:]
        else:
            lines = content.splitlines(keepends=True) or [b""]
            first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
            if kind == 4:
                lines[first] = lines[second]
            elif kind == 5:
                lines.insert(first, lines[second])
            else:
                del lines[first]
            content = b"".join(lines)
    return content


def _count_conllu(file: Path) -> None:
    words = [len(sentence.words) for sentence in read_conllu(file)]
    text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    blocks = [block for block in re.split(r"\n{2,}", text.strip("\n")) if block]
    assert len(words) == len(blocks), f"{len(blocks)} sentences in the file, {len(words)} read"
    expected = [len(re.findall(r"^[1-9][0-9]*\t", block, re.MULTILINE)) for block in blocks]
    assert words == expected, "words were lost"


def _count_tsv(file: Path) -> None:
    read = len(read_acceptability(file, "in"))
    text = file.read_bytes().decode("utf-8-sig")
    assert read == text.removesuffix("\n").count("\n") + 1, f"{read} sentences read"


def _read_settings(file: Path) -> None:
    try:
        names = list(tomllib.loads(file.read_text(encoding="utf-8")).get("profiles", {}))
    except ValueError:
        names = ["full"]  # what is no TOML has no names: it is for load_profile to say so
    for name in names:
        load_profile(name, [file])


def _load_model(file: Path) -> None:
    checkpoint = find_checkpoint(str(file.parent), "")
    load_tokenizer(checkpoint)
    load_base(checkpoint, "token", 17, seed=1)


def _unpack(file: Path) -> None:
    """The packaged encoder's file: every tensor decoded, and its checkpoint written and loaded."""
    packed = read_packed(file)
    for name in packed.directory:
        packed.tensor(name)
    write_checkpoint(packed, file.parent / "checkpoint", ("a z . a",))
    checkpoint = find_checkpoint(str(file.parent / "checkpoint"), "")
    tokens = load_tokenizer(checkpoint)("a z . a").input_ids
    load_base(checkpoint, "token", 17, seed=1)
    assert tokens, "its tokenizer reads nothing"


def fuzz(count: int, seed: int = 0) -> Tally:
    """Reads so many damaged inputs: corpora for the most part, settings, and checkpoints."""
    chance, tally = random.Random(seed), Tally()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = write_tiny_inputs(folder / "inputs")
        model = save_checkpoint(folder / "model", layers=1)
        treebank, acceptability = (
            sorted((inputs / "data").rglob(pattern), key=lambda file: file.stat().st_size)[0]
            for pattern in ("*.conllu", "*.tsv")
        )
        kinds: dict[str, tuple[Path, Callable[[Path], None], int]] = {
            "CoNLL-U": (treebank, _count_conllu, 40),
            "TSV": (acceptability, _count_tsv, 30),
            "TOML": (project_root() / "experiments.toml", _read_settings, 20),
        }
        for file in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"):
            kinds[file] = (model / file, _load_model, 3)
        (folder / PACKED).write_bytes(write_small_file())
        kinds[PACKED] = (folder / PACKED, _unpack, 10)
        weights = [weight for *_, weight in kinds.values()]
        for kind in chance.choices(list(kinds), weights, k=count):
            whole, read, _ = kinds[kind]
            _try(tally, kind, whole, read, chance, folder)
    return tally


def _try(
    tally: Tally,
    kind: str,
    whole: Path,
    read: Callable[[Path], None],
    chance: random.Random,
    folder: Path,
) -> None:
    place = folder / "damaged"
    if read is _load_model:
        shutil.copytree(whole.parent, place)
    place.mkdir(exist_ok=True)
    file = place / whole.name
    content = whole.read_bytes()
    if kind in ("CoNLL-U", "TSV"):
        content = _some(content, chance)
    file.write_bytes(damage(content, chance))
    try:
        read(file)
        tally.loaded[kind] += 1
    except StudyError as error:
        if str(place) in str(error):
            tally.refused[kind] += 1
        else:
            tally.findings.append(f"{kind}: names no file: {error}")
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        tally.findings.append(
            f"{kind}: {type(error).__name__}: {str(error)[:200]} "
            f"({Path(where.filename).name}:{where.lineno})"
        )
    shutil.rmtree(place)


def _some(content: bytes, chance: random.Random) -> bytes:
    """A few sentences of a corpus, so that a change is likely to matter."""
    mark = b"\n\n" if b"\n\n" in content else b"\n"
    parts = [part for part in content.split(mark) if part]
    first = chance.randrange(max(1, len(parts) - 3))
    return mark.join(parts[first : first + 3]) + mark


def main(count: int, seed: int) -> int:
    """Prints the counts and every finding; 1 if there are any."""
    tally = fuzz(count, seed)
    for finding, times in Counter(tally.findings).most_common():
        print(f"{times} x {finding}", file=sys.stderr)
    print(tally.summary())
    return 1 if tally.findings else 0

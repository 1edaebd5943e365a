"""The corpora of the study: one interface to the hub, a local folder and the miniature corpora.

Whatever the origin, a corpus has the same typed splits; ``Corpus.source`` says in a sentence where
it came from, and a split's hash depends on its content alone. Words are syntactic words;
``encoders.tokens`` splits them into pieces.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from corpora.hub import load_hub_acceptability, load_hub_treebank
from corpora.items import SPLIT_NAMES, Corpus, Sentence, Split
from corpora.treebank import conllu_name, read_conllu
from corpora.tsv import read_acceptability
from study.errors import StudyError
from study.paths import data_folder

ORIGINS: tuple[str, ...] = ("hub", "local", "miniature")

_ACCEPTABILITY = "cola"
# (file, domain) in the order in which GLUE joins them.
_COLA_FILES: dict[str, tuple[tuple[str, str], ...]] = {
    "train": (("in_domain_train.tsv", "in"),),
    "validation": (("in_domain_dev.tsv", "in"), ("out_of_domain_dev.tsv", "out")),
}
_NO_DATA_REMEDY = (
    "Set DATA_DIR to a folder that holds cola/*.tsv and ud/UD_*/*.conllu, or use "
    "`--profile demo`, which needs no data."
)


def load_corpus(
    name: str, origin: str, splits: tuple[str, ...], folder: Path | None = None
) -> Corpus:
    """Loads splits of a corpus.

    Args:
        name: "cola", or a UD treebank code such as "en_ewt" (miniature: "en_mini", "de_mini").
        origin: "hub", "local" or "miniature". ``DATA_DIR``, when set, turns "hub" into "local".
        splits: of "train", "validation", "test"; CoLA has no labelled test split.
        folder: local: the data folder instead of ``DATA_DIR``; hub: where release files are kept
            if the loading script cannot be had.

    Raises:
        StudyError: an unknown name, origin or split; data that is missing, malformed, cut off
            or out of reach.
    """
    if origin not in ORIGINS:
        raise StudyError(
            f"unknown origin {origin!r} of corpus {name!r}; the origins are {', '.join(ORIGINS)}"
        )
    valid = tuple(_COLA_FILES) if name == _ACCEPTABILITY else SPLIT_NAMES
    for split in splits:
        if split not in valid:
            raise StudyError(
                f"corpus {name!r} has no split {split!r}; its splits are {', '.join(valid)}"
            )
    if origin == "miniature":
        source = (
            f"{name}, a miniature corpus that comes with this project (code/corpora/miniature)."
        )
        return _read_folder(name, splits, miniature_folder(), source)
    if data := (folder if origin == "local" else None) or data_folder():
        source = f"{name} read from local files in the layout of its public release."
        return _read_folder(name, splits, data, source)
    if origin == "local":
        raise StudyError(
            f"corpus {name!r} is to be read from a local folder, but DATA_DIR is not set",
            remedy=_NO_DATA_REMEDY,
        )
    if name == _ACCEPTABILITY:
        return load_hub_acceptability(splits)
    return load_hub_treebank(name, splits, folder)


def miniature_folder() -> Path:
    """The project's own corpora, laid out as ``DATA_DIR``; its README says how they were made."""
    return Path(__file__).with_name("miniature")


def training_vocabulary(split: Split) -> frozenset[str]:
    """The lower-cased word forms of a tagged split."""
    return frozenset(word.form.lower() for item in split.items for word in item.words)


def acceptability_items(split: Split) -> pd.DataFrame:
    """One row per sentence: text, label, source, domain, phenomenon, length (words)."""
    rows = [
        (item.text, item.label, item.source, item.domain, item.phenomenon, len(item.text.split()))
        for item in split.items
    ]
    columns = ["text", "label", "source", "domain", "phenomenon", "length"]
    return pd.DataFrame(rows, columns=columns)


def tagging_items(split: Split, pieces: Sequence[int], seen: frozenset[str]) -> pd.DataFrame:
    """One row per syntactic word, in corpus order.

    Args:
        split: tagged sentences with W words in all.
        pieces: (W,) number of word pieces of each word.
        seen: lower-cased forms of the English training split.

    Returns:
        Columns sentence and position (0-based), form, tag, deprel, xpos, head, pieces, seen,
        length (words of the sentence).

    Raises:
        ValueError: ``pieces`` has another length than the split has words.
    """
    rows = [
        (index, position, w.form, w.upos, w.deprel, w.xpos, w.head, len(item.words))
        for index, item in enumerate(split.items)
        for position, w in enumerate(item.words)
    ]
    if len(pieces) != len(rows):
        raise ValueError(f"expected pieces of {len(rows)} words, got {len(pieces)}")
    columns = ["sentence", "position", "form", "tag", "deprel", "xpos", "head", "length"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["pieces"] = list(pieces)
    frame["seen"] = [form.lower() in seen for form in frame["form"]]
    return frame


def _read_folder(name: str, splits: tuple[str, ...], root: Path, source: str) -> Corpus:
    if not root.is_dir():
        raise StudyError(
            f"corpus {name!r} was looked for in this folder, which does not exist",
            where=str(root),
            remedy=_NO_DATA_REMEDY,
        )
    read = _read_acceptability_split if name == _ACCEPTABILITY else _read_treebank_split
    return Corpus(name, {split: read(name, split, root) for split in splits}, source)


def _read_acceptability_split(name: str, split: str, root: Path) -> Split:
    items: list[Sentence] = []
    for file_name, domain in _COLA_FILES[split]:
        path = root / "cola" / file_name
        if not os.path.lexists(path):  # a broken link is reported when the file is read
            raise _missing(name, split, path)
        items += read_acceptability(path, domain)
    return Split(split, tuple(items))


def _read_treebank_split(name: str, split: str, root: Path) -> Split:
    """The sentences of the split's file, or of its parts in the order of their names."""
    whole, in_parts = (f"UD_*/{conllu_name(name, split, part)}" for part in ("", "*"))
    named = [folder / conllu_name(name, split) for folder in sorted((root / "ud").glob("UD_*"))]
    found = [path for path in named if os.path.lexists(path)]
    parts = sorted((root / "ud").glob(in_parts), key=_by_numbers)
    if not found and not parts:
        raise _missing(name, split, root / "ud" / whole)
    folders = sorted({path.parent for path in (*found, *parts)})
    if len(folders) > 1 or (found and parts):
        every = [*found, *parts]
        raise StudyError(
            f"expected one file of {name!r}, got {len(every)} ({every[0]} and {every[-1]})",
            remedy="Keep one of them in the data folder, or its parts in one folder.",
        )
    return Split(split, tuple(item for path in found or parts for item in read_conllu(path)))


def _by_numbers(path: Path) -> list[tuple[int, str]]:
    """Sorts ``train-10`` behind ``train-9``."""
    pieces = re.findall(r"\d+|\D+", str(path))
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in pieces]


def _missing(name: str, split: str, path: Path) -> StudyError:
    return StudyError(
        f"the {split} split of corpus {name!r} was looked for here and there is no such file",
        where=str(path),
        remedy=_NO_DATA_REMEDY,
    )

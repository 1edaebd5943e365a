"""A small file in the layout of the packaged encoder (``encoders.packed``)."""

import struct

import numpy as np

from encoders.packed import BLOCK

WIDTH, LAYERS, PIECES, POSITIONS = 32, 1, 9, 8


def write_small_file() -> bytes:
    """A file of the packed layout: one layer, nine pieces, one row more than pieces."""
    generator = np.random.default_rng(0)
    pieces = [
        piece.encode() for piece in ("<s>", "<pad>", "</s>", "<unk>", "a", "▁a", "б", ".", "z")
    ]
    offsets = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype("<u4")
    head = struct.pack("<8i", 1, WIDTH, LAYERS, 2, 2 * WIDTH, PIECES + 1, POSITIONS, 2)
    head += struct.pack("<fi", 1e-12, BLOCK) + struct.pack("<5i", PIECES, 0, 2, 1, 3)
    head += struct.pack("<Q", offsets[-1]) + offsets.tobytes()
    head += np.linspace(-1, -9, PIECES).astype("<f4").tobytes() + b"".join(pieces)
    head += struct.pack("<iI", 1, 5) + struct.pack("<IB", 9, 0)
    return b"E5S1" + head + _tensors(len(head) + 4, generator)


def _tensors(start: int, generator: np.random.Generator) -> bytes:
    shapes = {
        "emb.word": (PIECES + 1, WIDTH),
        "emb.pos": (POSITIONS * WIDTH,),
        "emb.type": (2 * WIDTH,),
        "emb.ln.w": (WIDTH,),
        "emb.ln.b": (WIDTH,),
    }
    for name, rows, columns in (
        *((name, WIDTH, WIDTH) for name in ("q", "k", "v", "ao")),
        ("fi", 2 * WIDTH, WIDTH),
        ("fo", WIDTH, 2 * WIDTH),
    ):
        shapes |= {f"l0.{name}.w": (rows, columns), f"l0.{name}.b": (rows,)}
    for name in ("aln", "oln"):
        shapes |= {f"l0.{name}.w": (WIDTH,), f"l0.{name}.b": (WIDTH,)}
    directory, body = struct.pack("<i", len(shapes)), b""
    start += 4 + sum(len(name) + 23 for name in shapes)
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        if len(shape) == 2:
            scales = generator.random(count // BLOCK).astype("<f2").view("u1").reshape(-1, 2)
            nibbles = generator.integers(0, 256, (count // BLOCK, BLOCK // 2), dtype="u1")
            content = np.concatenate([scales, nibbles], axis=1).tobytes()
        else:
            content = generator.random(count).astype("<f4").tobytes()
        kind = int(len(shape) == 2)
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, count, start + len(body), len(content))
        body += content
    return directory + body

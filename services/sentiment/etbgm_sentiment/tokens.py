"""Text to token numbers, the same way in training and in service."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

MAX_TOKENS = 64
"""Longer phrases are cut: GoEmotions comments have at most 33 words."""

_PLAIN = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"'})


def plain_quotes(text: str) -> str:
    """Curly quotes made straight, as recognisers write them ("don't")."""
    return text.translate(_PLAIN)


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in `path`, cutting at MAX_TOKENS, without padding."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def tokenise(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """The token numbers of each text, 2 to MAX_TOKENS of them."""
    return [encoding.ids for encoding in tokenizer.encode_batch([plain_quotes(text) for text in texts])]


def pad(ids: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Token numbers and their mask, both (rows, longest); padding is 0 in both."""
    lengths = np.array([len(row) for row in ids])
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
    numbers = np.zeros_like(mask)
    numbers[mask == 1] = np.concatenate([np.asarray(row, np.int64) for row in ids])
    return numbers, mask

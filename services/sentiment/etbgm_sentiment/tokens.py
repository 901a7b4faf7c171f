"""Converts text to token numbers in the same way for training and serving."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

MAX_TOKENS = 64
"""Length at which our own model cuts phrases: GoEmotions comments have at most 33 words."""

_PLAIN = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"'})


def plain_quotes(text: str) -> str:
    """Replaces curly quotes by straight ones, as recognisers write them ("don't")."""
    return text.translate(_PLAIN)


def load_tokenizer(path: Path, max_length: int = MAX_TOKENS) -> Tokenizer:
    """Loads the tokenizer in `path`; it truncates at `max_length` and does not pad."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return tokenizer


def tokenise(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Returns the token numbers of each text, including those added at its start and end."""
    return [encoding.ids for encoding in tokenizer.encode_batch([plain_quotes(text) for text in texts])]


def pad(ids: Sequence[Sequence[int]], pad_id: int = 0) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns token numbers and their mask, both (rows, longest), padded with `pad_id` and 0."""
    lengths = np.array([len(row) for row in ids])
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
    numbers = np.full_like(mask, pad_id)
    numbers[mask == 1] = np.concatenate([np.asarray(row, np.int64) for row in ids])
    return numbers, mask

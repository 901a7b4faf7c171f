"""Cuts one source into clips and measures it, in two passes over the file, in bounded memory."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.signal import find_peaks

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.media.waveform import Samples
from etbgm_riffusion.dataset import audio
from etbgm_riffusion.dataset.clips import LOUDNESS_LUFS, ClipWriter
from etbgm_riffusion.dataset.cutting import sounding, starts_of, strengths
from etbgm_riffusion.dataset.features import heard, key_of
from etbgm_riffusion.dataset.folder import DatasetFolder, short_name
from etbgm_riffusion.dataset.pulse import FRAMES_PER_S, Pulse, beats_of, listen
from etbgm_riffusion.dataset.types import ClipFacts, SourceRecord
from etbgm_riffusion.diffusion.types import CLIP

OnSeconds = Callable[[float], None]
"""Called with seconds of sound that were processed; may raise to stop."""

EXCERPT_S = 30
"""The key, and the features that a guess of the emotion needs, are measured in the middle of a source."""

_CLEAR_ONSET = 0.3
_KEYS = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")


class Measurer:
    """Measures sources into `folder`; `settings` identifies how, and is stored with each."""

    def __init__(self, folder: DatasetFolder, writer: ClipWriter, settings: str) -> None:
        self._folder, self._writer, self._settings = folder, writer, settings

    def measure(self, root: Path, source: str, guessed: bool, on_seconds: OnSeconds) -> SourceRecord:
        """Writes the clips of a source and its record, unless it was measured before.

        `guessed`: the emotion will be guessed, which needs more features. Raises Unreadable if not even the
        beginning can be decoded.
        """
        path = root / source
        try:
            sha256 = sha256_of(path)
        except OSError as error:
            raise audio.Unreadable(path, error.strerror or str(error)) from error
        sound = _Sound(path, on_seconds)
        record = known = self._folder.record(source, sha256, self._settings)
        if record:
            on_seconds(2 * record.duration_s)
        else:
            pulse = listen(sound.blocks())
            if not pulse.frames:
                raise audio.Unreadable(path, sound.fault or "it has no sound")
            record = self._cut(source, sound, pulse, sha256)
        if guessed and record.clips and not record.heard:
            features = heard(sound.excerpt(record.duration_s), audio.RATE_HZ)
            rounded = {name: round(value, 5) for name, value in features.items()}
            record = record.model_copy(update={"heard": rounded})
        if record is not known:
            self._folder.write_record(record)
        return record

    def _cut(self, source: str, sound: "_Sound", pulse: Pulse, sha256: str) -> SourceRecord:
        beats, tempo_bpm = beats_of(pulse)
        starts = starts_of(pulse, beats)
        loud = sounding(pulse, starts)
        tonic, mode = key_of(sound.excerpt(pulse.duration_s), audio.RATE_HZ) if loud else (0, "")
        return SourceRecord(
            source=source,
            sha256=sha256,
            settings=self._settings,
            duration_s=round(pulse.duration_s, 2),
            loudness_lufs=round(pulse.loudness_lufs, 2),
            tempo_bpm=round(tempo_bpm, 1) if tempo_bpm else None,
            key=f"{_KEYS[tonic]} {mode}" if mode else None,
            tags=audio.tags_of(sound.path),
            heard={},
            clips=tuple(self._write(short_name(source), sound, pulse, loud)),
            silent=len(starts) - len(loud),
            fault=sound.fault,
        )

    def _write(self, name: str, sound: "_Sound", pulse: Pulse, starts: list[int]) -> Iterator[ClipFacts]:
        gain = 10 ** ((LOUDNESS_LUFS - pulse.loudness_lufs) / 20) if starts else 1.0
        usual = gain * float(np.sqrt(np.mean(10 ** (pulse.levels_db / 10), dtype=np.float64)))
        strength = strengths(pulse)
        hop = self._writer.params.hop
        places = [start * hop for start in starts]
        for number, (start, clip) in enumerate(
            zip(starts, audio.cut(sound.blocks(), places, self._writer.samples), strict=True)
        ):
            onsets, _ = find_peaks(strength[start : start + CLIP], height=_CLEAR_ONSET, distance=6)
            path = self._folder.path / "train" / f"{name}-{number:04}.png"
            self._folder.clear(path.stem)
            yield self._writer.write(
                np.ascontiguousarray(clip * np.float32(gain)),
                path,
                start / FRAMES_PER_S,
                len(onsets) / (CLIP / FRAMES_PER_S),
                usual,
            )


class _Sound:
    """A file that is read several times; a fault in its middle ends it and is kept in `fault`."""

    def __init__(self, path: Path, on_seconds: OnSeconds) -> None:
        self.path, self.fault = path, ""
        self._on_seconds = on_seconds

    def blocks(self, from_s: float = 0.0) -> Iterator[Samples]:
        try:
            for block in audio.blocks(self.path, from_s):
                self._on_seconds(len(block) / audio.RATE_HZ)
                yield block
        except audio.Unreadable as error:
            self.fault = error.why

    def excerpt(self, duration_s: float) -> Samples:
        """Returns EXCERPT_S seconds from about the middle, or from the beginning if that cannot be read."""
        quiet, from_s = _Sound(self.path, lambda _: None), max(0.0, (duration_s - EXCERPT_S) / 2)
        found = list(islice(quiet.blocks(from_s), EXCERPT_S)) or list(islice(quiet.blocks(), EXCERPT_S))
        return np.concatenate(found)

"""Mixdown and separation sound as they did when they were last listened to."""

from pathlib import Path

import numpy as np
import soundfile

from etbgm_kit.types import Span
from etbgm_mixer.mixing.mix import Mix, Outputs, Parts
from etbgm_mixer.mixing.music_bed import PlacedCue
from etbgm_mixer.separation import separate
from etbgm_mixer.separation.deepfilter_engine import DeepFilterSeparator
from etbgm_mixer.types import MixSettings
from tests.golden import assert_sounds_as_kept
from tests.mixer.conftest import RATE_HZ, Sound, noise, sine, write

SPANS = (Span(1.5, 4), Span(7, 9.5))
DURATION_S = 12.0


def vowels() -> Sound:
    """A voice's harmonics under a syllable's envelope on SPANS, (samples, 1)."""
    times_s = np.arange(round(DURATION_S * RATE_HZ)) / RATE_HZ
    pitch_hz = 130 + 20 * np.sin(2 * np.pi * 0.7 * times_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    voice = sum(np.sin(n * phase) / n for n in range(1, 25))
    spoken = sum(((times_s >= span.start_s) & (times_s < span.end_s)).astype(float) for span in SPANS)
    syllables = 0.5 - 0.5 * np.cos(2 * np.pi * 4 * times_s)
    return (0.1 * voice * spoken * syllables)[:, None].astype(np.float32)


def test_the_golden_mixdown_sounds_the_same(tmp_path: Path) -> None:
    music = sine(DURATION_S, -16, 440) + noise(DURATION_S, -30)
    cue = PlacedCue(write(tmp_path / "music.flac", music), Span(0, DURATION_S))
    parts = Parts(write(tmp_path / "speech.flac", vowels()), [cue], SPANS, DURATION_S)
    mix, outputs = Mix(parts, MixSettings()), (tmp_path / "mix.wav", tmp_path / "stem.flac")
    mix.render(mix.measure(lambda _: None), -1.0, Outputs(*outputs), lambda _: None)
    for name, path in zip(("mixdown", "mixdown-music"), outputs, strict=True):
        assert_sounds_as_kept(name, soundfile.read(path, dtype="float32")[0], RATE_HZ)


def test_the_golden_separation_sounds_the_same(tmp_path: Path) -> None:
    audio = write(tmp_path / "audio.flac", vowels() + noise(DURATION_S, -40, channels=1))
    paths = [tmp_path / name for name in ("enhanced.wav", "speech.flac", "residual.flac")]
    separator = DeepFilterSeparator()
    separator.load()
    separator.enhance(audio, paths[0], lambda _: None)
    separate.split(audio, paths[0], SPANS, paths[1], paths[2], lambda _: None)
    for name, path in zip(("separation-speech", "separation-residual"), paths[1:], strict=True):
        assert_sounds_as_kept(name, soundfile.read(path, dtype="float32", always_2d=True)[0], RATE_HZ)

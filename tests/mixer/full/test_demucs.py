"""demucs as a stream: what the library says of the whole track, and better speech than before."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import torch
from demucs.apply import apply_model
from demucs.htdemucs import HTDemucs

from etbgm_kit.errors import CallCancelled
from etbgm_mixer.separation import separate
from etbgm_mixer.separation.demucs_engine import SURVEY_SHARE, DemucsSeparator, Segments
from tests.mixer.conftest import RATE_HZ as SOUND_RATE_HZ
from tests.mixer.conftest import Sound, noise, write

from .conftest import Speak
from .tiny_demucs import RATE_HZ, Mono, music

NEW = ("We read the report and wrote it down.", "This is the best day of my life.")
"""Sentences that the model has not learned."""


@pytest.fixture(scope="module")
def separator(folder: Path) -> DemucsSeparator:
    separator = DemucsSeparator(folder, "cpu")
    separator.load()
    return separator


@pytest.fixture(scope="module")
def stems(speak: Speak) -> tuple[Sound, Sound]:
    """Speech with 2 s of silence before, between and after, and music as loud, (samples, 2) at 48 kHz."""
    pause = np.zeros(2 * RATE_HZ, np.float32)
    said = [0.5 * speak(sentence) for sentence in NEW]
    speech = np.concatenate([pause, said[0], pause, said[1], pause])
    level = np.concatenate(said).std()
    return at_48_khz(speech), at_48_khz(level * music(len(speech), np.random.default_rng(9)))


def at_48_khz(mono: Mono) -> Sound:
    """(samples, 2)."""
    samples = soxr.resample(mono, RATE_HZ, SOUND_RATE_HZ).astype(np.float32)
    return np.repeat(samples[:, None], 2, axis=1)


def read(path: Path) -> Sound:
    samples: Sound = soundfile.read(path, dtype="float32", always_2d=True)[0]
    return samples


def level_db(sound: Sound) -> float:
    return float(10 * np.log10(np.mean(sound**2) + 1e-20))


def si_sdr_db(estimate: Sound, truth: Sound) -> float:
    """Scale-invariant signal to distortion ratio of (samples,)."""
    target = truth * (estimate @ truth) / (truth @ truth)
    return level_db(target) - level_db(estimate - target)


def library(model: HTDemucs, mix: Sound) -> Sound:
    """The vocals, mono (samples,), that demucs finds in the whole (samples, 2) at once."""
    whole = torch.from_numpy(mix.T.copy())[None]
    out = apply_model(model, whole, shifts=0, split=True, overlap=0.25)
    vocals: Sound = out[0, model.sources.index("vocals")].mean(dim=0).numpy()
    return vocals


@pytest.mark.parametrize(
    ("seconds", "block"),
    [(0.0004, 700), (0.5, 700), (1.0, 8000), (1.1, 700), (1.75, 8000), (3.3, 700), (3.3, 8000)],
)
def test_a_stream_is_computed_as_the_whole_track_is(model: HTDemucs, seconds: float, block: int) -> None:
    mix = noise(seconds * RATE_HZ / SOUND_RATE_HZ, 0)  # as many samples as `seconds` have at the model's rate
    blocks = [mix[begin : begin + block] for begin in range(0, len(mix), block)]
    found = np.concatenate(list(Segments(model, "cpu").vocals(blocks)))
    np.testing.assert_allclose(found[:, 0], library(model, mix), atol=2e-6)


def test_a_file_is_separated_as_the_library_does_it(
    separator: DemucsSeparator, model: HTDemucs, stems: tuple[Sound, Sound], tmp_path: Path
) -> None:
    """Rates, level and channels; 70 dB below the speech is what 24 bits and soxr's blocks leave."""
    path = write(tmp_path / "audio.flac", stems[0] + stems[1] + np.float32(0.01))
    separator.enhance(path, tmp_path / "enhanced.wav", lambda _: None)
    mix = soxr.resample(read(path), SOUND_RATE_HZ, RATE_HZ)
    mono = mix.mean(axis=1)
    mean, deviation = mono.mean(), mono.std(ddof=1) + 1e-8
    vocals = library(model, (mix - mean) / deviation) * deviation + mean
    whole = soxr.resample(vocals, RATE_HZ, SOUND_RATE_HZ)
    found = read(tmp_path / "enhanced.wav")[:, 0]
    assert len(found) == len(stems[0])
    assert level_db(found[: len(whole)] - whole[: len(found)]) < level_db(whole) - 70


@pytest.mark.parametrize("channels", [1, 2])
def test_speech_comes_out_of_the_music(
    separator: DemucsSeparator, stems: tuple[Sound, Sound], tmp_path: Path, channels: int
) -> None:
    speech, rest = (stem[:, :channels] for stem in stems)
    audio = write(tmp_path / "audio.flac", speech + rest)
    paths = [tmp_path / name for name in ("enhanced.wav", "s.flac", "r.flac")]
    shares: list[float] = []
    found = separator.enhance(audio, paths[0], shares.append)
    assert len(found.speech_spans) == 2
    assert not found.is_clean
    assert all(before <= after for before, after in pairwise(shares))
    assert shares[-1] == pytest.approx(1)
    separate.split(audio, paths[0], found.speech_spans, *paths[1:], lambda _: None)
    stem, residual = read(paths[1]), read(paths[2])
    np.testing.assert_allclose(stem + residual, speech + rest, atol=1e-5)
    times_s = np.arange(len(speech)) / SOUND_RATE_HZ
    spoken = np.any(
        [(span.start_s <= times_s) & (times_s < span.end_s) for span in found.speech_spans], axis=0
    )
    before = si_sdr_db((speech + rest)[spoken, 0], speech[spoken, 0])
    assert si_sdr_db(stem[spoken, 0], speech[spoken, 0]) > before + 8
    correlation = np.correlate(stem[::4, 0], speech[::4, 0], "same")
    assert abs(int(np.argmax(correlation)) - len(correlation) // 2) <= 2
    pause = slice(round(0.2 * SOUND_RATE_HZ), round(1.5 * SOUND_RATE_HZ))
    assert level_db(stem[pause]) < level_db(rest[pause]) - 25


def test_clean_speech_is_known_before_the_model_computes(
    separator: DemucsSeparator, stems: tuple[Sound, Sound], tmp_path: Path
) -> None:
    speech = stems[0] + noise(len(stems[0]) / SOUND_RATE_HZ, -75)
    audio = write(tmp_path / "audio.flac", speech)
    shares: list[float] = []
    found = separator.enhance(audio, tmp_path / "enhanced.wav", shares.append)
    assert found.is_clean
    assert len(found.speech_spans) == 2
    assert max(shares) <= SURVEY_SHARE
    assert not (tmp_path / "enhanced.wav").exists()


@pytest.mark.parametrize("seconds", [0.1, 3])
def test_silence_stays_silent(separator: DemucsSeparator, tmp_path: Path, seconds: float) -> None:
    audio = write(tmp_path / "audio.flac", noise(seconds, -300))
    found = separator.enhance(audio, tmp_path / "enhanced.wav", lambda _: None)
    assert found.speech_spans == ()
    enhanced = read(tmp_path / "enhanced.wav")
    assert len(enhanced) == round(seconds * SOUND_RATE_HZ)
    assert np.abs(enhanced).max() < 1e-6


def test_who_leaves_stops_the_work_at_the_next_segment(separator: DemucsSeparator, tmp_path: Path) -> None:
    audio = write(tmp_path / "audio.flac", noise(12))

    def leave(share: float) -> None:
        if share > 0.3:
            raise CallCancelled

    with pytest.raises(CallCancelled):
        separator.enhance(audio, tmp_path / "enhanced.wav", leave)
    # A segment lasts 1 s; soxr holds back less than one.
    assert len(read(tmp_path / "enhanced.wav")) < (0.3 * 12 + 2) * SOUND_RATE_HZ


def test_memory_does_not_grow_with_the_sound(folder: Path) -> None:
    """Another minute of sound would take 23 MB."""
    command = [sys.executable, "-m", "tests.mixer.full.cost", str(folder), "10", "60"]
    # What several arenas of the allocator keep differs by 10 MB from run to run.
    one_arena = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=one_arena)
    short_mb, long_mb = (float(line.split()[0]) for line in done.stdout.splitlines())
    assert long_mb < short_mb + 8

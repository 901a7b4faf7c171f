"""What is measured of a voice, on synthetic voices and on actors."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from etbgm_kit.errors import CallCancelled, InvalidField
from etbgm_kit.types import Span
from etbgm_sentiment.types import Voice
from etbgm_sentiment.voice import BLOCK_SAMPLES, MIN_ACTIVE_S, read_voices
from tests.sentiment.bench_voice import RAISED, auc, cpu_seconds, read_clips

RATE_HZ = 16000


def vowel(tilt_db: float, length_s: float = 2.0, level: float = 0.1, rate_hz: int = RATE_HZ) -> np.ndarray:
    """(samples,) float32 with 0.5 kHz at `level` and 2 kHz `tilt_db` above it."""
    times_s = np.arange(round(length_s * rate_hz)) / rate_hz
    tones = np.sin(2 * np.pi * 500 * times_s) + 10 ** (tilt_db / 20) * np.sin(2 * np.pi * 2000 * times_s)
    return (level * tones).astype(np.float32)


def silence(length_s: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    return np.zeros(round(length_s * rate_hz), np.float32)


def heard(path: Path, samples: np.ndarray, *spans: tuple[float, float], rate_hz: int = RATE_HZ) -> list:
    """The voices in `spans` of `samples`; of all without spans."""
    soundfile.write(path / "speech.wav", samples, rate_hz, "FLOAT")
    edges = spans or ((0.0, len(samples) / rate_hz),)
    return list(read_voices(path / "speech.wav", [Span(*edge) for edge in edges], lambda _: None))


@pytest.mark.parametrize("rate_hz", [8000, 22050, 48000])
@pytest.mark.parametrize("tilt_db", [-20.0, -6.0, 3.0])
def test_the_tilt_is_the_ratio_of_the_bands(tmp_path: Path, tilt_db: float, rate_hz: int) -> None:
    (voice,) = heard(tmp_path, vowel(tilt_db, rate_hz=rate_hz), rate_hz=rate_hz)
    assert voice.tilt_db == pytest.approx(tilt_db, abs=0.05)
    assert voice.active_s == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("level", [0.005, 0.4])
def test_the_level_does_not_matter(tmp_path: Path, level: float) -> None:
    (voice,) = heard(tmp_path, vowel(-10, level=level))
    assert voice.tilt_db == pytest.approx(-10, abs=0.05)


def test_pauses_and_the_noise_in_them_do_not_count(tmp_path: Path) -> None:
    hiss = np.random.default_rng(1).normal(0, 0.004, 5 * RATE_HZ).astype(np.float32)
    samples = np.concatenate([silence(1.5), vowel(-10), silence(1.5)]) + hiss
    speaking, alone = heard(tmp_path, samples, (0, 5), (0, 1.4))
    assert speaking.tilt_db == pytest.approx(-10, abs=0.3)
    assert speaking.active_s == pytest.approx(2.0, abs=0.1)
    assert alone is None


def test_each_span_is_measured_alone(tmp_path: Path) -> None:
    samples = np.concatenate([vowel(-12), silence(1), vowel(-3)])
    voices = heard(tmp_path, samples, (0, 2), (2, 3), (3, 5), (5, 6))
    assert [voice and round(voice.tilt_db) for voice in voices] == [-12, None, -3, None]


def test_channels_are_mixed(tmp_path: Path) -> None:
    (voice,) = heard(tmp_path, np.stack([vowel(-10), silence(2)], axis=1))
    assert voice.tilt_db == pytest.approx(-10, abs=0.05)


def test_a_phrase_longer_than_a_block_is_read_in_blocks(tmp_path: Path) -> None:
    length_s = 2.5 * BLOCK_SAMPLES / 48000
    (voice,) = heard(tmp_path, vowel(-10, length_s, rate_hz=48000), rate_hz=48000)
    assert voice.tilt_db == pytest.approx(-10, abs=0.05)
    assert voice.active_s == pytest.approx(length_s, abs=0.15)


def test_memory_does_not_grow_with_the_phrase(tmp_path: Path) -> None:
    length_s, rate_hz = 300, 48000
    soundfile.write(tmp_path / "speech.flac", vowel(-10, length_s, rate_hz=rate_hz), rate_hz)
    tracemalloc.start()
    (voice,) = read_voices(tmp_path / "speech.flac", [Span(0, length_s)], lambda _: None)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert voice is not None
    assert peak_bytes < 12e6  # the samples are 58 MB


@pytest.mark.parametrize(
    "samples",
    [
        silence(2),
        vowel(-10, MIN_ACTIVE_S / 2),
        vowel(-10, 0.01),
        vowel(-10, level=1e-4),
        np.full(2 * RATE_HZ, np.nan, np.float32),
    ],
    ids=["silence", "less than a syllable", "less than a frame", "below the floor", "not a number"],
)
def test_without_a_voice_there_is_none(tmp_path: Path, samples: np.ndarray) -> None:
    assert heard(tmp_path, samples) == [None]


@pytest.mark.parametrize("rate_hz", [1, 100, 1000, 192000])
def test_odd_rates_do_no_harm(tmp_path: Path, rate_hz: int) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 2 * rate_hz).astype(np.float32)
    (voice,) = heard(tmp_path, noise, rate_hz=rate_hz)
    assert voice is None or isinstance(voice, Voice)


def test_a_bad_sample_does_no_harm(tmp_path: Path) -> None:
    samples = vowel(-10, 4)
    samples[[100, 20000, 40000]] = np.nan, np.inf, -np.inf
    (voice,) = heard(tmp_path, samples)
    assert voice.tilt_db == pytest.approx(-10, abs=0.5)


def test_without_phrases_nothing_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "speech.flac", silence(1), RATE_HZ)
    assert read_voices(tmp_path / "speech.flac", [], lambda _: None) == ()


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "speech.flac").write_bytes(b"not sound")
    with pytest.raises(InvalidField, match="speech: cannot be read"):
        read_voices(tmp_path / "speech.flac", [Span(0, 1)], lambda _: None)


def test_the_work_can_be_stopped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "speech.flac", vowel(-10, 4), RATE_HZ)

    def stop(done: float) -> None:
        if done >= 0.5:
            raise CallCancelled

    with pytest.raises(CallCancelled):
        read_voices(tmp_path / "speech.flac", [Span(0, 2), Span(2, 4)], stop)


@pytest.mark.parametrize("part_s", [60.0, 2.0, 1.0])
def test_actors_raise_their_voice_in_anger_and_joy(test_data: Path, part_s: float) -> None:
    clips = read_clips(test_data)
    assert {clip.emotion for clip in clips} > RAISED
    assert auc(clips, part_s) >= 0.9


def test_it_costs_little() -> None:
    assert cpu_seconds() < 0.01  # CPU seconds per second of speech; 0.002 when measured

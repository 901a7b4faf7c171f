"""Speech stays, noise goes, and nothing is lost between the two stems."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from etbgm_kit.types import Span
from etbgm_mixer.separation import separate
from etbgm_mixer.separation.deepfilter import DELAY, DeepFilter
from etbgm_mixer.separation.deepfilter_engine import DeepFilterSeparator
from etbgm_mixer.separation.separator import Findings
from etbgm_mixer.separation.stretches import STRETCH
from tests.mixer.conftest import RATE_HZ, Sound, noise, write

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    """Two sentences with 2 s of silence before, between and after, (samples, 1)."""
    if not shutil.which("flite"):
        pytest.skip("flite is not installed")
    folder = tmp_path_factory.mktemp("flite")
    silence = np.zeros(2 * RATE_HZ, np.float32)
    parts = [silence]
    for text in ("The meeting was in the second room on the left.", "We read the report and wrote it down."):
        path = folder / "s.wav"
        subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", path], check=True)
        samples, rate_hz = soundfile.read(path, dtype="float32")
        parts += [soxr.resample(samples, rate_hz, RATE_HZ).astype(np.float32), silence]
    return np.concatenate(parts)[:, None]


def separated(folder: Path, sound: Sound) -> tuple[Findings, Sound, Sound]:
    """What was found, and both stems."""
    paths = [folder / name for name in ("enhanced.wav", "speech.flac", "residual.flac")]
    audio = write(folder / "audio.flac", sound)
    separator = DeepFilterSeparator()
    separator.load()
    found = separator.enhance(audio, paths[0], lambda _: None)
    separate.split(audio, paths[0], found.speech_spans, paths[1], paths[2], lambda _: None)
    stems = [soundfile.read(path, dtype="float32", always_2d=True)[0] for path in paths[1:]]
    return found, stems[0], stems[1]


def level_db(sound: Sound) -> float:
    return float(10 * np.log10(np.mean(sound**2) + 1e-20))


def test_noise_goes_and_speech_stays_in_time(tmp_path: Path, speech: Sound) -> None:
    hiss = noise(len(speech) / RATE_HZ, -40, channels=1)
    found, stem, residual = separated(tmp_path, speech + hiss)
    assert len(found.speech_spans) == 2
    assert not found.is_clean
    assert len(stem) == len(residual) == len(speech)
    pause = slice(round(0.2 * RATE_HZ), round(1.5 * RATE_HZ))
    assert level_db(hiss[pause]) - level_db(stem[pause]) > 25
    correlation = np.correlate(stem[::4, 0], speech[::4, 0], "same")
    assert abs(int(np.argmax(correlation)) - len(correlation) // 2) <= 2
    loud = np.abs(speech) > 0.05
    error = level_db((stem - speech)[loud]) - level_db(speech[loud])
    assert error < -6


def test_the_stems_add_up_to_the_original(tmp_path: Path, speech: Sound) -> None:
    sound = np.repeat(speech, 2, axis=1) + noise(len(speech) / RATE_HZ, -40)
    _, stem, residual = separated(tmp_path, sound)
    np.testing.assert_allclose(stem + residual, sound, atol=1e-5)


def test_clean_speech_is_known_as_clean(tmp_path: Path, speech: Sound) -> None:
    found, _, _ = separated(tmp_path, speech + noise(len(speech) / RATE_HZ, -75, channels=1))
    assert found.is_clean


@pytest.mark.parametrize("level", [-200, -40])
def test_without_speech_nothing_is_speech(tmp_path: Path, level: float) -> None:
    found, stem, _ = separated(tmp_path, noise(3, level))
    assert found.speech_spans == ()
    assert np.abs(stem).max() == 0


@pytest.mark.parametrize("dbfs", [-60.0, -80.0])
def test_quiet_speech_is_found_and_kept(tmp_path: Path, speech: Sound, dbfs: float) -> None:
    gain = 10 ** (dbfs / 20) / speech[np.abs(speech) > 0.01].std()
    hiss = noise(len(speech) / RATE_HZ, dbfs - 20, channels=1)
    quiet = (speech * gain + hiss).astype(np.float32)
    found, stem, residual = separated(tmp_path, quiet)
    assert len(found.speech_spans) == 2
    np.testing.assert_allclose(stem + residual, quiet, atol=1e-6)
    assert level_db(stem) == pytest.approx(level_db(speech * gain), abs=1)


@pytest.mark.parametrize("level", [-70, -90])
def test_quiet_noise_is_not_raised_to_speech(tmp_path: Path, level: float) -> None:
    found, _, _ = separated(tmp_path, noise(6, level, channels=1))
    assert found.speech_spans == ()


def test_the_gate_ramps_without_clicks() -> None:
    times_s = np.arange(0, 4, 1 / RATE_HZ)
    gain = separate.Gate((Span(1, 2),)).gain(times_s)
    assert gain[round(0.8 * RATE_HZ)] == 0
    assert np.all(gain[round(0.88 * RATE_HZ) : round(2.25 * RATE_HZ)] > 0.999)
    assert gain[round(2.4 * RATE_HZ)] == 0
    assert np.abs(np.diff(gain)).max() < 0.002


@pytest.mark.parametrize(
    ("level_db", "expected"),
    [(-14.0, [Span(1, 4), Span(6, 8)]), (-16.0, [Span(2.7, 3.5)]), (0.0, [Span(1, 4), Span(6, 8)])],
)
def test_speech_far_below_the_original_does_not_count(level_db: float, expected: list[Span]) -> None:
    """Enhanced sound at that level, and 200 ms at that of the original."""
    original, enhanced = np.ones(100), np.full(100, 10 ** (level_db / 10))
    enhanced[30:32] = 1
    found = separate.audible((Span(1, 4), Span(6, 8)), original, enhanced)
    assert [(s.start_s, s.end_s) for s in found] == [
        (pytest.approx(s.start_s), pytest.approx(s.end_s)) for s in expected
    ]


def test_digital_silence_is_no_reason_to_drop_a_span() -> None:
    assert separate.audible((Span(1, 2),), np.zeros(30), np.zeros(30)) == (Span(1, 2),)


def test_stretches_join_as_if_they_were_one(speech: Sound) -> None:
    """The same sound, cut at another place of the stretches, differs little."""
    sound = np.tile(speech[:, 0], 5) + noise(5 * len(speech) / RATE_HZ, -50, channels=1)[:, 0]
    shift = RATE_HZ * 7
    separator = DeepFilter()
    whole = np.concatenate(list(separator.enhance(np.array_split(sound, 37))))
    later = np.concatenate(list(separator.enhance([sound[shift:]])))
    assert len(whole) == len(sound) > STRETCH + DELAY
    settled = slice(3 * RATE_HZ, None)
    difference = level_db((whole[shift:] - later)[settled])
    assert difference < level_db(whole) - 25
    join = slice(STRETCH - 500, STRETCH + 1000)
    assert np.abs(np.diff(whole[join])).max() <= np.abs(np.diff(whole)).max()

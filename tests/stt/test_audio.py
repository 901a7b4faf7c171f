"""Any format becomes 16 kHz mono; broken files are refused with a reason."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from etbgm_kit.errors import InvalidField
from etbgm_stt.audio import open_audio


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16000, 2), (44100, 6), (96000, 1)])
def test_a_tone_keeps_pitch_length_and_level(tmp_path: Path, rate: int, channels: int) -> None:
    times = np.arange(12 * rate) / rate
    tone = np.repeat(0.5 * np.sin(2 * np.pi * 1000 * times)[:, None], channels, axis=1)
    soundfile.write(tmp_path / "tone.flac", tone, rate)
    with open_audio(tmp_path / "tone.flac") as audio:
        samples = np.concatenate(list(audio.blocks()))
        assert audio.duration_s == pytest.approx(12)
    assert len(samples) == pytest.approx(12 * 16000, abs=2)
    wanted = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(len(samples)) / 16000)
    assert np.abs(samples - wanted)[160:-160].max() < 0.01


@pytest.mark.parametrize("level_dbfs", [-60.0, -80.0])
def test_very_quiet_sound_is_raised(tmp_path: Path, level_dbfs: float) -> None:
    sound = np.random.default_rng(1).standard_normal(4 * 16000) * 10 ** (level_dbfs / 20)
    soundfile.write(tmp_path / "quiet.flac", sound, 16000, subtype="PCM_24")
    with open_audio(tmp_path / "quiet.flac") as audio:
        samples = np.concatenate(list(audio.blocks()))
    assert len(samples) == len(sound)
    assert 20 * np.log10(samples.std()) == pytest.approx(-25, abs=0.5)


def test_nan_and_infinity_do_not_reach_the_engine(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "bad.wav", np.full(16000, np.nan, np.float32), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "loud.wav", np.full(16000, np.inf, np.float32), 16000, subtype="FLOAT")
    for name in ("bad.wav", "loud.wav"):
        with open_audio(tmp_path / name) as audio:
            samples = np.concatenate(list(audio.blocks()))
        assert np.abs(samples).max() <= 1


@pytest.mark.parametrize("data", [b"", b"not audio at all", b"fLaC" + bytes(100)])
def test_what_is_not_audio_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.flac").write_bytes(data)
    with (
        pytest.raises(InvalidField, match="audio: cannot be read") as caught,
        open_audio(tmp_path / "x.flac") as audio,
    ):
        list(audio.blocks())
    assert str(tmp_path) not in str(caught.value)


def test_a_file_that_breaks_off_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(4).normal(0, 0.1, 30 * 16000)
    soundfile.write(tmp_path / "whole.flac", noise, 16000)
    (tmp_path / "half.flac").write_bytes((tmp_path / "whole.flac").read_bytes()[:300_000])
    with pytest.raises(InvalidField, match="to its end"), open_audio(tmp_path / "half.flac") as audio:
        list(audio.blocks())

"""Of several audio tracks, the one with the voice is used."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from etbgm_kit.errors import InvalidField
from etbgm_mixer.media import audio_tracks, extract
from etbgm_mixer.media.probe import Limits, probe
from etbgm_mixer.types import MediaFacts, TrackChoice
from tests.mixer.conftest import Sound, sine, write

pytestmark = pytest.mark.process


@pytest.fixture
def two_tones(tmp_path: Path) -> Path:
    """A video with a tone of 500 Hz, the default track, and one of 2 kHz."""
    path = tmp_path / "a.mkv"
    sources = ["-f", "lavfi", "-i", "testsrc=s=64x48:d=1"]
    for name, frequency_hz in (("low", 500), ("high", 2000)):
        sources += ["-i", str(write(tmp_path / f"{name}.flac", sine(1, -20, frequency_hz)))]
    maps = ["-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-c:a", "flac"]
    subprocess.run(
        ["ffmpeg", "-v", "error", *sources, *maps, "-disposition:a:0", "default", path], check=True
    )
    return path


def heard(video: Path, facts: MediaFacts, wanted: TrackChoice) -> Sound:
    chosen, _ = audio_tracks.choose(video, facts, wanted, 30)
    sound = video.with_suffix(".flac")
    extract.extract_audio(video, facts, sound, lambda _: None, 30, chosen)
    return soundfile.read(sound, dtype="float32", always_2d=True)[0]


def levels_db(sound: Sound) -> list[float]:
    """Of 500 Hz and 2 kHz."""
    spectrum = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound)))) * 4 / len(sound)
    bins = [round(frequency_hz * len(sound) / 48000) for frequency_hz in (500, 2000)]
    return [20 * np.log10(spectrum[i] + 1e-9) for i in bins]


@pytest.mark.parametrize(
    ("wanted", "audible"),
    [
        (TrackChoice(), [True, False]),
        (TrackChoice(number=1), [True, False]),
        (TrackChoice(number=2), [False, True]),
        (TrackChoice(mix=True), [True, True]),
    ],
)
def test_the_wanted_tracks_are_heard(
    two_tones: Path, limits: Limits, wanted: TrackChoice, audible: list[bool]
) -> None:
    levels = levels_db(heard(two_tones, probe(two_tones, limits), wanted))
    assert [level > -30 for level in levels] == audible


def test_a_track_that_does_not_exist_is_refused(two_tones: Path, limits: Limits) -> None:
    with pytest.raises(InvalidField, match="audio_track: is 3, but the video has 2"):
        audio_tracks.choose(two_tones, probe(two_tones, limits), TrackChoice(number=3), 30)


def test_the_default_track_is_named(two_tones: Path, limits: Limits) -> None:
    _, notes = audio_tracks.choose(two_tones, probe(two_tones, limits), TrackChoice(), 30)
    assert notes == ("Of 2 audio tracks, number 1 was used, the default one.",)


def test_the_voice_on_the_second_track_is_found(test_data: Path, limits: Limits) -> None:
    video = test_data / "field/obs2.mkv"
    facts = probe(video, limits)
    chosen, notes = audio_tracks.choose(video, facts, TrackChoice(), 30)
    assert notes == ("Of 2 audio tracks, number 2 was used, because it has the most speech.",)
    used = audio_tracks.with_audio(facts, chosen[0])
    assert (used.audio, used.other_audio) == (facts.other_audio[0], (facts.audio,))


def test_many_channels_without_a_layout_are_folded(tmp_path: Path, limits: Limits) -> None:
    samples = np.zeros((48000, 10), np.int16)
    samples[:, 6] = 8000 * np.sin(2 * np.pi * 500 * np.arange(48000) / 48000)
    (tmp_path / "ten.raw").write_bytes(samples.tobytes())
    sources = ["-f", "lavfi", "-i", "testsrc=s=64x48:d=1", "-f", "s16le", "-ar", "48000", "-ac", "10"]
    video = tmp_path / "a.mov"
    command = ["ffmpeg", "-v", "error", *sources, "-i", tmp_path / "ten.raw", "-c:a", "pcm_s16le", video]
    subprocess.run(command, check=True)
    facts = probe(video, limits)
    sound = heard(video, facts, TrackChoice())
    assert np.abs(sound[:, 0]).max() > 0.04
    assert np.abs(sound[:, 1]).max() < 1e-4
    _, notes = audio_tracks.choose(video, facts, TrackChoice(), 30)
    assert "10 channels without a layout" in notes[0]

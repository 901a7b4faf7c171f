"""A voice that the sum of the channels would lose is kept; every other sound stays bit for bit."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_mixer.media.channels import ChannelEnergies, Treatment, decide, mend
from etbgm_mixer.media.probe import Limits
from etbgm_mixer.separation.deepfilter_engine import DeepFilterSeparator
from etbgm_mixer.service import MixerService
from tests.mixer.conftest import RATE_HZ, Sound, noise, write

pytestmark = pytest.mark.process


def stereo(left: Sound, right: Sound) -> Sound:
    return np.concatenate([left, right], axis=1)


VOICE = noise(2, -20, channels=1)
OTHER = noise(2, -20, seed=2, channels=1)
SILENCE = np.zeros_like(VOICE)


def wide_music(width: float) -> Sound:
    """Mid and side noise; at width 1 they are equally loud."""
    return stereo(VOICE + width * OTHER, VOICE - width * OTHER)


@pytest.mark.parametrize(
    ("left", "right", "treatment"),
    [
        (1.0, 0.0, Treatment.LEFT),
        (0.0, 1.0, Treatment.RIGHT),
        (1.0, 0.09, Treatment.LEFT),
        (1.0, 0.2, Treatment.NONE),
        (0.0, 0.0, Treatment.NONE),
    ],
)
def test_one_side_counts_if_the_other_is_20_db_down(left: float, right: float, treatment: Treatment) -> None:
    assert decide(ChannelEnergies(left**2, right**2, 0.0, 1)) is treatment


@pytest.mark.parametrize(
    ("correlation", "treatment"),
    [(-1.0, Treatment.INVERT), (-0.8, Treatment.INVERT), (-0.5, Treatment.NONE), (1.0, Treatment.NONE)],
)
def test_only_channels_that_cancel_are_inverted(correlation: float, treatment: Treatment) -> None:
    assert decide(ChannelEnergies(1.0, 1.0, correlation, 1)) is treatment


def test_antiphase_becomes_a_centred_voice(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", stereo(VOICE, -VOICE))
    assert mend(path) == (Treatment.INVERT.note,)
    sound, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(sound, stereo(VOICE, VOICE), atol=1e-6)


@pytest.mark.parametrize("side", [0, 1])
def test_a_voice_on_one_side_is_centred(tmp_path: Path, side: int) -> None:
    hiss = 0.01 * OTHER
    path = write(tmp_path / "a.flac", stereo(hiss, VOICE) if side else stereo(VOICE, hiss))
    assert mend(path) == ((Treatment.LEFT, Treatment.RIGHT)[side].note,)
    sound, _ = soundfile.read(path, dtype="float32", always_2d=True)
    np.testing.assert_allclose(sound, VOICE, atol=1e-6)


def test_direct_current_does_not_hide_a_silent_channel(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", stereo(VOICE, SILENCE + np.float32(0.2)))
    assert mend(path) == (Treatment.LEFT.note,)


@pytest.mark.parametrize(
    "sound",
    [VOICE, wide_music(0), wide_music(0.5), wide_music(1), wide_music(1.8), stereo(VOICE, OTHER), SILENCE],
    ids=["mono", "narrow", "usual", "wide", "wider than wide", "hard-panned", "silent"],
)
def test_other_sound_stays_bit_for_bit(tmp_path: Path, sound: Sound) -> None:
    path = write(tmp_path / "a.flac", sound)
    before = hashlib.sha256(path.read_bytes()).digest()
    assert mend(path) == ()
    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["vibe_ace.ogg", "hungarian_dance_5.ogg", "solo_trumpet.ogg"])
def test_real_music_is_not_touched(tmp_path: Path, test_data: Path, name: str) -> None:
    with soundfile.SoundFile(test_data / "music" / name) as file:
        sound = file.read(20 * RATE_HZ, dtype="float32", always_2d=True)[:, :2]
    assert mend(write(tmp_path / "a.flac", sound)) == ()


@pytest.mark.parametrize(
    ("name", "note", "channels"),
    [("antiphase.mp4", Treatment.INVERT.note, 2), ("leftclean.mp4", Treatment.LEFT.note, 1)],
)
def test_videos_from_the_field_keep_their_voice(
    store: ArtifactStore,
    scratch: Scratch,
    limits: Limits,
    test_data: Path,
    name: str,
    note: str,
    channels: int,
) -> None:
    service = MixerService(store, scratch, limits, 60.0, lambda: (DeepFilterSeparator(), ()))
    extracted = service.extract(store.put(test_data / "field" / name, "video/mp4"), lambda _: None)
    assert note in extracted.facts.notes
    assert extracted.audio is not None
    with store.borrow(extracted.audio, "audio") as path:
        sound, _ = soundfile.read(path, always_2d=True)
    assert sound.shape[1] == channels
    assert 10 * np.log10(np.mean(sound.mean(axis=1) ** 2)) > -33

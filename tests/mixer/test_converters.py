"""Requests are equal when they ask for the same."""

from etbgm.mixer.v1 import mixer_pb2 as pb
from etbgm_mixer.converters import settings_from_pb, with_defaults
from etbgm_mixer.types import MixSettings

SAID = pb.MixSettings(
    original_audio=pb.ORIGINAL_AUDIO_SPEECH_ONLY,
    target_loudness_lufs=-14,
    max_true_peak_dbtp=-1,
    speech_to_music_lu=14,
    music_lift_db=8,
    attack_ms=150,
    hold_ms=200,
    release_ms=500,
)
"""The defaults that the contract states."""


def test_an_omitted_setting_is_its_default() -> None:
    omitted, said = pb.MixRequest(), pb.MixRequest(settings=SAID)
    assert omitted != said
    assert with_defaults(omitted) == with_defaults(said) == said
    assert settings_from_pb(SAID) == MixSettings()


def test_what_was_said_stays() -> None:
    said = pb.MixRequest(settings={"original_audio": pb.ORIGINAL_AUDIO_NONE, "music_lift_db": 0.0})
    full = with_defaults(said)
    assert (full.settings.original_audio, full.settings.music_lift_db) == (pb.ORIGINAL_AUDIO_NONE, 0.0)

"""Requests are equal when they ask for the same."""

from etbgm.mixer.v1 import mixer_pb2 as pb
from etbgm_kit.converters import span_to_pb
from etbgm_kit.types import Artifact, Span
from etbgm_mixer.converters import mixed_to_pb, settings_from_pb, with_defaults
from etbgm_mixer.types import Container, Mixed, MixReport, MixSettings

SAID = pb.MixSettings(
    original_audio=pb.ORIGINAL_AUDIO_SPEECH_ONLY,
    target_loudness_lufs=-14,
    max_true_peak_dbtp=-1,
    speech_to_music_lu=14,
    music_lift_db=8,
    attack_ms=1000,
    hold_ms=500,
    release_ms=2000,
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


def test_the_worst_phrase_is_sent_only_if_there_is_one() -> None:
    part = Artifact("file:///a", "0" * 64, "audio/flac", 1)
    silent = MixReport(-14.0, -1.0, None, None, 0.0, 0.0)
    spoken = MixReport(-14.0, -1.0, 14.0, 8.0, 0.0, 0.0, 12.5, Span(1, 3))
    sent = mixed_to_pb(Mixed(part, part, part, part, part, spoken, Container.MP4)).report
    assert (sent.worst_speech_to_music_lu, sent.worst_span) == (12.5, span_to_pb(Span(1, 3)))
    sent = mixed_to_pb(Mixed(part, part, part, part, part, silent, Container.MP4)).report
    assert not sent.HasField("worst_speech_to_music_lu")
    assert not sent.HasField("worst_span")

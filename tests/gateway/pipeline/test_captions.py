"""Which of a video's caption tracks is used."""

import pytest

from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm_gateway.pipeline.captions import choose, language_of, tracks_of


def track(language: str, **flags: bool) -> mixer_pb2.CaptionTrack:
    return mixer_pb2.CaptionTrack(stream=mixer_pb2.SubtitleStream(language=language, **flags))


SPANISH, ENGLISH, UNKNOWN = track("spa"), track("eng"), track("und")
DEFAULT = track("fre", is_default=True)
FORCED = track("eng", is_default=True, is_partial=True)


@pytest.mark.parametrize(
    ("tracks", "readable", "chosen"),
    [
        ([SPANISH, DEFAULT, ENGLISH], ["en", "fr", "es"], DEFAULT),
        ([SPANISH, DEFAULT, ENGLISH], [], DEFAULT),
        ([SPANISH, DEFAULT, ENGLISH], ["en"], ENGLISH),
        ([SPANISH, ENGLISH], ["en"], ENGLISH),
        ([SPANISH, ENGLISH], ["es", "en"], SPANISH),
        ([SPANISH, UNKNOWN], ["en"], UNKNOWN),
        ([UNKNOWN, ENGLISH], ["en"], ENGLISH),
        ([FORCED, ENGLISH], ["en"], ENGLISH),
        ([FORCED, SPANISH], ["en"], FORCED),
        ([SPANISH, DEFAULT], ["en"], None),
        ([], [], None),
    ],
)
def test_the_default_then_a_readable_language_then_the_first(
    tracks: list[mixer_pb2.CaptionTrack], readable: list[str], chosen: mixer_pb2.CaptionTrack | None
) -> None:
    assert choose(tracks, readable, None) is chosen


def test_tracks_without_a_tag_are_in_the_spoken_language() -> None:
    assert [language_of(UNKNOWN, spoken) for spoken in (None, "pt-BR")] == ["und", "pt-BR"]
    assert language_of(SPANISH, "en") == "es"
    assert choose([UNKNOWN], ["en"], "es") is None


def test_captions_of_an_earlier_mixer_are_those_of_the_first_stream() -> None:
    captions = media_pb2.Artifact(uri="file:///captions")
    facts = mixer_pb2.MediaFacts(subtitles=[SPANISH.stream, DEFAULT.stream])
    [found] = tracks_of(mixer_pb2.ExtractResult(facts=facts, captions=captions))
    assert (found.captions, found.stream) == (captions, SPANISH.stream)
    assert tracks_of(mixer_pb2.ExtractResult(facts=facts)) == []

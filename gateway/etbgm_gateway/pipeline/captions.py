"""Chooses among the captions that a video contains."""

from collections.abc import Sequence

from etbgm.mixer.v1 import mixer_pb2
from etbgm_kit.languages import UNDETERMINED, bcp47, is_readable


def tracks_of(media: mixer_pb2.ExtractResult) -> list[mixer_pb2.CaptionTrack]:
    """Returns the captions from the video; a mixer of release 0.1 returns those of the first stream."""
    if media.caption_tracks or not media.HasField("captions"):
        return list(media.caption_tracks)
    return [mixer_pb2.CaptionTrack(captions=media.captions, stream=media.facts.subtitles[0])]


def language_of(track: mixer_pb2.CaptionTrack, spoken: str | None) -> str:
    """Returns the BCP-47 tag of a track; without one, that of the spoken language, or UNDETERMINED."""
    tag = bcp47(track.stream.language)
    return tag if tag != UNDETERMINED else spoken or UNDETERMINED


def choose(
    tracks: Sequence[mixer_pb2.CaptionTrack], readable: Sequence[str], spoken: str | None
) -> mixer_pb2.CaptionTrack | None:
    """Returns the best track that is not in a language outside `readable` (tags; empty: any), if any.

    A track with all that is said is better than a partial one, then the default is better than
    others, then a known language than an unknown one, then the mixer's order counts.
    """

    def rank(track: mixer_pb2.CaptionTrack) -> tuple[bool, bool, bool]:
        unknown = language_of(track, spoken) == UNDETERMINED
        return track.stream.is_partial, not track.stream.is_default, unknown

    languages = ((track, language_of(track, spoken)) for track in tracks)
    usable = [track for track, tag in languages if tag == UNDETERMINED or is_readable(tag, readable)]
    return min(usable, key=rank, default=None)

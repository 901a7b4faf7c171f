"""What a job takes from the picture: its cuts, and its mood. Pure."""

from collections.abc import Iterable

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_kit.converters import seconds_from_pb

OLD_MIXER = "The picture was ignored because the mixer is of an earlier release."


def hits_of(settings: gateway_pb2.JobSettings) -> riffusion_pb2.Hits.ValueType:
    """Returns how the music marks cuts; subtly by default."""
    return settings.hits or riffusion_pb2.HITS_SUBTLE


def is_needed(settings: gateway_pb2.JobSettings) -> bool:
    """Whether anything that the picture shows affects the result."""
    return _finds_cuts(settings) or follows_mood(settings)


def seen(
    found: mixer_pb2.AnalyzePictureResponse, settings: gateway_pb2.JobSettings
) -> mixer_pb2.AnalyzePictureResponse:
    """Returns what of `found` the settings leave, with the given cuts in place of those that were found."""
    left = mixer_pb2.AnalyzePictureResponse()
    left.CopyFrom(found)
    if not follows_mood(settings):
        left.ClearField("mood")
    if not _finds_cuts(settings):
        left.ClearField("cuts")
        left.cuts.extend(settings.cuts.cuts if hits_of(settings) != riffusion_pb2.HITS_OFF else ())
    return left


def inside(cuts: Iterable[media_pb2.Cut], duration_s: float) -> list[media_pb2.Cut]:
    """Returns the cuts before the end of the video: its timeline may be shorter by a picture."""
    return [cut for cut in cuts if 0 < seconds_from_pb(cut.time) < duration_s]


def _finds_cuts(settings: gateway_pb2.JobSettings) -> bool:
    return hits_of(settings) != riffusion_pb2.HITS_OFF and not settings.HasField("cuts")


def follows_mood(settings: gateway_pb2.JobSettings) -> bool:
    """Whether the emotions follow the picture where nobody speaks."""
    return not settings.ignore_picture and not settings.HasField("timeline")

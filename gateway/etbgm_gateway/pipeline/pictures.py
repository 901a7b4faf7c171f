"""What a job takes from the picture: its cuts, and its mood. Pure.

A job has the cuts that were found, or a list of a user's. In the list of a remix, a cut that equals one of
the parent has the origin that it had there; every other one was placed by the user.
"""

from collections.abc import Iterable

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_kit.converters import seconds_from_pb
from etbgm_kit.picture_converters import cuts_from_pb

CUTS = "settings.cuts.cuts"
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
    if _finds_cuts(settings):
        for cut in left.cuts:
            cut.origin = media_pb2.CUT_ORIGIN_PICTURE
    else:
        left.ClearField("cuts")
        left.cuts.extend(settings.cuts.cuts if hits_of(settings) != riffusion_pb2.HITS_OFF else ())
    return left


def check_cuts(settings: gateway_pb2.JobSettings, duration_s: float) -> None:
    """Raises InvalidField unless the given cuts are in order, distinct, and inside the video."""
    cuts_from_pb(settings.cuts.cuts, CUTS, duration_s)


def attribute(given: Iterable[media_pb2.Cut], known: Iterable[media_pb2.Cut] = ()) -> None:
    """Writes into each given cut its defaults, and who placed it, by the cuts that were `known` before."""
    origins = {_what(cut): cut.origin or media_pb2.CUT_ORIGIN_PICTURE for cut in known}
    for cut in given:
        cut.strength, cut.kind = _strength(cut), cut.kind or media_pb2.CUT_KIND_HARD
        cut.origin = origins.get(_what(cut), media_pb2.CUT_ORIGIN_USER)


def marked(cuts: Iterable[media_pb2.Cut], duration_s: float) -> list[media_pb2.Cut]:
    """Returns the cuts that music may mark: not those that a user has dropped, nor any at the video's end.

    The timeline may be shorter than the video by a picture.
    """
    return [cut for cut in cuts if 0 < seconds_from_pb(cut.time) < duration_s and _strength(cut) > 0]


def _what(cut: media_pb2.Cut) -> tuple[int, int, float, int]:
    return cut.time.seconds, cut.time.nanos, _strength(cut), cut.kind or media_pb2.CUT_KIND_HARD


def _strength(cut: media_pb2.Cut) -> float:
    return cut.strength if cut.HasField("strength") else 1.0


def _finds_cuts(settings: gateway_pb2.JobSettings) -> bool:
    return hits_of(settings) != riffusion_pb2.HITS_OFF and not settings.HasField("cuts")


def follows_mood(settings: gateway_pb2.JobSettings) -> bool:
    """Whether the emotions follow the picture where nobody speaks."""
    return not settings.ignore_picture and not settings.HasField("timeline")

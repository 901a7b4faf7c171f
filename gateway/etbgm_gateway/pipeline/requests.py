"""Requests that several calls of a job have in common. Pure."""

from collections.abc import Iterable

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_gateway.pipeline import pictures
from etbgm_gateway.pipeline.pieces import Piece
from etbgm_kit.converters import seconds_from_pb, span_to_pb
from etbgm_kit.types import Span


def music_request(
    settings: gateway_pb2.JobSettings,
    stems: mixer_pb2.SeparateResult,
    timeline: media_pb2.EmotionTimeline,
    seen: mixer_pb2.AnalyzePictureResponse,
) -> riffusion_pb2.GenerateRequest:
    """Returns what the cues of all variants have in common."""
    return riffusion_pb2.GenerateRequest(
        timeline=timeline,
        speech_spans=stems.speech_spans,
        stems=settings.stems,
        diffusion=settings.diffusion if settings.HasField("diffusion") else None,
        cuts=pictures.marked(seen.cuts, seconds_from_pb(timeline.duration)),
        hits=pictures.hits_of(settings),
    )


def cue_request(
    request: riffusion_pb2.GenerateRequest, piece: Piece, span: Span
) -> riffusion_pb2.GenerateRequest:
    """Returns the request for one cue of one variant."""
    cue = riffusion_pb2.GenerateRequest()
    cue.CopyFrom(request)
    cue.cue.CopyFrom(span_to_pb(span))
    cue.random_seed, cue.style = piece.random_seed, piece.style
    return cue


def mix_request(
    video: media_pb2.Artifact,
    settings: gateway_pb2.JobSettings,
    media: mixer_pb2.ExtractResult,
    stems: mixer_pb2.SeparateResult,
) -> mixer_pb2.MixRequest:
    """Returns what the mixes of all variants have in common."""
    keeps_ambience = settings.mix.HasField("ambience_db") and stems.HasField("residual")
    return mixer_pb2.MixRequest(
        video=video,
        audio=media.audio if media.HasField("audio") else None,
        speech=stems.speech if stems.speech_spans else None,
        speech_spans=stems.speech_spans,
        settings=settings.mix,
        container=settings.container if settings.HasField("container") else None,
        facts=media.facts,
        residual=stems.residual if keeps_ambience else None,
    )


def mixing_request(
    request: mixer_pb2.MixRequest, bed: Iterable[mixer_pb2.MusicCue], bars: Iterable[media_pb2.Bar]
) -> mixer_pb2.MixRequest:
    """Returns the request for the mix with that music."""
    mix = mixer_pb2.MixRequest()
    mix.CopyFrom(request)
    mix.cues.extend(bed)
    mix.bars.extend(bars)
    return mix

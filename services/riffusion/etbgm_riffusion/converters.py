"""Converts requests to values and results to responses, and validates requests."""

from collections.abc import Sequence

from etbgm.riffusion.v1 import riffusion_pb2 as pb
from etbgm_kit.converters import (
    TIME_TOLERANCE_S,
    artifact_to_pb,
    bar_to_pb,
    emotion_to_pb,
    engine_to_pb,
    span_from_pb,
    span_to_pb,
    spans_from_pb,
    timeline_from_pb,
)
from etbgm_kit.errors import InvalidField
from etbgm_kit.picture_converters import cuts_from_pb
from etbgm_kit.ranges import LONGEST_TIMELINE_S, check_diffusion
from etbgm_kit.types import Span
from etbgm_riffusion.composer.hints import StyleRequest, read
from etbgm_riffusion.diffusion.types import Continuity
from etbgm_riffusion.types import (
    AUTO,
    AdapterInfo,
    CueRequest,
    DiffusionSettings,
    Hits,
    Music,
    Piece,
    Section,
    StyleInfo,
)

SAMPLE_RATES_HZ = (44100, 48000)
DEFAULT_SAMPLE_RATE_HZ = 48000

_RANDOM_SEEDS = 2**53

_HITS = {
    pb.HITS_UNSPECIFIED: Hits.OFF,
    pb.HITS_OFF: Hits.OFF,
    pb.HITS_SUBTLE: Hits.SUBTLE,
    pb.HITS_STRONG: Hits.STRONG,
}

_CONTINUITIES = {
    pb.CONTINUITY_JOINT: Continuity.JOINT,
    pb.CONTINUITY_INTERPOLATE: Continuity.INTERPOLATE,
}


def with_defaults(request: pb.GenerateRequest, paints: bool) -> pb.GenerateRequest:
    """Returns the request with all defaults filled in, so that equivalent requests are equal.

    `paints`: whether the engine uses diffusion settings even if the request has none.
    """
    full = pb.GenerateRequest()
    full.CopyFrom(request)
    full.style = full.style or AUTO
    if full.hits in (pb.HITS_UNSPECIFIED, pb.HITS_OFF):
        full.ClearField("hits")
        full.ClearField("cuts")
    if not full.HasField("sample_rate_hz"):
        full.sample_rate_hz = DEFAULT_SAMPLE_RATE_HZ
    if paints or full.HasField("diffusion"):
        _fill(full.diffusion)
    return full


def _fill(settings: pb.DiffusionSettings) -> None:
    default = DiffusionSettings()
    for name in ("denoising_strength", "guidance_scale", "steps", "alpha"):
        if not settings.HasField(name):
            setattr(settings, name, getattr(default, name))
    if settings.continuity == pb.CONTINUITY_UNSPECIFIED:
        settings.continuity = pb.CONTINUITY_JOINT
    for adapter in settings.adapters:
        if not adapter.HasField("weight"):
            adapter.weight = 1.0


def request_from_pb(request: pb.GenerateRequest, styles: Sequence[StyleInfo]) -> CueRequest:
    """Converts a request that has its defaults filled in. Raises InvalidField."""
    timeline = timeline_from_pb(request.timeline)
    if timeline.duration_s > LONGEST_TIMELINE_S:
        raise InvalidField("timeline.duration", f"must be at most {LONGEST_TIMELINE_S:.0f} s")
    if not 0 <= request.random_seed < _RANDOM_SEEDS:
        raise InvalidField("random_seed", "must be in [0, 2^53)")
    style_request_from_pb(request.style, styles)
    if request.hits not in _HITS:
        raise InvalidField("hits", f"must be one of {list(_HITS)}")
    piece = Piece(
        timeline=timeline,
        speech_spans=spans_from_pb(request.speech_spans, "speech_spans"),
        random_seed=request.random_seed,
        style=request.style,
        cuts=cuts_from_pb(request.cuts, "cuts", timeline.duration_s),
        hits=_HITS[request.hits],
    )
    return CueRequest(
        piece=piece,
        cue=_cue(request, timeline.duration_s),
        sample_rate_hz=_sample_rate_hz(request),
        stems=request.stems,
        diffusion=_diffusion(request.diffusion) if request.HasField("diffusion") else None,
    )


def music_to_pb(music: Music) -> pb.GenerateResult:
    """Converts the result, without timings."""
    return pb.GenerateResult(
        music=artifact_to_pb(music.music),
        midi=artifact_to_pb(music.midi),
        picture=artifact_to_pb(music.picture),
        stems=[
            pb.Stem(name=name, sound=artifact_to_pb(sound))
            for name, sound in zip(music.generated.stems, music.stems, strict=True)
        ],
        sections=[_section_to_pb(section) for section in music.generated.sections],
        bars=[bar_to_pb(bar) for bar in music.generated.bars],
        style=music.generated.style,
        engine=engine_to_pb(music.engine),
        notes=music.generated.notes,
    )


def styles_to_pb(styles: Sequence[StyleInfo]) -> pb.ListStylesResponse:
    """Converts `styles`."""
    return pb.ListStylesResponse(
        styles=[pb.Style(name=style.name, description=style.description) for style in styles]
    )


def adapter_to_pb(adapter: AdapterInfo) -> pb.AdapterInfo:
    """Converts `adapter`."""
    return pb.AdapterInfo(name=adapter.name, sha256=adapter.sha256, loaded=adapter.loaded)


def style_request_from_pb(text: str, styles: Sequence[StyleInfo]) -> StyleRequest:
    """Parses a style with hints. Raises InvalidField naming unknown words."""
    try:
        return read(text, [style.name for style in styles])
    except ValueError as error:
        raise InvalidField("style", str(error)) from None


def style_request_to_pb(wish: StyleRequest) -> pb.ReadStyleResponse:
    """Converts `wish`."""
    return pb.ReadStyleResponse(
        style=wish.style, arousal=wish.arousal, instruments=wish.programmes, drums=wish.drums
    )


def _section_to_pb(section: Section) -> pb.Section:
    return pb.Section(
        span=span_to_pb(section.span),
        emotion=emotion_to_pb(section.emotion),
        key=section.key,
        tempo_bpm=section.tempo_bpm,
        bars=section.bars,
    )


def _cue(request: pb.GenerateRequest, duration_s: float) -> Span:
    if not request.HasField("cue"):
        raise InvalidField("cue", "is required")
    cue = span_from_pb(request.cue, "cue")
    if cue.duration_s <= 0:
        raise InvalidField("cue", "must not be empty")
    if cue.end_s > duration_s + TIME_TOLERANCE_S:
        raise InvalidField("cue", f"must lie inside [0, {duration_s:.6f})")
    return cue


def _diffusion(message: pb.DiffusionSettings) -> DiffusionSettings:
    check_diffusion("diffusion", message)
    return DiffusionSettings(
        denoising_strength=message.denoising_strength,
        guidance_scale=message.guidance_scale,
        steps=message.steps,
        continuity=_CONTINUITIES[message.continuity],
        alpha=message.alpha,
        adapters=tuple((adapter.name, adapter.weight) for adapter in message.adapters),
    )


def _sample_rate_hz(request: pb.GenerateRequest) -> int:
    if request.sample_rate_hz not in SAMPLE_RATES_HZ:
        raise InvalidField("sample_rate_hz", f"must be one of {', '.join(map(str, SAMPLE_RATES_HZ))}")
    return request.sample_rate_hz

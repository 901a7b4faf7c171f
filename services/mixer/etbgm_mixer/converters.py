"""Converts requests to values and values to responses; validates requests."""

from etbgm.mixer.v1 import mixer_pb2 as pb
from etbgm_kit.converters import (
    artifact_from_pb,
    artifact_to_pb,
    bars_from_pb,
    engine_to_pb,
    music_levels_from_pb,
    seconds_from_pb,
    seconds_to_pb,
    span_from_pb,
    span_to_pb,
    spans_from_pb,
)
from etbgm_kit.errors import InvalidField
from etbgm_kit.picture_converters import cut_to_pb, mood_to_pb
from etbgm_kit.ranges import MIX_RANGES, check_audio_tracks, check_mix
from etbgm_kit.types import Artifact, Span
from etbgm_mixer.types import (
    AudioStream,
    Container,
    Extracted,
    MediaFacts,
    Mixed,
    MixRequest,
    MixSettings,
    MusicCue,
    OriginalAudio,
    Seen,
    Separated,
    SubtitleStream,
    TrackChoice,
    VideoStream,
)

_ORIGINAL_AUDIO = {
    pb.ORIGINAL_AUDIO_SPEECH_ONLY: OriginalAudio.SPEECH_ONLY,
    pb.ORIGINAL_AUDIO_KEEP: OriginalAudio.KEEP,
    pb.ORIGINAL_AUDIO_NONE: OriginalAudio.NONE,
}


def container_from_pb(request: pb.ProbeRequest | pb.MixRequest) -> Container | None:
    """Returns the container, or None if absent. Raises InvalidField if it is unknown."""
    if not request.HasField("container"):
        return None
    try:
        return Container(request.container)
    except ValueError:
        raise InvalidField("container", f"must be one of {', '.join(Container)}") from None


def with_defaults(request: pb.MixRequest) -> pb.MixRequest:
    """Returns a copy with default values for missing settings, so that equivalent requests are equal.

    A missing container stays absent, because it depends on the video.
    """
    full = pb.MixRequest()
    full.CopyFrom(request)
    default = MixSettings()
    if full.settings.original_audio == pb.ORIGINAL_AUDIO_UNSPECIFIED:
        full.settings.original_audio = pb.ORIGINAL_AUDIO_SPEECH_ONLY
    for name in MIX_RANGES:
        value = getattr(default, name)
        if value is not None and not full.settings.HasField(name):  # type: ignore[arg-type]
            setattr(full.settings, name, value)
    return full


def mix_request_from_pb(request: pb.MixRequest) -> MixRequest:
    """Converts a request that has its defaults. Raises InvalidField."""
    return MixRequest(
        video=artifact_from_pb(request.video, "video"),
        audio=artifact_from_pb(request.audio, "audio") if request.HasField("audio") else None,
        speech=artifact_from_pb(request.speech, "speech") if request.HasField("speech") else None,
        speech_spans=spans_from_pb(request.speech_spans, "speech_spans"),
        cues=tuple(
            MusicCue(
                artifact_from_pb(cue.music, f"cues[{i}].music"), span_from_pb(cue.span, f"cues[{i}].span")
            )
            for i, cue in enumerate(request.cues)
        ),
        settings=settings_from_pb(request.settings),
        container=container_from_pb(request),
        facts=facts_from_pb(request.facts, request.video.size_bytes) if request.HasField("facts") else None,
        residual=artifact_from_pb(request.residual, "residual") if request.HasField("residual") else None,
        bars=bars_from_pb(request.bars, "bars"),
    )


def excerpt_request_from_pb(request: pb.MixExcerptRequest) -> tuple[MixRequest, Span, Artifact | None]:
    """Converts the mix, which has its defaults, the span and its new music. Raises InvalidField."""
    music = artifact_from_pb(request.music, "music") if request.HasField("music") else None
    return mix_request_from_pb(request.mix), span_from_pb(request.span, "span"), music


def settings_from_pb(message: pb.MixSettings) -> MixSettings:
    """Converts settings that have their defaults. Raises InvalidField if one is out of range."""
    check_mix("settings", message)
    numbers = {field.name: value for field, value in message.ListFields() if field.name in MIX_RANGES}
    return MixSettings(
        original_audio=_ORIGINAL_AUDIO[message.original_audio],
        keep_original_tracks=message.keep_original_tracks,
        music_levels=music_levels_from_pb(message.music_levels, "settings.music_levels"),
        **numbers,
    )


def probed_to_pb(facts: MediaFacts, container: Container) -> pb.ProbeResponse:
    """Returns the response of a probe."""
    return pb.ProbeResponse(facts=facts_to_pb(facts), container=container)


def facts_to_pb(facts: MediaFacts) -> pb.MediaFacts:
    """Returns the message for `facts`."""
    video, audio = facts.video, facts.audio
    return pb.MediaFacts(
        duration=seconds_to_pb(facts.duration_s),
        container=facts.container,
        video=pb.VideoStream(
            codec=video.codec,
            width=video.width,
            height=video.height,
            frame_rate=video.frame_rate,
            rotation_degrees=video.rotation_degrees,
            index=video.index,
            packets=video.packets,
            records=video.records,
        ),
        audio=audio_to_pb(audio) if audio else None,
        other_audio=[audio_to_pb(stream) for stream in facts.other_audio],
        rebuilt=not facts.is_steady,
        subtitles=[subtitles_to_pb(stream) for stream in facts.subtitles],
        size_bytes=facts.size_bytes,
        notes=facts.notes,
        brand=facts.brand,
        origin=seconds_to_pb(facts.origin_s),
    )


def facts_from_pb(message: pb.MediaFacts, size_bytes: int) -> MediaFacts | None:
    """Converts the facts of a video of `size_bytes`; returns None if a field that the mixer needs is missing.

    Earlier releases of the mixer left out the stream indexes. Raises InvalidField for impossible
    values.
    """
    streams: list[pb.VideoStream | pb.AudioStream | pb.SubtitleStream] = [
        message.video, *message.other_audio, *message.subtitles,
    ]  # fmt: skip
    if message.HasField("audio"):
        streams.append(message.audio)
    if not message.HasField("origin") or not all(stream.HasField("index") for stream in streams):
        return None
    if message.size_bytes != size_bytes:
        raise InvalidField("facts.size_bytes", "is not the length of the video")
    duration_s, origin_s = seconds_from_pb(message.duration), seconds_from_pb(message.origin)
    if duration_s <= 0:
        raise InvalidField("facts", "must have a duration above 0")
    if len({stream.index for stream in streams}) < len(streams) or min(s.index for s in streams) < 0:
        raise InvalidField("facts", "must have a different index, of at least 0, for each stream")
    return MediaFacts(
        container=message.container,
        brand=message.brand,
        origin_s=origin_s,
        duration_s=duration_s,
        size_bytes=size_bytes,
        video=_video_from_pb(message.video),
        audio=audio_from_pb(message.audio) if message.HasField("audio") else None,
        other_audio=tuple(map(audio_from_pb, message.other_audio)),
        is_steady=not message.rebuilt,
        subtitles=tuple(
            SubtitleStream(s.index, s.codec, s.language, s.is_default, s.is_partial, s.is_hearing_impaired)
            for s in message.subtitles
        ),
        notes=tuple(message.notes),
    )


def _video_from_pb(message: pb.VideoStream) -> VideoStream:
    return VideoStream(
        message.index,
        message.codec,
        message.width,
        message.height,
        message.frame_rate,
        message.rotation_degrees,
        message.packets,
        tuple(message.records),
    )


def audio_to_pb(audio: AudioStream) -> pb.AudioStream:
    """Returns the message for `audio`."""
    return pb.AudioStream(
        codec=audio.codec,
        sample_rate_hz=audio.sample_rate_hz,
        channels=audio.channels,
        index=audio.index,
        layout=audio.layout,
    )


def audio_from_pb(message: pb.AudioStream) -> AudioStream:
    """Converts a stream that has its index."""
    return AudioStream(message.index, message.codec, message.sample_rate_hz, message.channels, message.layout)


def tracks_from_pb(message: pb.AudioTracks) -> TrackChoice:
    """Converts the choice of audio tracks. Raises InvalidField."""
    check_audio_tracks("audio_tracks", message)
    return TrackChoice(message.number if message.HasField("number") else None, message.mix)


def subtitles_to_pb(stream: SubtitleStream) -> pb.SubtitleStream:
    """Returns the message for `stream`."""
    return pb.SubtitleStream(
        codec=stream.codec,
        language=stream.language,
        index=stream.index,
        is_default=stream.is_default,
        is_partial=stream.is_partial,
        is_hearing_impaired=stream.is_hearing_impaired,
    )


def extracted_to_pb(extracted: Extracted) -> pb.ExtractResult:
    """Returns the result without timings."""
    tracks = [
        pb.CaptionTrack(captions=artifact_to_pb(track.captions), stream=subtitles_to_pb(track.stream))
        for track in extracted.caption_tracks
    ]
    return pb.ExtractResult(
        facts=facts_to_pb(extracted.facts),
        audio=artifact_to_pb(extracted.audio) if extracted.audio else None,
        captions=tracks[0].captions if tracks else None,
        caption_tracks=tracks,
    )


def picture_request_from_pb(
    request: pb.AnalyzePictureRequest,
) -> tuple[Artifact, MediaFacts | None, Artifact | None]:
    """Converts the video, its facts and its audio. Raises InvalidField."""
    facts = facts_from_pb(request.facts, request.video.size_bytes) if request.HasField("facts") else None
    audio = artifact_from_pb(request.audio, "audio") if request.HasField("audio") else None
    return artifact_from_pb(request.video, "video"), facts, audio


def seen_to_pb(seen: Seen) -> pb.AnalyzePictureResponse:
    """Returns the response without timings."""
    return pb.AnalyzePictureResponse(
        cuts=[cut_to_pb(cut) for cut in seen.cuts],
        mood=mood_to_pb(seen.mood) if seen.mood else None,
        notes=seen.notes,
    )


def separated_to_pb(separated: Separated) -> pb.SeparateResult:
    """Returns the result without timings."""
    return pb.SeparateResult(
        speech=artifact_to_pb(separated.speech),
        residual=artifact_to_pb(separated.residual) if separated.residual else None,
        speech_spans=[span_to_pb(span) for span in separated.speech_spans],
        engine=engine_to_pb(separated.engine),
        notes=separated.notes,
    )


def mixed_to_pb(mixed: Mixed) -> pb.MixResult:
    """Returns the result without timings."""
    report = mixed.report
    return pb.MixResult(
        video=artifact_to_pb(mixed.video),
        music=artifact_to_pb(mixed.music),
        levels=artifact_to_pb(mixed.levels),
        report=pb.MixReport(
            integrated_loudness_lufs=report.integrated_loudness_lufs,
            true_peak_dbtp=report.true_peak_dbtp,
            speech_to_music_lu=report.speech_to_music_lu,
            music_lift_lu=report.music_lift_lu,
            speech_gain_db=report.speech_gain_db,
            limiter_reduction_db=report.limiter_reduction_db,
            worst_speech_to_music_lu=report.worst_speech_to_music_lu,
            worst_span=span_to_pb(report.worst_span) if report.worst_span else None,
            notes=report.notes,
        ),
        container=mixed.container,
        preview=artifact_to_pb(mixed.preview),
        waveform=artifact_to_pb(mixed.waveform),
    )

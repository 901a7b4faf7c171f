"""The mixer's value types."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from etbgm_kit.types import Artifact, Bar, Cut, EngineInfo, MusicLevel, PictureMood, Span

OnProgress = Callable[[float], None]
"""Blocking work calls this with the completed share, [0, 1]; it raises CallCancelled."""


class Container(StrEnum):
    """Possible containers of the result."""

    MP4 = "mp4"
    MOV = "mov"
    WEBM = "webm"
    MKV = "mkv"


class OriginalAudio(StrEnum):
    """How the mix uses the video's own sound."""

    SPEECH_ONLY = "speech_only"
    KEEP = "keep"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class VideoStream:
    """`index` in the container; size in pixels; `rotation_degrees` clockwise, 0, 90, 180 or 270.

    `packets` is their number; 0 if unknown. `records` are ffmpeg's names of the side data.
    """

    index: int
    codec: str
    width: int
    height: int
    frame_rate: float
    rotation_degrees: int
    packets: int = 0
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AudioStream:
    """`index` in the container; `layout` by ffmpeg's name, empty if the file states none."""

    index: int
    codec: str
    sample_rate_hz: int
    channels: int
    layout: str = ""


@dataclass(frozen=True, slots=True)
class SubtitleStream:
    """`index` in the container; `language` as the file states it, may be empty.

    A partial one holds only some of what is said (forced), or other words (a commentary). One for
    the hearing impaired also describes sounds.
    """

    index: int
    codec: str
    language: str
    is_default: bool = False
    is_partial: bool = False
    is_hearing_impaired: bool = False


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What a video holds.

    `origin_s` is the first instant on the container's clock, negative if the clock wrapped
    around; it is time 0 of everything that is derived from the video. `duration_s` extends
    to the end of the picture or the sound, whichever is later, according to their packets.
    `audio` is the stream to use, `other_audio` are the rest. Without `is_steady`, the clock
    cannot be believed: all times, and the indexes of streams, are those of a rebuilt copy.
    """

    container: str
    brand: str
    origin_s: float
    duration_s: float
    size_bytes: int
    video: VideoStream
    audio: AudioStream | None
    subtitles: tuple[SubtitleStream, ...]
    notes: tuple[str, ...] = ()
    other_audio: tuple[AudioStream, ...] = ()
    is_steady: bool = True


@dataclass(frozen=True, slots=True)
class MixSettings:
    """How to mix; see mixer.proto for ranges and defaults."""

    original_audio: OriginalAudio = OriginalAudio.SPEECH_ONLY
    target_loudness_lufs: float = -14.0
    max_true_peak_dbtp: float = -1.0
    speech_to_music_lu: float = 14.0
    music_lift_db: float = 8.0
    attack_ms: float = 1000.0
    hold_ms: float = 500.0
    release_ms: float = 2000.0
    ambience_db: float | None = None
    keep_original_tracks: bool = False
    music_levels: tuple[MusicLevel, ...] = ()


@dataclass(frozen=True, slots=True)
class TrackChoice:
    """Which audio tracks are the video's sound: number `number` from 1, all (`mix`), or by their speech."""

    number: int | None = None
    mix: bool = False


DEFAULT_TRACKS = TrackChoice()


@dataclass(frozen=True, slots=True)
class MusicCue:
    """One piece of the music bed and its span."""

    music: Artifact
    span: Span


@dataclass(frozen=True, slots=True)
class MixRequest:
    """The inputs of one mix; see mixer.proto. The video is probed if `facts` is None.

    `residual` is None if nothing was separated or the residual is not needed; `bars` are those of the
    music, as far as they are known.
    """

    video: Artifact
    audio: Artifact | None
    speech: Artifact | None
    speech_spans: Sequence[Span]
    cues: Sequence[MusicCue]
    settings: MixSettings
    container: Container | None
    facts: MediaFacts | None = None
    residual: Artifact | None = None
    bars: Sequence[Bar] = ()


@dataclass(frozen=True, slots=True)
class MixReport:
    """The results measured on the mixdown; None for values that cannot be measured."""

    integrated_loudness_lufs: float
    true_peak_dbtp: float
    speech_to_music_lu: float | None
    music_lift_lu: float | None
    speech_gain_db: float
    limiter_reduction_db: float
    worst_speech_to_music_lu: float | None = None
    worst_span: Span | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Separated:
    """Speech and the rest; `residual` is None if nothing was separated."""

    speech: Artifact
    residual: Artifact | None
    speech_spans: Sequence[Span]
    engine: EngineInfo
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """The cuts and the mood of a picture; None if it could not be decoded."""

    cuts: tuple[Cut, ...]
    mood: PictureMood | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaptionTrack:
    """WebVTT captions that say something, and the subtitle stream that they come from."""

    captions: Artifact
    stream: SubtitleStream


@dataclass(frozen=True, slots=True)
class Extracted:
    """A video's facts, sound (None if it has none) and captions, the best ones first."""

    facts: MediaFacts
    audio: Artifact | None
    caption_tracks: tuple[CaptionTrack, ...]


@dataclass(frozen=True, slots=True)
class Mixed:
    """The finished video, its sound and music stem, its waveform and loudness, and the measured results."""

    video: Artifact
    preview: Artifact
    music: Artifact
    waveform: Artifact
    levels: Artifact
    report: MixReport
    container: Container

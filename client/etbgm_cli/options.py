"""Converts command-line options to the contract's JobSettings."""

import json
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import json_format

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm.sentiment.v1 import sentiment_pb2
from etbgm_client import AsyncClient
from etbgm_kit.converters import seconds_to_pb
from etbgm_kit.errors import InvalidField
from etbgm_kit.ranges import CONTAINERS

MUSIC_LEVELS_LU = {"low": 18.0, "medium": 14.0, "high": 10.0}
"""Level of the speech above the music. Listeners want at least 10 LU (Torcoli et al., JAES 67(12), 2019)."""

CAPTION_TYPES = {".srt": "application/x-subrip", ".vtt": "text/vtt"}


@dataclass(frozen=True)
class JobOptions:
    """The options of `etbgm run` that describe the job; None selects the default."""

    variants: int | None = None
    random_seed: int | None = None
    style: str = ""
    original_audio: str = "speech_only"
    loudness_lufs: float | None = None
    speech_to_music_lu: float | None = None
    music: str | None = None
    ambience_db: float | None = None
    audio_track: int | None = None
    mix_audio_tracks: bool = False
    keep_original_track: bool = False
    min_emotion_s: float | None = None
    smoothing: str | None = None
    language: str | None = None
    translate: bool = False
    captions: Path | None = None
    ignore_subtitles: bool = False
    ignore_voice: bool = False
    ignore_picture: bool = False
    hits: str | None = None
    cuts: Path | None = None
    timeline: Path | None = None
    container: str | None = None
    stems: bool = False
    projects: bool = False
    denoising_strength: float | None = None
    adapters: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    priority: int = 0


def labels_of(options: JobOptions) -> dict[str, str]:
    """The labels for `options`, each KEY=VALUE. Raises InvalidField."""
    labels: dict[str, str] = {}
    for text in options.labels:
        key, separator, value = text.partition("=")
        if not separator:
            raise InvalidField("label", f"must be KEY=VALUE, got {text}")
        labels[key] = value
    return labels


async def settings_of(options: JobOptions, client: AsyncClient) -> pb.JobSettings:
    """The settings for `options`. Uploads captions. Raises InvalidField for unusable options or files."""
    settings = pb.JobSettings(
        variants=options.variants,
        random_seed=options.random_seed,
        style=options.style,
        mix=mixer_pb2.MixSettings(
            original_audio=mixer_pb2.OriginalAudio.Value(f"ORIGINAL_AUDIO_{options.original_audio.upper()}"),
            target_loudness_lufs=options.loudness_lufs,
            speech_to_music_lu=_speech_to_music_lu(options),
            ambience_db=options.ambience_db,
            keep_original_tracks=options.keep_original_track,
        ),
        container=options.container,
        language=options.language,
        ignore_subtitles=options.ignore_subtitles,
        ignore_voice=options.ignore_voice,
        ignore_picture=options.ignore_picture,
        stems=options.stems,
        projects=options.projects,
        translate=options.translate,
    )
    if options.audio_track is not None or options.mix_audio_tracks:
        tracks = mixer_pb2.AudioTracks(number=options.audio_track, mix=options.mix_audio_tracks)
        settings.audio_tracks.CopyFrom(tracks)
    if options.hits:
        settings.hits = hits_to_pb(options.hits)
    if options.cuts:
        settings.cuts.CopyFrom(read_cuts(options.cuts))
    if options.smoothing:
        settings.smoothing = sentiment_pb2.Smoothing.Value(f"SMOOTHING_{options.smoothing.upper()}")
    if options.min_emotion_s is not None:
        settings.min_emotion_duration.CopyFrom(seconds_to_pb(options.min_emotion_s))
    if options.denoising_strength is not None or options.adapters:
        settings.diffusion.CopyFrom(_diffusion(options))
    if options.timeline:
        settings.timeline.CopyFrom(read_timeline(options.timeline))
    if options.captions:
        settings.captions.CopyFrom(await _captions(options.captions, client))
    return settings


def hits_to_pb(hits: str) -> riffusion_pb2.Hits.ValueType:
    """The value for "off", "subtle" or "strong"."""
    return riffusion_pb2.Hits.Value(f"HITS_{hits.upper()}")


async def _captions(path: Path, client: AsyncClient) -> media_pb2.Artifact:
    media_type = CAPTION_TYPES.get(path.suffix.lower())
    if media_type is None:
        raise InvalidField("captions", f"must be a .srt or .vtt file, got {path.name}")
    return await client.upload(path, media_type)


def _speech_to_music_lu(options: JobOptions) -> float | None:
    if options.music is None:
        return options.speech_to_music_lu
    if options.speech_to_music_lu is not None:
        raise InvalidField("music", "cannot be used together with --speech-to-music")
    return MUSIC_LEVELS_LU[options.music]


def _diffusion(options: JobOptions) -> riffusion_pb2.DiffusionSettings:
    settings = riffusion_pb2.DiffusionSettings(denoising_strength=options.denoising_strength)
    for text in options.adapters:
        name, _, weight = text.partition("=")
        try:
            settings.adapters.add(name=name, weight=float(weight) if weight else None)
        except ValueError:
            raise InvalidField("adapter", f"must be NAME or NAME=WEIGHT, got {text}") from None
    return settings


def read_timeline(path: Path) -> media_pb2.EmotionTimeline:
    """The timeline in a JSON file: an EmotionTimeline, or timeline.json from a result folder."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return json_format.ParseDict(document.get("timeline", document), media_pb2.EmotionTimeline())
    except (ValueError, AttributeError, json_format.ParseError) as error:
        raise InvalidField("timeline", f"{path.name} is not an emotion timeline: {error}") from None


def read_cuts(path: Path) -> media_pb2.CutList:
    """The cuts in a JSON file: a CutList, or timeline.json from a result folder."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return json_format.ParseDict({"cuts": document["cuts"]}, media_pb2.CutList())
    except KeyError:
        raise InvalidField("cuts", f"{path.name} has no cuts") from None
    except (ValueError, TypeError, json_format.ParseError) as error:
        raise InvalidField("cuts", f"{path.name} is not a list of cuts: {error}") from None


def container_of(output: Path) -> str:
    """The container for the file extension of `output`. Raises InvalidField for an unknown extension."""
    ending = output.suffix.lower().removeprefix(".")
    if ending not in CONTAINERS:
        endings = ", ".join(f".{name}" for name in CONTAINERS)
        raise InvalidField("output", f"the name must end in one of {endings}, got {output.name}")
    return ending

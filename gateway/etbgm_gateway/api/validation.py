"""Checks a job's settings against the ranges in the contract."""

import math
import re
from collections.abc import Mapping, Sequence

from google.protobuf.duration_pb2 import Duration

from etbgm.gateway.v1 import gateway_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm.sentiment.v1 import sentiment_pb2
from etbgm_gateway.pipeline.pictures import check_cuts
from etbgm_gateway.pipeline.pieces import variants_of
from etbgm_kit.converters import (
    artifact_from_pb,
    music_levels_from_pb,
    seconds_from_pb,
    timeline_from_pb,
)
from etbgm_kit.errors import InvalidField
from etbgm_kit.ranges import (
    CONTAINERS,
    MOST_VARIANTS,
    check_audio_tracks,
    check_diffusion,
    check_mix,
    check_range,
)
from etbgm_kit.seeds import SEED_LIMIT
from etbgm_kit.types import EmotionTimeline

CAPTION_TYPES = ("text/vtt", "application/x-subrip")
TIMELINE = "settings.timeline"
LONGEST_MIN_EMOTION_S = 60.0
_FREE_SPANS = 16
"""Number of spans that a timeline of any duration may have."""
_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}"
_MEDIA_TYPE = re.compile(f"{_NAME}/{_NAME}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
MOST_NOTES, LONGEST_LABEL = 64, 63
"""Number of labels, and of entries of user metadata, and characters of a label (as on Google Cloud)."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,8}")


def is_id(value: str) -> bool:
    """Whether `value` has the form of an id."""
    return bool(_ID.fullmatch(value))


def check_id(value: str, field: str) -> None:
    """Raises InvalidField unless `value` is a valid id."""
    if not is_id(value):
        raise InvalidField(field, "must be 8 to 64 characters of [A-Za-z0-9_-]")


def is_label_key(value: str) -> bool:
    """Whether `value` can be the key of a label."""
    return bool(_LABEL_KEY.fullmatch(value))


def check_notes(labels: Mapping[str, str], user_metadata: Mapping[str, str]) -> None:
    """Raises InvalidField unless what a caller notes on a job keeps to its limits."""
    for field, notes in (("labels", labels), ("user_metadata", user_metadata)):
        if len(notes) > MOST_NOTES:
            raise InvalidField(field, f"must have at most {MOST_NOTES} entries, has {len(notes):,}")
    for key, value in labels.items():
        if not is_label_key(key):
            raise InvalidField("labels", "must have keys of 1 to 63 characters of [a-z0-9_-], a letter first")
        if len(value) > LONGEST_LABEL:
            raise InvalidField(f"labels[{key}]", f"must have at most {LONGEST_LABEL} characters")
    if not all(0 < len(key) <= LONGEST_LABEL for key in user_metadata):
        raise InvalidField("user_metadata", f"must have keys of 1 to {LONGEST_LABEL} characters")


def check_settings(settings: gateway_pb2.JobSettings) -> None:
    """Raises InvalidField for the first value out of range; `timeline_of` checks the timeline."""
    if settings.HasField("variants"):
        check_range("settings.variants", settings.variants, 1, MOST_VARIANTS)
    if settings.HasField("random_seed"):
        check_range("settings.random_seed", settings.random_seed, 0, SEED_LIMIT - 1)
    if settings.HasField("container") and settings.container not in CONTAINERS:
        raise InvalidField("settings.container", f"must be one of {', '.join(CONTAINERS)}")
    if settings.HasField("language") and not _LANGUAGE.fullmatch(settings.language):
        raise InvalidField("settings.language", "is not a BCP-47 language tag")
    _check_enum("settings.speech_task", settings.speech_task, gateway_pb2.SpeechTask.values())
    _check_enum("settings.smoothing", settings.smoothing, sentiment_pb2.Smoothing.values())
    if settings.HasField("min_emotion_duration"):
        shortest_s = seconds_from_pb(settings.min_emotion_duration)
        if not 0 < shortest_s <= LONGEST_MIN_EMOTION_S:
            raise InvalidField(
                "settings.min_emotion_duration", f"must be in (0 s, {LONGEST_MIN_EMOTION_S:g} s]"
            )
    if settings.HasField("captions"):
        captions = artifact_from_pb(settings.captions, "settings.captions")
        if captions.media_type not in CAPTION_TYPES:
            raise InvalidField("settings.captions.media_type", f"must be one of {', '.join(CAPTION_TYPES)}")
    _check_enum("settings.hits", settings.hits, riffusion_pb2.Hits.values())
    check_cuts(settings, math.inf)
    _check_variant_settings(settings)
    check_audio_tracks("settings.audio_tracks", settings.audio_tracks)
    check_diffusion("settings.diffusion", settings.diffusion)
    check_mix("settings.mix", settings.mix)
    music_levels_from_pb(settings.mix.music_levels, "settings.mix.music_levels")


def _check_variant_settings(settings: gateway_pb2.JobSettings) -> None:
    numbers: set[int] = set()
    for i, one in enumerate(settings.variant_settings):
        field = f"settings.variant_settings[{i}]"
        check_range(f"{field}.number", one.number, 1, variants_of(settings))
        if one.number in numbers:
            raise InvalidField(f"{field}.number", f"is {one.number}, like that of another element")
        numbers.add(one.number)
        if one.HasField("random_seed"):
            check_range(f"{field}.random_seed", one.random_seed, 0, SEED_LIMIT - 1)


def timeline_of(settings: gateway_pb2.JobSettings, spans_per_s: float) -> EmotionTimeline | None:
    """Returns the given timeline, if any. Raises InvalidField. Blocks for long if it is long."""
    if not settings.HasField("timeline"):
        return None
    spans, duration_s = len(settings.timeline.spans), seconds_from_pb(settings.timeline.duration)
    if spans > _FREE_SPANS + spans_per_s * max(0.0, duration_s):
        raise InvalidField(
            f"{TIMELINE}.spans",
            f"are {spans:,} in {duration_s:g} s, the limit is {spans_per_s:g} per second"
            " (ETBGM_MAX_SPANS_PER_S)",
        )
    return timeline_from_pb(settings.timeline, TIMELINE)


def check_sha256(value: str, field: str) -> None:
    """Raises InvalidField unless `value` is a SHA-256."""
    if not _SHA256.fullmatch(value):
        raise InvalidField(field, "must be 64 lower-case hexadecimal digits")


def check_media_type(value: str, field: str) -> None:
    """Raises InvalidField unless `value` is empty or a media type without parameters (RFC 6838)."""
    if value and not _MEDIA_TYPE.fullmatch(value):
        raise InvalidField(field, "is not a media type, for example video/mp4")


def lifetime_of(given: Duration | None, default_s: float, shortest_s: float, longest_s: float) -> float:
    """Returns the seconds that a link is accepted. Raises InvalidField unless they are in the range."""
    lifetime_s = default_s if given is None else seconds_from_pb(given)
    check_range("lifetime", lifetime_s, shortest_s, longest_s)
    return lifetime_s


def _check_enum(field: str, value: int, known: Sequence[int]) -> None:
    if value not in known:
        raise InvalidField(field, f"must be one of {list(known)}, is {value}")

"""Ranges of the contract that more than one service checks."""

import re
from collections.abc import Mapping

from google.protobuf.message import Message

from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_kit.errors import InvalidField

CONTAINERS = ("mp4", "mov", "webm", "mkv")
"""Supported containers of a result."""

LONGEST_TIMELINE_S = 12 * 3600.0
"""Longest timeline: a piece's whole score is kept in memory, about 10 MB per hour."""

LARGEST_VIDEO_BYTES = 8 << 30
"""Default limit on the size of a video: what the mixer reads and the gateway takes in."""

MOST_VARIANTS = 8
"""Maximum number of variants of one job."""

MIX_RANGES = {
    "target_loudness_lufs": (-31, -9),
    "max_true_peak_dbtp": (-9, 0),
    "speech_to_music_lu": (6, 30),
    "music_lift_db": (0, 15),
    "attack_ms": (10, 2000),
    "hold_ms": (0, 2000),
    "release_ms": (10, 5000),
    "ambience_db": (-60, 0),
}
"""Lowest and highest value of each number in mixer.MixSettings. The mixer rejects other values;
the gateway does too, so that it queues no job that would fail in its last stage."""

MUSIC_LEVEL_DB = (-60.0, 12.0)
"""Lowest and highest MusicLevel.gain_db; at the lowest the music is silent."""

UNSEPARATED = (mixer_pb2.ORIGINAL_AUDIO_KEEP, mixer_pb2.ORIGINAL_AUDIO_NONE)
"""Values of original_audio with which the result does not contain the separated speech."""

_DIFFUSION_RANGES = {
    "denoising_strength": (0, 1),
    "guidance_scale": (0, 20),
    "steps": (1, 150),
    "alpha": (0.01, 1),
}
_ADAPTER_RANGES = {"weight": (-2, 2)}
MOST_ADAPTERS = 4
_ADAPTER = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_range(field: str, value: float, lowest: float, highest: float) -> None:
    """Raises InvalidField unless `value` is in [lowest, highest]."""
    # NaN fails this comparison too.
    if not lowest <= value <= highest:
        raise InvalidField(field, f"must be in [{lowest}, {highest}], is {value:g}")


def check_mix(field: str, settings: mixer_pb2.MixSettings) -> None:
    """Raises InvalidField for the first setting that breaks the contract."""
    known = mixer_pb2.OriginalAudio.values()
    if settings.original_audio not in known:
        raise InvalidField(
            f"{field}.original_audio", f"must be one of {list(known)}, is {settings.original_audio}"
        )
    _check_numbers(field, settings, MIX_RANGES)
    if settings.HasField("ambience_db") and settings.original_audio in UNSEPARATED:
        raise InvalidField(f"{field}.ambience_db", "can be used only if original_audio is speech_only")


def check_audio_tracks(field: str, tracks: mixer_pb2.AudioTracks) -> None:
    """Raises InvalidField unless `tracks` has a number of at least 1, or `mix`, or neither."""
    if tracks.HasField("number") and tracks.number < 1:
        raise InvalidField(f"{field}.number", f"must be at least 1, is {tracks.number}")
    if tracks.HasField("number") and tracks.mix:
        raise InvalidField(f"{field}.mix", "cannot be used together with a number")


def check_diffusion(field: str, settings: riffusion_pb2.DiffusionSettings) -> None:
    """Raises InvalidField unless `settings` obey the contract. Does not check that the adapters exist."""
    _check_numbers(field, settings, _DIFFUSION_RANGES)
    if settings.continuity not in riffusion_pb2.Continuity.values():
        raise InvalidField(f"{field}.continuity", f"must be one of {riffusion_pb2.Continuity.values()}")
    check_range(f"{field}.adapters", len(settings.adapters), 0, MOST_ADAPTERS)
    names = [adapter.name for adapter in settings.adapters]
    for i, adapter in enumerate(settings.adapters):
        if not _ADAPTER.fullmatch(adapter.name) or adapter.name in names[:i]:
            why = "must be 1 to 64 characters of [A-Za-z0-9_-], none twice"
            raise InvalidField(f"{field}.adapters[{i}].name", why)
        _check_numbers(f"{field}.adapters[{i}]", adapter, _ADAPTER_RANGES)


def _check_numbers(field: str, message: Message, ranges: Mapping[str, tuple[float, float]]) -> None:
    for descriptor, value in message.ListFields():
        if descriptor.name in ranges:
            check_range(f"{field}.{descriptor.name}", value, *ranges[descriptor.name])

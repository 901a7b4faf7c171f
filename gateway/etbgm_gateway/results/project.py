"""A variant as a project for video editors: OpenTimelineIO (https://opentimelineio.readthedocs.io).

It sounds as finished in every editor: the finished sound plays, and the speech and the music that it
consists of lie muted beside it, for those who go on from there. The speech stem is as it was separated; its
gain in the mix is in the metadata of an effect, because OpenTimelineIO has no schema for gains. The music
has its gain already. All times are in frames of the picture, and the markers are those of the whole timeline:
other formats, such as Final Cut Pro XML, have neither tracks at the rate of the sound nor markers on tracks.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm_kit.converters import seconds_from_pb

USUAL_RATE_HZ = 25.0
"""Frame rate of the picture where the file states none."""

_EDGE_DB = 0.5
"""A key frame is left out if the gain differs by less from a straight line between those beside it."""

_COLOURS = {
    media_pb2.EMOTION_ANGER: "RED",
    media_pb2.EMOTION_DISGUST: "GREEN",
    media_pb2.EMOTION_FEAR: "PURPLE",
    media_pb2.EMOTION_JOY: "YELLOW",
    media_pb2.EMOTION_NEUTRAL: "WHITE",
    media_pb2.EMOTION_SADNESS: "BLUE",
    media_pb2.EMOTION_SURPRISE: "CYAN",
}
"""Colours of markers that OpenTimelineIO names, those next to the plots'."""


@dataclass(frozen=True)
class Gain:
    """The speech's gain in the mix in dB, every `step_s` seconds."""

    step_s: float
    gain_db: Sequence[float]


def write(
    variant: gateway_pb2.Variant, result: gateway_pb2.JobResult, frame_rate: float, speech: Gain | None
) -> str:
    """Returns the project as JSON; `speech` is None if the speech stem is not in the mix."""
    return _Writer(variant, result, frame_rate or USUAL_RATE_HZ, speech).project()


class _Writer:
    """Names files as results/files.py does."""

    def __init__(
        self,
        variant: gateway_pb2.Variant,
        result: gateway_pb2.JobResult,
        frame_rate: float,
        speech: Gain | None,
    ) -> None:
        import opentimelineio as otio

        self._otio = otio
        self._variant, self._result, self._speech, self._rate = variant, result, speech, frame_rate
        self._duration_s = seconds_from_pb(result.timeline.duration)

    def project(self) -> str:
        schema, name = self._otio.schema, f"variant-{self._variant.number}"
        video = f"{name}.{self._result.container}"
        timeline = schema.Timeline(f"{name}, {self._variant.style}")
        timeline.tracks.markers.extend(self._markers())
        timeline.tracks.append(self._track("Picture", "Video", video))
        timeline.tracks.append(self._track("Finished sound", "Audio", video))
        if self._speech and self._result.HasField("speech"):
            spoken = self._track("Speech", "Audio", "speech.flac", is_heard=False)
            spoken[0].effects.append(self._gain(self._speech))
            timeline.tracks.append(spoken)
        music = f"{name}.music.flac"
        timeline.tracks.append(self._track("Music", "Audio", music, is_heard=False))
        return str(timeline.to_json_string())

    def _track(self, name: str, kind: str, file: str, is_heard: bool = True) -> Any:
        schema = self._otio.schema
        whole = self._range(0.0, self._duration_s)
        reference = schema.ExternalReference(file, whole)
        clip = schema.Clip(name=file, media_reference=reference, source_range=whole)
        track = schema.Track(name, [clip], kind=kind)
        track.enabled = is_heard
        return track

    def _markers(self) -> Iterator[Any]:
        for span in self._result.timeline.spans:
            name = media_pb2.Emotion.Name(span.emotion).removeprefix("EMOTION_").capitalize()
            yield self._marker(name, span.span, _COLOURS.get(span.emotion, "WHITE"))
        for section in self._variant.sections:
            yield self._marker(f"{section.key}, {section.tempo_bpm:.0f} bpm", section.span, "PINK")

    def _marker(self, name: str, span: media_pb2.Span, colour: str) -> Any:
        edges_s = seconds_from_pb(span.start), seconds_from_pb(span.end)
        return self._otio.schema.Marker(name, self._range(*edges_s), colour)

    def _gain(self, gain: Gain) -> Any:
        frames = [{"time_s": time_s, "gain_db": db} for time_s, db in key_frames(gain)]
        effect = self._otio.schema.Effect("Gain", "Gain")
        effect.metadata["etbgm"] = {"key_frames": frames}
        return effect

    def _range(self, start_s: float, end_s: float) -> Any:
        opentime, rate = self._otio.opentime, self._rate
        first, end = (round(time_s * rate) for time_s in (start_s, end_s))
        return opentime.TimeRange(
            opentime.RationalTime(first, rate), opentime.RationalTime(end - first, rate)
        )


def key_frames(gain: Gain) -> list[tuple[float, float]]:
    """Returns times in s and gains in dB; straight lines between them differ from the curve by <= _EDGE_DB.

    The swinging door: a line is extended while one slope passes all points that it skips.
    """
    values, kept = gain.gain_db, [0]
    if not values:
        return []
    lowest, highest = -math.inf, math.inf
    for i in range(1, len(values)):
        anchor = kept[-1]
        if not lowest <= (values[i] - values[anchor]) / (i - anchor) <= highest:
            anchor = i - 1
            kept.append(anchor)
            lowest, highest = -math.inf, math.inf
        rise, steps = values[i] - values[anchor], i - anchor
        lowest = max(lowest, (rise - _EDGE_DB) / steps)
        highest = min(highest, (rise + _EDGE_DB) / steps)
    kept.append(len(values) - 1)
    return [(round(i * gain.step_s, 3), values[i]) for i in dict.fromkeys(kept)]

"""The report of a job: everything that is known about its result, as JSON."""

import json
import time
from collections.abc import Iterable

import numpy as np
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm_kit.json_value import Json
from etbgm_kit.models import licences


def write(
    result: gateway_pb2.JobResult,
    settings: gateway_pb2.JobSettings,
    video: media_pb2.Artifact,
    facts: mixer_pb2.MediaFacts,
    stages: list[gateway_pb2.StageProgress],
) -> str:
    """The JSON text; called at the end of the last stage, whose time ends now."""
    fields: dict[str, Json] = {
        "video": {"sha256": video.sha256, **_fields(facts)},
        "settings": _fields(settings),
        "container": result.container,
        "speech_s": round(sum(_seconds(span) for span in result.speech_spans), 3),
        "timeline": _fields(result.timeline),
        "variants": [_variant(variant, result.timeline) for variant in result.variants],
        "engines": [_fields(engine) for engine in result.engines],
        "licences": licences.manifest(result.engines),
        "stages": [_stage(stage) for stage in stages],
        "notes": list(result.notes),
    }
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"


def _variant(variant: gateway_pb2.Variant, timeline: media_pb2.EmotionTimeline) -> Json:
    error_s = boundary_error_s(
        (_start_s(section.span) for section in variant.sections),
        (_start_s(span.span) for span in timeline.spans),
    )
    return {
        "number": variant.number,
        "random_seed": variant.random_seed,
        "style": variant.style,
        "sections": [_fields(section) for section in variant.sections],
        "reached": _fields(variant.report),
        "boundary_error_s": round(error_s, 6),
    }


def boundary_error_s(sections_s: Iterable[float], boundaries_s: Iterable[float]) -> float:
    """By how much the starts of the sections miss the emotion boundary that they miss most, in seconds.

    0 when there are no sections.
    """
    starts_s = np.sort(np.fromiter(sections_s, np.float64))
    if not starts_s.size:
        return 0.0
    boundaries = np.fromiter(boundaries_s, np.float64)
    next_start = np.searchsorted(starts_s, boundaries)
    after = np.abs(starts_s[np.minimum(next_start, starts_s.size - 1)] - boundaries)
    before = np.abs(starts_s[np.maximum(next_start - 1, 0)] - boundaries)
    return float(np.minimum(before, after).max(initial=0.0))


def _stage(stage: gateway_pb2.StageProgress) -> Json:
    end_s = stage.end_time.ToNanoseconds() * 1e-9 if stage.HasField("end_time") else time.time()
    return {
        "stage": gateway_pb2.Stage.Name(stage.stage).removeprefix("STAGE_"),
        "wall_s": round(end_s - stage.start_time.ToNanoseconds() * 1e-9, 3),
        "found": stage.found,
    }


def _fields(message: Message) -> dict[str, Json]:
    fields: dict[str, Json] = MessageToDict(message, preserving_proto_field_name=True)
    return fields


def _start_s(span: media_pb2.Span) -> float:
    return span.start.ToNanoseconds() * 1e-9


def _seconds(span: media_pb2.Span) -> float:
    return (span.end.ToNanoseconds() - span.start.ToNanoseconds()) * 1e-9

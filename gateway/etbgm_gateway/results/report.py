"""The report of a job: everything known about its result, as JSON."""

import json
import time
from bisect import bisect
from collections.abc import Iterable, Sequence

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
    """Returns the JSON text; called at the end of the last stage, which counts as ending now."""
    fields: dict[str, Json] = {
        "video": {"sha256": video.sha256, **_fields(facts)},
        "settings": _fields(settings),
        "container": result.container,
        "speech_s": round(sum(_seconds(span) for span in result.speech_spans), 3),
        "timeline": _fields(result.timeline),
        "cuts": [_fields(cut) for cut in result.cuts],
        "evidence_s": evidence_s(result.timeline),
        "variants": [_variant(variant, result.timeline) for variant in result.variants],
        "engines": [_fields(engine) for engine in result.engines],
        "licences": licences.manifest(result.engines),
        "stages": [_stage(stage) for stage in stages],
        "notes": list(result.notes),
    }
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"


def evidence_s(timeline: media_pb2.EmotionTimeline) -> Json:
    """Returns for how many seconds the emotion follows from words, from the picture, and from neither."""
    found: dict[str, Json] = {"words": 0.0, "picture": 0.0, "none": 0.0}
    for part in timeline.spans:
        words = media_pb2.EVIDENCE_WORDS in part.evidence
        source = "words" if words else "picture" if media_pb2.EVIDENCE_PICTURE in part.evidence else "none"
        found[source] = round(float(found[source]) + _seconds(part.span), 3)  # type: ignore[arg-type]
    return found


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
    """Returns the largest distance of an emotion boundary from the nearest section start, in seconds.

    0 when there are no sections.
    """
    starts_s = sorted(sections_s)
    if not starts_s:
        return 0.0
    return max((_distance_s(starts_s, boundary_s) for boundary_s in boundaries_s), default=0.0)


def _distance_s(starts_s: Sequence[float], boundary_s: float) -> float:
    """From `boundary_s` to the nearest of `starts_s`, which are sorted."""
    place = bisect(starts_s, boundary_s)
    return min(abs(start_s - boundary_s) for start_s in starts_s[max(0, place - 1) : place + 1])


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

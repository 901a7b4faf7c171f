"""Converts requests to values and values to responses; validates requests."""

import re

from etbgm.stt.v1 import stt_pb2 as pb
from etbgm_kit.converters import artifact_from_pb, engine_to_pb, seconds_from_pb, transcript_to_pb
from etbgm_kit.errors import InvalidField
from etbgm_stt.types import ImportCaptionsRequest, ImportedCaptions, TranscribeRequest, Transcription

_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
"""The form of the BCP-47 tags used for spoken languages."""


def with_defaults(request: pb.TranscribeRequest) -> pb.TranscribeRequest:
    """Returns a copy with sorted, unique languages, so that equivalent requests are equal."""
    full = pb.TranscribeRequest()
    full.CopyFrom(request)
    full.readable_languages[:] = sorted(set(request.readable_languages))
    return full


def request_from_pb(request: pb.TranscribeRequest) -> TranscribeRequest:
    """Converts a request with its defaults. Raises InvalidField."""
    language = _language(request.language) if request.HasField("language") else None
    readable = frozenset(_language(tag, "readable_languages") for tag in request.readable_languages)
    return TranscribeRequest(artifact_from_pb(request.audio, "audio"), language, readable, request.translate)


def captions_request_from_pb(request: pb.ImportCaptionsRequest) -> ImportCaptionsRequest:
    """Converts a request. Raises InvalidField."""
    duration_s = seconds_from_pb(request.duration) if request.HasField("duration") else None
    if duration_s is not None and duration_s < 0:
        raise InvalidField("duration", f"must be >= 0, is {duration_s}")
    language = _language(request.language) if request.HasField("language") else "en"
    return ImportCaptionsRequest(artifact_from_pb(request.captions, "captions"), language, duration_s)


def answer_to_pb(answer: Transcription) -> pb.TranscribeResult:
    """Returns the result without timings."""
    return pb.TranscribeResult(
        transcript=transcript_to_pb(answer.transcript),
        translation=transcript_to_pb(answer.translation) if answer.translation else None,
        engine=engine_to_pb(answer.engine),
        notes=answer.notes,
    )


def imported_to_pb(imported: ImportedCaptions) -> pb.ImportCaptionsResponse:
    """Returns the response."""
    return pb.ImportCaptionsResponse(transcript=transcript_to_pb(imported.transcript), notes=imported.notes)


def _language(tag: str, field: str = "language") -> str:
    if not _LANGUAGE_TAG.fullmatch(tag):
        raise InvalidField(field, 'must be a BCP-47 tag such as "en" or "pt-BR"')
    return tag

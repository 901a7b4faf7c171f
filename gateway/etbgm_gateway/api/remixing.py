"""Derives the request of a remix from its parent's: other settings, spans or words."""

from collections.abc import Sequence

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm_gateway.api.ownership import Ownership
from etbgm_gateway.pipeline.pictures import attribute
from etbgm_gateway.pipeline.timelines import overlaid
from etbgm_gateway.store.jobs import JobRow
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import (
    artifact_to_pb,
    emotion_span_from_pb,
    timeline_from_pb,
    timeline_to_pb,
    transcript_from_pb,
)
from etbgm_kit.errors import Conflict, InvalidField

_ATOMIC = (
    "etbgm.media.v1.EmotionTimeline",
    "etbgm.media.v1.CutList",
    "etbgm.media.v1.Artifact",
    "google.protobuf.Duration",
)
"""Messages that are replaced as a whole."""


class Remixing:
    """Makes requests of remixes. Methods block."""

    def __init__(self, store: ArtifactStore, ownership: Ownership) -> None:
        self._store, self._ownership = store, ownership

    def request_of(self, parent: JobRow, remix: gateway_pb2.RemixJobRequest) -> gateway_pb2.CreateJobRequest:
        """Returns the request of the new job. Raises InvalidField, Conflict (the parent has no result)."""
        request = gateway_pb2.CreateJobRequest.FromString(parent.request)
        request.request_id, request.validate_only = remix.request_id, remix.validate_only
        for kept, given in (
            (request.labels, remix.labels),
            (request.user_metadata, remix.user_metadata),
        ):
            if given:
                kept.clear()
                kept.update(given)
        if remix.HasField("priority"):
            request.priority = remix.priority
        if parent.video is not None:
            request.video.MergeFromString(parent.video)
            request.ClearField("source_url")
        request.ClearField("destination")
        if remix.HasField("destination"):
            request.destination.CopyFrom(remix.destination)
        request.webhook_url = remix.webhook_url or request.webhook_url
        known = _cuts_of(parent, request.settings)
        merge(request.settings, remix.settings, remix.update_mask)
        attribute(request.settings.cuts.cuts, known)
        if remix.HasField("transcript"):
            self._write_transcript(request.settings, remix)
        if remix.spans:
            if remix.settings.HasField("timeline"):
                raise InvalidField("spans", "cannot be used together with settings.timeline")
            request.settings.timeline.CopyFrom(_written_over(parent, remix.spans))
        return request

    def _write_transcript(
        self, settings: gateway_pb2.JobSettings, remix: gateway_pb2.RemixJobRequest
    ) -> None:
        """Stores the words as captions, so that no words are in the job database."""
        from etbgm_kit.media.caption_writing import write_vtt

        if remix.settings.HasField("captions"):
            raise InvalidField("transcript", "cannot be used together with settings.captions")
        if not remix.transcript.segments:
            raise InvalidField("transcript.segments", "must have at least one element")
        transcript = transcript_from_pb(remix.transcript)
        stored = self._store.put_bytes(write_vtt(transcript).encode(), "text/vtt")
        self._ownership.hold_given(stored)
        settings.captions.CopyFrom(artifact_to_pb(stored))
        if transcript.language:
            settings.language = transcript.language
        if not remix.settings.HasField("timeline"):
            settings.ClearField("timeline")


def merge(settings: gateway_pb2.JobSettings, other: gateway_pb2.JobSettings, mask: FieldMask) -> None:
    """Replaces in `settings` what `mask` names, or else what `other` sets. Raises InvalidField."""
    if not mask.paths:
        numbers = {one.number for one in other.variant_settings}
        kept = [one for one in settings.variant_settings if one.number not in numbers]
        _replace(settings, other)
        if numbers:
            settings.variant_settings.extend(kept)
            settings.variant_settings.sort(key=lambda one: one.number)
        return
    if not mask.IsValidForDescriptor(gateway_pb2.JobSettings.DESCRIPTOR):
        raise InvalidField("update_mask", "names a field that settings do not have")
    mask.MergeMessage(other, settings, replace_message_field=True, replace_repeated_field=True)


def _replace(message: Message, other: Message) -> None:
    for field, value in other.ListFields():
        if field.is_repeated:
            message.ClearField(field.name)
            getattr(message, field.name).extend(value)
        elif field.message_type is None:
            setattr(message, field.name, value)
        elif field.message_type.full_name in _ATOMIC:
            getattr(message, field.name).CopyFrom(value)
        else:
            _replace(getattr(message, field.name), value)


def _cuts_of(parent: JobRow, settings: gateway_pb2.JobSettings) -> list[media_pb2.Cut]:
    """Returns the parent's cuts: those of its result, and those that were given, even if hits were off."""
    result = gateway_pb2.JobResult.FromString(parent.result or b"")
    return [*settings.cuts.cuts, *result.cuts]


def _written_over(parent: JobRow, spans: Sequence[media_pb2.EmotionSpan]) -> media_pb2.EmotionTimeline:
    if parent.result is None:
        raise Conflict("the parent has no result yet, so it has no timeline", job_id=parent.job_id)
    timeline = timeline_from_pb(gateway_pb2.JobResult.FromString(parent.result).timeline)
    edits = [emotion_span_from_pb(span, f"spans[{i}]") for i, span in enumerate(spans)]
    return timeline_to_pb(overlaid(timeline, edits, "spans"))

"""What CreateJob checks before a job is queued: the request, its artifacts, the video and the style."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_gateway.api.limits import RequestLimits, check_limits
from etbgm_gateway.api.ownership import Ownership
from etbgm_gateway.api.places import Places
from etbgm_gateway.api.probing import Probes
from etbgm_gateway.api.receivers import Receivers
from etbgm_gateway.api.validation import TIMELINE, check_media_type, check_notes, check_settings, timeline_of
from etbgm_gateway.pipeline import timelines
from etbgm_gateway.pipeline.pictures import check_cuts
from etbgm_gateway.pipeline.pieces import check_variants
from etbgm_gateway.upstream.clients import Clients
from etbgm_gateway.upstream.errors import ServiceError
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb, seconds_from_pb
from etbgm_kit.errors import InvalidField, NotFound
from etbgm_kit.ranges import check_range
from etbgm_kit.serving.status import RemoteError
from etbgm_kit.types import EmotionTimeline

HIGHEST_PRIORITY = 100
STYLE_DEADLINE_S = 2.0
"""Timeout of the style check; without an answer, the job's stage reports the error."""


@dataclass(frozen=True, slots=True)
class JobLimits:
    """Limits on one job.

    `spans_per_s` limits the spans of a given timeline per second of video, `variant_s` the seconds of
    video times the number of variants.
    """

    request: RequestLimits
    spans_per_s: float
    variant_s: float


class Admission:
    """Checks requests for jobs."""

    def __init__(
        self,
        store: ArtifactStore,
        ownership: Ownership,
        clients: Clients,
        probes: Probes,
        receivers: Receivers,
        places: Places,
        limits: JobLimits,
    ) -> None:
        self._store, self._ownership, self._clients = store, ownership, clients
        self._probes, self._receivers, self._places, self._limits = probes, receivers, places, limits

    async def check(self, request: gateway_pb2.CreateJobRequest) -> float:
        """Checks the request and returns the duration of its video in seconds, 0 if it is yet to be fetched.

        Raises InvalidField, NotFound, Conflict (webhooks need a secret), Busy, RemoteError (the mixer rejects
        the video), ServiceError (the mixer cannot be reached).
        """
        settings = request.settings
        check_range("priority", request.priority, 0, HIGHEST_PRIORITY)
        check_notes(request.labels, request.user_metadata)
        timeline = await asyncio.to_thread(self._read, settings)
        if request.webhook_url:
            await self._receivers.check(request.webhook_url, "webhook_url")
        await self._places.check(request)
        if settings.HasField("captions"):
            await self._check_stored(settings.captions, "settings.captions")
        duration_s = 0.0
        if not request.source_url:
            duration_s = await self._check_video(request)
            check_cuts(settings, duration_s)
            if timeline:
                await asyncio.to_thread(timelines.fitted, timeline, duration_s, TIMELINE)
        await self._check_style(settings.style, "settings.style")
        for i, one in enumerate(settings.variant_settings):
            await self._check_style(one.style, f"settings.variant_settings[{i}].style")
        return duration_s

    def check_size(self, request: Message) -> None:
        """Drops unknown fields; raises InvalidField if anything is too long. Blocks."""
        request.DiscardUnknownFields()
        check_limits(request, self._limits.request)

    def _read(self, settings: gateway_pb2.JobSettings) -> EmotionTimeline | None:
        check_settings(settings)
        return timeline_of(settings, self._limits.spans_per_s)

    async def _check_stored(self, message: media_pb2.Artifact, field: str) -> None:
        check_media_type(message.media_type, f"{field}.media_type")
        artifact = artifact_from_pb(message, field)
        if not await asyncio.to_thread(self._store.exists, artifact, field):
            raise NotFound("the artifact is not in the store", field=field, sha256=artifact.sha256)
        key = self._store.key(artifact)
        await asyncio.to_thread(self._ownership.check, key, field=field, sha256=artifact.sha256)

    async def _check_video(self, request: gateway_pb2.CreateJobRequest) -> float:
        await self._check_stored(request.video, "video")
        duration_s = await self._duration_of(request)
        check_variants(request.settings, duration_s, self._limits.variant_s)
        return duration_s

    async def _duration_of(self, request: gateway_pb2.CreateJobRequest) -> float:
        container = request.settings.container if request.settings.HasField("container") else None
        probe = mixer_pb2.ProbeRequest(video=request.video, container=container)
        try:
            return seconds_from_pb((await self._probes.run(probe)).facts.duration)
        except RemoteError as error:
            for violation in _violations(error.status):
                if violation.field == "container":
                    raise InvalidField("settings.container", violation.description) from error
            raise

    async def _check_style(self, style: str, field: str) -> None:
        if style in ("", "auto"):
            return
        request = riffusion_pb2.ReadStyleRequest(style=style)
        try:
            await self._clients.riffusion.unary(
                "ReadStyle", request, riffusion_pb2.ReadStyleResponse, STYLE_DEADLINE_S
            )
        except RemoteError as error:
            for violation in _violations(error.status):
                raise InvalidField(field, violation.description) from error
        except ServiceError:
            pass


def _violations(status: Status) -> Iterator[BadRequest.FieldViolation]:
    for detail in status.details:
        bad = BadRequest()
        if detail.Unpack(bad):
            yield from bad.field_violations

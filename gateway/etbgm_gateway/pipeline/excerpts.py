"""What a remix has changed, heard before the whole is computed: a few seconds of one variant.

An excerpt is a service to a waiting user. It is no durable step, takes at most LONGEST_WAIT_S, and the job
goes on without it if it fails.
"""

import asyncio
import logging
from dataclasses import dataclass

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_gateway.pipeline.changes import Change, Parent, first_change
from etbgm_gateway.pipeline.requests import cue_request, mixing_request
from etbgm_gateway.pipeline.steps import Steps
from etbgm_gateway.upstream.clients import Clients
from etbgm_kit.converters import span_to_pb
from etbgm_kit.errors import EtbgmError

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 20.0
"""Later than that the whole is near, and waiting has delayed it enough."""


@dataclass(frozen=True, slots=True)
class Excerpts:
    """The excerpt of one remix."""

    parent: Parent
    clients: Clients
    steps: Steps

    async def show(
        self,
        music: riffusion_pb2.GenerateRequest,
        mix: mixer_pb2.MixRequest,
        settings: gateway_pb2.JobSettings,
        video: media_pb2.Artifact,
    ) -> None:
        """Adds the first change to the progress; `music` and `mix` are what all variants have in common."""
        change = first_change(self.parent, settings, video.sha256, music.timeline, music.cuts)
        if change is None:
            return
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                audio = await self._mixed(change, music, mix)
        except (EtbgmError, TimeoutError) as error:
            log.warning("a remix has no excerpt", extra={"reason": type(error).__name__})
            return
        excerpt = gateway_pb2.Excerpt(number=change.piece.number, span=span_to_pb(change.span), audio=audio)
        self.steps.hold(excerpt)
        self.steps.progress.excerpt(excerpt)

    async def _mixed(
        self, change: Change, music: riffusion_pb2.GenerateRequest, mix: mixer_pb2.MixRequest
    ) -> media_pb2.Artifact:
        bed = next(one.bed for one in self.parent.result.variants if one.number == change.piece.number)
        asked = mixer_pb2.MixExcerptRequest(mix=mixing_request(mix, bed, ()), span=span_to_pb(change.span))
        if change.is_composed:
            cue = cue_request(music, change.piece, change.span)
            cue.stems = False
            rendered = await self.clients.riffusion.stream(
                "Generate", cue, riffusion_pb2.GenerateResult, LONGEST_WAIT_S, lambda _: None
            )
            self.steps.hold(rendered)
            asked.music.CopyFrom(rendered.music)
            asked.mix.bars.extend(rendered.bars)
        mixed = await self.clients.mixer.unary(
            "MixExcerpt", asked, mixer_pb2.MixExcerptResponse, LONGEST_WAIT_S
        )
        self.steps.hold(mixed)
        return mixed.audio

"""The four services that the gateway calls."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import grpc

from etbgm.mixer.v1.mixer_pb2_grpc import MixerServiceStub
from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceStub
from etbgm.sentiment.v1.sentiment_pb2_grpc import SentimentServiceStub
from etbgm.stt.v1.stt_pb2_grpc import SpeechToTextServiceStub
from etbgm_gateway.settings import Settings
from etbgm_gateway.upstream.discovery import discovery_of
from etbgm_gateway.upstream.remote import RemoteService, Waits
from etbgm_gateway.upstream.replicas import Replicas, Stub

if TYPE_CHECKING:
    from etbgm.mixer.v1.mixer_pb2_grpc import MixerServiceAsyncStub
    from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceAsyncStub
    from etbgm.sentiment.v1.sentiment_pb2_grpc import SentimentServiceAsyncStub
    from etbgm.stt.v1.stt_pb2_grpc import SpeechToTextServiceAsyncStub


@dataclass(frozen=True)
class Clients:
    """One client for each service; the `separator` is the mixer, unless it has replicas of its own."""

    mixer: "RemoteService[MixerServiceAsyncStub]"
    separator: "RemoteService[MixerServiceAsyncStub]"
    stt: "RemoteService[SpeechToTextServiceAsyncStub]"
    sentiment: "RemoteService[SentimentServiceAsyncStub]"
    riffusion: "RemoteService[RiffusionServiceAsyncStub]"

    @staticmethod
    def of(settings: Settings) -> "Clients":
        """Clients for the addresses in `settings`; needs a running event loop."""

        def remote(
            name: str, addresses: str, stub_of: Callable[[grpc.aio.Channel], Stub], calls: int | None = None
        ) -> RemoteService[Stub]:
            replicas = Replicas(discovery_of(addresses), stub_of)
            waits = Waits(calls or settings.calls_per_replica, settings.replica_wait_s, settings.queue_wait_s)
            return RemoteService(name, replicas, waits)

        mixer = remote("mixer", settings.mixer_address, MixerServiceStub)
        return Clients(
            mixer=mixer,
            separator=remote("separator", settings.separator_address, MixerServiceStub)
            if settings.separator_address
            else mixer,
            stt=remote("stt", settings.stt_address, SpeechToTextServiceStub),
            sentiment=remote("sentiment", settings.sentiment_address, SentimentServiceStub),
            riffusion=remote(
                "riffusion",
                settings.riffusion_address,
                RiffusionServiceStub,
                settings.riffusion_calls_per_replica,
            ),
        )

    async def find(self) -> None:
        """Finds out where the replicas are; until then calls wait. Raises DiscoveryFailed."""
        await asyncio.gather(*(remote.find() for remote in self.by_name().values()))

    async def close(self) -> None:
        """Closes all channels."""
        for remote in self.by_name().values():
            await remote.close()

    def by_name(self) -> "dict[str, RemoteService[Any]]":
        """All of them, each once."""
        named = {getattr(self, field.name): field.name for field in reversed(fields(self))}
        return {name: remote for remote, name in named.items()}

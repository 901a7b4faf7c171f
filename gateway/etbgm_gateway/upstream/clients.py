"""The four services that the gateway calls."""

import asyncio
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from etbgm_gateway.upstream.remote import RemoteService

if TYPE_CHECKING:
    from etbgm.mixer.v1.mixer_pb2_grpc import MixerServiceAsyncStub
    from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceAsyncStub
    from etbgm.sentiment.v1.sentiment_pb2_grpc import SentimentServiceAsyncStub
    from etbgm.stt.v1.stt_pb2_grpc import SpeechToTextServiceAsyncStub


@dataclass(frozen=True)
class Clients:
    """One client for each service; the `separator` is the mixer unless it has its own replicas."""

    mixer: "RemoteService[MixerServiceAsyncStub]"
    separator: "RemoteService[MixerServiceAsyncStub]"
    stt: "RemoteService[SpeechToTextServiceAsyncStub]"
    sentiment: "RemoteService[SentimentServiceAsyncStub]"
    riffusion: "RemoteService[RiffusionServiceAsyncStub]"

    async def find(self) -> None:
        """Finds the replicas; calls wait until then. Raises DiscoveryFailed."""
        await asyncio.gather(*(remote.find() for remote in self.by_name().values()))

    async def close(self) -> None:
        """Closes all channels."""
        for remote in self.by_name().values():
            await remote.close()

    def by_name(self) -> "dict[str, RemoteService[Any]]":
        """Returns the clients by name, each once."""
        named = {getattr(self, field.name): field.name for field in reversed(fields(self))}
        return {name: remote for remote, name in named.items()}

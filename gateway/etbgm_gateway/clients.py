"""The four services that the gateway calls."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from etbgm.mixer.v1.mixer_pb2_grpc import MixerServiceStub
from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceStub
from etbgm.sentiment.v1.sentiment_pb2_grpc import SentimentServiceStub
from etbgm.stt.v1.stt_pb2_grpc import SpeechToTextServiceStub
from etbgm_gateway.remote import Remote
from etbgm_gateway.replicas import Replicas
from etbgm_gateway.settings import Settings

if TYPE_CHECKING:
    from etbgm.mixer.v1.mixer_pb2_grpc import MixerServiceAsyncStub
    from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceAsyncStub
    from etbgm.sentiment.v1.sentiment_pb2_grpc import SentimentServiceAsyncStub
    from etbgm.stt.v1.stt_pb2_grpc import SpeechToTextServiceAsyncStub


@dataclass(frozen=True)
class Clients:
    """One client for each service."""

    mixer: "Remote[MixerServiceAsyncStub]"
    stt: "Remote[SpeechToTextServiceAsyncStub]"
    sentiment: "Remote[SentimentServiceAsyncStub]"
    riffusion: "Remote[RiffusionServiceAsyncStub]"

    @staticmethod
    def of(settings: Settings) -> "Clients":
        """Clients for the addresses in `settings`; needs a running event loop."""
        room = settings.calls_per_replica
        return Clients(
            mixer=Remote(Replicas(settings.mixer_address, MixerServiceStub), room),
            stt=Remote(Replicas(settings.stt_address, SpeechToTextServiceStub), room),
            sentiment=Remote(Replicas(settings.sentiment_address, SentimentServiceStub), room),
            riffusion=Remote(Replicas(settings.riffusion_address, RiffusionServiceStub), room),
        )

    async def close(self) -> None:
        """Closes all channels."""
        for remote in (self.mixer, self.stt, self.sentiment, self.riffusion):
            await remote.close()

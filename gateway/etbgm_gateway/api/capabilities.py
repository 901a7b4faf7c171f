"""What the gateway can do: its own limits, and what each service tells of itself."""

import asyncio
import logging
import time
from importlib.metadata import version
from typing import TypeVar

from google.protobuf.message import Message

from etbgm.gateway.v1 import capabilities_pb2 as pb
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm.sentiment.v1 import sentiment_pb2
from etbgm.stt.v1 import stt_pb2
from etbgm_gateway.api.validation import CAPTION_TYPES
from etbgm_gateway.upstream.clients import Clients
from etbgm_kit.errors import EtbgmError
from etbgm_kit.models import licences
from etbgm_kit.ranges import CONTAINERS

log = logging.getLogger(__name__)

ANSWER_S = 2.0
"""Time that a service has to tell of itself, and after which one that did not is asked again."""

KEEP_S = 30.0
"""How long what all services told is kept."""

Answer = TypeVar("Answer", bound=Message)

_ASKED: dict[str, tuple[str, Message, type[Message]]] = {
    "separator": ("GetSeparator", mixer_pb2.GetSeparatorRequest(), mixer_pb2.GetSeparatorResponse),
    "stt": ("GetRecognizer", stt_pb2.GetRecognizerRequest(), stt_pb2.GetRecognizerResponse),
    "sentiment": ("GetClassifier", sentiment_pb2.GetClassifierRequest(), sentiment_pb2.GetClassifierResponse),
    "riffusion": (
        "GetMusicEngine",
        riffusion_pb2.GetMusicEngineRequest(),
        riffusion_pb2.GetMusicEngineResponse,
    ),
}
"""The method by which each service tells of its engine."""

_Styles, _Adapters = riffusion_pb2.ListStylesResponse, riffusion_pb2.ListAdaptersResponse
_COMMERCIAL_USE = {"yes": True, "no": False}


class Capabilities:
    """Tells what the gateway can do."""

    def __init__(self, clients: Clients, limits: pb.Limits, quota: pb.Quota) -> None:
        """`limits` and `quota` are the operator's."""
        self._clients, self._limits, self._quota = clients, limits, quota
        self._known, self._known_until_s = pb.GetCapabilitiesResponse(), 0.0
        self._asking = asyncio.Lock()

    async def read(self) -> pb.GetCapabilitiesResponse:
        """Returns the capabilities; asks the services once in KEEP_S, or in ANSWER_S if one is away."""
        async with self._asking:
            if time.monotonic() >= self._known_until_s:
                self._known = await self._ask()
                keep_s = ANSWER_S if self._known.unavailable_services else KEEP_S
                self._known_until_s = time.monotonic() + keep_s
            return self._known

    async def _ask(self) -> pb.GetCapabilitiesResponse:
        described, styles, adapters = await asyncio.gather(
            asyncio.gather(*(self._call(service, *asked) for service, asked in _ASKED.items())),
            self._call("riffusion", "ListStyles", riffusion_pb2.ListStylesRequest(), _Styles),
            self._call("riffusion", "ListAdapters", riffusion_pb2.ListAdaptersRequest(), _Adapters),
        )
        told = pb.GetCapabilitiesResponse(
            version=version("etbgm-gateway"),
            styles=styles.styles if styles else (),
            adapters=adapters.adapters if adapters else (),
            containers=CONTAINERS,
            caption_types=CAPTION_TYPES,
            limits=self._limits,
            quota=self._quota,
        )
        for service, answer in zip(_ASKED, described, strict=True):
            if answer is None:
                told.unavailable_services.append(service)
                continue
            told.engines.add(service=service, engine=answer.engine)  # type: ignore[attr-defined]
            if isinstance(answer, stt_pb2.GetRecognizerResponse):
                told.speech_languages.extend(answer.languages)
            elif isinstance(answer, sentiment_pb2.GetClassifierResponse):
                told.emotion_languages.extend(answer.languages)
        _judge(told)
        return told

    async def _call(
        self, service: str, method: str, request: Message, answer_type: type[Answer]
    ) -> Answer | None:
        """Returns the answer; None if the service is away, or knows no such thing."""
        remote = getattr(self._clients, service)
        try:
            answer: Answer = await remote.unary(method, request, answer_type, ANSWER_S)
        except EtbgmError as error:
            log.info("a service does not tell of itself", extra={"service": service, "reason": error.reason})
            return None
        return answer


def _judge(told: pb.GetCapabilitiesResponse) -> None:
    """Sets whether the results of all engines may be used commercially, if all are known."""
    if told.unavailable_services:
        return
    manifest = licences.manifest(one.engine for one in told.engines)
    verdict = _COMMERCIAL_USE.get(str(manifest["commercial_use"]))
    if verdict is not None:
        told.commercial_use = verdict

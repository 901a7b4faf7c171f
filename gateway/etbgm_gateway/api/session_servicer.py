"""SessionService: decode, call, encode."""

import asyncio

from etbgm.gateway.v1 import sessions_pb2 as pb
from etbgm.gateway.v1 import sessions_pb2_grpc
from etbgm_gateway.api.converters import timestamp_to_pb
from etbgm_gateway.identity.authentication import text_of
from etbgm_gateway.identity.sessions import Sessions
from etbgm_gateway.identity.types import current_caller
from etbgm_kit.serving.interceptor import Context


class SessionServicer(sessions_pb2_grpc.SessionServiceServicer):
    """Opens and closes sessions over gRPC."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def OpenSession(self, request: pb.OpenSessionRequest, context: Context) -> pb.OpenSessionResponse:
        """See sessions.proto."""
        caller = current_caller.get()
        text, expire_time_s = await asyncio.to_thread(self._sessions.open, caller, _key_of(context))
        return pb.OpenSessionResponse(text=text, expire_time=timestamp_to_pb(expire_time_s))

    async def CloseSession(
        self, request: pb.CloseSessionRequest, context: Context
    ) -> pb.CloseSessionResponse:
        """See sessions.proto."""
        await asyncio.to_thread(self._sessions.close, _key_of(context))
        return pb.CloseSessionResponse()


def _key_of(context: Context) -> str:
    metadata = dict(context.invocation_metadata() or ())
    return text_of(str(metadata.get("authorization", "")))

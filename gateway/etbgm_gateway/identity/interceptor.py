"""Authenticates each call, and checks that its caller has the scope of its method."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping

from google.protobuf.message import Message

from etbgm_gateway.identity.authentication import Authentication
from etbgm_gateway.identity.errors import ScopeMissing
from etbgm_gateway.identity.types import current_caller
from etbgm_kit.serving.interceptor import Context, Stream, Unary, Wrapping

CLIENT_ADDRESS = "etbgm-client-address"
"""Metadata with the address of the client on whose behalf a call through a socket is made."""


class AuthInterceptor(Wrapping):
    """Sets `current_caller`. Raises Unauthenticated, TooManyAttempts, ScopeMissing."""

    def __init__(
        self, authentication: Authentication, scopes: Mapping[str, str], shared: Collection[str] = ()
    ) -> None:
        """`scopes` has the scope of each method, by the last part of its name.

        Who has a link to a job may call the methods in `shared`.
        """
        self._authentication, self._scopes, self._shared = authentication, scopes, shared

    def unary(self, inner: Unary, method: str) -> Unary:
        """See Wrapping."""

        async def call(request: object, context: Context) -> Message:
            await self._admit(method, context)
            return await inner(request, context)

        return call

    def stream(self, inner: Stream, method: str) -> Stream:
        """See Wrapping."""

        async def call(request: object, context: Context) -> AsyncIterator[Message]:
            await self._admit(method, context)
            async for response in inner(request, context):
                yield response

        return call

    async def _admit(self, method: str, context: Context) -> None:
        metadata = {name: str(value) for name, value in context.invocation_metadata() or ()}
        header = metadata.get("authorization", "")
        caller = self._authentication.known(header)
        if caller is None:
            address = _address_of(context.peer(), metadata)
            caller = await asyncio.to_thread(self._authentication.identify, header, address)
        current_caller.set(caller)
        name = method.rpartition("/")[2]
        scope = self._scopes[name]
        if scope not in caller.scopes or (caller.job_id and name not in self._shared):
            raise ScopeMissing(scope)


def _address_of(peer: str, metadata: Mapping[str, str]) -> str:
    """The address in gRPC's name of a peer, "ipv4:1.2.3.4:5678", without the port.

    Only the gateway's own user can call through a socket; the HTTP server states its client's address there.
    """
    if peer.startswith("unix:"):
        return metadata.get(CLIENT_ADDRESS, peer)
    return peer.rpartition(":")[0]

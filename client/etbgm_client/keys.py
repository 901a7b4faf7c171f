"""The client's part for API keys."""

from collections.abc import Sequence
from datetime import datetime

import grpc

from etbgm.gateway.v1 import keys_pb2, keys_pb2_grpc
from etbgm_client.errors import ask

CALL_S = 60.0
"""Deadline of a call."""


class Keys:
    """Manages API keys; needs the scope admin. Methods raise ApiError if the gateway refuses."""

    def __init__(self, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
        self._stub, self._metadata = keys_pb2_grpc.KeyServiceStub(channel), metadata

    async def create(
        self, tenant: str, scopes: Sequence[str], note: str, expire_time: datetime | None = None
    ) -> keys_pb2.CreateKeyResponse:
        """Creates a key; its text is in the response only.

        From `expire_time` on, which must know its time zone, the key is not accepted.
        """
        request = keys_pb2.CreateKeyRequest(tenant=tenant, scopes=scopes, note=note)
        if expire_time:
            request.expire_time.FromDatetime(expire_time)
        return await ask(self._stub.CreateKey(request, timeout=CALL_S, metadata=self._metadata))

    async def list(self) -> list[keys_pb2.Key]:
        """Returns all keys, newest first."""
        request = keys_pb2.ListKeysRequest()
        return [*(await ask(self._stub.ListKeys(request, timeout=CALL_S, metadata=self._metadata))).keys]

    async def revoke(self, key_id: str) -> keys_pb2.Key:
        """Revokes a key and returns it."""
        request = keys_pb2.RevokeKeyRequest(key_id=key_id)
        return (await ask(self._stub.RevokeKey(request, timeout=CALL_S, metadata=self._metadata))).key

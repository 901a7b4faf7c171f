"""The client's part for API keys."""

from collections.abc import Sequence
from datetime import datetime

import grpc

from etbgm.gateway.v1 import keys_pb2, keys_pb2_grpc
from etbgm_client.calls import Calls


class Keys:
    """Manages API keys; needs the scope admin. Methods raise ApiError if the gateway refuses."""

    def __init__(self, channel: grpc.aio.Channel, call: Calls) -> None:
        self._stub, self._call = keys_pb2_grpc.KeyServiceStub(channel), call

    async def create(
        self, tenant: str, scopes: Sequence[str], note: str, expire_time: datetime | None = None
    ) -> keys_pb2.CreateKeyResponse:
        """Creates a key; its text is in the response only.

        From `expire_time` on, which must know its time zone, the key is not accepted.
        """
        request = keys_pb2.CreateKeyRequest(tenant=tenant, scopes=scopes, note=note)
        if expire_time:
            request.expire_time.FromDatetime(expire_time)
        return await self._call(self._stub.CreateKey, request)

    async def list(self) -> list[keys_pb2.Key]:
        """Returns all keys, newest first."""
        return [*(await self._call(self._stub.ListKeys, keys_pb2.ListKeysRequest())).keys]

    async def revoke(self, key_id: str) -> keys_pb2.Key:
        """Revokes a key and returns it."""
        return (await self._call(self._stub.RevokeKey, keys_pb2.RevokeKeyRequest(key_id=key_id))).key

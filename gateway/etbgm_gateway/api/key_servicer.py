"""KeyService: decode, call, encode."""

import asyncio
import re
import time

from etbgm.gateway.v1 import keys_pb2 as pb
from etbgm.gateway.v1 import keys_pb2_grpc
from etbgm_gateway.api.converters import timestamp_to_pb
from etbgm_gateway.api.limits import check_text
from etbgm_gateway.identity.keys import ApiKeys, KeyRow
from etbgm_gateway.identity.types import READ, SCOPES, TENANT, WRITE
from etbgm_gateway.store.jobs import DEFAULT_TENANT
from etbgm_kit.errors import InvalidField
from etbgm_kit.serving.interceptor import Context

_MOST_NOTE_CHARS = 200
_LAST_TIME_S = 253_402_300_799
"""The last second that a Timestamp can hold."""


class KeyServicer(keys_pb2_grpc.KeyServiceServicer):
    """Manages API keys over gRPC."""

    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys

    async def CreateKey(self, request: pb.CreateKeyRequest, context: Context) -> pb.CreateKeyResponse:
        """See keys.proto."""
        tenant, scopes = request.tenant or DEFAULT_TENANT, tuple(request.scopes) or (READ, WRITE)
        if not re.fullmatch(TENANT, tenant):
            raise InvalidField("tenant", "must be 1 to 64 characters of [A-Za-z0-9._@-]")
        for i, scope in enumerate(scopes):
            if scope not in SCOPES or scope in scopes[:i]:
                raise InvalidField(f"scopes[{i}]", f"must be one of {', '.join(SCOPES)}, none twice")
        check_text(request.note, "note", _MOST_NOTE_CHARS)
        expire_time_s = _expire_time_s(request)
        text, row = await asyncio.to_thread(self._keys.create, tenant, scopes, request.note, expire_time_s)
        return pb.CreateKeyResponse(text=text, key=_key_to_pb(row))

    async def ListKeys(self, request: pb.ListKeysRequest, context: Context) -> pb.ListKeysResponse:
        """See keys.proto."""
        return pb.ListKeysResponse(keys=map(_key_to_pb, await asyncio.to_thread(self._keys.list)))

    async def RevokeKey(self, request: pb.RevokeKeyRequest, context: Context) -> pb.RevokeKeyResponse:
        """See keys.proto."""
        row = await asyncio.to_thread(self._keys.revoke, request.key_id)
        return pb.RevokeKeyResponse(key=_key_to_pb(row))


def _expire_time_s(request: pb.CreateKeyRequest) -> float | None:
    """The time in seconds since 1970. Raises InvalidField."""
    if not request.HasField("expire_time"):
        return None
    time_s = request.expire_time.seconds + request.expire_time.nanos * 1e-9
    if not time.time() < time_s <= _LAST_TIME_S:
        raise InvalidField("expire_time", "must be in the future, and before the year 10000")
    return time_s


def _key_to_pb(row: KeyRow) -> pb.Key:
    return pb.Key(
        key_id=row.key_id,
        tenant=row.tenant,
        scopes=row.scopes,
        note=row.note,
        create_time=timestamp_to_pb(row.create_time_s),
        revoke_time=timestamp_to_pb(row.revoke_time_s),
        expire_time=timestamp_to_pb(row.expire_time_s),
    )

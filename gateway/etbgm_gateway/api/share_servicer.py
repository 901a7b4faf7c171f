"""ShareService: decode, call, encode."""

import asyncio

from etbgm.gateway.v1 import shares_pb2 as pb
from etbgm.gateway.v1 import shares_pb2_grpc
from etbgm_gateway.api.converters import timestamp_to_pb
from etbgm_gateway.api.job_service import JobService
from etbgm_gateway.api.validation import lifetime_of
from etbgm_gateway.identity.shares import Shares
from etbgm_gateway.identity.types import current_tenant
from etbgm_gateway.store.shares import ShareRow, ShareStore
from etbgm_kit.errors import Conflict
from etbgm_kit.serving.interceptor import Context

_DAY_S = 86_400.0
LIFETIME_S, SHORTEST_S, LONGEST_S = 7 * _DAY_S, 60.0, 365 * _DAY_S


class ShareServicer(shares_pb2_grpc.ShareServiceServicer):
    """Manages links to results over gRPC."""

    def __init__(self, jobs: JobService, shares: Shares, store: ShareStore) -> None:
        self._jobs, self._shares, self._store = jobs, shares, store

    async def CreateShare(self, request: pb.CreateShareRequest, context: Context) -> pb.CreateShareResponse:
        """See shares.proto."""
        job = await self._jobs.get(request.job_id)
        given = request.lifetime if request.HasField("lifetime") else None
        lifetime_s = lifetime_of(given, LIFETIME_S, SHORTEST_S, LONGEST_S)
        if not job.HasField("result"):
            raise Conflict("only a job that has succeeded can be shared", job_id=job.job_id)
        text, row = await asyncio.to_thread(self._shares.create, current_tenant(), job.job_id, lifetime_s)
        path = f"/#share={text}&jobs/{job.job_id}"
        return pb.CreateShareResponse(share=_share_to_pb(row), text=text, path=path)

    async def ListShares(self, request: pb.ListSharesRequest, context: Context) -> pb.ListSharesResponse:
        """See shares.proto."""
        job = await self._jobs.get(request.job_id)
        rows = await asyncio.to_thread(self._store.of, job.job_id)
        return pb.ListSharesResponse(shares=map(_share_to_pb, rows))

    async def DeleteShare(self, request: pb.DeleteShareRequest, context: Context) -> pb.DeleteShareResponse:
        """See shares.proto."""
        job = await self._jobs.get(request.job_id)
        await asyncio.to_thread(self._store.delete, job.job_id, request.share_id)
        return pb.DeleteShareResponse()


def _share_to_pb(row: ShareRow) -> pb.Share:
    return pb.Share(
        share_id=row.share_id,
        job_id=row.job_id,
        create_time=timestamp_to_pb(row.create_time_s),
        expire_time=timestamp_to_pb(row.expire_time_s),
    )

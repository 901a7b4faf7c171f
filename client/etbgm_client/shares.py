"""The client's part for links to results."""

from datetime import timedelta

import grpc

from etbgm.gateway.v1 import shares_pb2 as pb
from etbgm.gateway.v1 import shares_pb2_grpc
from etbgm_client.calls import Calls


class Shares:
    """Manages links to the results of the caller's jobs. Methods raise ApiError if the gateway refuses."""

    def __init__(self, channel: grpc.aio.Channel, call: Calls) -> None:
        self._stub, self._call = shares_pb2_grpc.ShareServiceStub(channel), call

    async def create(self, job_id: str, lifetime: timedelta | None = None) -> pb.CreateShareResponse:
        """Creates a link; its text is in the response only. It is accepted for `lifetime`, or 7 days."""
        request = pb.CreateShareRequest(job_id=job_id)
        if lifetime is not None:
            request.lifetime.FromTimedelta(lifetime)
        return await self._call(self._stub.CreateShare, request)

    async def list(self, job_id: str) -> list[pb.Share]:
        """Returns the links that have not expired, newest first."""
        return [*(await self._call(self._stub.ListShares, pb.ListSharesRequest(job_id=job_id))).shares]

    async def delete(self, job_id: str, share_id: str) -> None:
        """Deletes a link: within seconds it is no longer accepted."""
        await self._call(self._stub.DeleteShare, pb.DeleteShareRequest(job_id=job_id, share_id=share_id))

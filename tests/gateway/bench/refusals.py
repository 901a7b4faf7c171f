"""What refused requests leave behind in the gateway's memory."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import grpc

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from tests.gateway.bench.claims import Claim
from tests.gateway.bench.places import Place, place

MOST_MB = 300.0
AT_ONCE = 8
METHOD = "/etbgm.gateway.v1.GatewayService/CreateJob"
TOO_LARGE = bytes(30 << 20)
ALLOWED_BYTES = 4 << 20
REFUSED = {"RESOURCE_EXHAUSTED", "INVALID_ARGUMENT"}


def claims(requests: int) -> Iterator[Claim]:
    """The peak of a gateway that has to refuse."""
    with place(on_postgresql=False) as at:
        before_mb = _peak_mb(at.gateway.pid)
        codes = asyncio.run(_refused(at, requests))
        peak_mb = _peak_mb(at.gateway.pid)
    detail = [
        f"{len(codes)} requests of 30 MB, or of as many empty spans as 4 MiB hold; {before_mb:.0f} MB before"
    ]
    met = peak_mb < MOST_MB and set(codes) == REFUSED and len(codes) == requests
    name = f"peak of a gateway's memory under {requests} refused requests (MB)"
    yield Claim(name, peak_mb, f"< {MOST_MB:g}", met, detail)


async def _refused(at: Place, requests: int) -> list[str]:
    """The statuses of the answers."""
    many = pb.CreateJobRequest()
    # Each takes two bytes on the way, and about a hundred in memory.
    many.settings.timeline.spans.extend([media_pb2.EmotionSpan()] * (ALLOWED_BYTES // 2 - 1000))
    sent, left, codes = (TOO_LARGE, many.SerializeToString()), iter(range(requests)), list[str]()
    async with at.gateway.api() as api:

        async def caller() -> None:
            for i in left:
                try:
                    await api.channel.unary_unary(METHOD)(sent[i % 2], timeout=120)
                except grpc.aio.AioRpcError as error:
                    codes.append(error.code().name)

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return codes


def _peak_mb(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024

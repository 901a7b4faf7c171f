"""How well sixty-four replicas are used, and how soon new ones are.

The music service has half of its replicas at first, found through a (fake) API server; the others are added
while jobs wait. Each replica computes one cue at a time and takes two seconds for it.
"""

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.api_server import FakeApiServer, api_server, pod, write_kubeconfig
from tests.gateway.bench.claims import Claim
from tests.gateway.bench.places import spent_by
from tests.gateway.conftest import FakeServices, Gateway
from tests.servers import postgresql

PACE_S = 2.0
SETTLES_S = 10.0
"""Between the news of the new replicas and the measurement."""
LEAST_OF_IDEAL, MOST_APART, USED_WITHIN_S = 0.95, 0.10, 5.0
VARIANTS, VIDEO_S, CONCURRENT_JOBS = 8, 1800.0, 4
SERVICES = ("mixer", "stt", "sentiment", "riffusion")


class Computed(NamedTuple):
    """A result: when it was computed, in seconds since 1970, and by which replica."""

    time_s: float
    replica: int


def claims(replicas: int, seconds: float) -> Iterator[Claim]:
    """Throughput, shares and the use of new replicas; each replica is measured for `seconds`."""
    with tempfile.TemporaryDirectory(prefix="etbgm-bench-") as folder, ExitStack() as stack:
        added_s, cpu_s, done = asyncio.run(_measured(Path(folder), stack, replicas, seconds))
    begins_s = added_s + SETTLES_S
    counted = Counter(each.replica for each in done if begins_s <= each.time_s < begins_s + seconds)
    share = sum(counted.values()) / (replicas * seconds / PACE_S)
    name = f"throughput of {replicas} replicas, of the ideal"
    detail = [f"the gateway took {1000 * cpu_s / sum(counted.values()):.1f} ms of processor time a call"]
    yield Claim(name, share, f"≥ {LEAST_OF_IDEAL:g}", share >= LEAST_OF_IDEAL, detail)
    mean = sum(counted.values()) / replicas
    apart = max(abs(counted[replica] / mean - 1) for replica in range(replicas))
    detail = [f"{min(counted.values())} to {max(counted.values())} calls each in {seconds:g} s"]
    name = "difference of a replica's share from the mean"
    yield Claim(name, apart, f"≤ {MOST_APART:g}", apart <= MOST_APART, detail)
    firsts_s = [
        min(each.time_s for each in done if each.replica == new) for new in range(replicas // 2, replicas)
    ]
    wait_s = max(firsts_s) - PACE_S - added_s
    yield Claim(
        "time until a new replica is used (s)", wait_s, f"< {USED_WITHIN_S:g}", wait_s < USED_WITHIN_S
    )


async def _measured(
    folder: Path, stack: ExitStack, replicas: int, seconds: float
) -> tuple[float, float, Sequence[Computed]]:
    """When replicas were added, the gateway's processor time afterwards, and all that was computed."""
    url, kubeconfig = stack.enter_context(postgresql()), folder / "kubeconfig"
    store = f"file://{folder}/store"
    quick = FakeServices(folder / "quick", store, {}, *SERVICES[:3])
    stack.callback(quick.kill)
    slow = {"FAKE_PACE_S": str(PACE_S), "FAKE_SLOTS": "1", "FAKE_WAITING": "1"}
    music = FakeServices(folder / "music", store, slow, *["riffusion"] * replicas)
    stack.callback(music.kill)
    async with api_server() as server:
        write_kubeconfig(kubeconfig, server.url)
        addresses = music.addresses["riffusion_address"].split(",")
        _tell(server, addresses[: replicas // 2])
        with mock.patch.dict(os.environ, {"KUBECONFIG": str(kubeconfig)}):
            settings = {
                "riffusion_address": "kubernetes://etbgm/riffusion:grpc",
                "riffusion_calls_per_replica": "1",
                "concurrent_jobs": str(CONCURRENT_JOBS),
            }
            gateway = Gateway(folder / "gateway", quick, url, **settings)
            gateway.log = folder / "log"
            await asyncio.to_thread(gateway.start)
            stack.callback(gateway.kill)
        async with gateway.api() as api:
            for _ in range(_jobs(replicas, seconds)):
                await api.create(await api.video(duration_s=VIDEO_S), variants=VARIANTS)
            await music.until("Generate", replicas)
            await asyncio.sleep(PACE_S)
            added_s = time.time()
            _tell(server, addresses[replicas // 2 :])
            await asyncio.sleep(SETTLES_S)
            with spent_by(gateway.pid) as spent:
                await asyncio.sleep(seconds)
            unfinished = pb.ListJobsRequest(page_size=100, states=[pb.STATE_QUEUED, pb.STATE_RUNNING])
            assert (await api.stub.ListJobs(unfinished)).jobs, "there was work to the end"
    lines = (folder / "music" / "computed").read_text().splitlines()
    return (
        added_s,
        spent.cpu_s,
        [Computed(float(time_s), int(replica)) for time_s, replica, _ in map(str.split, lines)],
    )


def _jobs(replicas: int, seconds: float) -> int:
    """Jobs that keep the replicas busy until the end of the measurement, and more."""
    calls = replicas * (seconds + SETTLES_S + 20) / PACE_S
    return CONCURRENT_JOBS + round(calls / (VARIANTS * VIDEO_S / 90))


def _tell(server: FakeApiServer, addresses: Sequence[str]) -> None:
    for address in addresses:
        host, port = address.split(":")
        server.put(f"riffusion-{port}", [pod(host, uid=address)], ports={"grpc": int(port)})

"""Gateways that die for good while others share their job store."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_gateway.queue.orphans import Silences
from tests.gateway.conftest import FakeServices, Gateway

pytestmark = pytest.mark.drill

LEASE_S = "1.5"


Start = Callable[[str], Gateway]


@pytest.fixture
def start(tmp_path: Path, services: FakeServices, postgresql_url: str) -> Iterator[Start]:
    """Starts gateways, by their names, on one PostgreSQL database."""
    with ExitStack() as stack:

        def start(name: str) -> Gateway:
            settings = {"executor_lease_s": LEASE_S, "concurrent_jobs": "2"}
            gateway = Gateway(tmp_path / name, services, postgresql_url, name, **settings).start()
            stack.callback(gateway.kill)
            return gateway

        yield start


async def test_the_jobs_of_a_killed_gateway_are_ended_by_the_other(
    start: Start, services: FakeServices
) -> None:
    one, other = start("one"), start("other")
    with services.hold("Separate"):
        async with one.api() as api:
            # As many as both run at the same time, so each has two of them.
            jobs = [await api.create(await api.video(), variants=1) for _ in range(4)]
            await services.until("Separate", 4)
        one.kill()
        await services.until("Separate cancelled", 2)
    async with other.api() as api:
        ended = [await api.finished(job.job_id) for job in jobs]
    assert [job.state for job in ended] == [pb.STATE_SUCCEEDED] * 4
    assert (services.seen["Extract"], services.seen["Separate"], services.seen["Mix"]) == (4, 6, 4)


async def test_a_gateway_that_only_seemed_dead_does_no_harm(start: Start, services: FakeServices) -> None:
    one = start("one")
    with services.hold("Separate"):
        async with one.api() as api:
            jobs = [await api.create(await api.video(), variants=1) for _ in range(2)]
            await services.until("Separate", 2)
        other = start("other")
        one.pause()
        await services.until("Separate", 4)
    async with other.api() as api:
        ended = [await api.finished(job.job_id) for job in jobs]
        one.wake()
        await asyncio.sleep(1.0)
        late = [await api.finished(job.job_id) for job in jobs]
    assert [job.state for job in ended] == [pb.STATE_SUCCEEDED] * 2
    assert late == ended
    assert (services.seen["Extract"], services.seen["Mix"]) == (2, 2)


def test_a_gateway_is_gone_when_it_was_silent_for_the_lease() -> None:
    silences = Silences(lease_s=30)
    assert silences.gone({"a": 5, "b": 7}, now_s=100) == set()
    assert silences.gone({"a": 5, "b": 8}, now_s=120) == set()
    assert silences.gone({"a": 5, "b": 9}, now_s=130) == {"a"}
    assert silences.gone({"a": 6, "b": 9}, now_s=140) == set()


def test_silence_counts_only_while_it_was_listened_to() -> None:
    silences = Silences(lease_s=30)
    silences.gone({"a": 5}, now_s=100)
    silences.forget()
    assert silences.gone({"a": 5}, now_s=190) == set()
    assert silences.gone({}, now_s=200) == set()
    assert silences.gone({"a": 5}, now_s=220) == set()
    assert silences.gone({"a": 5}, now_s=250) == {"a"}

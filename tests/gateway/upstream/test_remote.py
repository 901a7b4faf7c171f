"""Calls to services: choice of the replica, retries, deadlines, cancelling."""

import asyncio
import time
from pathlib import Path

import pytest

from etbgm.mixer.v1 import mixer_pb2
from etbgm_gateway.upstream.errors import (
    ServiceBusy,
    ServiceError,
    ServiceFailed,
    ServiceLost,
    ServiceTimeout,
    ServiceUnavailable,
)
from etbgm_gateway.upstream.rounds import MOST_LOST
from etbgm_kit.errors import Busy, InvalidField, NotReady, ServerStopping, StorageFull
from etbgm_kit.serving.status import RemoteError
from tests.gateway.mixers import (
    remote_of,
    separate,
)

RETRY_AFTER_S = 0.3


async def test_calls_go_to_the_replica_with_the_fewest_in_flight() -> None:
    async with remote_of([], [], [], hold_s=0.2) as (remote, fakes):
        await asyncio.gather(*(separate(remote) for _ in range(6)))
    assert [fake.calls for fake in fakes] == [2, 2, 2]


async def test_a_refused_call_goes_to_another_replica_at_once() -> None:
    async with remote_of([Busy(60)], [NotReady()], []) as (remote, fakes):
        started = time.monotonic()
        answers = [await separate(remote) for _ in range(6)]
    assert time.monotonic() - started < 30
    assert len(answers) == 6
    assert sum(fake.calls for fake in fakes) <= 8


async def test_when_all_refuse_the_call_waits_as_long_as_it_is_asked_to() -> None:
    async with remote_of([Busy(RETRY_AFTER_S)]) as (remote, fakes):
        started = time.monotonic()
        await separate(remote)
    assert time.monotonic() - started >= RETRY_AFTER_S
    assert fakes[0].calls == 2


async def test_a_full_disk_is_told_at_once() -> None:
    full = StorageFull(Path("/tmp/work"), "free space")
    async with remote_of([full] * 3) as (remote, fakes):
        with pytest.raises(RemoteError, match="no space is left in /tmp/work: free space") as caught:
            await separate(remote, deadline_s=60)
    assert (caught.value.status_code, fakes[0].calls) == ("RESOURCE_EXHAUSTED", 1)


async def test_bad_input_is_not_retried() -> None:
    async with remote_of([InvalidField("audio", "is empty")]) as (remote, fakes):
        with pytest.raises(RemoteError, match="is empty") as caught:
            await separate(remote)
    assert (caught.value.status_code, fakes[0].calls) == ("INVALID_ARGUMENT", 1)


@pytest.mark.parametrize(
    ("refusal", "error"),
    [(NotReady(), ServiceUnavailable), (Busy(0.1), ServiceBusy)],
    ids=["loading", "busy"],
)
async def test_a_call_that_is_refused_for_ever_ends(refusal: Exception, error: type[ServiceError]) -> None:
    async with remote_of([refusal] * 1000, queue_s=0.4) as (remote, _):
        started = time.monotonic()
        with pytest.raises(error) as caught:
            await separate(remote, deadline_s=0.2)
    assert 0.6 <= time.monotonic() - started < 5
    assert caught.value.facts["service"] == "mixer"


async def test_for_a_caller_who_waits_refusals_count_towards_the_deadline() -> None:
    async with remote_of([]) as (remote, fakes):
        fakes[0].errors = [Busy(0.1)] * 1000
        with pytest.raises(ServiceBusy):
            await remote.unary("Probe", mixer_pb2.ProbeRequest(), mixer_pb2.ProbeResponse, 0.6)


async def test_an_error_that_no_service_has_described_is_not_passed_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with remote_of([]) as (remote, _):
        with pytest.raises(ServiceFailed) as caught:
            await remote.unary("Probe", mixer_pb2.ProbeRequest(), mixer_pb2.ProbeResponse, 10.0)
    assert caught.value.message == "the mixer service ended a call with UNKNOWN"
    assert caught.value.facts == {"service": "mixer", "how": "UNKNOWN"}
    (logged,) = (record for record in caplog.records if record.message == "a call to a service failed")
    assert logged.__dict__["grpc"] == "lost ipv4:10.0.0.1:8431"


async def test_a_call_whose_servers_are_lost_again_and_again_is_given_up() -> None:
    losses: list[list[Exception]] = [[ServerStopping()] * 10, [ServerStopping()] * 10]
    async with remote_of(*losses) as (remote, fakes):
        with pytest.raises(ServiceLost, match=f"lost {MOST_LOST} times"):
            await separate(remote, deadline_s=60)
    assert sum(fake.calls for fake in fakes) == MOST_LOST


async def test_a_call_whose_server_is_lost_is_made_again() -> None:
    async with remote_of([ServerStopping()] * (MOST_LOST - 1)) as (remote, fakes):
        assert await separate(remote, deadline_s=60)
    assert fakes[0].calls == MOST_LOST


async def test_a_call_that_takes_too_long_is_cancelled_at_the_deadline() -> None:
    async with remote_of([], hold_s=30) as (remote, fakes):
        with pytest.raises(ServiceTimeout):
            await separate(remote, deadline_s=0.3)
        await asyncio.wait_for(fakes[0].cancelled.wait(), 10)


async def test_cancelling_the_task_cancels_the_call() -> None:
    async with remote_of([], hold_s=30) as (remote, fakes):
        task = asyncio.create_task(separate(remote))
        while not fakes[0].inside:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait_for(fakes[0].cancelled.wait(), 10)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_calls_beyond_the_places_wait_here() -> None:
    async with remote_of([], hold_s=0.05, calls_per_replica=2) as (remote, fakes):
        await asyncio.gather(*(separate(remote) for _ in range(7)))
    assert (fakes[0].calls, fakes[0].most_inside) == (7, 2)


async def test_the_time_in_the_queue_is_not_the_call_s_own() -> None:
    async with remote_of([], hold_s=0.6, calls_per_replica=1) as (remote, fakes):
        answers = await asyncio.gather(*(separate(remote, deadline_s=1.0) for _ in range(4)))
    assert (len(answers), fakes[0].calls, fakes[0].most_inside) == (4, 4, 1)


async def test_refusals_are_waited_for_beyond_the_deadline() -> None:
    async with remote_of([Busy(0.3)] * 6) as (remote, fakes):
        assert await separate(remote, deadline_s=1.0)
    assert fakes[0].calls == 7

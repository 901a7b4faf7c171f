"""Calls to services: choice of the replica, retries, deadlines, cancelling."""

import asyncio
import time

import pytest

from etbgm_gateway.upstream.remote import MOST_LOST
from etbgm_kit.errors import Busy, InvalidField, NotReady, ServerStopping
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


async def test_bad_input_is_not_retried() -> None:
    async with remote_of([InvalidField("audio", "is empty")]) as (remote, fakes):
        with pytest.raises(RemoteError, match="is empty") as caught:
            await separate(remote)
    assert (caught.value.status_code, fakes[0].calls) == ("INVALID_ARGUMENT", 1)


async def test_the_last_error_is_raised_at_the_deadline() -> None:
    async with remote_of([NotReady()] * 100) as (remote, _):
        started = time.monotonic()
        with pytest.raises(RemoteError) as caught:
            await separate(remote, deadline_s=0.6)
    assert caught.value.status_code == "UNAVAILABLE"
    assert time.monotonic() - started < 5


async def test_a_call_whose_servers_are_lost_again_and_again_is_given_up() -> None:
    losses: list[list[Exception]] = [[ServerStopping()] * 10, [ServerStopping()] * 10]
    async with remote_of(*losses) as (remote, fakes):
        with pytest.raises(RemoteError) as caught:
            await separate(remote, deadline_s=60)
    assert caught.value.status_code == "UNAVAILABLE"
    assert sum(fake.calls for fake in fakes) == MOST_LOST


async def test_a_call_whose_server_is_lost_is_made_again() -> None:
    async with remote_of([ServerStopping()] * (MOST_LOST - 1)) as (remote, fakes):
        assert await separate(remote, deadline_s=60)
    assert fakes[0].calls == MOST_LOST


async def test_a_call_that_takes_too_long_is_cancelled_at_the_deadline() -> None:
    async with remote_of([], hold_s=30) as (remote, fakes):
        with pytest.raises(RemoteError) as caught:
            await separate(remote, deadline_s=0.3)
        await asyncio.wait_for(fakes[0].cancelled.wait(), 10)
    assert caught.value.status_code == "DEADLINE_EXCEEDED"


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

"""The course of a job, in plain lines and in bars."""

import io
from collections.abc import AsyncIterator
from typing import cast

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_cli import watching

TOMORROW = cast(pb.Stage.ValueType, 99)
"""A stage that only a newer gateway has."""


def stage(
    which: pb.Stage.ValueType, fraction: float, end_s: int | None = None, found: bool = False
) -> pb.StageProgress:
    end = Timestamp(seconds=end_s) if end_s is not None else None
    return pb.StageProgress(
        stage=which, fraction=fraction, start_time=Timestamp(seconds=100), end_time=end, found=found
    )


async def course() -> AsyncIterator[pb.Job]:
    yield pb.Job(state=pb.STATE_QUEUED)
    yield pb.Job(state=pb.STATE_RUNNING, stages=[stage(pb.STAGE_INGEST, 0.5)])
    ended = [
        stage(pb.STAGE_INGEST, 1, 103),
        stage(pb.STAGE_SEPARATE, 1, 103, found=True),
        stage(TOMORROW, 0.5),
    ]
    yield pb.Job(state=pb.STATE_RUNNING, stages=ended)
    yield pb.Job(state=pb.STATE_SUCCEEDED, stages=ended)


async def test_plain_lines_name_each_stage_once() -> None:
    out = io.StringIO()
    job = await watching.show(course(), Console(file=out))
    assert job.state == pb.STATE_SUCCEEDED
    assert out.getvalue().splitlines() == [
        "reading the video ...",
        "reading the video: 3.0 s",
        "separating the speech ...",
        "separating the speech: reused from cache",
    ]


async def waiting() -> AsyncIterator[pb.Job]:
    done = stage(pb.STAGE_INGEST, 1, 103)
    for fraction, service in ((0.0, ""), (0.0, "mixer"), (0.1, "mixer"), (0.1, ""), (0.2, "mixer")):
        now = stage(pb.STAGE_SEPARATE, fraction)
        now.waiting_for = service
        yield pb.Job(state=pb.STATE_RUNNING, stages=[done, now])


async def test_plain_lines_name_the_service_that_a_stage_waits_for() -> None:
    out = io.StringIO()
    await watching.show(waiting(), Console(file=out))
    assert out.getvalue().splitlines()[2:] == [
        "separating the speech ...",
        "waiting for the mixer service",
        "waiting for the mixer service",
    ]


async def test_a_terminal_names_the_service_that_a_stage_waits_for() -> None:
    out = io.StringIO()
    await watching.show(waiting(), Console(file=out, force_terminal=True, width=120))
    assert "waiting for the mixer service" in out.getvalue()


@pytest.mark.parametrize("width", [60, 120])
async def test_a_terminal_shows_a_bar_for_each_stage(width: int) -> None:
    out = io.StringIO()
    await watching.show(course(), Console(file=out, force_terminal=True, width=width))
    assert all(text in out.getvalue() for text in watching.STAGES.values())

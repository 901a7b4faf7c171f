"""Checks of a job's settings, by themselves."""

import asyncio

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_gateway.api.validation import timeline_of
from etbgm_kit.converters import timeline_to_pb
from etbgm_kit.errors import InvalidField
from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span

SPANS = 10_000
LONG = EmotionTimeline(
    float(SPANS), tuple(EmotionSpan(Span(i, i + 1.0), Emotion.JOY, 1.0) for i in range(SPANS))
)
SETTINGS = pb.JobSettings(timeline=timeline_to_pb(LONG))


async def test_a_long_timeline_is_read_off_the_event_loop() -> None:
    reading = asyncio.create_task(timeline_of(SETTINGS, SPANS))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not reading.done()
    assert await reading == LONG


async def test_a_timeline_of_too_many_spans_is_refused_unread() -> None:
    reading = asyncio.create_task(timeline_of(SETTINGS, SPANS - 1))
    await asyncio.sleep(0)
    assert reading.done()
    with pytest.raises(InvalidField, match=r"settings\.timeline\.spans: must be at most 9999, are 10000"):
        await reading

"""The number of fields of an encoded request."""

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_gateway.api import fields, interceptor
from etbgm_gateway.api.fields import FieldCount
from etbgm_kit.errors import InvalidField
from tests.contract.fuzzing import declared_codes

pytestmark = pytest.mark.process

SPANS = 2000
LARGE = pb.CreateJobRequest(settings=pb.JobSettings(variants=4))
LARGE.settings.timeline.spans.extend(
    media_pb2.EmotionSpan(
        span={"end": {"seconds": i}}, emotion=4, probability=0.5, scores=[{"emotion": 4}] * 7
    )
    for i in range(SPANS)
)
FIELDS = 3 + 11 * SPANS
"""settings, variants, timeline, and of each span itself, its span, emotion, probability and seven scores."""


def is_refused(message: Message | bytes, most: int) -> bool:
    data = message if isinstance(message, bytes) else message.SerializeToString()
    try:
        FieldCount(data, most).check(pb.CreateJobRequest.DESCRIPTOR)
    except InvalidField as error:
        assert f"{most:,}" in error.why
        return True
    return False


def test_fields_are_counted_at_any_depth() -> None:
    assert not is_refused(LARGE, FIELDS)
    assert is_refused(LARGE, FIELDS - 1)


def test_the_fields_of_every_method_are_counted() -> None:
    assert set(interceptor._KINDS) == {
        path for path in declared_codes() if path.startswith("/etbgm.gateway.")
    }


def test_small_requests_are_not_counted() -> None:
    assert not is_refused(pb.CreateJobRequest(settings=pb.JobSettings(variants=4)), 0)


def test_groups_hide_nothing() -> None:
    hidden = b"\x9b\x06" + LARGE.SerializeToString() + b"\x9c\x06"
    assert is_refused(hidden, FIELDS - 1)


@pytest.mark.parametrize("data", [b"\x08" * 20_000, b"\xff" * 20_000, b"\x12\xff\xff\x03" + bytes(20_000)])
def test_what_is_no_message_is_left_to_the_decoder(data: bytes) -> None:
    is_refused(data, 30_000)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_end_the_count(data: bytes) -> None:
    is_refused(data * (fields.SMALL_BYTES // len(data) + 1), 100_000)

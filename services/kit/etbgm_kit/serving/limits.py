"""Reads the limits that a caller sets: the call's deadline, and in a header its longest wait for a slot."""

import math
import time
from collections.abc import AsyncIterator

from google.protobuf.message import Message

from etbgm_kit.errors import InvalidField
from etbgm_kit.serving.interceptor import Context, Stream, Unary, Wrapping
from etbgm_kit.serving.runner import CallLimits, call_limits

SLOT_WAIT_HEADER = "etbgm-slot-wait-s"
"""Seconds, >= 0. Without this header, the wait for a slot is not limited."""


class LimitsInterceptor(Wrapping):
    """Sets `runner.call_limits`. Raises InvalidField if the header is not a valid number."""

    def unary(self, inner: Unary, method: str) -> Unary:
        """See Wrapping."""

        async def call(request: object, context: Context) -> Message:
            call_limits.set(_limits(method, context))
            return await inner(request, context)

        return call

    def stream(self, inner: Stream, method: str) -> Stream:
        """See Wrapping."""

        async def call(request: object, context: Context) -> AsyncIterator[Message]:
            call_limits.set(_limits(method, context))
            async for response in inner(request, context):
                yield response

        return call


def _limits(method: str, context: Context) -> CallLimits:
    left_s = context.time_remaining()
    ends_at = time.monotonic() + left_s if left_s is not None and left_s < math.inf else None
    return CallLimits(method, ends_at, _slot_wait_s(context))


def _slot_wait_s(context: Context) -> float | None:
    text = dict(context.invocation_metadata() or ()).get(SLOT_WAIT_HEADER)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InvalidField(SLOT_WAIT_HEADER, "must be a number of seconds >= 0")
    return seconds

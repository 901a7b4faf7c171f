"""How long a call waits for a slot, as its caller says in a header."""

import math
from collections.abc import AsyncIterator

from google.protobuf.message import Message

from etbgm_kit.errors import InvalidField
from etbgm_kit.serving.interceptor import Context, Stream, Unary, Wrapping
from etbgm_kit.serving.runner import slot_wait_s

HEADER = "etbgm-slot-wait-s"
"""Seconds, >= 0; without it a call waits as long as it takes."""


class SlotWaitInterceptor(Wrapping):
    """Sets `runner.slot_wait_s`; the call fails with InvalidField when the header is no such number."""

    def unary(self, inner: Unary, method: str) -> Unary:
        """See Wrapping."""

        async def call(request: object, context: Context) -> Message:
            slot_wait_s.set(_asked(context))
            return await inner(request, context)

        return call

    def stream(self, inner: Stream, method: str) -> Stream:
        """See Wrapping."""

        async def call(request: object, context: Context) -> AsyncIterator[Message]:
            slot_wait_s.set(_asked(context))
            async for response in inner(request, context):
                yield response

        return call


def _asked(context: Context) -> float | None:
    text = dict(context.invocation_metadata() or ()).get(HEADER)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InvalidField(HEADER, "must be a number of seconds >= 0")
    return seconds

"""Ends open-ended streams when their server stops."""

import asyncio
from contextlib import suppress

from etbgm_kit.errors import ServerStopping


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Sleeps between two responses of a stream. Raises ServerStopping as soon as `stopping` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
        raise ServerStopping

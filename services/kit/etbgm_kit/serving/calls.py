"""Runs every computing RPC: takes the result from the memo, or computes it in the runner."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message

from etbgm.media.v1 import media_pb2
from etbgm_kit.artifacts.memo import Memo
from etbgm_kit.converters import seconds_to_pb
from etbgm_kit.serving.runner import Finished, Runner

Response = TypeVar("Response", bound=Message)
Result = TypeVar("Result", bound=Message)
OnProgress = Callable[[float], None]
"""Blocking work calls this with the fraction done, [0, 1]; it raises CallCancelled."""

Advice = Callable[[Any], Sequence[str]]
"""Returns sentences on what would be better than the engine that made a result.

The advice depends on what is installed while the result stays the same, so it is added to the
result's `engine` in every response and never stored with the result.
"""

PROGRESS_EVERY_S = 0.1
"""Minimum interval between two progress messages."""


class Calls:
    """Runs the calls of one servicer.

    `revision` is called in a worker thread, because it may hash files, once the engine is loaded.
    A result is stored under the revision at the start of its call, and only if the revision is
    still the same afterwards: an adapter may have been replaced during the computation.
    """

    def __init__(self, runner: Runner, memo: Memo, revision: Callable[[], str]) -> None:
        self._runner, self._memo, self._revision = runner, memo, revision

    async def stream(
        self,
        request: Message,
        response_type: type[Response],
        work: Callable[[Callable[[Any], None]], Message],
        advice: Advice | None = None,
    ) -> AsyncIterator[Response]:
        """Answers `request` with what `work(on_progress)` reports and returns.

        `response_type` has a oneof with `progress` (for reported floats), `result`
        (a message with `timings`, for the value that `work` returns) and, if `work` also
        reports messages, a field of their type.
        """
        fields = {f.message_type.full_name: f.name for f in response_type.DESCRIPTOR.fields if f.message_type}
        result_type = type(response_type().result)  # type: ignore[attr-defined]
        revision, found = await asyncio.to_thread(self._find, request, result_type)
        if found is not None:
            yield response_type(result=_advised(found, advice))
            return
        pace = _Pace()
        async for update in self._runner.run(work):
            if isinstance(update, float):
                if pace.lets_pass(update):
                    yield response_type(progress=media_pb2.Progress(fraction=update))
            elif isinstance(update, Finished):
                result = await asyncio.to_thread(self._finish, revision, request, update)
                yield response_type(result=_advised(result, advice))
            else:
                yield response_type(**{fields[update.DESCRIPTOR.full_name]: update})

    async def unary(
        self,
        request: Message,
        result_type: type[Result],
        work: Callable[[OnProgress], Result],
        advice: Advice | None = None,
    ) -> Result:
        """Answers `request` with the result of `work(on_progress)`, a message with `timings`."""
        revision, found = await asyncio.to_thread(self._find, request, result_type)
        if found is not None:
            return _advised(found, advice)
        async for update in self._runner.run(work):
            if isinstance(update, Finished):
                result: Result = await asyncio.to_thread(self._finish, revision, request, update)
                return _advised(result, advice)
        raise AssertionError("a run ends with Finished")

    def _find(self, request: Message, result_type: type[Result]) -> tuple[str, Result | None]:
        """The engine's revision, and its stored result for `request`, if any."""
        revision = self._revision()
        found = self._memo.find(revision, request, result_type)
        if found is not None:
            record = self._memo.key(revision, request)
            found.timings.CopyFrom(media_pb2.Timings(found=True, record=record))  # type: ignore[attr-defined]
        return revision, found

    def _finish(self, revision: str, request: Message, finished: Finished[Any]) -> Any:
        result = finished.value
        timings = media_pb2.Timings(
            queue_duration=seconds_to_pb(finished.queue_s),
            inference_duration=seconds_to_pb(finished.inference_s),
        )
        result.timings.CopyFrom(timings)
        if self._revision() == revision:
            self._memo.keep(revision, request, result)
            result.timings.record = self._memo.key(revision, request)
        return result


def _advised(result: Result, advice: Advice | None) -> Result:
    if advice:
        result.engine.advice.extend(advice(result))  # type: ignore[attr-defined]
    return result


class _Pace:
    """Limits progress messages: they must increase and must not be too frequent."""

    def __init__(self) -> None:
        self._sent_at, self._fraction = 0.0, -1.0

    def lets_pass(self, fraction: float) -> bool:
        now = time.monotonic()
        if fraction <= self._fraction or now - self._sent_at < PROGRESS_EVERY_S:
            return False
        self._sent_at, self._fraction = now, fraction
        return True

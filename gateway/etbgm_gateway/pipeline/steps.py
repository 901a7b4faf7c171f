"""The durable steps of a job: a step that has ended never runs again.

DBOS records which steps of a job have ended. Their results are stored as messages in the
artifact store, so the job database holds references, never what was said.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from dbos import DBOS, StepReservation
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm_gateway.observe.metrics import StageMetrics
from etbgm_gateway.pipeline.progress import Progress
from etbgm_gateway.store.holdings import Holdings
from etbgm_gateway.upstream.remote import OnWait, RemoteService
from etbgm_gateway.upstream.rounds import OnPart
from etbgm_kit.artifacts.memo import artifacts_in, messages_in
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb, artifact_to_pb
from etbgm_kit.errors import EtbgmError, StorageFull
from etbgm_kit.serving import tracing
from etbgm_kit.serving.status import internal_status, new_error_id, reason_of, status_of

log = logging.getLogger(__name__)

Result = TypeVar("Result", bound=Message)
FOUND_WITHIN_S = 0.5
"""A call that takes longer becomes a durable step, which can be cancelled."""
STORAGE = "storage"
"""What a stage waits for while a disk is full."""
FULL_DISK_PAUSE_S = 5.0
"""Pause before a step that found a disk full is repeated."""
MESSAGE_TYPE = "application/x-protobuf"


class StageFailed(Exception):
    """A step failed; `status` is what the user receives."""

    def __init__(self, status: bytes) -> None:
        """Takes a serialised google.rpc.Status: DBOS pickles errors, which requires plain arguments."""
        super().__init__(status)
        self.status = Status.FromString(status)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Time that each call of a stage has: `fixed_s`, plus `per_media_s` for each second of video."""

    fixed_s: float
    per_media_s: float


@dataclass(frozen=True, slots=True)
class StepContext:
    """What the steps of all jobs share."""

    store: ArtifactStore
    deadlines: Deadlines
    metrics: StageMetrics
    holdings: Holdings
    full_disk_wait_s: float
    """How long a step that finds a disk full is repeated."""


class Steps:
    """The steps of one job; for use inside its workflow only.

    A step gets its number when its method is called, not when its result is awaited. Steps that
    run at the same time therefore have the same numbers after a crash if they are created in the
    same order. All methods raise StageFailed.

    A call that finds its result at once is not recorded, which would cost more than the call: after a
    crash it is made again and finds the result again.
    """

    def __init__(self, context: StepContext, progress: Progress, *, is_first_start: bool) -> None:
        """`is_first_start`: the job did not run before, so none of its steps has ended."""
        self.progress = progress
        self._store, self._deadlines, self._metrics = context.store, context.deadlines, context.metrics
        self._full_disk_wait_s, self._is_first_start = context.full_disk_wait_s, is_first_start
        self._media_s = 0.0

    def allow_for(self, media_s: float) -> None:
        """Sets the deadline of later calls for a video of `media_s` seconds."""
        self._media_s = media_s

    def run(
        self, name: str, result_type: type[Result], work: Callable[[], Awaitable[Result]]
    ) -> Coroutine[Any, Any, Result]:
        """Returns the result of `work`, or its stored result from an earlier run of the job."""
        return self._run(DBOS.reserve_step(), name, result_type, work, lambda _: None)

    def unary(
        self,
        name: str,
        service: RemoteService[Any],
        method: str,
        request: Message,
        result_type: type[Result],
        stage: gateway_pb2.Stage.ValueType,
    ) -> Coroutine[Any, Any, Result]:
        """Calls a quick `method` of `service` for `stage`."""
        on_wait = partial(self.progress.wait, stage, service.name)
        work = partial(service.unary, method, request, result_type, self._deadline_s, on_wait)
        return self._run(
            DBOS.reserve_step(), name, result_type, work, partial(self.progress.wait, stage, STORAGE)
        )

    def stream(
        self,
        name: str,
        service: RemoteService[Any],
        method: str,
        request: Message,
        result_type: type[Result],
        stage: gateway_pb2.Stage.ValueType,
        on_part: OnPart = lambda _: None,
    ) -> Coroutine[Any, Any, Result]:
        """Calls a `method` of `service` whose progress counts towards `stage`.

        `on_part` receives parts of the result that the service sends before the whole.
        """
        on_progress = self.progress.part(stage)
        on_wait = partial(self.progress.wait, stage, service.name)
        work = partial(
            service.stream, method, request, result_type, self._deadline_s, on_progress, on_wait, on_part
        )
        return self._run(
            DBOS.reserve_step(), name, result_type, work, partial(self.progress.wait, stage, STORAGE)
        )

    @contextmanager
    def stage(
        self, stage: gateway_pb2.Stage.ValueType, variants: int = 1
    ) -> Iterator[list[media_pb2.Timings]]:
        """Runs the stage while the context lasts; the caller adds the timings of its calls to the list."""
        timings: list[media_pb2.Timings] = []
        self.progress.begin(stage)
        with tracing.span(gateway_pb2.Stage.Name(stage).lower()):
            yield timings
        ended = self.progress.end(stage, found=all(timing.found for timing in timings))
        if ended:
            self._metrics.ended(ended, timings, variants * self._media_s)

    @property
    def _deadline_s(self) -> float:
        return self._deadlines.fixed_s + self._deadlines.per_media_s * self._media_s

    async def _run(
        self,
        reserved: StepReservation,
        name: str,
        result_type: type[Result],
        work: Callable[[], Awaitable[Result]],
        on_full: OnWait,
    ) -> Result:
        task = await _started(work) if self._is_first_start else None
        if task and _is_found(task):
            self.hold(task.result())
            return task.result()
        try:
            # preemptible: cancelling a job also cancels its running calls, not only the steps after them.
            again = _continued(task, work) if task else work
            kept = await reserved.run_async(
                {"name": name, "preemptible": True}, self._keep, name, again, on_full
            )
        finally:
            if task:
                task.cancel()  # if the job was cancelled before the step began
        artifact = artifact_from_pb(media_pb2.Artifact.FromString(kept))
        result = result_type.FromString(await asyncio.to_thread(self._store.read, artifact))
        self.hold(artifact_to_pb(artifact), result)
        return result

    def hold(self, *messages: Message) -> None:
        """Records that the job holds the artifacts in `messages` and the records of the results."""
        for message in messages:
            self.progress.hold(self._store.key(artifact_from_pb(each)) for each in artifacts_in(message))
            timings = messages_in(message, media_pb2.Timings)
            self.progress.hold(each.record for each in timings if each.record)

    async def _keep(self, name: str, work: Callable[[], Awaitable[Message]], on_full: OnWait) -> bytes:
        """Returns the artifact of the result; repeats `work` while a disk is full."""
        ends_at, waits = time.monotonic() + self._full_disk_wait_s, False
        try:
            while True:
                try:
                    return await self._kept(work)
                except EtbgmError as error:
                    status = status_of(error)
                    if reason_of(status) != StorageFull.reason or time.monotonic() >= ends_at:
                        raise StageFailed(status.SerializeToString()) from error
                    log.warning("a disk is full; the step is repeated", extra={"step": name, **error.facts})
                    if not waits:
                        waits = True
                        on_full(True)
                    await asyncio.sleep(FULL_DISK_PAUSE_S)
        except (EtbgmError, StageFailed):
            raise
        except Exception as error:
            raise StageFailed(internal_failure(error, step=name).SerializeToString()) from error
        finally:
            if waits:
                on_full(False)

    async def _kept(self, work: Callable[[], Awaitable[Message]]) -> bytes:
        data = (await work()).SerializeToString(deterministic=True)
        artifact = await asyncio.to_thread(self._store.put_bytes, data, MESSAGE_TYPE)
        return artifact_to_pb(artifact).SerializeToString()


def internal_failure(error: Exception, **fields: str) -> Status:
    """Logs `error` under a new id and returns the status with that id."""
    error_id = new_error_id()
    log.error("job failed by an internal error", exc_info=error, extra={"error_id": error_id, **fields})
    return internal_status(error_id)


async def _started(work: Callable[[], Awaitable[Result]]) -> "asyncio.Future[Result]":
    """Starts `work` and waits for it for FOUND_WITHIN_S."""
    task = asyncio.ensure_future(work())
    try:
        await asyncio.wait([task], timeout=FOUND_WITHIN_S)
    except BaseException:
        task.cancel()
        raise
    return task


def _is_found(task: "asyncio.Future[Any]") -> bool:
    """Whether the work has ended with the stored result of an earlier call."""
    if not task.done() or task.cancelled() or task.exception():
        return False
    timings = getattr(task.result(), "timings", None)
    return timings is not None and timings.found


def _continued(
    task: "asyncio.Future[Result]", work: Callable[[], Awaitable[Result]]
) -> Callable[[], Awaitable[Result]]:
    """Work that first continues `task`, and begins anew when it is repeated."""
    started: list[asyncio.Future[Result]] = [task]
    return lambda: started.pop() if started else work()


async def together(calls: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Runs `calls` at the same time and returns their results in order.

    Raises the first error after all other calls have been cancelled and have stopped.
    """
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

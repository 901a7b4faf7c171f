"""Durable steps: what has ended once is never run again.

DBOS remembers which steps of a job have ended; what they returned lies in the artifact
store as a message, so the job database holds references, never what was said.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from dbos import DBOS, StepReservation
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from etbgm.media.v1 import media_pb2
from etbgm_kit.converters import artifact_from_pb, artifact_to_pb
from etbgm_kit.errors import EtbgmError
from etbgm_kit.status import internal_status, status_of
from etbgm_kit.store import ArtifactStore

log = logging.getLogger(__name__)

Result = TypeVar("Result", bound=Message)
MESSAGE_TYPE = "application/x-protobuf"


class StageFailed(Exception):
    """A step ended by an error; `status` tells the user of it."""

    def __init__(self, status: bytes) -> None:
        """Takes a serialised google.rpc.Status: DBOS stores errors pickled, which needs plain arguments."""
        super().__init__(status)
        self.status = Status.FromString(status)


class Steps:
    """Runs the durable steps of jobs; only inside a workflow."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    def run(
        self, name: str, result_type: type[Result], work: Callable[[], Awaitable[Result]]
    ) -> Coroutine[Any, Any, Result]:
        """What `work` returns, from an earlier run when there was one.

        The step's number is drawn here and now, so steps that run at the same time have the
        same numbers after a crash when they are made in the same order. Raises StageFailed.
        """
        return self._run(DBOS.reserve_step(), name, result_type, work)

    async def _run(
        self,
        reserved: StepReservation,
        name: str,
        result_type: type[Result],
        work: Callable[[], Awaitable[Result]],
    ) -> Result:
        # preemptible: a cancelled job's calls are cancelled too, not only the steps after them.
        kept = await reserved.run_async({"name": name, "preemptible": True}, self._keep, name, work)
        artifact = artifact_from_pb(media_pb2.Artifact.FromString(kept))
        return result_type.FromString(await asyncio.to_thread(self._store.read, artifact))

    async def _keep(self, name: str, work: Callable[[], Awaitable[Message]]) -> bytes:
        try:
            message = await work()
            data = message.SerializeToString(deterministic=True)
            artifact = await asyncio.to_thread(self._store.put_bytes, data, MESSAGE_TYPE)
        except EtbgmError as error:
            raise StageFailed(status_of(error).SerializeToString()) from error
        except Exception as error:
            raise StageFailed(internal_failure(error, step=name).SerializeToString()) from error
        return artifact_to_pb(artifact).SerializeToString()


def internal_failure(error: Exception, **fields: str) -> Status:
    """Logs `error` under a new id and returns the status with that id."""
    error_id = uuid.uuid4().hex[:12]
    log.error("job failed by an internal error", exc_info=error, extra={"error_id": error_id, **fields})
    return internal_status(error_id)


async def together(calls: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """The results of `calls`, which run at the same time, in order.

    The first error is raised once all others have been cancelled and have stopped.
    """
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

"""Deletes what has expired, and erases what nobody holds, on every gateway."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from etbgm_gateway.queue.deliveries import Deliveries
from etbgm_gateway.queue.job_queue import JobQueue
from etbgm_gateway.store.retention import Retention
from etbgm_kit.artifacts.store import INCOMING, ArtifactStore

log = logging.getLogger(__name__)

COLLECT_EVERY_S = 2.0
"""Interval between two collections. Several gateways may collect at once."""

SWEEP_EVERY_S = 3600.0
"""Interval at which the whole store is listed."""

FIRST_SWEEP_S = 60.0
"""Time after the start of the first search for videos that no job has taken."""

_RECORDS = "records/"


@dataclass(frozen=True, slots=True)
class Keep:
    """How long things are kept, in seconds; None for ever.

    Finished jobs, completed uploads, what nobody holds, and videos that were sent by links.
    """

    jobs_s: float | None
    uploads_s: float | None
    unheld_s: float | None
    incoming_s: float


class Garbage:
    """A thread that collects until it is closed."""

    def __init__(
        self,
        retention: Retention,
        queue: JobQueue,
        store: ArtifactStore,
        keep: Keep,
        remove_old: Callable[[], None],
        deliveries: Deliveries,
    ) -> None:
        """`remove_old` removes incomplete uploads; blocks."""
        self._retention, self._queue, self._store = retention, queue, store
        self._deliveries = deliveries
        self.keep, self._remove_old = keep, remove_old
        self._sweeps_at = time.monotonic()
        self._sweeps_incoming_at = self._sweeps_at + min(FIRST_SWEEP_S, keep.incoming_s)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="garbage", daemon=True)

    def open(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stops the thread. Blocks."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def delete_job(self, job_id: str) -> bool:
        """Deletes a finished job with its traces in the queue; returns False if it is unfinished or gone.

        What nobody else holds is erased soon after. Blocks.
        """
        self._queue.forget(job_id)
        self._deliveries.forget(job_id)
        return self._retention.delete_job(job_id)

    def _run(self) -> None:
        while not self._stopping.wait(COLLECT_EVERY_S):
            try:
                self._collect()
            except Exception as error:
                # Any error of the database or the store: the next collection repeats what was not done.
                log.warning("cannot collect garbage", extra={"reason": repr(error)})

    def _collect(self) -> None:
        if self.keep.jobs_s is not None:
            for job_id in self._retention.expired_jobs(self.keep.jobs_s):
                self.delete_job(job_id)
        if self.keep.uploads_s is not None:
            for holder in self._retention.expired_uploads(self.keep.uploads_s):
                self._retention.delete_upload(holder)
        self._remove_old()
        self._sweep()
        self._sweep_incoming()
        self._retention.doom(self._doom)
        self._retention.erase(self._erase)

    def _sweep(self) -> None:
        """Looks through the store, from time to time, for what nobody holds."""
        if self.keep.unheld_s is None or time.monotonic() < self._sweeps_at:
            return
        self._sweeps_at = time.monotonic() + min(SWEEP_EVERY_S, self.keep.unheld_s)
        old = self._store.written_before(time.time() - self.keep.unheld_s)
        if number := self._retention.release_unheld(old):
            log.info("what nobody holds will be erased", extra={"objects": number})

    def _sweep_incoming(self) -> None:
        """Erases, from time to time, what was sent by links and no job has taken."""
        if time.monotonic() < self._sweeps_incoming_at:
            return
        self._sweeps_incoming_at = time.monotonic() + min(SWEEP_EVERY_S, self.keep.incoming_s)
        for name in self._store.written_before(time.time() - self.keep.incoming_s, (INCOMING,)):
            self._store.erase(name)

    def _doom(self, name: str) -> None:
        if name.startswith(_RECORDS):
            self._store.erase(name)
        else:
            self._store.doom(name)

    def _erase(self, name: str) -> None:
        # A service that has written the artifact again needs it.
        if self._store.is_doomed(name):
            self._store.erase(name)
            self._store.undoom(name)

"""Handles orphaned jobs: those of dead gateways, and those whose workflow ended without recording it."""

import logging
import threading
import time
from collections.abc import Mapping

from etbgm_gateway.queue.job_queue import JobQueue
from etbgm_gateway.store.executors import Executors
from etbgm_gateway.store.jobs import JobStore
from etbgm_kit.serving.status import internal_status, new_error_id

log = logging.getLogger(__name__)

BEATS_PER_LEASE = 3
"""Heartbeats that a gateway sends within one lease, after which the others consider it dead."""


class Silences:
    """Tracks how long each gateway has been silent, by this process's clock: others may be wrong. Pure."""

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._heard: dict[str, tuple[int, float]] = {}

    def gone(self, beats: Mapping[str, int], now_s: float) -> set[str]:
        """Returns the gateways whose beat count did not change for the lease, over calls up to `now_s`."""
        heard = {}
        for name, count in beats.items():
            known = self._heard.get(name)
            heard[name] = known if known and known[0] == count else (count, now_s)
        self._heard = heard
        return {name for name, (_, since_s) in self._heard.items() if now_s - since_s >= self._lease_s}

    def forget(self) -> None:
        """Restarts all measurements, because heartbeats could not be read, for example during an outage."""
        self._heard.clear()


class Orphans:
    """A thread that sends this gateway's heartbeats and takes over the jobs of dead gateways.

    A gateway that only seemed dead loses its jobs to another: DBOS rejects its further
    writes to them. The thread also ends each job whose workflow has ended but could not
    record that, for example after a database error or an interrupted cancellation.
    """

    def __init__(
        self, executors: Executors, jobs: JobStore, queue: JobQueue, executor_id: str, lease_s: float
    ) -> None:
        self._executors, self._jobs, self._queue = executors, jobs, queue
        self._executor_id = executor_id
        self._silences, self._period_s = Silences(lease_s), lease_s / BEATS_PER_LEASE
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="orphans", daemon=True)

    def open(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stops the thread. Blocks."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._period_s):
            try:
                self._executors.beat(self._executor_id)
                self._take_over()
                self._end_abandoned()
            except Exception as error:
                # Continue after any database error: a gateway without heartbeats would lose its jobs.
                log.warning("cannot say that this gateway lives", extra={"reason": repr(error)})
                self._silences.forget()

    def _take_over(self) -> None:
        beats = self._executors.beats()
        others = {name: beats.get(name, 0) for name in self._queue.executors() - {self._executor_id}}
        for name in self._silences.gone(others, time.monotonic()):
            jobs = self._queue.adopt(name)
            log.warning(
                "took over the jobs of a gateway that is gone", extra={"executor": name, "jobs": jobs}
            )

    def _end_abandoned(self) -> None:
        for job_id, status in self._queue.ended(self._jobs.unfinished()).items():
            if status == "CANCELLED":
                self._jobs.finish(job_id, "CANCELLED")
                continue
            error_id = new_error_id()
            error = internal_status(error_id).SerializeToString()
            if self._jobs.finish(job_id, "FAILED", error=error):
                fields = {"job_id": job_id, "error_id": error_id, "status": status}
                log.error("the workflow of a job has ended without its result", extra=fields)

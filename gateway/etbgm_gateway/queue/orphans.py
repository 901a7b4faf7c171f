"""Jobs of gateways that are gone go on at those that are left."""

import logging
import threading
import time
from collections.abc import Mapping

from etbgm_gateway.queue.job_queue import JobQueue
from etbgm_gateway.store.executors import Executors

log = logging.getLogger(__name__)

BEATS_PER_LEASE = 3
"""Signs of life that a gateway gives in the time after which the others give it up."""


class Silences:
    """Who has been silent for how long, by this process's own clock: those of others may be wrong. Pure."""

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._heard: dict[str, tuple[int, float]] = {}

    def gone(self, beats: Mapping[str, int], now_s: float) -> set[str]:
        """Those whose number of beats has not changed for the lease, seen again and again until `now_s`."""
        heard = {}
        for name, count in beats.items():
            known = self._heard.get(name)
            heard[name] = known if known and known[0] == count else (count, now_s)
        self._heard = heard
        return {name for name, (_, since_s) in self._heard.items() if now_s - since_s >= self._lease_s}

    def forget(self) -> None:
        """Nothing was heard of anybody for a while, as when the database was away: all begin anew."""
        self._heard.clear()


class Orphans:
    """A thread that says that this gateway lives, and takes over the jobs of those that do not.

    A gateway that only seemed gone loses its jobs to another: DBOS lets it write nothing
    more to them.
    """

    def __init__(self, executors: Executors, queue: JobQueue, executor_id: str, lease_s: float) -> None:
        self._executors, self._queue, self._executor_id = executors, queue, executor_id
        self._silences, self._period_s = Silences(lease_s), lease_s / BEATS_PER_LEASE
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="orphans", daemon=True)

    def open(self) -> None:
        """Begins."""
        self._thread.start()

    def close(self) -> None:
        """Ends. Blocks."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._period_s):
            try:
                self._executors.beat(self._executor_id)
                self._look()
            except Exception as error:
                # Whatever the database's trouble is: a gateway that falls silent would lose its jobs.
                log.warning("cannot say that this gateway lives", extra={"reason": repr(error)})
                self._silences.forget()

    def _look(self) -> None:
        beats = self._executors.beats()
        others = {name: beats.get(name, 0) for name in self._queue.executors() - {self._executor_id}}
        for name in self._silences.gone(others, time.monotonic()):
            jobs = self._queue.adopt(name)
            log.warning(
                "took over the jobs of a gateway that is gone", extra={"executor": name, "jobs": jobs}
            )

"""Figures on the queue for the caller of the current call."""

import sqlalchemy as sa

from etbgm.gateway.v1 import queue_pb2
from etbgm_gateway.api.converters import timestamp_to_pb
from etbgm_gateway.identity.types import ADMIN, current_caller
from etbgm_gateway.queue.job_queue import JobQueue
from etbgm_gateway.store.outlook import Outlook
from etbgm_kit.converters import seconds_to_pb


class QueueStats:
    """Reads the figures. Methods block; call them from worker threads."""

    def __init__(self, engine: sa.Engine, outlook: Outlook, queue: JobQueue) -> None:
        self._engine, self._outlook, self._queue = engine, outlook, queue

    def read(self) -> queue_pb2.GetQueueStatsResponse:
        """Returns figures on the tenant's jobs, and for callers with the scope admin on those of all."""
        caller = current_caller.get()
        own = self._outlook.counts(caller.tenant)
        with self._engine.connect() as connection:
            turn = self._queue.next_turn(connection, caller.tenant)
        wait_s, pace = self._outlook.wait_s(turn), self._outlook.pace().others
        stats = queue_pb2.GetQueueStatsResponse(
            queued_jobs=own.queued,
            running_jobs=own.running,
            oldest_create_time=timestamp_to_pb(own.oldest_create_time_s),
            estimated_wait=None if wait_s is None else seconds_to_pb(wait_s),
            run_time_per_variant_second=None if pace is None else seconds_to_pb(pace),
        )
        if ADMIN in caller.scopes:
            everyone = self._outlook.counts()
            stats.total_queued_jobs, stats.total_running_jobs = everyone.queued, everyone.running
        return stats

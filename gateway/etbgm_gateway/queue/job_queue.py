"""DBOS, which holds the queue of jobs and takes up again what was interrupted."""

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS, DBOSConfig, SetWorkflowID, error

from etbgm_gateway.pipeline.workflow import Pipeline

QUEUE = "jobs"
POLL_S = 0.1
"""How often the queue is looked at; at DBOS's default of 1 s a job would start 0.8 s late."""

APPLICATION_VERSION = "1"
"""DBOS takes up only jobs of the same version: raise it when the durable steps change, and let those of
the old one end before gateways of the new one are alone."""


class JobQueue:
    """The queue that all gateways share; a job's id is its workflow's id."""

    def __init__(self, pipeline: Pipeline, url: str, executor_id: str, concurrent_jobs: int) -> None:
        """Launches DBOS on the database at `url`; blocks for a second.

        Workflows run in the event loop that is running here, where the clients' channels live.
        """
        self._pipeline, self._concurrent_jobs = pipeline, concurrent_jobs
        self._loop = asyncio.get_running_loop()
        config: DBOSConfig = {
            "name": "etbgm",
            "system_database_url": url,
            "application_version": APPLICATION_VERSION,
            "executor_id": executor_id,
            "log_level": "WARNING",
        }
        DBOS(config=config)
        _log_as_we_do()
        DBOS.launch()

    def open(self, waiting: Iterable[str]) -> None:
        """Begins to take jobs from the queue; `waiting` are put into it where they are missing. Blocks."""
        DBOS.register_queue(QUEUE, worker_concurrency=self._concurrent_jobs, polling_interval_sec=POLL_S)
        for job_id in waiting:
            with SetWorkflowID(job_id):
                DBOS.enqueue_workflow(QUEUE, self._pipeline.run, job_id)

    def executors(self) -> set[str]:
        """Names of the gateways that have taken jobs and not brought them to an end. Blocks."""
        running = DBOS.list_workflows(
            status="PENDING", app_version=APPLICATION_VERSION, load_input=False, load_output=False
        )
        return {workflow.executor_id for workflow in running if workflow.executor_id}

    def adopt(self, executor_id: str) -> int:
        """Puts the jobs that the gateway of this name has taken into the queue again; how many. Blocks.

        Two gateways may do so at once: DBOS gives each job to one of them.
        """
        # Its own recovery service calls this; nothing public asks who has the job in the same transaction.
        return len(DBOS._recover_pending_workflows([executor_id]))

    async def put(self, job_id: str) -> None:
        """Queues the job; nothing happens when it is there already."""
        with SetWorkflowID(job_id):
            await DBOS.enqueue_workflow_async(QUEUE, self._pipeline.run, job_id)

    async def cancel(self, job_id: str) -> None:
        """Stops the job, wherever it runs, with the calls that it makes: there within a second."""
        await DBOS.cancel_workflow_async(job_id)

    def close(self) -> None:
        """Ends DBOS; what was running is taken up after the next start. Blocks."""
        DBOS.destroy()
        # DBOS had made its threads, which are gone now, the loop's own; others still need some.
        self._loop.call_soon_threadsafe(self._loop.set_default_executor, ThreadPoolExecutor())


def _log_as_we_do() -> None:
    logger = logging.getLogger("dbos")
    logger.handlers.clear()
    logger.propagate = True
    logger.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """False for what DBOS calls an error and we asked for: a cancelled job, a gateway that stops."""
    kind = record.exc_info[0] if record.exc_info else None
    if kind and issubclass(kind, error.DBOSAwaitedWorkflowCancelledError):
        return False
    return not str(record.msg).startswith("Asyncio task cancelled")

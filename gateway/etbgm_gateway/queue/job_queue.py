"""DBOS, which holds the queue of jobs and resumes interrupted jobs."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, EnqueueOptions, error

from etbgm_gateway.pipeline.workflow import JOB_WORKFLOW, PIPELINE_CLASS, Pipeline
from etbgm_gateway.queue.application import APPLICATION, APPLICATION_VERSION, new_client
from etbgm_gateway.queue.fairness import is_passed, later, next_turn, step_of
from etbgm_gateway.store.database import batched
from etbgm_gateway.store.jobs import JOBS

QUEUE = "jobs"
POLL_S = 0.4
"""How often the queue is polled: a job starts 0.2 s late on average; each poll takes 5 ms of a processor."""

_SCHEMA = "dbos"
"""Where DBOS has its tables in PostgreSQL."""
_COLUMNS = ("workflow_uuid", "status", "priority")
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


class JobQueue:
    """The queue that all gateways share; a job's id is its workflow's id."""

    def __init__(
        self,
        pipeline: Pipeline,
        database: sa.Engine,
        executor_id: str,
        concurrent_jobs: int,
        weights: Mapping[str, float],
    ) -> None:
        """Launches DBOS on the job database; blocks for a second.

        Tenants share by `weights`, 1 if a tenant has none. Workflows run in the current event loop, which the
        clients' channels belong to.
        """
        self._concurrent_jobs, self._weights = concurrent_jobs, weights
        self._loop = asyncio.get_running_loop()
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": database.url.render_as_string(hide_password=False),
            "application_version": APPLICATION_VERSION,
            "executor_id": executor_id,
            "log_level": "WARNING",
        }
        DBOS(config=config)
        _log_as_we_do()
        DBOS.launch()
        self._client = new_client(database)
        self._workflow: EnqueueOptions = {
            "workflow_name": JOB_WORKFLOW,
            "class_name": PIPELINE_CLASS,
            "instance_name": pipeline.config_name,
            "queue_name": QUEUE,
            "app_version": APPLICATION_VERSION,
        }

    def open(self) -> None:
        """Starts to take jobs from the queue. Blocks."""
        DBOS.register_queue(QUEUE, worker_concurrency=self._concurrent_jobs, polling_interval_sec=POLL_S)

    def executors(self) -> set[str]:
        """Returns the names of the gateways that have taken jobs and not finished them. Blocks."""
        running = DBOS.list_workflows(
            status="PENDING", app_version=APPLICATION_VERSION, load_input=False, load_output=False
        )
        return {workflow.executor_id for workflow in running if workflow.executor_id}

    def adopt(self, executor_id: str) -> int:
        """Requeues the jobs that the gateway of this name has taken; returns their number. Blocks.

        Two gateways may do so at once: DBOS gives each job to one of them.
        """
        # DBOS's recovery service calls this; no public API checks the job's owner in the same transaction.
        return len(DBOS._recover_pending_workflows([executor_id]))

    def ended(self, job_ids: Sequence[str]) -> Mapping[str, str]:
        """Returns those of the jobs whose workflow has ended, with its DBOS status. Blocks."""
        ended = {}
        for some in batched(job_ids):
            for workflow in DBOS.list_workflows(
                workflow_ids=list(some), status=_ENDED, load_input=False, load_output=False
            ):
                ended[workflow.workflow_id] = workflow.status
        return ended

    def enqueue(self, connection: sa.Connection, tenant: str, job_id: str, priority: int) -> int:
        """Queues the job when the transaction of `connection`, to the job database, is committed.

        Returns its turn: jobs with a lower one go first.
        """
        turn = self.next_turn(connection, tenant)
        if priority:
            turn = self._turn_before(connection, tenant, priority) or turn
        options: EnqueueOptions = {**self._workflow, "workflow_id": job_id, "priority": turn}
        self._client.enqueue_in_transaction(connection, options, job_id)
        return turn

    def next_turn(self, connection: sa.Connection, tenant: str) -> int:
        """Returns the turn that a new job of the tenant would get."""
        return next_turn(connection, tenant, self._weights)

    def _turn_before(self, connection: sa.Connection, tenant: str, priority: int) -> int | None:
        """Moves the jobs that a new one passes one step back; returns the first one's turn, if any."""
        passed, step = is_passed(tenant, priority), step_of(tenant, self._weights)
        first: int | None = connection.scalar(sa.select(sa.func.min(JOBS.c.turn)).where(passed))
        if first is None:
            return None
        # No public API changes the priority of a workflow that waits.
        schema = None if connection.dialect.name == "sqlite" else _SCHEMA
        workflows = sa.table("workflow_status", *map(sa.column, _COLUMNS), schema=schema)
        waiting = sa.and_(
            workflows.c.workflow_uuid.in_(sa.select(JOBS.c.job_id).where(passed)),
            workflows.c.status == "ENQUEUED",
        )
        changed = workflows.update().where(waiting).values(priority=later(workflows.c.priority, step))
        connection.execute(changed)
        connection.execute(JOBS.update().where(passed).values(turn=later(JOBS.c.turn, step)))
        return first

    async def cancel(self, job_id: str) -> None:
        """Stops the job and its calls, on whichever gateway it runs; this takes up to a second there."""
        await DBOS.cancel_workflow_async(job_id)

    def forget(self, job_id: str) -> None:
        """Deletes what DBOS stores about a finished job. Blocks."""
        self._client.delete_workflow(job_id)

    def close(self) -> None:
        """Shuts DBOS down; running jobs resume after the next start. Blocks."""
        self._client.destroy()
        DBOS.destroy()
        # DBOS replaced the loop's default executor with its own, now shut down; other code still needs one.
        self._loop.call_soon_threadsafe(self._loop.set_default_executor, ThreadPoolExecutor())


def _log_as_we_do() -> None:
    logger = logging.getLogger("dbos")
    logger.handlers.clear()
    logger.propagate = True
    logger.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """False for what DBOS logs as an error but we requested: a cancelled job, a stopping gateway."""
    kind = record.exc_info[0] if record.exc_info else None
    if kind and issubclass(kind, error.DBOSAwaitedWorkflowCancelledError):
        return False
    return not str(record.msg).startswith("Asyncio task cancelled")

"""The gateway, assembled."""

import asyncio

from etbgm.gateway.v1 import gateway_pb2_grpc
from etbgm_gateway.clients import Clients
from etbgm_gateway.database import connect
from etbgm_gateway.executors import Executors
from etbgm_gateway.job_queue import JobQueue
from etbgm_gateway.job_service import JobService
from etbgm_gateway.jobs import JobStore
from etbgm_gateway.orphans import Orphans
from etbgm_gateway.pipeline import Pipeline
from etbgm_gateway.servicer import GatewayServicer
from etbgm_gateway.settings import Settings
from etbgm_gateway.stage_calls import Deadlines
from etbgm_gateway.uploads import Uploads
from etbgm_kit.runner import Runner
from etbgm_kit.scratch import Scratch
from etbgm_kit.server import Service
from etbgm_kit.store import ArtifactStore


def build(settings: Settings) -> Service:
    """The gateway's service, one in a process; needs a running event loop.

    Jobs that an earlier process has left go on from here, before the port is open.
    """
    store = ArtifactStore(settings.store_url, Scratch(settings.work_dir))
    database = connect(settings.job_store_url)
    jobs, executors = JobStore(database), Executors(database)
    executors.beat(settings.executor_id)
    clients = Clients.of(settings)
    deadlines = Deadlines(settings.stage_deadline_s, settings.stage_deadline_per_media_s)
    pipeline = Pipeline(clients, jobs, store, deadlines)
    queue = JobQueue(pipeline, settings.job_store_url, settings.executor_id, settings.concurrent_jobs)
    orphans = Orphans(executors, queue, settings.executor_id, settings.executor_lease_s)
    orphans.open()
    uploads = Uploads(settings.uploads_dir, store, settings.max_upload_bytes, settings.upload_keep_s)
    job_service = JobService(jobs, queue, store, clients, settings.probe_deadline_s)
    servicer = GatewayServicer(job_service, uploads)
    loop = asyncio.get_running_loop()

    def load() -> None:
        asyncio.run_coroutine_threadsafe(clients.find(), loop).result()
        queue.open(jobs.queued())

    def close() -> None:
        asyncio.run_coroutine_threadsafe(pipeline.stop(), loop).result()
        orphans.close()
        queue.close()
        database.dispose()
        asyncio.run_coroutine_threadsafe(clients.close(), loop).result()

    return Service(
        name="gateway",
        full_name="etbgm.gateway.v1.GatewayService",
        settings=settings,
        runner=Runner(slots=1, waiting=0),
        add_to=lambda server: gateway_pb2_grpc.add_GatewayServiceServicer_to_server(servicer, server),
        load=load,
        close=close,
    )

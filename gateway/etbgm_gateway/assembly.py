"""Assembles the gateway from its parts."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import grpc

from etbgm.gateway.v1 import gateway_pb2, gateway_pb2_grpc, webhooks_pb2_grpc
from etbgm_gateway import parts
from etbgm_gateway.api.admission import Admission
from etbgm_gateway.api.capabilities import Capabilities
from etbgm_gateway.api.converters import job_to_pb
from etbgm_gateway.api.job_service import JobService
from etbgm_gateway.api.links import Links
from etbgm_gateway.api.ownership import Ownership
from etbgm_gateway.api.places import Places
from etbgm_gateway.api.probing import Probes
from etbgm_gateway.api.queue_stats import QueueStats
from etbgm_gateway.api.receivers import Receivers
from etbgm_gateway.api.remixing import Remixing
from etbgm_gateway.api.servicer import GatewayServicer
from etbgm_gateway.api.uploads import Uploads
from etbgm_gateway.api.watching import Watching
from etbgm_gateway.observe.metrics import ClusterMetrics, StageMetrics
from etbgm_gateway.observe.scaler import ScalerServicer
from etbgm_gateway.pipeline.workflow import Pipeline
from etbgm_gateway.queue.garbage import Garbage
from etbgm_gateway.queue.job_queue import JobQueue
from etbgm_gateway.queue.orphans import Orphans
from etbgm_gateway.settings import Settings
from etbgm_gateway.store.executors import Executors
from etbgm_gateway.store.holdings import Holdings
from etbgm_gateway.store.jobs import JobRow, JobStore
from etbgm_gateway.store.lists import JobLists
from etbgm_gateway.store.outlook import Outlook
from etbgm_gateway.store.quotas import Quotas
from etbgm_gateway.store.retention import Retention
from etbgm_gateway.upstream.presence import LOOK_EVERY_S
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Listener, Service, SetHealth
from externalscaler import externalscaler_pb2_grpc


def build(settings: Settings) -> Service:
    """Builds the gateway's service, one per process; needs a running event loop.

    Jobs that an earlier process left unfinished resume here, before the port opens.
    """
    gateway = _Gateway(settings)
    return Service(
        name="gateway",
        full_name="etbgm.gateway.v1.GatewayService",
        settings=settings,
        runner=Runner(slots=1, waiting=0),
        add_to=gateway.add_to,
        listeners=_listeners(settings, gateway),
        interceptors=gateway.interceptors,
        load=gateway.load,
        close=gateway.close,
        metrics=gateway.metrics,
        stopping=gateway.stopping,
        report_health=gateway.report_health,
        beside=(gateway.http.serve,) if gateway.http else (),
    )


def _listeners(settings: Settings, gateway: "_Gateway") -> tuple[Listener, ...]:
    if not settings.scaler_address:
        return ()
    return (Listener(settings.scaler_address, gateway.add_scaler_to),)


class _Gateway:
    """All parts of the gateway."""

    def __init__(self, settings: Settings) -> None:
        self._loop, self.stopping = asyncio.get_running_loop(), asyncio.Event()
        scratch = Scratch(settings.work_dir)
        store = ArtifactStore(settings.store_url, scratch)
        self._database = parts.database(settings)
        self._accounts = parts.accounts(settings, self._database)
        self.interceptors = parts.interceptors(settings, self._accounts)
        self._deliveries, receivers, self._webhook_servicer = parts.webhooks(settings, self._database)
        self._jobs = JobStore(self._database, self._deliveries.announce)
        self._clients = parts.clients(settings)
        stages = StageMetrics()
        self.metrics = (*stages.collectors, ClusterMetrics(self._jobs, self._clients))
        holdings = Holdings(self._database)
        steps = parts.steps(settings, store, stages, holdings)
        self._quotas = Quotas(self._database, parts.quota(settings))
        transfers = parts.transfers(settings, store, scratch, self._jobs, self._quotas)
        self._pipeline = Pipeline(self._clients, self._jobs, steps, transfers, self.stopping)
        self._queue = JobQueue(self._pipeline, self._database, *parts.queue(settings))
        executors = Executors(self._database)
        executors.beat(settings.executor_id)
        self._orphans = Orphans(
            executors, self._jobs, self._queue, settings.executor_id, settings.executor_lease_s
        )
        self._orphans.open()
        self._ownership = Ownership(holdings, store)
        self._uploads = Uploads(settings.uploads_dir, store, parts.upload_limits(settings))
        self._garbage = Garbage(
            Retention(self._database),
            self._queue,
            store,
            parts.keep(settings),
            self._uploads.remove_old,
            self._deliveries,
        )
        self._outlook = Outlook(self._database, settings.concurrent_jobs)
        self._capabilities = Capabilities(self._clients, *parts.shown_limits(settings))
        self._links = Links(store, self._ownership, parts.links(settings))
        places = Places(transfers.sources, transfers.destinations)
        self._job_service = self._new_job_service(settings, store, receivers, places)
        self.http = parts.http(settings, self.stopping) if settings.http_address else None

    def _new_job_service(
        self, settings: Settings, store: ArtifactStore, receivers: Receivers, places: Places
    ) -> JobService:
        probes = Probes(self._clients.mixer, settings.probe_deadline_s, settings.probes_at_once)

        def message_of(row: JobRow) -> gateway_pb2.Job:
            return job_to_pb(row, settings.job_keep_s, self._outlook.of(row))

        watching = Watching(self._jobs, message_of, settings.watch_heartbeat_s, self.stopping)
        return JobService(
            self._jobs,
            JobLists(self._database),
            message_of,
            self._queue,
            self._quotas,
            store,
            Admission(
                store, self._ownership, self._clients, probes, receivers, places, parts.limits(settings)
            ),
            self._ownership,
            self._garbage,
            Remixing(store, self._ownership),
            watching,
        )

    def add_to(self, server: grpc.aio.Server) -> None:
        """Registers the servicers."""
        stats = QueueStats(self._database, self._outlook, self._queue)
        servicer = GatewayServicer(
            self._job_service, self._uploads, self._ownership, stats, self._capabilities, self._links
        )
        gateway_pb2_grpc.add_GatewayServiceServicer_to_server(servicer, server)
        webhooks_pb2_grpc.add_WebhookServiceServicer_to_server(self._webhook_servicer, server)
        if self._accounts:
            parts.add_accounts(self._accounts, self._job_service, server)
        if self.http:
            self.http.add_to(server)

    def add_scaler_to(self, server: grpc.aio.Server) -> None:
        """Registers KEDA's scaler."""
        scaler = ScalerServicer(self._jobs, self.stopping)
        externalscaler_pb2_grpc.add_ExternalScalerServicer_to_server(scaler, server)

    async def report_health(self, set_health: SetHealth) -> None:
        """Sets `upstream.<service>` for each service: whether any of its replicas accepts calls.

        The gateway itself stays SERVING: uploads, queued jobs and results need no service.
        """
        while True:
            for name, remote in self._clients.by_name().items():
                await set_health(f"upstream.{name}", remote.presence.serving > 0)
            await asyncio.sleep(LOOK_EVERY_S)

    def load(self) -> None:
        """Finds the services, then starts to take jobs. Blocks."""
        self._wait_for(self._clients.find())
        self._queue.open()
        self._deliveries.open()
        self._garbage.open()

    def close(self) -> None:
        """Shuts down and leaves unfinished jobs for the next start. Blocks."""
        self._wait_for(self._pipeline.stop())
        self._orphans.close()
        self._garbage.close()
        self._queue.close()
        self._deliveries.close()
        self._database.dispose()
        self._wait_for(self._clients.close())

    def _wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

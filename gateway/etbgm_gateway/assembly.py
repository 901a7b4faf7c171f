"""Assembles the gateway from its parts."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import grpc
import sqlalchemy as sa

from etbgm.gateway.v1 import gateway_pb2, gateway_pb2_grpc, keys_pb2_grpc, webhooks_pb2_grpc
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1.mixer_pb2_grpc import MixerServiceStub
from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceStub
from etbgm.sentiment.v1.sentiment_pb2_grpc import SentimentServiceStub
from etbgm.stt.v1.stt_pb2_grpc import SpeechToTextServiceStub
from etbgm_gateway.api.admission import Admission, JobLimits
from etbgm_gateway.api.job_service import JobService
from etbgm_gateway.api.key_servicer import KeyServicer
from etbgm_gateway.api.limits import LongList, RequestLimits
from etbgm_gateway.api.ownership import Ownership
from etbgm_gateway.api.probing import Probes
from etbgm_gateway.api.receivers import Receivers
from etbgm_gateway.api.remixing import Remixing
from etbgm_gateway.api.scopes import SCOPE_OF
from etbgm_gateway.api.servicer import GatewayServicer
from etbgm_gateway.api.uploads import UploadLimits, Uploads
from etbgm_gateway.api.webhook_servicer import WebhookServicer
from etbgm_gateway.identity.authentication import Authentication, Credentials
from etbgm_gateway.identity.interceptor import AuthInterceptor
from etbgm_gateway.identity.key_file import KeyFile
from etbgm_gateway.identity.keys import ApiKeys
from etbgm_gateway.observe.metrics import ClusterMetrics, StageMetrics
from etbgm_gateway.observe.scaler import ScalerServicer
from etbgm_gateway.outgoing.addresses import AddressRules
from etbgm_gateway.outgoing.webhook import WebhookSender
from etbgm_gateway.pipeline.steps import Deadlines, StepContext
from etbgm_gateway.pipeline.workflow import Pipeline
from etbgm_gateway.queue.deliveries import Deliveries
from etbgm_gateway.queue.garbage import Garbage, Keep
from etbgm_gateway.queue.job_queue import JobQueue
from etbgm_gateway.queue.orphans import Orphans
from etbgm_gateway.settings import Settings
from etbgm_gateway.store.database import connect
from etbgm_gateway.store.executors import Executors
from etbgm_gateway.store.holdings import Holdings
from etbgm_gateway.store.jobs import JobStore
from etbgm_gateway.store.quotas import Quota, Quotas
from etbgm_gateway.store.retention import Retention
from etbgm_gateway.store.webhooks import WebhookStore
from etbgm_gateway.upstream.clients import Clients
from etbgm_gateway.upstream.discovery import discovery_of
from etbgm_gateway.upstream.presence import LOOK_EVERY_S
from etbgm_gateway.upstream.remote import RemoteService, Waits
from etbgm_gateway.upstream.replicas import Replicas, Stub, Tls
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Listener, Service, SetHealth
from etbgm_kit.serving.settings import BadSettings, NotReachable
from externalscaler import externalscaler_pb2_grpc

if TYPE_CHECKING:
    from etbgm_gateway.http.server import HttpServer


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
        store = ArtifactStore(settings.store_url, Scratch(settings.work_dir))
        self._database = _database(settings)
        self._keys = ApiKeys(self._database) if settings.authenticates else None
        self.interceptors = _interceptors(settings, self._keys)
        self._deliveries, receivers, self._webhook_servicer = _webhooks(settings, self._database)
        self._jobs = JobStore(self._database, self._deliveries.announce)
        executors = Executors(self._database)
        executors.beat(settings.executor_id)
        self._clients = _clients(settings)
        deadlines = Deadlines(settings.stage_deadline_s, settings.stage_deadline_per_media_s)
        stages = StageMetrics()
        self.metrics = (*stages.collectors, ClusterMetrics(self._jobs, self._clients))
        holdings = Holdings(self._database)
        steps = StepContext(store, deadlines, stages, holdings, settings.full_disk_wait_s)
        self._pipeline = Pipeline(self._clients, self._jobs, steps, self.stopping)
        self._queue = JobQueue(
            self._pipeline,
            self._database,
            settings.executor_id,
            settings.concurrent_jobs,
            settings.tenant_weights,
        )
        self._orphans = Orphans(
            executors, self._jobs, self._queue, settings.executor_id, settings.executor_lease_s
        )
        self._orphans.open()
        self._uploads = Uploads(settings.uploads_dir, store, _upload_limits(settings))
        keep = Keep(settings.job_keep_s, settings.upload_artifact_keep_s)
        self._garbage = Garbage(
            Retention(self._database), self._queue, store, keep, self._uploads.remove_old, self._deliveries
        )
        self._ownership = Ownership(holdings, store)
        self._job_service = self._new_job_service(settings, store, receivers)
        self.http = _http(settings, self.stopping) if settings.http_address else None

    def _new_job_service(self, settings: Settings, store: ArtifactStore, receivers: Receivers) -> JobService:
        probes = Probes(self._clients.mixer, settings.probe_deadline_s, settings.probes_at_once)
        return JobService(
            self._jobs,
            self._queue,
            Quotas(self._database, _quota(settings)),
            store,
            Admission(store, self._ownership, self._clients, probes, receivers, _limits(settings)),
            self._ownership,
            self._garbage,
            Remixing(store, self._ownership),
            self.stopping,
        )

    def add_to(self, server: grpc.aio.Server) -> None:
        """Registers the servicers."""
        servicer = GatewayServicer(self._job_service, self._uploads, self._ownership)
        gateway_pb2_grpc.add_GatewayServiceServicer_to_server(servicer, server)
        webhooks_pb2_grpc.add_WebhookServiceServicer_to_server(self._webhook_servicer, server)
        if self._keys:
            keys_pb2_grpc.add_KeyServiceServicer_to_server(KeyServicer(self._keys), server)
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


def _database(settings: Settings) -> sa.Engine:
    """Connects to the job store. Raises BadSettings, and without a parent that waits NotReachable."""
    try:
        return connect(settings.job_store_url)
    except NotReachable as error:
        if settings.stop_with_parent:
            raise BadSettings(str(error)) from None
        raise


def _webhooks(settings: Settings, database: sa.Engine) -> tuple[Deliveries, Receivers, WebhookServicer]:
    webhooks = WebhookStore(database)
    sender = WebhookSender(AddressRules(settings.outgoing_networks, settings.outgoing_plain_http))
    receivers = Receivers(webhooks, sender)
    return Deliveries(database, webhooks, sender), receivers, WebhookServicer(webhooks, sender, receivers)


def _http(settings: Settings, stopping: asyncio.Event) -> "HttpServer":
    """Creates the HTTP server; without it, its libraries are not imported."""
    from etbgm_gateway.http.server import HttpOptions, HttpServer

    options = HttpOptions(
        settings.http_address,
        settings.max_message_bytes,
        settings.http_allowed_origins,
        settings.tls_cert_file,
        settings.tls_key_file,
        settings.tls_client_ca_file,
    )
    return HttpServer(options, stopping)


def _interceptors(settings: Settings, keys: ApiKeys | None) -> tuple[AuthInterceptor, ...]:
    if keys is None:
        return ()
    kinds: list[Credentials] = [keys]
    if settings.key_file:
        kinds.append(KeyFile(settings.key_file))
    if settings.jwt_issuer:
        from etbgm_gateway.identity.tokens import Tokens, is_trusted

        if not is_trusted(settings.jwt_issuer):
            raise BadSettings("ETBGM_JWT_ISSUER: must be an https URL")
        kinds.append(Tokens(settings.jwt_issuer, settings.jwt_audience, settings.jwt_tenant_claim))
    return (AuthInterceptor(Authentication(*kinds), SCOPE_OF),)


def _limits(settings: Settings) -> JobLimits:
    spans = (
        media_pb2.EmotionTimeline.DESCRIPTOR.fields_by_name["spans"],
        media_pb2.Transcript.DESCRIPTOR.fields_by_name["segments"],
        gateway_pb2.RemixJobRequest.DESCRIPTOR.fields_by_name["spans"],
    )
    limit = LongList(settings.max_timeline_spans, "ETBGM_MAX_TIMELINE_SPANS")
    longer = {field.full_name: limit for field in spans}
    request = RequestLimits(settings.max_text_chars, settings.max_elements, longer)
    return JobLimits(request, settings.max_spans_per_s, settings.max_variant_s)


def _upload_limits(settings: Settings) -> UploadLimits:
    return UploadLimits(
        settings.max_upload_bytes, settings.max_open_uploads, settings.upload_idle_s, settings.upload_keep_s
    )


def _quota(settings: Settings) -> Quota:
    return Quota(
        settings.tenant_jobs_per_minute, settings.tenant_unfinished_jobs, settings.tenant_video_s_per_day
    )


def _clients(settings: Settings) -> Clients:
    """Creates clients for the addresses in `settings`; needs a running event loop."""

    def remote(
        name: str, addresses: str, stub_of: Callable[[grpc.aio.Channel], Stub], calls: int | None = None
    ) -> RemoteService[Stub]:
        replicas = Replicas(discovery_of(addresses), stub_of, tls)
        waits = Waits(calls or settings.calls_per_replica, settings.replica_wait_s, settings.queue_wait_s)
        return RemoteService(name, replicas, waits)

    files = settings.services_ca_file, settings.services_cert_file, settings.services_key_file
    tls = Tls(files[0], *files[1:]) if files[0] else None
    mixer, separator = remote("mixer", settings.mixer_address, MixerServiceStub), settings.separator_address
    calls = settings.riffusion_calls_per_replica
    return Clients(
        mixer=mixer,
        separator=remote("separator", separator, MixerServiceStub) if separator else mixer,
        stt=remote("stt", settings.stt_address, SpeechToTextServiceStub),
        sentiment=remote("sentiment", settings.sentiment_address, SentimentServiceStub),
        riffusion=remote("riffusion", settings.riffusion_address, RiffusionServiceStub, calls),
    )

"""Parts of the gateway, made from its settings."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
import sqlalchemy as sa

from etbgm.gateway.v1 import capabilities_pb2, gateway_pb2, keys_pb2_grpc, sessions_pb2_grpc, shares_pb2_grpc
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1.mixer_pb2_grpc import MixerServiceStub
from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceStub
from etbgm.sentiment.v1.sentiment_pb2_grpc import SentimentServiceStub
from etbgm.stt.v1.stt_pb2_grpc import SpeechToTextServiceStub
from etbgm_gateway.api.admission import JobLimits
from etbgm_gateway.api.interceptor import FieldsInterceptor
from etbgm_gateway.api.job_service import JobService
from etbgm_gateway.api.key_servicer import KeyServicer
from etbgm_gateway.api.limits import LongList, RequestLimits
from etbgm_gateway.api.receivers import Receivers
from etbgm_gateway.api.scopes import AUDITED, SCOPE_OF, SHARED
from etbgm_gateway.api.session_servicer import SessionServicer
from etbgm_gateway.api.share_servicer import ShareServicer
from etbgm_gateway.api.uploads import UploadLimits
from etbgm_gateway.api.webhook_servicer import WebhookServicer
from etbgm_gateway.identity.audit import AuditInterceptor
from etbgm_gateway.identity.authentication import Authentication, Credentials
from etbgm_gateway.identity.interceptor import AuthInterceptor
from etbgm_gateway.identity.key_file import KeyFile
from etbgm_gateway.identity.keys import ApiKeys
from etbgm_gateway.identity.sessions import Sessions
from etbgm_gateway.identity.shares import Shares
from etbgm_gateway.observe.metrics import StageMetrics
from etbgm_gateway.outgoing.addresses import AddressRules
from etbgm_gateway.outgoing.destinations import Destinations
from etbgm_gateway.outgoing.fetching import HttpLimits
from etbgm_gateway.outgoing.places import PlaceRules
from etbgm_gateway.outgoing.sources import Sources
from etbgm_gateway.outgoing.webhook import WebhookSender
from etbgm_gateway.pipeline.steps import Deadlines, StepContext
from etbgm_gateway.pipeline.transport import Transfers
from etbgm_gateway.queue.deliveries import Deliveries
from etbgm_gateway.queue.garbage import Keep
from etbgm_gateway.settings import Settings
from etbgm_gateway.store.database import connect
from etbgm_gateway.store.holdings import Holdings
from etbgm_gateway.store.jobs import JobStore
from etbgm_gateway.store.quotas import Quota, Quotas
from etbgm_gateway.store.shares import ShareStore
from etbgm_gateway.store.webhooks import WebhookStore
from etbgm_gateway.upstream.clients import Clients
from etbgm_gateway.upstream.discovery import discovery_of
from etbgm_gateway.upstream.remote import RemoteService, Waits
from etbgm_gateway.upstream.replicas import Replicas, Stub, Tls
from etbgm_kit.artifacts.links import StoreLinks
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import seconds_to_pb
from etbgm_kit.ranges import MOST_VARIANTS
from etbgm_kit.serving.settings import BadSettings, NotReachable

if TYPE_CHECKING:
    from etbgm_gateway.http.server import HttpServer


def database(settings: Settings) -> sa.Engine:
    """Connects to the job store. Raises BadSettings, and without a parent that waits NotReachable."""
    try:
        return connect(settings.job_store_url)
    except NotReachable as error:
        if settings.stop_with_parent:
            raise BadSettings(str(error)) from None
        raise


def webhooks(settings: Settings, database: sa.Engine) -> tuple[Deliveries, Receivers, WebhookServicer]:
    """Creates what sends events, what checks their addresses, and the API for them."""
    store = WebhookStore(database)
    sender = WebhookSender(AddressRules(settings.outgoing_networks, settings.outgoing_plain_http))
    receivers = Receivers(store, sender)
    return Deliveries(database, store, sender), receivers, WebhookServicer(store, sender, receivers)


def queue(settings: Settings) -> tuple[str, int, Mapping[str, float]]:
    """Returns this gateway's name, how many jobs it runs at a time, and the shares of tenants."""
    return settings.executor_id, settings.concurrent_jobs, settings.tenant_weights


def keep(settings: Settings) -> Keep:
    """Returns how long things are kept."""
    return Keep(
        settings.job_keep_s,
        settings.upload_artifact_keep_s,
        settings.unheld_keep_s,
        settings.upload_keep_s,
    )


def steps(settings: Settings, store: ArtifactStore, metrics: StageMetrics, holdings: Holdings) -> StepContext:
    """Returns what the steps of all jobs share."""
    deadlines = Deadlines(settings.stage_deadline_s, settings.stage_deadline_per_media_s)
    return StepContext(store, deadlines, metrics, holdings, settings.full_disk_wait_s)


def transfers(
    settings: Settings, store: ArtifactStore, scratch: Scratch, jobs: JobStore, quotas: Quotas
) -> Transfers:
    """Creates what fetches videos and copies results."""
    addresses = AddressRules(settings.outgoing_networks, settings.outgoing_plain_http)
    limits = HttpLimits(settings.max_upload_bytes, settings.source_total_s)
    sources = Sources(store, scratch, addresses, PlaceRules(settings.sources), limits)
    destinations = Destinations(store, PlaceRules(settings.destinations))
    return Transfers(sources, destinations, jobs, quotas, settings.max_variant_s)


def links(settings: Settings) -> StoreLinks:
    """Creates what signs links to the artifact store."""
    return StoreLinks(settings.store_url, settings.store_public_endpoint)


def http(settings: Settings, stopping: asyncio.Event) -> "HttpServer":
    """Creates the HTTP server; without it, its libraries are not imported."""
    from etbgm_gateway.http.app import BodyLimits
    from etbgm_gateway.http.server import HttpOptions, HttpServer

    options = HttpOptions(
        settings.http_address,
        BodyLimits(settings.max_message_bytes, settings.max_fields),
        settings.http_allowed_origins,
        settings.tls_cert_file,
        settings.tls_key_file,
        settings.tls_client_ca_file,
    )
    return HttpServer(options, stopping)


@dataclass(frozen=True, slots=True)
class Accounts:
    """What a gateway with authentication knows of its callers."""

    keys: ApiKeys
    sessions: Sessions
    share_store: ShareStore
    shares: Shares
    authentication: Authentication


def accounts(settings: Settings, database: sa.Engine) -> Accounts | None:
    """Creates what identifies callers; None without authentication. Raises BadSettings."""
    if not settings.authenticates:
        return None
    keys = ApiKeys(database)
    kinds: list[Credentials] = [keys]
    if settings.key_file:
        kinds.append(KeyFile(settings.key_file))
    if settings.jwt_issuer:
        from etbgm_gateway.identity import tokens

        if not tokens.is_trusted(settings.jwt_issuer):
            raise BadSettings("ETBGM_JWT_ISSUER: must be an https URL")
        kinds.append(tokens.Tokens(settings.jwt_issuer, settings.jwt_audience, settings.jwt_tenant_claim))
    sessions, share_store = Sessions(database, kinds), ShareStore(database)
    shares = Shares(share_store)
    return Accounts(keys, sessions, share_store, shares, Authentication(*kinds, sessions, shares))


def add_accounts(accounts: Accounts, jobs: JobService, server: grpc.aio.Server) -> None:
    """Registers the services that need authentication."""
    keys_pb2_grpc.add_KeyServiceServicer_to_server(KeyServicer(accounts.keys), server)
    sessions_pb2_grpc.add_SessionServiceServicer_to_server(SessionServicer(accounts.sessions), server)
    shares = ShareServicer(jobs, accounts.shares, accounts.share_store)
    shares_pb2_grpc.add_ShareServiceServicer_to_server(shares, server)


def interceptors(settings: Settings, accounts: Accounts | None) -> tuple[grpc.aio.ServerInterceptor, ...]:
    """Creates what bounds requests, logs changes and, with authentication, checks who calls."""
    always = (FieldsInterceptor(settings.max_fields), AuditInterceptor(AUDITED))
    if accounts is None:
        return always
    return (*always, AuthInterceptor(accounts.authentication, SCOPE_OF, SHARED))


def limits(settings: Settings) -> JobLimits:
    """The limits on one job."""
    spans = (
        media_pb2.EmotionTimeline.DESCRIPTOR.fields_by_name["spans"],
        media_pb2.Transcript.DESCRIPTOR.fields_by_name["segments"],
        gateway_pb2.RemixJobRequest.DESCRIPTOR.fields_by_name["spans"],
        media_pb2.CutList.DESCRIPTOR.fields_by_name["cuts"],
    )
    limit = LongList(settings.max_timeline_spans, "ETBGM_MAX_TIMELINE_SPANS")
    longer = {field.full_name: limit for field in spans}
    request = RequestLimits(settings.max_text_chars, settings.max_elements, longer)
    return JobLimits(request, settings.max_spans_per_s, settings.max_variant_s)


def upload_limits(settings: Settings) -> UploadLimits:
    """The limits on uploads."""
    return UploadLimits(
        settings.max_upload_bytes, settings.max_open_uploads, settings.upload_idle_s, settings.upload_keep_s
    )


def quota(settings: Settings) -> Quota:
    """What each tenant may use."""
    return Quota(
        settings.tenant_jobs_per_minute, settings.tenant_unfinished_jobs, settings.tenant_video_s_per_day
    )


def clients(settings: Settings) -> Clients:
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


def shown_limits(settings: Settings) -> tuple[capabilities_pb2.Limits, capabilities_pb2.Quota]:
    """Returns the limits and the quota as callers see them."""
    most = capabilities_pb2.Limits(
        upload_bytes=settings.max_upload_bytes,
        message_bytes=settings.max_message_bytes,
        variants=MOST_VARIANTS,
        variant_duration=seconds_to_pb(settings.max_variant_s),
        text_chars=settings.max_text_chars,
        elements=settings.max_elements,
        timeline_spans=settings.max_timeline_spans,
        spans_per_second=settings.max_spans_per_s,
    )
    if settings.job_keep_s is not None:
        most.job_retention.CopyFrom(seconds_to_pb(settings.job_keep_s))
    if settings.upload_artifact_keep_s is not None:
        most.upload_retention.CopyFrom(seconds_to_pb(settings.upload_artifact_keep_s))
    used = capabilities_pb2.Quota(
        jobs_per_minute=settings.tenant_jobs_per_minute, unfinished_jobs=settings.tenant_unfinished_jobs
    )
    if settings.tenant_video_s_per_day is not None:
        used.video_duration_per_day.CopyFrom(seconds_to_pb(settings.tenant_video_s_per_day))
    return most, used

"""The gateway's settings."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from etbgm_gateway.outgoing.addresses import Network
from etbgm_gateway.outgoing.places import checked_prefix
from etbgm_gateway.upstream.discovery import checked
from etbgm_kit.ranges import LARGEST_VIDEO_BYTES
from etbgm_kit.serving.settings import ServiceSettings

Addresses = Annotated[str, AfterValidator(checked)]
Prefixes = tuple[Annotated[str, AfterValidator(checked_prefix)], ...]


def is_private(address: str) -> bool:
    """Whether only this machine can reach the address."""
    host = address.rpartition(":")[0].strip("[]")
    if address.startswith("unix:") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Settings(ServiceSettings):
    """Variables begin with ETBGM_.

    An address of replicas is host:port (separate several with commas), or kubernetes:///service:port for
    the pods behind a Service (kubernetes://namespace/service:port for another namespace; the port is a
    name or a number). The gateway follows the pods as they start and stop.
    """

    listen_address: str = "127.0.0.1:8430"
    """Address that the gateway's own gRPC server listens on; port 0 picks any free port, unix:/path a socket.
    Beyond loopback, the gateway requires authentication and TLS unless `insecure` is set."""

    authentication: bool = False
    """Require a key or token of every caller. Always true if `key_file` is set."""

    key_file: Path | None = None
    """File with a key that has all scopes, for the operator; the gateway creates it at its first start."""

    jwt_issuer: str = ""
    """Issuer of tokens that are accepted besides keys, such as https://login.example.com; its keys are found
    by OpenID Connect Discovery. Empty for none; otherwise callers need a key or a token."""

    jwt_audience: str = ""
    """Audience that tokens must name; required with `jwt_issuer`."""

    jwt_tenant_claim: str = "tenant"
    """Claim of a token that names the caller's tenant."""

    insecure: bool = False
    """Permit a listener beyond loopback without authentication or TLS, where a network policy or a proxy
    protects it."""

    scaler_address: str = ""
    """Address of KEDA's scaler, for example [::]:8432; empty for none."""

    http_address: str = ""
    """Address that the API over HTTP listens on, such as 127.0.0.1:8440, under the same conditions; disabled
    if empty."""

    http_allowed_origins: tuple[str, ...] = ()
    """Origins of web pages that may call the API over HTTP, as a JSON list; by default none but its own."""

    outgoing_networks: tuple[Network, ...] = ()
    """Networks, as a JSON list such as ["10.1.0.0/16"], that webhooks may be in beside public addresses."""

    outgoing_plain_http: bool = False
    """Accept webhooks and sources without TLS (http://)."""

    sources: Prefixes = ()
    """Where jobs may fetch their videos from (CreateJobRequest.source_url), as a JSON list of URLs of folders
    of which {tenant} may be a part: ["https://", "s3://videos/{tenant}/"]. By default nowhere. Buckets are
    read with the gateway's own credentials (AWS_…, GOOGLE_…, AZURE_…)."""

    destinations: Prefixes = ()
    """Where jobs may copy their results to, as a JSON list of URLs of folders in buckets, like `sources`."""

    source_total_s: float = Field(default=3600.0, gt=0)
    """Time after which the last attempt to fetch a video by HTTP begins, and within which each ends."""

    store_public_endpoint: str = ""
    """Address of the artifact store's S3 service as callers reach it, for links; empty if it is the same."""

    job_store_url: str = "sqlite:///etbgm-jobs.sqlite"
    """Database of jobs: sqlite:///file for one gateway, postgresql://… for several (SQLAlchemy URLs)."""

    stt_address: Addresses
    """Replicas of the speech-to-text service."""

    sentiment_address: Addresses
    """Replicas of the sentiment service."""

    riffusion_address: Addresses
    """Replicas of the music service."""

    mixer_address: Addresses
    """Replicas of the mixer service."""

    services_ca_file: Path | None = None
    """Authorities (PEM) that sign the services' certificates; calls to services then use TLS."""

    services_cert_file: Path | None = None
    """Certificate chain (PEM) that the gateway shows to services with mutual TLS."""

    services_key_file: Path | None = None
    """Private key of that certificate (PEM)."""

    separator_address: Addresses | None = None
    """Replicas of the mixer service that separate speech from the rest, for example on GPUs; defaults to
    `mixer_address`."""

    executor_id: str = "gateway"
    """Name by which a restarted gateway finds the jobs that it was running. It must stay the same across
    restarts and differ between gateways that share the job store (a StatefulSet's pod name does)."""

    executor_lease_s: float = Field(default=30.0, gt=0)
    """Time without a heartbeat after which the other gateways that share the job store take over a gateway's
    jobs. Allow enough time for a restart, so that a restarted gateway still finds its jobs."""

    concurrent_jobs: int = Field(default=4, ge=1)
    """Jobs that this gateway runs at the same time; further jobs are queued."""

    tenant_weights: dict[str, float] = Field(default_factory=dict)
    """Shares of tenants in the queue, as JSON: {"alice": 2} lets alice's jobs start twice as often as those
    of a tenant without an entry, whose share is 1."""

    tenant_jobs_per_minute: int | None = Field(default=None, ge=1)
    """Jobs that each tenant may create per minute; absent: no limit."""

    tenant_unfinished_jobs: int | None = Field(default=None, ge=1)
    """Queued and running jobs that each tenant may have; absent: no limit."""

    tenant_video_s_per_day: float | None = Field(default=None, gt=0)
    """Seconds of video that each tenant may have processed within 24 hours; absent: no limit."""

    calls_per_replica: int = Field(default=4, ge=1)
    """Streaming calls in flight to one replica; further calls wait in the gateway, not at the replica."""

    riffusion_calls_per_replica: int | None = Field(default=None, ge=1)
    """The same limit for the music service only, whose diffusion engine runs many calls at once."""

    replica_wait_s: float = Field(default=600.0, gt=0)
    """Time that a stage waits while no replica of a service accepts calls; then its job fails with
    SERVICE_UNAVAILABLE. If services scale to zero, allow enough time for a node and its engine to start."""

    queue_wait_s: float = Field(default=21600.0, ge=0)
    """Total time that a stage's call may wait for replicas to accept it before its own deadline starts.
    Every call ends no later than this time plus its deadline."""

    @field_validator("tenant_weights")
    @classmethod
    def _check_weights(cls, weights: dict[str, float]) -> dict[str, float]:
        if not all(0.001 <= weight <= 1000 for weight in weights.values()):
            raise ValueError("weights must be in [0.001, 1000]")
        return weights

    @model_validator(mode="after")
    def _check_issuer(self) -> Self:
        if self.jwt_issuer and not (
            self.jwt_audience and self.jwt_issuer.startswith(("https://", "http://"))
        ):
            raise ValueError("ETBGM_JWT_ISSUER: must be a URL, and needs ETBGM_JWT_AUDIENCE")
        return self

    @model_validator(mode="after")
    def _check_listener(self) -> Self:
        if self.insecure or (self.authenticates and self.tls_cert_file):
            return self
        if all(is_private(address) for address in (self.listen_address, self.http_address) if address):
            return self
        raise ValueError(
            "ETBGM_LISTEN_ADDRESS, ETBGM_HTTP_ADDRESS: other machines can reach it; set ETBGM_TLS_CERT_FILE, "
            "ETBGM_TLS_KEY_FILE and ETBGM_AUTHENTICATION, or ETBGM_INSECURE if a network policy or a proxy "
            "protects it"
        )

    @property
    def authenticates(self) -> bool:
        """Whether callers need a key or a token."""
        return self.authentication or self.key_file is not None or bool(self.jwt_issuer)

    max_message_bytes: int = Field(default=4 << 20, ge=2 << 20)
    """Size of the largest request accepted, and of each message of an upload; larger ones are refused with
    RESOURCE_EXHAUSTED before they are read."""

    full_disk_wait_s: float = Field(default=21600.0, ge=0)
    """Time that a job waits while a disk of a server is full; then it fails with STORAGE_FULL."""

    watch_heartbeat_s: float = Field(default=15.0, gt=0)
    """Interval of the heartbeats that WatchJob sends while a job does not change."""

    probe_deadline_s: float = Field(default=20.0, gt=0)
    """Time that CreateJob allows the mixer to probe a video."""

    probes_at_once: int = Field(default=8, ge=1)
    """Probes that CreateJob has the mixers make at the same time. Other calls wait for up to
    `probe_deadline_s` and are then refused with RESOURCE_EXHAUSTED."""

    stage_deadline_s: float = Field(default=900.0, gt=0)
    """Time that each call of a stage may compute, including attempts on lost replicas, plus:"""

    stage_deadline_per_media_s: float = Field(default=20.0, ge=0)
    """Additional seconds for each second of video."""

    uploads_dir: Path | None = None
    """Folder for uploads in progress; defaults to a folder in the system's temporary folder."""

    max_upload_bytes: int = Field(default=LARGEST_VIDEO_BYTES, ge=1)
    """Size of the largest upload accepted, by default the mixer's limit."""

    max_open_uploads: int = Field(default=64, ge=1)
    """Uploads that may be sent at the same time; further ones are refused with RESOURCE_EXHAUSTED."""

    upload_idle_s: float = Field(default=60.0, gt=0)
    """Time without a message after which a call that sends an upload ends; it can be resumed."""

    max_text_chars: int = Field(default=1000, ge=100)
    """Maximum length of each text in a request, in characters."""

    max_elements: int = Field(default=100, ge=1)
    """Maximum number of elements in each repeated field of a request, except for a timeline's spans and for
    cuts."""

    max_fields: int = Field(default=120_000, ge=1000)
    """Maximum number of fields in a request, at any depth: a timeline takes 12 for each span. It limits the
    memory that a request takes."""

    max_timeline_spans: int = Field(default=10_000, ge=1)
    """Maximum number of spans in a timeline, and of cuts, that CreateJob accepts."""

    max_spans_per_s: float = Field(default=10.0, gt=0)
    """Maximum number of spans in a timeline per second of video, besides the first 16."""

    max_variant_s: float = Field(default=12 * 3600.0, gt=0)
    """Maximum number of seconds of one job's video times its number of variants."""

    job_keep_s: float | None = Field(default=None, gt=0)
    """Time after which a finished job is deleted with its artifacts; absent: never."""

    upload_artifact_keep_s: float | None = Field(default=None, gt=0)
    """Time after which the artifact of a completed upload is deleted unless a job holds it; absent: never."""

    unheld_keep_s: float | None = Field(default=None, ge=1)
    """Age at which objects of the artifact store are erased if no job or upload holds them, such as results
    of cancelled calls; absent: never. It must exceed the longest duration of a job. Leave it absent if other
    programs use the same store, or if jobs of release 0.1 are to be kept."""

    upload_keep_s: float = Field(default=86400.0, gt=0)
    """Time without new data after which an incomplete upload is removed."""

    drain_s: float = Field(default=5.0, ge=0)
    """Time that calls have to finish after SIGTERM; it is short because jobs continue after the restart."""

"""The gateway's settings."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from etbgm_gateway.upstream.discovery import checked
from etbgm_kit.serving.settings import ServiceSettings

Addresses = Annotated[str, AfterValidator(checked)]


class Settings(ServiceSettings):
    """Variables begin with ETBGM_.

    An address of replicas is host:port (several are separated by commas), or kubernetes:///service:port,
    the pods behind a Service (kubernetes://namespace/service:port in another namespace; the port is a
    name or a number), which are followed as they come and go.
    """

    listen_address: str = "[::]:50050"
    """Where the gateway's own gRPC server listens; port 0 takes any free one."""

    job_store_url: str = "sqlite:///etbgm-jobs.sqlite"
    """Database of jobs: sqlite:///file for one gateway, postgresql://… for several (SQLAlchemy's form)."""

    stt_address: Addresses
    """Replicas of the speech-to-text service."""

    sentiment_address: Addresses
    """Replicas of the sentiment service."""

    riffusion_address: Addresses
    """Replicas of the music service."""

    mixer_address: Addresses
    """Replicas of the mixer service."""

    separator_address: Addresses | None = None
    """Replicas of the mixer service that separate speech from the rest, on GPUs for example; the same as
    `mixer_address` when absent."""

    executor_id: str = "gateway"
    """Under this name a restarted gateway finds the jobs it was running: the same after every restart, and
    different for every gateway that shares the job store (a StatefulSet's pod name)."""

    executor_lease_s: float = Field(default=30.0, gt=0)
    """A gateway that gave no sign of life for this long has lost its jobs to the others that share the job
    store: as long as a gateway may be away for a restart, so that it finds them itself."""

    concurrent_jobs: int = Field(default=4, ge=1)
    """Jobs that this gateway runs at the same time; the others are queued."""

    calls_per_replica: int = Field(default=4, ge=1)
    """Streaming calls that may be on their way to one replica; the others wait here, not there."""

    riffusion_calls_per_replica: int | None = Field(default=None, ge=1)
    """The same for the music service alone, whose diffusion engine takes many at once."""

    replica_wait_s: float = Field(default=600.0, gt=0)
    """Time that a stage waits while no replica of a service takes calls; then its job fails with
    SERVICE_UNAVAILABLE. As long as a node and its engine may take to start, where services scale to zero."""

    queue_wait_s: float = Field(default=21600.0, ge=0)
    """Time that a call of a stage may wait in all for replicas to take it, before its own deadline begins:
    every call ends when this time and its deadline are over."""

    probe_deadline_s: float = Field(default=20.0, gt=0)
    """Time that CreateJob gives the mixer to look at a video."""

    stage_deadline_s: float = Field(default=900.0, gt=0)
    """Time that every call of a stage may compute, lost attempts included; to this is added:"""

    stage_deadline_per_media_s: float = Field(default=20.0, ge=0)
    """Seconds more for each second of video."""

    uploads_dir: Path | None = None
    """Folder of uploads under way; below the system's temporary folder when absent."""

    max_upload_bytes: int = Field(default=16 << 30, ge=1)
    """Longest upload taken."""

    max_timeline_spans: int = Field(default=10_000, ge=1)
    """Most spans of a timeline that CreateJob takes."""

    upload_keep_s: float = Field(default=86400.0, gt=0)
    """Time after which an upload that nobody continued is removed."""

    drain_s: float = Field(default=5.0, ge=0)
    """Time that calls have to finish after SIGTERM; jobs go on after the restart, so it is short."""

"""Settings that every server has, read once from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Common to all servers; each service adds its own. Variables begin with ETBGM_."""

    model_config = SettingsConfigDict(env_prefix="ETBGM_", frozen=True, extra="ignore")

    store_url: str
    """Root of the artifact store: file:///folder or s3://bucket/prefix (credentials: AWS_* variables)."""

    listen_address: str = "[::]:50051"
    """Where the gRPC server listens; port 0 takes any free one."""

    port_file: Path | None = None
    """File that the port is written to once it is open; for a parent that let port 0 choose."""

    stop_with_parent: bool = False
    """Stop when standard input closes: it is a pipe from the parent, which may have been killed."""

    work_dir: Path | None = None
    """Folder for temporary files; the system's when absent."""

    slots: int = Field(default=1, ge=1)
    """Calls that compute at the same time."""

    waiting: int = Field(default=1, ge=0)
    """Calls that may wait for a slot; more are refused with RESOURCE_EXHAUSTED."""

    drain_s: float = Field(default=60.0, ge=0)
    """Time that calls in flight have to finish after SIGTERM."""

    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

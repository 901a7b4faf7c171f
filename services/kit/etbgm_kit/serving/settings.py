"""Settings that every server has, read once from the environment."""

import os
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from etbgm_kit.models.cuda import WantedDevice

PREFIX = "ETBGM_"


class BadSettings(RuntimeError):
    """Variables that are missing or cannot be used; the message names each and why, and no value."""


class ServiceSettings(BaseSettings):
    """Common to all servers; each service adds its own. Variables begin with ETBGM_."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

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

    work_limit_s: float = Field(default=3600.0, gt=0)
    """Time that the work of a call without a deadline may take."""

    work_grace_s: float = Field(default=60.0, ge=0)
    """Time that work may run on after its call's deadline; then it hangs, and the server's health is
    NOT_SERVING, `live` too, until it ends."""

    ping_after_s: float = Field(default=20.0, ge=1)
    """Time without traffic after which the server pings a client."""

    ping_timeout_s: float = Field(default=10.0, gt=0)
    """Time that a client has to answer a ping before its connection is closed and its calls end."""

    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Where Prometheus may ask, over HTTP, for metrics; 0: nowhere."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Of the product's own messages; libraries log from WARNING."""


def default_models_dir() -> Path:
    """Where models are when nothing else is said: below the user's data folder (XDG base directories)."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "etbgm" / "models"


class ModelSettings(ServiceSettings):
    """Common to the servers whose engines may work with weights that are not in their packages."""

    models_dir: Path = Field(default_factory=default_models_dir)
    """Where `etbgm models pull` puts weights: one folder for each model."""

    device: WantedDevice = "auto"
    """Where engines compute; `auto` takes the first CUDA device when there is one."""


AnySettings = TypeVar("AnySettings", bound=ServiceSettings)


def read(kind: type[AnySettings], **given: str) -> AnySettings:
    """Settings from what is given, else from the environment. Raises BadSettings."""
    try:
        return kind(**given)  # type: ignore[arg-type]  # pydantic reads numbers and paths from text
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        raise BadSettings(
            "; ".join(f"{_variable(*fault['loc'])}: {fault['msg']}" for fault in faults)
        ) from None
    except SettingsError as error:
        raise BadSettings(str(error)) from None


def _variable(*place: str | int) -> str:
    return PREFIX + ".".join(map(str, place)).upper()

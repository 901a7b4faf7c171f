"""Settings of every server, read once from the environment."""

import os
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from etbgm_kit.models.cuda import WantedDevice

PREFIX = "ETBGM_"


class BadSettings(RuntimeError):
    """Variables are missing or invalid; the message names each one and the reason, but no values."""


class NotReachable(RuntimeError):
    """Something that a server needs at its start cannot be reached yet; the message says what and why."""


class ServiceSettings(BaseSettings):
    """Settings of all servers; each service adds its own. Variables begin with ETBGM_."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    store_url: str
    """Root of the artifact store: file:///folder or s3://bucket/prefix (credentials: AWS_* variables)."""

    listen_address: str = "[::]:8431"
    """Address of the gRPC server; port 0 selects any free port, unix:/path a socket in the file system."""

    tls_cert_file: Path | None = None
    """Certificate chain of the gRPC server (PEM); with `tls_key_file`, the server speaks only TLS. Both files
    are read again when they change."""

    tls_key_file: Path | None = None
    """Private key of the certificate (PEM)."""

    tls_client_ca_file: Path | None = None
    """Authorities (PEM) that sign the certificates of clients; each client then needs one (mutual TLS)."""

    port_file: Path | None = None
    """File to which the server writes its port once it is open; for a parent that sets port 0."""

    stop_with_parent: bool = False
    """Stop when standard input, a pipe from the parent, closes: the parent may have been killed."""

    work_dir: Path | None = None
    """Folder for temporary files; the system's temporary folder if absent."""

    slots: int = Field(default=1, ge=1)
    """Maximum number of calls that compute at the same time."""

    waiting: int = Field(default=1, ge=0)
    """Maximum number of calls that wait for a slot; more are refused with RESOURCE_EXHAUSTED."""

    drain_s: float = Field(default=60.0, ge=0)
    """Time for calls in flight to finish after SIGTERM."""

    work_limit_s: float = Field(default=3600.0, gt=0)
    """Time limit for the work of a call without a deadline."""

    work_grace_s: float = Field(default=60.0, ge=0)
    """Time that work may continue after its call's deadline. After that it counts as hanging, and the
    server's health, including `live`, is NOT_SERVING until the work ends."""

    max_message_bytes: int = Field(default=32 << 20, ge=1 << 20)
    """Size of the largest request accepted; larger ones are refused before they are read."""

    ping_after_s: float = Field(default=20.0, ge=1)
    """Time without traffic after which the server pings a client."""

    ping_timeout_s: float = Field(default=10.0, gt=0)
    """Time for a client to answer a ping before the server closes its connection and ends its calls."""

    metrics_port: int = Field(default=0, ge=0, le=65535)
    """HTTP port of the Prometheus metrics; 0 disables them."""

    metrics_host: str = ""
    """Address of the network interface for metrics, for example 127.0.0.1; empty for all interfaces."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Minimum level of the product's log messages; libraries log from WARNING."""


def default_models_dir() -> Path:
    """Default folder of models, below the user's data folder (XDG base directory specification)."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "etbgm" / "models"


class ModelSettings(ServiceSettings):
    """Settings of servers whose engines may use weights that are not in their packages."""

    models_dir: Path = Field(default_factory=default_models_dir)
    """Folder in which `etbgm models pull` installs weights, one folder for each model."""

    device: WantedDevice = "auto"
    """Device on which engines compute; `auto` selects the first CUDA device if there is one."""


AnySettings = TypeVar("AnySettings", bound=ServiceSettings)


def read(kind: type[AnySettings], **given: str) -> AnySettings:
    """Settings from `given`, otherwise from the environment. Raises BadSettings."""
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

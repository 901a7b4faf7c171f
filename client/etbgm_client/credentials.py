"""What a client shows to its gateway, and how it checks the gateway's certificate.

ETBGM_API_KEY        a key or token
ETBGM_API_KEY_FILE   a file with one; by default that of `etbgm serve`, for a gateway on this machine only
ETBGM_CA_FILE        certificates of the authorities (PEM) that sign the gateway's; turns TLS on
ETBGM_CLIENT_CERT_FILE, ETBGM_CLIENT_KEY_FILE   the client's own certificate, where the gateway asks for one
"""

import os
from dataclasses import dataclass
from pathlib import Path

import grpc


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM: authorities (those of gRPC if None), and the client's own certificate with its key."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Reads the files. Raises OSError."""
        files = (self.ca_file, self.key_file, self.cert_file)
        return grpc.ssl_channel_credentials(*(path.read_bytes() if path else None for path in files))


def default_key(address: str) -> str:
    """The key for the gateway at `address` according to the environment; "" if there is none."""
    if key := os.environ.get("ETBGM_API_KEY"):
        return key
    named = os.environ.get("ETBGM_API_KEY_FILE")
    if named is None and not _is_here(address):
        return ""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    path = Path(named) if named else data / "etbgm" / "key"
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def default_tls() -> Tls | None:
    """TLS according to the environment; None without it."""
    names = ("ETBGM_CA_FILE", "ETBGM_CLIENT_CERT_FILE", "ETBGM_CLIENT_KEY_FILE")
    files = [Path(value) if (value := os.environ.get(name)) else None for name in names]
    return Tls(*files) if files[0] else None


def _is_here(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    return address.startswith("unix:") or host in ("localhost", "::1") or host.startswith("127.")

"""TLS of a server: certificates in files, read again when they change."""

from pathlib import Path

import grpc

from etbgm_kit.serving.settings import BadSettings, ServiceSettings


def server_credentials(settings: ServiceSettings) -> grpc.ServerCredentials | None:
    """The credentials of a server with these settings; None without TLS.

    New connections use the files as they are then, so certificates can be renewed without a restart.
    Raises BadSettings.
    """
    cert_file, key_file, ca_file = settings.tls_cert_file, settings.tls_key_file, settings.tls_client_ca_file
    if cert_file is None or key_file is None:
        if cert_file or key_file or ca_file:
            raise BadSettings("ETBGM_TLS_CERT_FILE, ETBGM_TLS_KEY_FILE: TLS needs both")
        return None
    files = _Files(cert_file, key_file, ca_file)
    try:
        first = files.read()
    except OSError as error:
        raise BadSettings(f"TLS: {error}") from None
    is_mutual = ca_file is not None
    return grpc.dynamic_ssl_server_credentials(first, files.changed, is_mutual)  # type: ignore[arg-type]


class _Files:
    """The files of one server. gRPC calls `changed` at each handshake, on a thread of its own."""

    def __init__(self, cert_file: Path, key_file: Path, ca_file: Path | None) -> None:
        self._cert_file, self._key_file, self._ca_file = cert_file, key_file, ca_file
        self._read: tuple[bytes, bytes, bytes | None] | None = None

    def read(self) -> grpc.ServerCertificateConfiguration:
        """Reads the files. Raises OSError."""
        key, cert = self._key_file.read_bytes(), self._cert_file.read_bytes()
        self._read = (key, cert, self._ca_file.read_bytes() if self._ca_file else None)
        return grpc.ssl_server_certificate_configuration([(key, cert)], self._read[2])

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """The new certificates; None if they are the same, or cannot be read just now."""
        before = self._read
        try:
            new = self.read()
        except OSError:
            return None
        return None if self._read == before else new

"""Where a gateway may listen."""

import pytest

from etbgm_gateway.settings import Settings
from etbgm_kit.serving.settings import BadSettings, read

REQUIRED = {f"{name}_address": "127.0.0.1:1" for name in ("stt", "sentiment", "riffusion", "mixer")} | {
    "store_url": "file:///store"
}
SECURE = {"tls_cert_file": "/cert", "tls_key_file": "/key", "authentication": "true"}


@pytest.mark.parametrize("address", ["[::]:8430", "0.0.0.0:8430", "192.0.2.1:8430", "example.com:8430"])
def test_a_listener_for_other_machines_is_secure_or_declared(address: str) -> None:
    settings = {**REQUIRED, "listen_address": address}
    for part in ({}, {"authentication": "true"}, {"tls_cert_file": "/cert"}):
        with pytest.raises(BadSettings, match="ETBGM_INSECURE"):
            read(Settings, **settings, **part)
    for enough in (SECURE, {"insecure": "true"}):
        assert read(Settings, **settings, **enough).listen_address == address


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:8430", "localhost:1", "unix:/run/etbgm.sock"])
def test_a_private_listener_needs_nothing(address: str) -> None:
    assert not read(Settings, **REQUIRED, listen_address=address).authenticates

"""TLS between clients and the gateway, and between the gateway and services."""

from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_client import ApiError, AsyncClient, Tls, aio
from tests.certificates import Authority
from tests.gateway.conftest import FakeServices, Gateway

pytestmark = pytest.mark.process


async def test_clients_and_services_prove_who_they_are(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("server")
    own_cert, own_key = authority.issue("gateway")
    tls = {"ETBGM_TLS_CERT_FILE": str(cert), "ETBGM_TLS_KEY_FILE": str(key)}
    mutual = {**tls, "ETBGM_TLS_CLIENT_CA_FILE": str(authority.ca)}
    services = FakeServices(tmp_path / "services", f"file://{tmp_path}/store", mutual)
    gateway = Gateway(
        tmp_path / "gateway",
        services,
        services_ca_file=str(authority.ca),
        services_cert_file=str(own_cert),
        services_key_file=str(own_key),
    ).start()
    client_cert, client_key = authority.issue("client")
    try:
        async with AsyncClient(gateway.address, tls=Tls(authority.ca, client_cert, client_key)) as client:
            video = tmp_path / "video"
            video.write_text('{"duration_s": 5}')
            job = await client.create_job(await client.upload(video), pb.JobSettings(variants=1))
            assert (await client.wait(job.job_id)).state == pb.STATE_SUCCEEDED
    finally:
        gateway.kill()
        services.close()


async def test_a_client_without_a_certificate_or_with_a_foreign_one_is_not_let_in(
    tmp_path: Path, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aio, "CONNECT_S", 1.0)
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    cert, key = authority.issue("server")
    settings = {"tls_cert_file": str(cert), "tls_key_file": str(key), "tls_client_ca_file": str(authority.ca)}
    gateway = Gateway(tmp_path / "gateway", services, **settings).start()
    try:
        for tls in (Tls(authority.ca), Tls(authority.ca, *stranger.issue("foreign")), Tls(stranger.ca)):
            with pytest.raises(ApiError) as caught:
                async with AsyncClient(gateway.address, tls=tls) as client:
                    await client.list_jobs()
            assert caught.value.code == "UNAVAILABLE"
        async with AsyncClient(gateway.address, tls=Tls(authority.ca, *authority.issue("client"))) as client:
            assert await client.list_jobs() == []
    finally:
        gateway.kill()


async def test_certificates_are_renewed_without_a_restart(tmp_path: Path, services: FakeServices) -> None:
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    cert, key = old.issue("server")
    settings = {"tls_cert_file": str(cert), "tls_key_file": str(key)}
    gateway = Gateway(tmp_path / "gateway", services, **settings).start()
    try:
        async with AsyncClient(gateway.address, tls=Tls(old.ca)) as before:
            new.issue("server")
            async with AsyncClient(gateway.address, tls=Tls(new.ca)) as after:
                assert await after.list_jobs() == await before.list_jobs() == []
    finally:
        gateway.kill()

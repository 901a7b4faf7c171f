"""A platform's whole day on a gateway with TLS, keys, webhooks and a bucket, by three kinds of clients."""

import asyncio
import http.server
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import S3Store
from standardwebhooks import Webhook

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import transfers_pb2
from etbgm_client import ApiError, AsyncClient, Client, Tls
from tests.certificates import Authority
from tests.gateway.conftest import FakeServices, Gateway
from tests.servers import bucket_of, free_port, s3

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]


@dataclass
class Platform:
    """What a platform knows: the gateway's addresses, its key, the authority, and what its webhook heard."""

    grpc: str
    url: str
    key: str
    ca: Path
    bucket: S3Store
    hook_url: str
    heard: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def client(self) -> Client:
        return Client(self.grpc, self.key, Tls(self.ca))

    def event(self, secret: str, job_id: str) -> dict[str, Any]:
        """The event about the job, once it has come, verified."""
        headers, body = until(lambda: next((each for each in self.heard if job_id in each[1]), None))
        event: dict[str, Any] = Webhook(secret).verify(body, headers)
        return event


def until(look: Callable[[], Any], patience_s: float = 30.0) -> Any:
    ends_at = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < ends_at
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("day")
    authority = Authority(folder)
    cert, key_file = authority.issue("server")
    with s3() as environment, receiver() as (hook_url, heard):
        services = FakeServices(folder / "services", "s3://artifacts/store", environment)
        http_address = f"127.0.0.1:{free_port()}"
        gateway = Gateway(
            folder / "gateway",
            services,
            key_file=str(folder / "operator"),
            http_address=http_address,
            tls_cert_file=str(cert),
            tls_key_file=str(key_file),
            outgoing_networks='["127.0.0.1/32"]',
            outgoing_plain_http="true",
            destinations='["s3://artifacts/out/{tenant}/"]',
        ).start()
        operator = AsyncClient(gateway.address, (folder / "operator").read_text().strip(), Tls(authority.ca))
        key = asyncio.run(new_key(operator))
        bucket = bucket_of(environment)
        yield Platform(gateway.address, f"https://{http_address}", key, authority.ca, bucket, hook_url, heard)
        gateway.stop()
        services.close()


async def new_key(operator: AsyncClient) -> str:
    async with operator:
        return (await operator.keys.create("studio", ("jobs:read", "jobs:write"), "the platform")).text


class receiver:  # noqa: N801  (used as a context)
    """A webhook that keeps what it hears."""

    def __enter__(self) -> tuple[str, list[tuple[dict[str, str], str]]]:
        heard: list[tuple[dict[str, str], str]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                heard.append((dict(self.headers), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/hook", heard

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def a_video(folder: Path) -> Path:
    path = folder / "video.mp4"
    path.write_text(json.dumps({"duration_s": 5.0, "number": time.time_ns()}))
    return path


def curl(*arguments: str | Path, ca: Path | None = None) -> bytes:
    command: list[str | Path] = ["curl", "-sS", "--fail-with-body", "--max-time", "60"]
    command += ["--cacert", ca] if ca else []
    return subprocess.run([*command, *arguments], check=True, capture_output=True).stdout


def test_in_python(platform: Platform, tmp_path: Path) -> None:
    video = a_video(tmp_path)
    with platform.client() as client:
        secret = client.rotate_webhook_secret()
        link = client.upload_link("video/mp4")
        curl("-T", video, link.url)  # another program has the bytes
        job = client.create_job(
            link.source_url,
            pb.JobSettings(variants=2),
            webhook_url=platform.hook_url,
            destination=transfers_pb2.Destination(
                url="s3://artifacts/out/studio/7/", kinds=[transfers_pb2.FILE_KIND_VIDEO]
            ),
        )
        assert platform.event(secret, job.job_id)["type"] == "job.succeeded"
        done = client.get_job(job.job_id)
        first = done.result.variants[0].video
        copy = bytes(obstore.get(platform.bucket, "out/studio/7/variant-1.mp4").bytes())
        assert curl(client.download_link(first)) == copy
        remix = client.remix_job(pb.RemixJobRequest(job_id=job.job_id, settings=pb.JobSettings(variants=1)))
        assert client.wait(remix.job_id).state == pb.STATE_SUCCEEDED
        for each in (remix, job):
            client.delete_job(each.job_id)
        with pytest.raises(ApiError):
            client.get_job(job.job_id)
        gone = f"store/artifacts/{first.sha256[:2]}/{first.sha256}.mp4"
        until(lambda: not obstore.list(platform.bucket, gone).collect())


def test_in_node(platform: Platform, tmp_path: Path) -> None:
    program = ROOT / "examples" / "node" / "add_music.mjs"
    environment = {**os.environ, "ETBGM_KEY": platform.key, "NODE_EXTRA_CA_CERTS": str(platform.ca)}
    command: list[str | Path] = ["node", program, a_video(tmp_path), tmp_path / "result", platform.url]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "succeeded" in ran.stdout
    assert {"variant-1.mp4", "variant-2.mp4", "report.json"} <= {
        path.name for path in (tmp_path / "result").iterdir()
    }
    assert (tmp_path / "result" / "report.json").stat().st_size > 0


def test_node_tells_why_it_is_refused(platform: Platform, tmp_path: Path) -> None:
    program = ROOT / "examples" / "node" / "add_music.mjs"
    environment = {**os.environ, "ETBGM_KEY": "wrong", "NODE_EXTRA_CA_CERTS": str(platform.ca)}
    command: list[str | Path] = ["node", program, a_video(tmp_path), tmp_path / "result", platform.url]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 1
    assert "(UNAUTHENTICATED)" in ran.stderr


def test_in_curl(platform: Platform, tmp_path: Path) -> None:
    def call(path: str, *arguments: str | Path) -> dict[str, Any]:
        header = f"Authorization: Bearer {platform.key}"
        answer = curl("-H", header, *arguments, f"{platform.url}{path}", ca=platform.ca)
        parsed: dict[str, Any] = json.loads(answer)
        return parsed

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        return call(path, "-H", "Content-Type: application/json", "-d", json.dumps(body))

    secret = call("/v1/webhooks:rotateSecret", "-X", "POST")["secret"]
    link = post("/v1/uploadLinks", {"mediaType": "video/mp4"})
    curl("-T", a_video(tmp_path), link["url"])
    body = {"sourceUrl": link["sourceUrl"], "settings": {"variants": 1}, "webhookUrl": platform.hook_url}
    job = post("/v1/jobs", body)["job"]
    assert platform.event(secret, job["jobId"])["type"] == "job.succeeded"
    result = call(f"/v1/jobs/{job['jobId']}")["job"]["result"]
    report = next(file for file in result["files"] if file["name"] == "report.json")
    found = post("/v1/downloadLinks", {"uri": report["artifact"]["uri"]})
    assert json.loads(curl(found["url"]))
    remix = post(f"/v1/jobs/{job['jobId']}:remix", {"settings": {"variants": 2}})["job"]
    until(lambda: call(f"/v1/jobs/{remix['jobId']}")["job"]["state"] == "STATE_SUCCEEDED")
    assert call(f"/v1/jobs/{remix['jobId']}", "-X", "DELETE") == {}

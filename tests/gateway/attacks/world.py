"""What there is to attack: a gateway with two tenants, of which one has jobs, artifacts and an upload."""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_client import AsyncClient
from tests.gateway.conftest import FakeServices, Gateway
from tests.servers import free_port

HALF = b"0123456789"
"""The first bytes of an upload that is not complete."""
MOST_UPLOAD_BYTES = 4 << 20


@dataclass(frozen=True)
class World:
    """The gateway, and what an attacker may know; bob attacks, alice has something to lose."""

    gateway: Gateway
    http_address: str
    alice: str
    bob: str
    reader: str
    """Bob's key that may only read."""
    job: pb.Job
    """Alice's finished job."""
    video: media_pb2.Artifact
    """Bob's own video."""
    captions: media_pb2.Artifact
    """Bob's own captions."""
    upload_id: str = "half-an-upload"
    """Both tenants have an incomplete upload of this id; alice's is that of `alices_upload_id`."""
    alices_upload_id: str = "the-upload-of-alice"

    @property
    def theirs(self) -> media_pb2.Artifact:
        """Alice's result."""
        return self.job.result.variants[0].video


@contextmanager
def world(folder: Path, services: FakeServices) -> Iterator[World]:
    """Runs the gateway while the context lasts."""
    address = f"127.0.0.1:{free_port()}"
    gateway = Gateway(
        folder,
        services,
        key_file=str(folder / "key"),
        http_address=address,
        max_upload_bytes=str(MOST_UPLOAD_BYTES),
        http_allowed_origins='["https://friend.example"]',
    )
    gateway.log = folder / "log"
    gateway.start()
    try:
        yield asyncio.run(_peopled(gateway, address))
    finally:
        gateway.kill()


async def _peopled(gateway: Gateway, address: str) -> World:
    async with AsyncClient(gateway.address, (gateway.folder / "key").read_text().strip()) as admin:
        alice, bob = [(await admin.keys.create(name, (), "")).text for name in ("alice", "bob")]
        reader = (await admin.keys.create("bob", ("jobs:read",), "")).text
    async with AsyncClient(gateway.address, alice) as client:
        video = await _upload(client, json.dumps({"duration_s": 5, "of": "alice"}).encode())
        job = await client.wait((await client.create_job(video, pb.JobSettings(variants=1))).job_id)
    async with AsyncClient(gateway.address, bob) as client:
        own = await _upload(client, json.dumps({"duration_s": 5, "of": "bob"}).encode())
        captions = await _upload(client, b"WEBVTT\n", "text/vtt")
    found = World(gateway, address, alice, bob, reader, job, own, captions)
    await _half(found, bob, found.upload_id)
    await _half(found, alice, found.alices_upload_id)
    return found


async def _upload(client: AsyncClient, data: bytes, media_type: str = "") -> media_pb2.Artifact:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        return await client.upload(Path(file.name), media_type)


async def _half(world: World, key: str, upload_id: str) -> None:
    whole = hashlib.sha256(HALF * 2).hexdigest()
    opening = pb.UploadOpening(upload_id=upload_id, size_bytes=2 * len(HALF), sha256=whole)
    async with grpc.aio.insecure_channel(world.gateway.address) as channel:
        send = channel.stream_unary("/etbgm.gateway.v1.GatewayService/UploadVideo")
        parts = [pb.UploadVideoRequest(opening=opening), pb.UploadVideoRequest(data=HALF)]
        data = [part.SerializeToString() for part in parts]
        await send(iter(data), metadata=(("authorization", f"Bearer {key}"),))

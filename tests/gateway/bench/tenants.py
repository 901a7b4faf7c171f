"""Callers with keys of their own."""

import itertools
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from etbgm.media.v1 import media_pb2
from etbgm_client import AsyncClient
from tests.gateway.bench.places import Place

_numbers = itertools.count()


@asynccontextmanager
async def tenant(at: Place, name: str) -> AsyncIterator[AsyncClient]:
    """A caller of the tenant `name`."""
    async with AsyncClient(at.gateway.address, at.operators_key) as admin:
        key = (await admin.keys.create(name, (), "")).text
    async with AsyncClient(at.gateway.address, key) as client:
        yield client


async def video(client: AsyncClient, **holds: object) -> media_pb2.Artifact:
    """A new fake video, different from all before it."""
    text = json.dumps({"duration_s": 10, "number": f"{time.time_ns()} {next(_numbers)}", **holds})
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_text(text)
        return await client.upload(Path(file.name))

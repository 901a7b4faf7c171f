"""What is left of a tenant whose jobs were deleted: searched for in every object and every row."""

import asyncio
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from unittest import mock
from urllib.parse import urlsplit

import obstore
from obstore.store import from_url

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_client import AsyncClient
from tests.gateway.bench.claims import Claim
from tests.gateway.bench.places import Place, place
from tests.gateway.bench.tenants import tenant, video
from tests.servers import postgres_programs, s3

STORE = "s3://artifacts/bench"
SOON_S, KEPT_S = 90.0, "5"
KEYS = "api_keys"
"""Keys stay listed when they are revoked, so this table names all tenants."""


def claims(jobs: int) -> Iterator[Claim]:
    """Artifacts in S3, jobs in PostgreSQL."""
    keep = {"upload_artifact_keep_s": KEPT_S, "unheld_keep_s": KEPT_S}
    with s3() as environment, place(environment=environment, store_url=STORE, with_keys=True, **keep) as at:
        found, kept = asyncio.run(Search(at, environment).left(jobs))
    name = f"traces of a tenant in store and database after its {jobs} jobs were deleted"
    detail = [*found[:10], f"{kept} objects of another tenant were kept"]
    yield Claim(name, len(found), "0", not found and kept > 0, detail)


class Search:
    """A store and a database to search."""

    def __init__(self, at: Place, environment: dict[str, str]) -> None:
        self._at = at
        with mock.patch.dict(os.environ, environment):
            self._store = from_url(STORE)
        self.mark = f"unmistakable-{uuid.uuid4().hex}"

    async def left(self, jobs: int) -> tuple[list[str], int]:
        """Places with a trace of the deleted tenant, and the number of objects that another one keeps."""
        async with tenant(self._at, self.mark) as doomed, tenant(self._at, "stays") as stays:
            traces = [self.mark]
            for i in range(jobs):
                traces += await self._made(doomed, f"{self.mark} {i}", cancelled=i % 4 == 3)
            await self._made(stays, "another")
            assert self._found(traces), "the search finds what is there"
            for job in await doomed.list_jobs(jobs):
                await doomed.delete_job(job.job_id)
            ends_at = time.monotonic() + SOON_S
            while (found := self._found(traces)) and time.monotonic() < ends_at:
                await asyncio.sleep(2)
            (job,) = await stays.list_jobs()
            result = (await stays.get_job(job.job_id)).result
            sha256 = result.variants[0].video.sha256
            assert any(sha256 in name for name in self._objects()), "another tenant's result is kept"
        return found, len(self._objects())

    async def _made(self, client: AsyncClient, mark: str, cancelled: bool = False) -> list[str]:
        """Makes a job; returns what would betray it."""
        source = await video(client, mark=mark)
        with self._at.services.hold("Mix") if cancelled else self._at.services.hold("nothing"):
            before = self._at.services.seen["Mix"]
            job = await client.create_job(source, pb.JobSettings(variants=1))
            if cancelled:
                await self._at.services.until("Mix", before + 1)
                await client.cancel_job(job.job_id)
                return [job.job_id, source.sha256]
        result = (await client.wait(job.job_id)).result
        videos = [variant.video.sha256 for variant in result.variants]
        return [job.job_id, source.sha256, *videos]

    def _objects(self) -> dict[str, bytes]:
        objects = {}
        for name in [each["path"] for some in obstore.list(self._store) for each in some]:
            with suppress(FileNotFoundError):  # it may be erased now
                objects[name] = bytes(obstore.get(self._store, name).bytes())
        return objects

    def _rows(self) -> bytes:
        url = urlsplit(self._at.job_store_url)
        command = [postgres_programs() / "pg_dump", "--data-only", "--inserts", f"--exclude-table={KEYS}"]
        where = ["-h", "127.0.0.1", "-p", str(url.port), "-U", "etbgm", "postgres"]
        return subprocess.run([*command, *where], check=True, capture_output=True).stdout

    def _found(self, traces: list[str]) -> list[str]:
        """The places that contain a trace, as text or in hexadecimal digits."""
        wanted = [form for each in traces for form in (each.encode(), each.encode().hex().encode())]
        places = {f"object {name}": name.encode() + data for name, data in self._objects().items()}
        for number, row in enumerate(self._rows().splitlines()):
            places[f"row {number}: {row[:80].decode(errors='replace')}"] = row
        return [name for name, data in places.items() if any(each in data for each in wanted)]

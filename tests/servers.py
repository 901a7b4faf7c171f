"""Servers that tests start: the product's own services, PostgreSQL and S3."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import grpc
import psycopg
import pytest
from obstore.store import S3Store
from psycopg import sql

from etbgm_kit.serving.server import Server, Service


@asynccontextmanager
async def channel_to(service: Service) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to `service`, which is served on any free port of loopback while the context lasts."""
    server = Server(service)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield channel
    finally:
        await server.stop(notice_s=0)


def postgres_programs() -> Path:
    """The programs of the newest PostgreSQL that Debian's packages have installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    return found[-1].parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a database in a server that all tests of a worker share."""
    with postgresql() as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The address of an empty database of the test's own."""
    with new_database(postgresql_server) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def either_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty database that the tests of a module share: in SQLite, then in PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('jobs')}/jobs.sqlite"
        return
    with new_database(request.getfixturevalue("postgresql_server")) as url:
        yield url


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """The address of an empty database in `server`, which is dropped in the end."""
    name = f"test_{secrets.token_hex(4)}"
    run_sql(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        run_sql(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def run_sql(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


@contextmanager
def postgresql(port: int | None = None) -> Iterator[str]:
    """A PostgreSQL server with an empty database; it refuses to be run by root."""
    programs = postgres_programs()
    user = "postgres" if os.geteuid() == 0 else None
    port, folder = port or free_port(), Path(tempfile.mkdtemp(prefix="etbgm-postgres-"))
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    initdb: list[str | Path] = [programs / "initdb", "-D", data, "-U", "etbgm", "--auth=trust", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, user=user, cwd=folder)
    serve: list[str | Path] = [programs / "postgres", "-D", data, "-p", str(port), "-k", folder, "-F"]
    with subprocess.Popen(serve, stderr=subprocess.DEVNULL, user=user, cwd=folder) as server:
        try:
            ready: list[str | Path] = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            while subprocess.run(ready, check=False).returncode:
                assert server.poll() is None
                time.sleep(0.05)
            yield f"postgresql://etbgm@127.0.0.1:{port}/postgres"
        finally:
            # At SIGTERM it would wait for its clients, for ever when a test has left one.
            server.send_signal(signal.SIGINT)
    shutil.rmtree(folder)


@pytest.fixture
def s3_environment() -> Iterator[dict[str, str]]:
    """See `s3`."""
    with s3() as environment:
        yield environment


@contextmanager
def s3() -> Iterator[dict[str, str]]:
    """An S3 server on loopback with the bucket "artifacts": what clients need to know."""
    address = f"127.0.0.1:{free_port()}"
    host, port = address.split(":")
    command = [sys.executable, "-m", "moto.server", "-H", host, "-p", port]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as server:
        try:
            request = urllib.request.Request(f"http://{address}/artifacts", method="PUT")
            while True:
                try:
                    urllib.request.urlopen(request).close()
                    break
                except OSError:
                    assert server.poll() is None
                    time.sleep(0.1)
            yield {
                "AWS_ENDPOINT": f"http://{address}",
                "AWS_ALLOW_HTTP": "true",
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            }
        finally:
            server.terminate()


def bucket_of(environment: dict[str, str]) -> S3Store:
    """The bucket "artifacts" of an S3 server; `environment` is what `s3` yields."""
    return S3Store(
        "artifacts",
        endpoint=environment["AWS_ENDPOINT"],
        client_options={"allow_http": True},
        region="us-east-1",
        access_key_id=environment["AWS_ACCESS_KEY_ID"],
        secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )

"""Databases that cannot be used."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from etbgm_gateway.store import database
from etbgm_gateway.store.database import connect, when_reachable
from etbgm_kit.serving.settings import BadSettings, NotReachable
from tests.servers import free_port, postgresql

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("jobs.sqlite", "is no address"),
        ("mysql://me:secret@here/jobs", "names mysql; it must be postgresql://"),
        ("sqlite:////no/such/folder/jobs.sqlite", "unable to open database file"),
    ],
)
def test_why_is_said_in_a_line_and_without_the_password(url: str, why: str) -> None:
    with pytest.raises(BadSettings, match=why) as raised:
        connect(url)
    assert str(raised.value).startswith("ETBGM_JOB_STORE_URL: ")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("host", "why"), [("127.0.0.1:1", "onnection refused"), ("no-such-host.invalid", "o-such-host")]
)
def test_a_server_that_does_not_answer_may_do_so_later(host: str, why: str) -> None:
    with pytest.raises(NotReachable, match=why) as raised:
        connect(f"postgresql://me:secret@{host}/jobs")
    assert "secret" not in str(raised.value)


def test_a_gateway_that_starts_first_waits_for_its_database(tmp_path: Path) -> None:
    port, log_path = free_port(), tmp_path / "gateway.log"
    settings = {
        "store_url": f"file://{tmp_path}/store",
        "job_store_url": f"postgresql://etbgm@127.0.0.1:{port}/postgres",
        "uploads_dir": f"{tmp_path}/uploads",
        "listen_address": "127.0.0.1:0",
        "port_file": f"{tmp_path}/port",
        **{f"{name}_address": "127.0.0.1:1" for name in ("mixer", "stt", "sentiment", "riffusion")},
    }
    environment = {**os.environ, **{f"ETBGM_{name.upper()}": value for name, value in settings.items()}}
    with (
        log_path.open("w") as log,
        subprocess.Popen([sys.executable, "-m", "etbgm_gateway"], env=environment, stderr=log) as gateway,
    ):
        until(lambda: "the server cannot start yet" in log_path.read_text(), gateway)
        with postgresql(port):
            until((tmp_path / "port").exists, gateway)
            gateway.terminate()
            assert gateway.wait(30) == 0


def until(is_so: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while not is_so():
        assert process.poll() is None
        time.sleep(0.05)


def test_a_database_in_another_encoding_is_refused(postgresql_url: str) -> None:
    engine = connect(postgresql_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(
            sa.text("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
        )
        with pytest.raises(BadSettings, match="encoding is SQL_ASCII; it must be UTF8"):
            connect(sa.make_url(postgresql_url).set(database="ascii").render_as_string(hide_password=False))
        connection.execute(sa.text("DROP DATABASE ascii WITH (FORCE)"))
    engine.dispose()


async def test_a_database_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "AGAIN_S", 0.01)
    away = iter([sa.exc.OperationalError("", {}, Exception("starting up"))] * 3)

    def call() -> str:
        for error in away:
            raise error
        return "back"

    assert await when_reachable(call, "job") == "back"


async def test_what_is_wrong_with_a_call_is_raised() -> None:
    def call() -> None:
        raise sa.exc.IntegrityError("", {}, Exception("twice"))

    with pytest.raises(sa.exc.IntegrityError):
        await when_reachable(call, "job")


def test_a_file_is_made(tmp_path: Path) -> None:
    connect(f"sqlite:///{tmp_path}/jobs.sqlite").dispose()
    assert (tmp_path / "jobs.sqlite").is_file()

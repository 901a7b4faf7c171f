"""Databases that cannot be used."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from etbgm_gateway.store import database
from etbgm_gateway.store.database import connect, when_reachable
from etbgm_kit.serving.settings import BadSettings

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("jobs.sqlite", "is no address"),
        ("mysql://me:secret@here/jobs", "names mysql; it must be postgresql://"),
        ("sqlite:////no/such/folder/jobs.sqlite", "unable to open database file"),
        ("postgresql://me:secret@127.0.0.1:1/jobs", "Connection refused"),
    ],
)
def test_why_is_said_in_a_line_and_without_the_password(url: str, why: str) -> None:
    with pytest.raises(BadSettings, match=why) as raised:
        connect(url)
    assert str(raised.value).startswith("ETBGM_JOB_STORE_URL: ")
    assert "secret" not in str(raised.value)


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

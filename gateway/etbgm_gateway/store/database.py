"""The database of jobs, which DBOS also uses."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn

from etbgm_kit.errors import StorageFull
from etbgm_kit.serving.settings import BadSettings, NotReachable

log = logging.getLogger(__name__)

Result = TypeVar("Result")

AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError)
"""Errors raised while a database is unreachable; the same operation may succeed later."""
AGAIN_S = 1.0
"""Time after which `when_reachable` retries."""

_VARIABLE = "ETBGM_JOB_STORE_URL"
_KINDS = "it must be postgresql://user:password@host/name or sqlite:///file"
_DISK_FULL = "53100"
"""PostgreSQL's code for a full disk (appendix A of its documentation)."""
_SQLITE_FULL = "database or disk is full"
_POSTGRESQL = {
    # A database in plain ASCII would answer in bytes, and could not be distinguished from a broken one.
    "client_encoding": "utf8",
    # A machine that vanishes closes no connection: the connection is given up after 20 s.
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": "20000",
}
"""Connection parameters of libpq."""

PER_STATEMENT = 500
"""Names in one statement: the number of its parameters is limited."""


def batched(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yields `names` in groups of at most PER_STATEMENT."""
    rest = iter(names)
    while some := tuple(islice(rest, PER_STATEMENT)):
        yield some


@contextmanager
def space_in_database() -> Iterator[None]:
    """Raises StorageFull if a statement inside the context finds the database's disk full."""
    try:
        yield
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _DISK_FULL and _SQLITE_FULL not in str(error.orig):
            raise
        raise StorageFull("the job store", "free space on the disk of the database") from error


async def when_reachable(call: Callable[[], Result], job_id: str) -> Result:
    """Returns the result of `call`, which blocks; retries it while the database is unreachable."""
    while True:
        try:
            return await asyncio.to_thread(call)
        except AWAY as error:
            log.warning("the job store is away", extra={"job_id": job_id, "reason": repr(error.orig)})
            await asyncio.sleep(AGAIN_S)


def address(url: str) -> str:
    """Returns `url` with the parameters that every connection needs.

    Raises:
        BadSettings: `url` is neither postgresql://user:password@host/name nor sqlite:///file.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise BadSettings(f"{_VARIABLE}: is no address; {_KINDS}") from None
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        parsed = parsed.set(drivername="postgresql+psycopg", query={**_POSTGRESQL, **parsed.query})
    elif parsed.drivername != "sqlite":
        raise BadSettings(f"{_VARIABLE}: names {parsed.drivername}; {_KINDS}")
    return parsed.render_as_string(hide_password=False)


def connect(url: str) -> sa.Engine:
    """Connects to the database at `url`; see `address`.

    Raises:
        BadSettings: the database cannot be used; a PostgreSQL database must be encoded in UTF8.
        NotReachable: PostgreSQL does not accept a connection: it may be starting, or the user, the
            password or the database may be created later.
    """
    engine = sa.create_engine(address(url), pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                encoding = connection.scalar(sa.text("SHOW server_encoding"))
                if encoding != "UTF8":
                    raise BadSettings(f"{_VARIABLE}: the database's encoding is {encoding}; it must be UTF8")
    except sa.exc.DBAPIError as error:
        reason = f"{_VARIABLE}: {str(error.orig).strip()}"
        if engine.dialect.name == "postgresql" and isinstance(error, AWAY):
            raise NotReachable(reason) from None
        raise BadSettings(reason) from None
    return engine


def make(table: sa.Table, engine: sa.Engine) -> None:
    """Creates the table or adds its missing columns; several gateways may do so at once."""
    try:
        table.create(engine, checkfirst=True)
        known = {column["name"] for column in sa.inspect(engine).get_columns(table.name)}
        for column in [column for column in table.columns if column.name not in known]:
            form = CreateColumn(column).compile(dialect=engine.dialect)
            with engine.begin() as connection:
                connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN {form}"))
    except sa.exc.DBAPIError:
        known = {column["name"] for column in sa.inspect(engine).get_columns(table.name)}
        if known != set(table.columns.keys()):
            raise


def _prepare_sqlite(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    # In WAL mode readers and DBOS's writer do not block each other; the mode is stored in the file.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    # What is deleted is overwritten, not only unlinked.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()

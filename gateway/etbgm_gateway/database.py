"""The database of jobs, which DBOS uses too."""

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn

from etbgm_kit.settings import BadSettings

_VARIABLE = "ETBGM_JOB_STORE_URL"
_KINDS = "it must be postgresql://user:password@host/name or sqlite:///file"


def connect(url: str) -> sa.Engine:
    """Connections to the database at `url`: postgresql://…, encoded in UTF8, or sqlite:///file.

    Raises:
        BadSettings: it is another kind of address, or there is no database that can be used.
    """
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                encoding = connection.scalar(sa.text("SHOW server_encoding"))
                if encoding != "UTF8":
                    raise BadSettings(f"{_VARIABLE}: the database's encoding is {encoding}; it must be UTF8")
    except sa.exc.DBAPIError as error:
        raise BadSettings(f"{_VARIABLE}: {str(error.orig).strip()}") from None
    return engine


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise BadSettings(f"{_VARIABLE}: is no address; {_KINDS}") from None
    match parsed.drivername:
        case "postgresql" | "postgresql+psycopg":
            # A database in plain ASCII would answer in bytes and not be told from a broken one.
            arguments = {"client_encoding": "utf8"}
            parsed = parsed.set(drivername="postgresql+psycopg")
            return sa.create_engine(parsed, pool_pre_ping=True, connect_args=arguments)
        case "sqlite":
            engine = sa.create_engine(parsed, pool_pre_ping=True)
            sa.event.listen(engine, "connect", _prepare_sqlite)
            return engine
    raise BadSettings(f"{_VARIABLE}: names {parsed.drivername}; {_KINDS}")


def make(table: sa.Table, engine: sa.Engine) -> None:
    """Creates the table, or columns that it had not before; several gateways may do so at once."""
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
    # Readers and DBOS's writer do not wait for each other in WAL mode, which stays with the file.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()

"""The database of jobs, which DBOS uses too."""

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn


def connect(url: str) -> sa.Engine:
    """Connections to the database at `url` (SQLAlchemy's form), made when they are needed."""
    parsed = sa.make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(parsed, pool_pre_ping=True)
    if parsed.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


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

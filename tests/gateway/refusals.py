"""A database that refuses some writes, as a full or broken one does, by real triggers."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from etbgm_gateway.store.database import connect

ENOUGH_S = 20.0


class Refusals:
    """The database of a gateway at `url`; `workflows` is the table of DBOS's workflows there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = connect(url)
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        self.workflows = "workflow_status" if self._is_sqlite else "dbos.workflow_status"

    @contextmanager
    def of(self, what: str, table: str, condition: str = "true") -> Iterator[None]:
        """Refuses `what` (INSERT or UPDATE) of rows that fulfil `condition` while the context lasts."""
        event = f"BEFORE {what} ON {table} FOR EACH ROW WHEN ({condition})"
        if self._is_sqlite:
            self._run(f"CREATE TRIGGER refusal {event} BEGIN SELECT RAISE(ABORT, 'refused'); END")
        else:
            body = "$$BEGIN RAISE EXCEPTION 'refused'; END$$"
            self._run(f"CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS {body}")
            self._run(f"CREATE TRIGGER refusal {event} EXECUTE FUNCTION refuse()")
        try:
            yield
        finally:
            self._run("DROP TRIGGER refusal" if self._is_sqlite else f"DROP TRIGGER refusal ON {table}")

    @contextmanager
    def hold(self, table: str) -> Iterator[None]:
        """Writes to `table` wait while the context lasts; only PostgreSQL."""
        with self._engine.begin() as connection:
            connection.execute(sa.text(f"LOCK TABLE {table} IN SHARE MODE"))
            yield

    async def held(self, statement: str) -> None:
        """Waits until a `statement` (INSERT or UPDATE) waits because of `hold`."""
        waits = "wait_event_type = 'Lock' AND query LIKE :statement"
        await self._until(f"SELECT count(*) FROM pg_stat_activity WHERE {waits}", statement=f"{statement}%")

    async def broken_off(self, job_id: str) -> None:
        """Waits until the job's workflow has ended with an error."""
        query = f"SELECT count(*) FROM {self.workflows} WHERE status = 'ERROR' AND workflow_uuid = :job_id"
        await self._until(query, job_id=job_id)

    async def _until(self, query: str, **parameters: str) -> None:
        async with asyncio.timeout(ENOUGH_S):
            while not self._holds(query, parameters):
                await asyncio.sleep(0.02)

    def _holds(self, query: str, parameters: dict[str, str]) -> bool:
        with self._engine.connect() as connection:
            return bool(connection.scalar(sa.text(query), parameters))

    def _run(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def close(self) -> None:
        self._engine.dispose()

"""Heartbeats of the gateways that share a job store: one row per name."""

from collections.abc import Mapping

import sqlalchemy as sa

from etbgm_gateway.store.database import make

_TABLE = sa.Table(
    "executors",
    sa.MetaData(),
    sa.Column("executor_id", sa.String(255), primary_key=True),
    sa.Column("beats", sa.BigInteger, nullable=False),
)
_C = _TABLE.c


class Executors:
    """All gateways, alive or not. Methods block; call them from worker threads."""

    def __init__(self, engine: sa.Engine) -> None:
        """Creates the table if it is missing."""
        self._engine = engine
        make(_TABLE, engine)

    def beat(self, executor_id: str) -> None:
        """Records a heartbeat of the gateway with this name."""
        with self._engine.begin() as connection:
            mine = _TABLE.update().where(_C.executor_id == executor_id).values(beats=_C.beats + 1)
            if not connection.execute(mine).rowcount:
                connection.execute(_TABLE.insert().values(executor_id=executor_id, beats=1))

    def beats(self) -> Mapping[str, int]:
        """Returns the number of heartbeats of each gateway."""
        with self._engine.connect() as connection:
            return {row.executor_id: row.beats for row in connection.execute(_TABLE.select())}

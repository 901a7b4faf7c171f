"""Links to the results of jobs; they end with their job."""

import time
from dataclasses import dataclass

import sqlalchemy as sa

from etbgm_gateway.store.database import make
from etbgm_kit.errors import InvalidField, NotFound

MOST_SHARES = 20
"""Links to one job."""

SHARES = sa.Table(
    "shares",
    sa.MetaData(),
    sa.Column("share_id", sa.String(16), primary_key=True),
    sa.Column("job_id", sa.String(36), nullable=False, index=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("create_time_s", sa.Double, nullable=False),
    sa.Column("expire_time_s", sa.Double, nullable=False),
)
_C = SHARES.c


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A link as stored; `sha256` is that of its text, times are seconds since 1970."""

    share_id: str
    job_id: str
    tenant: str
    sha256: str
    create_time_s: float
    expire_time_s: float


class ShareStore:
    """All links. Methods block; call them from worker threads."""

    def __init__(self, engine: sa.Engine) -> None:
        """Creates the table if it is missing."""
        self._engine = engine
        make(SHARES, engine)

    def add(self, row: ShareRow) -> None:
        """Stores a link and forgets those that have expired. Raises InvalidField if the job has too many."""
        if len(self.of(row.job_id)) >= MOST_SHARES:
            raise InvalidField("job_id", f"the job already has {MOST_SHARES} links; delete one first")
        values = {name: getattr(row, name) for name in ShareRow.__slots__}
        with self._engine.begin() as connection:
            connection.execute(SHARES.delete().where(_C.expire_time_s < time.time()))
            connection.execute(SHARES.insert().values(**values))

    def of(self, job_id: str) -> list[ShareRow]:
        """Returns the job's links that have not expired, newest first."""
        valid = sa.and_(_C.job_id == job_id, _C.expire_time_s > time.time())
        return self._rows(sa.select(SHARES).where(valid).order_by(_C.create_time_s.desc()))

    def get(self, share_id: str) -> ShareRow | None:
        """Returns the link; None if there is none, or it has expired."""
        valid = sa.and_(_C.share_id == share_id, _C.expire_time_s > time.time())
        return next(iter(self._rows(sa.select(SHARES).where(valid))), None)

    def delete(self, job_id: str, share_id: str) -> None:
        """Deletes a link to the job. Raises NotFound."""
        mine = sa.and_(_C.share_id == share_id, _C.job_id == job_id)
        with self._engine.begin() as connection:
            if not connection.execute(SHARES.delete().where(mine)).rowcount:
                raise NotFound("no such link", share_id=share_id)

    def _rows(self, query: "sa.Select[tuple[object, ...]]") -> list[ShareRow]:
        with self._engine.connect() as connection:
            return [ShareRow(**row) for row in connection.execute(query).mappings()]

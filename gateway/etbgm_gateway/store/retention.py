"""Deletes jobs, and finds out which objects of the artifact store nobody holds any more.

Content that two jobs share is stored once, and a running job may have found an object that it does not
hold yet. An object is therefore erased in two steps: it is doomed, so that from then on the store claims
not to have it, and erased once all jobs that started before that have ended, unless somebody holds it again.
"""

import time
from collections.abc import Callable, Collection, Iterable

import sqlalchemy as sa

from etbgm_gateway.store.database import PER_STATEMENT, batched, make
from etbgm_gateway.store.holdings import HOLDINGS, UPLOAD
from etbgm_gateway.store.jobs import JOBS, UNFINISHED
from etbgm_gateway.store.shares import SHARES

_TABLE = sa.Table(
    "erasures",
    sa.MetaData(),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("doom_time_s", sa.Double),
)
_C, _H, _J = _TABLE.c, HOLDINGS.c, JOBS.c

CLOCKS_S = 5.0
"""How far the clocks of two gateways may differ."""


class Retention:
    """Deletion of jobs, uploads and what they hold. Methods block; call them from worker threads."""

    def __init__(self, engine: sa.Engine) -> None:
        """Creates the tables if they are missing."""
        self._engine = engine
        make(_TABLE, engine)
        make(SHARES, engine)

    def delete_job(self, job_id: str) -> bool:
        """Deletes the job and what only it and uploads hold. Returns False if it is unfinished or gone."""
        with self._engine.begin() as connection:
            finished = sa.and_(_J.job_id == job_id, _J.state.not_in(UNFINISHED))
            if not connection.execute(JOBS.delete().where(finished)).rowcount:
                return False
            connection.execute(SHARES.delete().where(SHARES.c.job_id == job_id))
            self._release(connection, job_id)
        return True

    def delete_upload(self, holder: str) -> None:
        """Deletes the upload and what only it holds."""
        with self._engine.begin() as connection:
            self._release(connection, holder)

    def expired_jobs(self, keep_s: float) -> list[str]:
        """Returns jobs that ended more than `keep_s` ago, oldest first."""
        query = sa.select(_J.job_id).where(_J.end_time_s < time.time() - keep_s).order_by(_J.job_id)
        return self._column(query.limit(PER_STATEMENT))

    def expired_uploads(self, keep_s: float) -> list[str]:
        """Returns holders of uploads that were completed more than `keep_s` ago."""
        old = sa.and_(_H.holder.startswith(UPLOAD), _H.hold_time_s < time.time() - keep_s)
        return self._column(sa.select(_H.holder).distinct().where(old).limit(PER_STATEMENT))

    def release_unheld(self, names: Iterable[str]) -> int:
        """Has those of `names` erased that nobody holds, such as results of cancelled calls.

        Returns their number.
        """
        number = 0
        for some in batched(names):
            with self._engine.begin() as connection:
                held = set(connection.execute(sa.select(_H.name).where(_H.name.in_(some))).scalars())
                number += self._to_erase(connection, set(some) - held)
        return number

    def doom(self, doom: Callable[[str], None]) -> None:
        """Calls `doom` for each object that is not doomed yet."""
        for name in self._column(sa.select(_C.name).where(_C.doom_time_s.is_(None))):
            doom(name)
            with self._engine.begin() as connection:
                connection.execute(_TABLE.update().where(_C.name == name).values(doom_time_s=time.time()))

    def erase(self, erase: Callable[[str], None]) -> None:
        """Calls `erase` for each object that is doomed and that no running job can have found.

        Forgets those that somebody holds again.
        """
        oldest = sa.select(sa.func.min(_J.start_time_s)).where(_J.state == "RUNNING")
        with self._engine.connect() as connection:
            oldest_s = connection.scalar(oldest) or time.time()
        for name in self._column(sa.select(_C.name).where(_C.doom_time_s < oldest_s - CLOCKS_S)):
            with self._engine.begin() as connection:
                held = connection.scalar(sa.select(sa.func.count()).where(_H.name == name))
                if not held:
                    erase(name)
                connection.execute(_TABLE.delete().where(_C.name == name))

    def _release(self, connection: sa.Connection, holder: str) -> None:
        held = set(connection.execute(sa.select(_H.name).where(_H.holder == holder)).scalars())
        connection.execute(HOLDINGS.delete().where(_H.holder == holder))
        names = sorted(held)
        for some in batched(names):
            self._erase_unheld(connection, some)

    def _erase_unheld(self, connection: sa.Connection, names: Collection[str]) -> None:
        by_jobs = sa.select(_H.name).where(_H.name.in_(names), _H.holder.not_like(f"{UPLOAD}%"))
        unheld = set(names) - set(connection.execute(by_jobs).scalars())
        if not unheld:
            return
        uploads = sa.select(_H.holder).distinct().where(_H.name.in_(unheld))
        with_uploads = sa.select(_H.name).where(_H.holder.in_(list(connection.execute(uploads).scalars())))
        unheld |= set(connection.execute(with_uploads).scalars())
        connection.execute(HOLDINGS.delete().where(_H.name.in_(unheld)))
        self._to_erase(connection, unheld)

    def _to_erase(self, connection: sa.Connection, names: Collection[str]) -> int:
        """Records that `names` are to be erased; returns how many were not known to be."""
        known = set(connection.execute(sa.select(_C.name).where(_C.name.in_(names))).scalars())
        new = sorted(set(names) - known)
        if new:
            connection.execute(_TABLE.insert(), [{"name": name} for name in new])
        return len(new)

    def _column(self, query: "sa.Select[str]") -> list[str]:
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

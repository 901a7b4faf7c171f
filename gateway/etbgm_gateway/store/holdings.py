"""Who holds what in the artifact store: each job and each upload holds the objects that belong to it."""

import time
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from etbgm_gateway.store.database import make

HOLDINGS = sa.Table(
    "holdings",
    sa.MetaData(),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("holder", sa.String(255), primary_key=True, index=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("hold_time_s", sa.Double, nullable=False),
)
_C = HOLDINGS.c


UPLOAD = "upload:"
"""Holders that are uploads begin with this."""


def holder_of_upload(key: str) -> str:
    """The holder for the upload with this key."""
    return f"{UPLOAD}{key}"


class Holdings:
    """Names of objects (keys of artifacts, names of records), each with its holders and their tenants.

    A holder is a job's id or that of an upload. Methods block; call them from worker threads.
    """

    def __init__(self, engine: sa.Engine) -> None:
        """Creates the table if it is missing."""
        self._engine = engine
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        make(HOLDINGS, engine)

    def hold(self, tenant: str, holder: str, names: Iterable[str]) -> None:
        """Records that `holder` holds `names`; those that it holds already stay."""
        with self._engine.begin() as connection:
            self.hold_within(connection, tenant, holder, names)

    def hold_within(self, connection: sa.Connection, tenant: str, holder: str, names: Iterable[str]) -> None:
        """Does the same within the transaction of `connection`."""
        common = {"holder": holder, "tenant": tenant, "hold_time_s": time.time()}
        rows = [{"name": name, **common} for name in sorted(set(names))]
        if rows:
            connection.execute(self._insert(HOLDINGS).on_conflict_do_nothing(), rows)

    def is_held_by(self, holder: str, name: str) -> bool:
        """Whether `holder` holds `name`."""
        mine = sa.and_(_C.name == name, _C.holder == holder)
        with self._engine.connect() as connection:
            return connection.execute(sa.select(_C.name).where(mine)).first() is not None

    def may_read(self, tenant: str, name: str, *, is_default: bool) -> bool:
        """Whether a job or an upload of the tenant holds `name`.

        The default tenant may also read what nobody holds: artifacts of release 0.1.
        """
        with self._engine.connect() as connection:
            tenants = set(connection.execute(sa.select(_C.tenant).where(_C.name == name)).scalars())
        return tenant in tenants or (is_default and not tenants)

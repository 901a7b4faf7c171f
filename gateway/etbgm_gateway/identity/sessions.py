"""Sessions of the web page: random texts that stand for a key or token, and end with it."""

import time
from collections.abc import Sequence

import sqlalchemy as sa

from etbgm_gateway.identity.authentication import Credentials
from etbgm_gateway.identity.texts import SESSION, digest, id_of, new_text
from etbgm_gateway.identity.types import Caller
from etbgm_gateway.store.database import make

KEEP_S = 30 * 24 * 3600.0
"""How long a session lasts at most."""

_TABLE = sa.Table(
    "sessions",
    sa.MetaData(),
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("scopes", sa.String(255), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("key_sha256", sa.String(64), nullable=False),
    sa.Column("expire_time_s", sa.Double, nullable=False),
)
_C = _TABLE.c


class Sessions:
    """All sessions. Methods block; call them from worker threads."""

    def __init__(self, engine: sa.Engine, kinds: Sequence[Credentials]) -> None:
        """Sessions stand for credentials of `kinds`. Creates the table if it is missing."""
        self._engine, self._kinds = engine, kinds
        make(_TABLE, engine)

    def open(self, caller: Caller, key: str) -> tuple[str, float]:
        """Opens a session for the caller with this key; returns its text and when it ends.

        Forgets those that have expired. Times are seconds since 1970.
        """
        text, _ = new_text(SESSION)
        now_s = time.time()
        expire_time_s = min(now_s + KEEP_S, caller.expire_time_s or now_s + KEEP_S)
        row = {"sha256": digest(text), "tenant": caller.tenant, "scopes": " ".join(sorted(caller.scopes))}
        row |= {"name": caller.name, "key_sha256": digest(key)}
        with self._engine.begin() as connection:
            connection.execute(_TABLE.delete().where(_C.expire_time_s < now_s))
            connection.execute(_TABLE.insert().values(expire_time_s=expire_time_s, **row))
        return text, expire_time_s

    def close(self, text: str) -> None:
        """Ends the session, if there is one."""
        with self._engine.begin() as connection:
            connection.execute(_TABLE.delete().where(_C.sha256 == digest(text)))

    def caller(self, text: str) -> Caller | None:
        """Returns the caller whose key opened the session; None if it or the key has ended."""
        if id_of(SESSION, text) is None:
            return None
        valid = sa.and_(_C.sha256 == digest(text), _C.expire_time_s > time.time())
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_TABLE).where(valid)).one_or_none()
        if row is None or not any(kind.holds(row.name, row.key_sha256) for kind in self._kinds):
            return None
        return Caller(row.tenant, frozenset(row.scopes.split()), row.name)

    def holds(self, name: str, sha256: str) -> bool:
        """Never: sessions open no sessions."""
        return False

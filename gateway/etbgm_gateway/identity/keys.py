"""API keys: etbgm_ID_SECRET. The database has only the SHA-256 of a key."""

import hmac
import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from etbgm_gateway.identity.texts import KEY, digest, id_of, new_text
from etbgm_gateway.identity.types import Caller
from etbgm_gateway.store.database import make
from etbgm_kit.errors import NotFound

_TABLE = sa.Table(
    "api_keys",
    sa.MetaData(),
    sa.Column("key_id", sa.String(16), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False, index=True),
    sa.Column("scopes", sa.String(255), nullable=False),
    sa.Column("note", sa.String(255), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("create_time_s", sa.Double, nullable=False),
    sa.Column("revoke_time_s", sa.Double),
    sa.Column("expire_time_s", sa.Double),
)
_C = _TABLE.c


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as stored, without its secret; times are seconds since 1970."""

    key_id: str
    tenant: str
    scopes: tuple[str, ...]
    note: str
    create_time_s: float
    revoke_time_s: float | None
    expire_time_s: float | None


class ApiKeys:
    """All keys. Methods block; call them from worker threads."""

    def __init__(self, engine: sa.Engine) -> None:
        """Creates the table if it is missing."""
        self._engine = engine
        make(_TABLE, engine)

    def create(
        self, tenant: str, scopes: tuple[str, ...], note: str, expire_time_s: float | None = None
    ) -> tuple[str, KeyRow]:
        """Creates a key and returns its text, which cannot be read again, and its row."""
        text, key_id = new_text(KEY)
        row = KeyRow(key_id, tenant, scopes, note, time.time(), None, expire_time_s)
        values = {**{name: getattr(row, name) for name in KeyRow.__slots__}, "scopes": " ".join(scopes)}
        with self._engine.begin() as connection:
            connection.execute(_TABLE.insert().values(sha256=digest(text), **values))
        return text, row

    def list(self) -> list[KeyRow]:
        """Returns all keys, newest first, also revoked ones."""
        query = sa.select(*_COLUMNS).order_by(_C.create_time_s.desc())
        with self._engine.connect() as connection:
            return [_row(row) for row in connection.execute(query).mappings()]

    def revoke(self, key_id: str) -> KeyRow:
        """Revokes the key, if it is not revoked yet, and returns it. Raises NotFound."""
        mine = _TABLE.update().where(_C.key_id == key_id, _C.revoke_time_s.is_(None))
        with self._engine.begin() as connection:
            connection.execute(mine.values(revoke_time_s=time.time()))
            row = connection.execute(sa.select(*_COLUMNS).where(_C.key_id == key_id)).mappings().one_or_none()
        if row is None:
            raise NotFound("no such key", key_id=key_id)
        return _row(row)

    def caller(self, text: str) -> Caller | None:
        """Returns the caller with this key; None if it is unknown, revoked or expired."""
        key_id = id_of(KEY, text)
        row = self._current(key_id) if key_id else None
        if row is None or not hmac.compare_digest(row.sha256, digest(text)):
            return None
        return Caller(row.tenant, frozenset(row.scopes.split()), row.key_id, expire_time_s=row.expire_time_s)

    def holds(self, name: str, sha256: str) -> bool:
        """Whether the key with this id and SHA-256 is neither revoked nor expired."""
        row = self._current(name)
        return row is not None and hmac.compare_digest(row.sha256, sha256)

    def _current(self, key_id: str) -> Any:
        is_current = sa.or_(_C.expire_time_s.is_(None), _C.expire_time_s > time.time())
        query = sa.select(_TABLE).where(_C.key_id == key_id, _C.revoke_time_s.is_(None), is_current)
        with self._engine.connect() as connection:
            return connection.execute(query).one_or_none()


_COLUMNS = tuple(_C[name] for name in KeyRow.__slots__)


def _row(row: sa.RowMapping) -> KeyRow:
    return KeyRow(**{**row, "scopes": tuple(row["scopes"].split())})

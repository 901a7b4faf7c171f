"""Tenants' webhooks and the secrets that sign their events."""

import base64
import secrets
import time
from dataclasses import dataclass

import sqlalchemy as sa

from etbgm_gateway.store.database import make
from etbgm_kit.errors import InvalidField, NotFound

MOST_WEBHOOKS = 20
"""Webhooks of one tenant."""

OLD_SECRET_S = 24 * 3600.0
"""Time for which a replaced secret still signs."""

_METADATA = sa.MetaData()
_WEBHOOKS = sa.Table(
    "webhooks",
    _METADATA,
    sa.Column("webhook_id", sa.String(32), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False, index=True),
    sa.Column("url", sa.String(1000), nullable=False),
    sa.Column("create_time_s", sa.Double, nullable=False),
    sa.Column("gone_time_s", sa.Double),
)
# An HMAC needs the secret itself, so a hash will not do; the database is closed to other users.
_SECRETS = sa.Table(
    "webhook_secrets",
    _METADATA,
    sa.Column("tenant", sa.String(64), primary_key=True),
    sa.Column("secret", sa.String(64), nullable=False),
    sa.Column("create_time_s", sa.Double, nullable=False),
    sa.Column("old_secret", sa.String(64)),
)
_W, _S = _WEBHOOKS.c, _SECRETS.c


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook as stored; times are seconds since 1970."""

    webhook_id: str
    tenant: str
    url: str
    create_time_s: float
    gone_time_s: float | None


class WebhookStore:
    """All webhooks. Methods block; call them from worker threads."""

    def __init__(self, engine: sa.Engine) -> None:
        """Creates the tables if they are missing."""
        self._engine = engine
        make(_WEBHOOKS, engine)
        make(_SECRETS, engine)

    def add(self, tenant: str, url: str) -> WebhookRow:
        """Registers a webhook. Raises InvalidField if the tenant has too many."""
        if len(self.of(tenant)) >= MOST_WEBHOOKS:
            raise InvalidField("url", f"the tenant already has {MOST_WEBHOOKS} webhooks; delete one first")
        row = WebhookRow(secrets.token_hex(12), tenant, url, time.time(), None)
        values = {name: getattr(row, name) for name in WebhookRow.__slots__}
        with self._engine.begin() as connection:
            connection.execute(_WEBHOOKS.insert().values(**values))
        return row

    def of(self, tenant: str) -> list[WebhookRow]:
        """Returns the tenant's webhooks, oldest first."""
        query = sa.select(_WEBHOOKS).where(_W.tenant == tenant).order_by(_W.create_time_s)
        with self._engine.connect() as connection:
            return [WebhookRow(**row) for row in connection.execute(query).mappings()]

    def delete(self, tenant: str, webhook_id: str) -> None:
        """Deletes the tenant's webhook. Raises NotFound."""
        mine = sa.and_(_W.webhook_id == webhook_id, _W.tenant == tenant)
        with self._engine.begin() as connection:
            if not connection.execute(_WEBHOOKS.delete().where(mine)).rowcount:
                raise NotFound("no such webhook", webhook_id=webhook_id)

    def listening(self, connection: sa.Connection, tenant: str) -> dict[str, str]:
        """Returns the ids and URLs of the tenant's webhooks that are not gone."""
        query = sa.select(_W.webhook_id, _W.url).where(_W.tenant == tenant, _W.gone_time_s.is_(None))
        return {row.webhook_id: row.url for row in connection.execute(query)}

    def is_listening(self, webhook_id: str) -> bool:
        """Whether the webhook exists and is not gone."""
        query = sa.select(_W.webhook_id).where(_W.webhook_id == webhook_id, _W.gone_time_s.is_(None))
        with self._engine.connect() as connection:
            return connection.execute(query).one_or_none() is not None

    def mark_gone(self, webhook_id: str) -> None:
        """Records that the receiver answered 410."""
        mine = _WEBHOOKS.update().where(_W.webhook_id == webhook_id, _W.gone_time_s.is_(None))
        with self._engine.begin() as connection:
            connection.execute(mine.values(gone_time_s=time.time()))

    def rotate_secret(self, tenant: str) -> str:
        """Gives the tenant a new secret and returns it; the old one signs for OLD_SECRET_S more."""
        new = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        values = {"secret": new, "create_time_s": time.time()}
        with self._engine.begin() as connection:
            change = _SECRETS.update().where(_S.tenant == tenant).values(old_secret=_S.secret, **values)
            if not connection.execute(change).rowcount:
                connection.execute(_SECRETS.insert().values(tenant=tenant, **values))
        return new

    def secrets(self, tenant: str) -> list[str]:
        """Returns the secrets that sign the tenant's events now, newest first; none if it has none."""
        query = sa.select(_SECRETS).where(_S.tenant == tenant)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return []
        is_old_valid = row.old_secret and time.time() < row.create_time_s + OLD_SECRET_S
        return [row.secret, row.old_secret] if is_old_valid else [row.secret]

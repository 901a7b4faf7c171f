"""Callers, their tenants and scopes."""

from contextvars import ContextVar
from dataclasses import dataclass

from etbgm_gateway.store.jobs import DEFAULT_TENANT

READ, WRITE, ADMIN = "jobs:read", "jobs:write", "admin"
SCOPES = (READ, WRITE, ADMIN)
"""What a caller may do: see jobs and download, create and change them, manage keys. None includes another."""

TENANT = r"[A-Za-z0-9._@-]{1,64}"
"""Pattern of a tenant's name."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call; `name` identifies the key or the subject of the token in the log.

    `expire_time_s` is when the key or token ends, in seconds since 1970, if it does. With `job_id`, the
    caller has a link to this job and may read nothing else.
    """

    tenant: str
    scopes: frozenset[str]
    name: str
    expire_time_s: float | None = None
    job_id: str = ""


NOBODY = Caller(DEFAULT_TENANT, frozenset(SCOPES), "")
"""The caller where there is no authentication."""

current_caller: ContextVar[Caller] = ContextVar("current_caller", default=NOBODY)
"""The caller of the current call."""


def current_tenant() -> str:
    """The tenant of the current call."""
    return current_caller.get().tenant

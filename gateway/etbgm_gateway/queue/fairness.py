"""The order of jobs: tenants share by weight, whatever the number of their jobs.

Start-time fair queueing (Goyal, Vin, Cheng, 1996): each job has a turn, and the lowest goes first. A
tenant's next job comes one step after its last one, but not before the jobs that are served now. A job with
a higher priority takes the turn of the tenant's first waiting job that it passes; those wait one step longer,
so other tenants do not notice.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from etbgm_gateway.store.jobs import JOBS, UNFINISHED

STEP = 1000
"""Turns between two jobs of a tenant of weight 1."""

LAST_TURN = 2**31 - 1
"""DBOS's lowest priority."""

_C = JOBS.c


def next_turn(connection: sa.Connection, tenant: str, weights: Mapping[str, float]) -> int:
    """Returns the turn of the tenant's next job, [1, LAST_TURN]; reads within the transaction."""
    unfinished = _C.state.in_(UNFINISHED)
    now = connection.scalar(sa.select(sa.func.min(_C.turn)).where(unfinished)) or 1
    own = connection.scalar(sa.select(sa.func.max(_C.turn)).where(unfinished, _C.tenant == tenant))
    return min(LAST_TURN, max(1, now, (own + step_of(tenant, weights)) if own is not None else now))


def step_of(tenant: str, weights: Mapping[str, float]) -> int:
    """Returns the turns between two jobs of the tenant."""
    return max(1, round(STEP / weights.get(tenant, 1.0)))


def is_passed(tenant: str, priority: int) -> sa.ColumnElement[bool]:
    """Whether a job waits and lets a new one of the tenant with this priority go first."""
    return sa.and_(_C.state == "QUEUED", _C.tenant == tenant, _C.priority < priority)


def later(turn: sa.ColumnElement[int], step: int) -> sa.ColumnElement[int]:
    """Returns `turn` one step later, at most LAST_TURN."""
    return sa.case((turn < LAST_TURN - step, turn + step), else_=LAST_TURN)

"""What each tenant has used, and what it may use: one row per job created in the last day."""

import secrets
import time
from dataclasses import dataclass

import sqlalchemy as sa

from etbgm_gateway.store.database import make
from etbgm_gateway.store.jobs import JOBS, UNFINISHED
from etbgm_kit.errors import QuotaExceeded

_TABLE = sa.Table(
    "usage",
    sa.MetaData(),
    sa.Column("usage_id", sa.String(32), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False, index=True),
    sa.Column("time_s", sa.Double, nullable=False),
    sa.Column("video_s", sa.Double, nullable=False),
)
_C, _J = _TABLE.c, JOBS.c
_MINUTE_S, _DAY_S = 60.0, 86400.0
_RETRY_AFTER_S = 10.0


@dataclass(frozen=True, slots=True)
class Quota:
    """What a tenant may use; None is no limit.

    `video_s_per_day` is the duration of the videos of all jobs created within 24 hours.
    """

    jobs_per_minute: int | None
    unfinished_jobs: int | None
    video_s_per_day: float | None


class Quotas:
    """The usage of all tenants. Methods block; call them from worker threads."""

    def __init__(self, engine: sa.Engine, quota: Quota) -> None:
        """Creates the table if it is missing; `quota` is that of each tenant."""
        self._engine, self._quota = engine, quota
        make(_TABLE, engine)

    def spend(self, connection: sa.Connection, tenant: str, video_s: float) -> None:
        """Records a new job within the transaction of `connection`. Raises QuotaExceeded."""
        quota, now_s = self._quota, time.time()
        if quota == Quota(None, None, None):
            return
        connection.execute(_TABLE.delete().where(_C.time_s < now_s - _DAY_S))
        if quota.jobs_per_minute is not None:
            recent = sa.select(sa.func.count(), sa.func.min(_C.time_s)).where(
                _C.tenant == tenant, _C.time_s > now_s - _MINUTE_S
            )
            jobs, first_s = connection.execute(recent).one()
            if jobs >= quota.jobs_per_minute:
                wait_s = _MINUTE_S - (now_s - (first_s or now_s))
                raise QuotaExceeded(tenant, f"at most {quota.jobs_per_minute} jobs a minute", wait_s)
        if quota.unfinished_jobs is not None:
            unfinished = sa.select(sa.func.count()).where(_J.tenant == tenant, _J.state.in_(UNFINISHED))
            if (connection.scalar(unfinished) or 0) >= quota.unfinished_jobs:
                limit = f"at most {quota.unfinished_jobs} queued and running jobs"
                raise QuotaExceeded(tenant, limit, _RETRY_AFTER_S)
        self._check_video(connection, tenant, video_s)
        self._record(connection, tenant, now_s, video_s)

    def spend_video(self, connection: sa.Connection, tenant: str, video_s: float) -> None:
        """Records the video of a job whose duration was unknown when it was created. Raises QuotaExceeded."""
        if self._quota.video_s_per_day is None:
            return
        self._check_video(connection, tenant, video_s)
        # Within the job's minute, it is not counted as another job: it lies a minute back.
        self._record(connection, tenant, time.time() - _MINUTE_S, video_s)

    def _check_video(self, connection: sa.Connection, tenant: str, video_s: float) -> None:
        most_s = self._quota.video_s_per_day
        if most_s is None:
            return
        spent = sa.select(sa.func.sum(_C.video_s), sa.func.min(_C.time_s)).where(_C.tenant == tenant)
        spent_s, first_s = connection.execute(spent).one()
        if (spent_s or 0.0) + video_s > most_s:
            now_s = time.time()
            wait_s = _DAY_S - (now_s - (first_s or now_s))
            raise QuotaExceeded(tenant, f"at most {most_s:,.0f} s of video a day", wait_s)

    def _record(self, connection: sa.Connection, tenant: str, time_s: float, video_s: float) -> None:
        # Not the job's id: the row outlives a job that is deleted.
        values = {"usage_id": secrets.token_hex(16), "tenant": tenant, "time_s": time_s, "video_s": video_s}
        connection.execute(_TABLE.insert().values(values))

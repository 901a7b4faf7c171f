"""When jobs will start and end, judged by the jobs before them and by how long the last ones ran."""

import time
from dataclasses import dataclass

import sqlalchemy as sa

from etbgm_gateway.store.jobs import JOBS, UNFINISHED, JobRow

_C = JOBS.c
_LAST_JOBS = 100
"""Number of jobs that the pace is taken from."""
_KEEP_PACE_S, _ASK_AGAIN_S = 5.0, 1.0
"""How long the pace is kept, and how long it counts as unknown."""

_IS_REMIX, _RAN_S = _C.parent_job_id.is_not(None), _C.end_time_s - _C.start_time_s


@dataclass(frozen=True, slots=True)
class Forecast:
    """A job's place among all that wait, from 1, and when it will start and end, in seconds since 1970.

    Each is None if it is unknown or past.
    """

    position: int | None = None
    start_time_s: float | None = None
    end_time_s: float | None = None


NO_FORECAST = Forecast()


@dataclass(frozen=True, slots=True)
class Counts:
    """Waiting and running jobs, and when the longest waiting one was created, in seconds since 1970."""

    queued: int
    running: int
    oldest_create_time_s: float | None


@dataclass(frozen=True, slots=True)
class Pace:
    """How long jobs run for each second of video and variant; None without examples.

    Remixes compute less. Without examples, they count as other jobs do.
    """

    others: float | None
    remixes: float | None

    def of(self, *, is_remix: bool) -> float | None:
        """Returns the pace of one kind of jobs."""
        return self.remixes if is_remix and self.remixes is not None else self.others


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Waiting jobs before a place in the queue, running jobs, and the work left in both; None if unknown."""

    queued: int
    running: int
    left_s: float | None


class Outlook:
    """Forecasts for jobs. Methods block; call them from worker threads."""

    def __init__(self, engine: sa.Engine, slots: int) -> None:
        """At least `slots` jobs run at the same time."""
        self._engine, self._slots = engine, slots
        self._pace, self._known_until_s = Pace(None, None), 0.0

    def of(self, row: JobRow) -> Forecast:
        """Returns the forecast for a job, without anything if it is finished."""
        if row.state not in UNFINISHED:
            return NO_FORECAST
        pace = self.pace().of(is_remix=row.parent_job_id is not None)
        runs_s = None if pace is None or row.media_s is None else pace * row.media_s
        if row.state == "RUNNING":
            end_s = None if runs_s is None or row.start_time_s is None else row.start_time_s + runs_s
            return Forecast(end_time_s=None if end_s is None else max(time.time(), end_s))
        earlier = sa.and_(_C.turn == row.turn, _C.job_id < row.job_id)
        ahead = self._ahead(sa.or_(_C.turn < row.turn, earlier))
        wait_s = self._wait_s(ahead)
        if wait_s is None or runs_s is None:
            return Forecast(ahead.queued + 1)
        start_s = time.time() + wait_s
        return Forecast(ahead.queued + 1, start_s, start_s + runs_s)

    def wait_s(self, turn: int) -> float | None:
        """Returns how long a new job with this turn would wait; None if that is unknown."""
        return self._wait_s(self._ahead(_C.turn <= turn))

    def counts(self, tenant: str | None = None) -> Counts:
        """Counts the jobs of a tenant, or of all."""
        query = sa.select(_C.state, sa.func.count(), sa.func.min(_C.create_time_s)).group_by(_C.state)
        query = query.where(_C.state.in_(UNFINISHED))
        if tenant is not None:
            query = query.where(_C.tenant == tenant)
        with self._engine.connect() as connection:
            found = {row[0]: (row[1], row[2]) for row in connection.execute(query)}
        queued, oldest_s = found.get("QUEUED", (0, None))
        return Counts(queued, found.get("RUNNING", (0, None))[0], oldest_s)

    def pace(self) -> Pace:
        """Returns the pace of the last jobs, read at most every few seconds."""
        if time.monotonic() >= self._known_until_s:
            last = (
                sa.select(
                    _IS_REMIX.label("is_remix"), (_C.end_time_s - _C.start_time_s).label("ran_s"), _C.media_s
                )
                .where(_C.state == "SUCCEEDED", _C.media_s > 0)
                .order_by(_C.job_id.desc())
                .limit(_LAST_JOBS)
                .subquery()
            )
            pace = sa.func.sum(last.c.ran_s) / sa.func.sum(last.c.media_s)
            with self._engine.connect() as connection:
                rows = connection.execute(sa.select(last.c.is_remix, pace).group_by(last.c.is_remix))
                found = {bool(row[0]): float(row[1]) for row in rows}
            self._pace = Pace(found.get(False), found.get(True))
            keep_s = _ASK_AGAIN_S if self._pace.others is None else _KEEP_PACE_S
            self._known_until_s = time.monotonic() + keep_s
        return self._pace

    def _wait_s(self, ahead: _Ahead) -> float | None:
        slots = max(self._slots, ahead.running)
        if ahead.queued + ahead.running < slots:
            return 0.0
        return None if ahead.left_s is None else ahead.left_s / slots

    def _ahead(self, is_before: sa.ColumnElement[bool]) -> _Ahead:
        counted = sa.func.count(), sa.func.sum(_C.media_s), sa.func.sum(_C.start_time_s)
        is_ahead = sa.or_(_C.state == "RUNNING", sa.and_(_C.state == "QUEUED", is_before))
        remix = _IS_REMIX.label("is_remix")
        query = sa.select(_C.state, remix, *counted).where(is_ahead).group_by(_C.state, sa.text("is_remix"))
        queued, running, left_s = 0, 0, 0.0
        is_known, pace, now_s = True, self.pace(), time.time()
        with self._engine.connect() as connection:
            for state, is_remix, jobs, media_s, started_s in connection.execute(query):
                one = pace.of(is_remix=bool(is_remix))
                is_known = is_known and one is not None
                elapsed_s = jobs * now_s - (started_s or 0.0) if state == "RUNNING" else 0.0
                left_s += max(0.0, (one or 0.0) * (media_s or 0.0) - elapsed_s)
                queued, running = queued + jobs * (state == "QUEUED"), running + jobs * (state == "RUNNING")
        return _Ahead(queued, running, left_s if is_known else None)

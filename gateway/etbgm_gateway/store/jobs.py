"""The job store: one row per job, in the database that DBOS also uses."""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from etbgm_gateway.store.database import batched, make, space_in_database
from etbgm_kit.errors import NotFound

DEFAULT_TENANT = "default"
"""The tenant of gateways without authentication, and of everything from release 0.1."""

JOBS = sa.Table(
    "jobs",
    sa.MetaData(),
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("request_id", sa.String(64), nullable=False, unique=True),
    sa.Column("tenant", sa.String(64), nullable=False, server_default=DEFAULT_TENANT),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("summary", sa.LargeBinary),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("turn", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("create_time_s", sa.Double, nullable=False),
    sa.Column("start_time_s", sa.Double),
    sa.Column("end_time_s", sa.Double),
    sa.Column("starts", sa.Integer, nullable=False),
    sa.Column("stages", sa.LargeBinary, nullable=False),
    sa.Column("cues_left", sa.Integer, nullable=False, server_default="1"),
    sa.Column("error", sa.LargeBinary),
    sa.Column("result", sa.LargeBinary),
    sa.Column("webhook_url", sa.String(1000)),
    sa.Column("caller_request_id", sa.String(64)),
    sa.Column("parent_job_id", sa.String(36)),
    sa.Column("labels", sa.JSON(none_as_null=True)),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
    sa.Column("media_s", sa.Double),
    sa.Column("selected_variant", sa.Integer),
    sa.Column("video", sa.LargeBinary),
    sa.Column("trace_parent", sa.String(64)),
    sa.Column("sequence", sa.BigInteger, nullable=False, server_default="1"),
)
_C = JOBS.c
UNFINISHED = ("QUEUED", "RUNNING")


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to add: bytes are serialised CreateJobRequests; `cues` is the expected number of cues.

    `parent_job_id` is the job that it is a remix of, if any; `media_s` the seconds of all its variants;
    `trace_parent` the context of the caller's trace (W3C Trace Context).
    """

    tenant: str
    request_id: str
    request: bytes
    summary: bytes
    cues: int
    webhook_url: str = ""
    parent_job_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0
    media_s: float = 0.0
    trace_parent: str = ""


Version = tuple[int, str]
"""A job's sequence number and state: gateways of release 0.1 do not increase the number."""

Enqueue = Callable[[sa.Connection, str], int]
"""Queues the job with this id within a transaction, and returns its turn."""

Accept = Callable[[sa.Connection], None]
"""Accepts a video within a transaction, or raises."""

Announce = Callable[[sa.Connection, str, str, str, str | None], None]
"""Announces within a transaction that a job has ended: tenant, job id, state, the job's own webhook."""


def to_nobody(*_: object) -> None:
    """An Announce that does nothing."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as stored.

    `state` is a name of gateway.State without its prefix; times are seconds since 1970.
    Bytes are serialised messages: `request` a CreateJobRequest, `stages` a Job that has only
    its stages, `error` a google.rpc.Status, `result` a JobResult. `starts` counts how often
    the job was started, `cues_left` the cues that have not been rendered yet: an estimate
    until the timeline is known. `sequence` increases with each change.
    `turn` is its place in the queue, `media_s` the seconds of all its variants. `video` is the
    Artifact that was fetched, if the request names a source; `trace_parent` the context of its caller.
    """

    job_id: str
    request_id: str
    tenant: str
    request: bytes
    state: str
    create_time_s: float
    start_time_s: float | None
    end_time_s: float | None
    starts: int
    stages: bytes
    cues_left: int
    error: bytes | None
    result: bytes | None
    caller_request_id: str | None = None
    parent_job_id: str | None = None
    sequence: int = 1
    turn: int = 1
    media_s: float | None = None
    selected_variant: int | None = None
    video: bytes | None = None
    trace_parent: str | None = None

    @property
    def version(self) -> Version:
        """What changes with each change of the job."""
        return (self.sequence, self.state)

    @property
    def own_request_id(self) -> str:
        """The request id as its caller chose it; `request_id` is unique among all tenants."""
        return self.caller_request_id or self.request_id


_WHOLE = tuple(_C[name] for name in JobRow.__slots__)


class JobStore:
    """All jobs. Methods block; call them from worker threads."""

    def __init__(self, engine: sa.Engine, announce: Announce = to_nobody) -> None:
        """Creates the table if it is missing."""
        self._engine, self._announce = engine, announce
        make(JOBS, engine)

    def add(self, new: NewJob, enqueue: Enqueue) -> JobRow:
        """Queues a new job and returns it, or the existing job if its request id was used before.

        Within the same transaction, `enqueue` puts the job into the queue and returns its turn. If it fails,
        no job is created. Raises StorageFull and what `enqueue` raises.
        """
        job_id = _new_id()
        row = {
            "job_id": job_id,
            "request_id": _own_id(new.tenant, new.request_id),
            "tenant": new.tenant,
            "request": new.request,
            "summary": new.summary,
            "state": "QUEUED",
            "create_time_s": time.time(),
            "starts": 0,
            "stages": b"",
            "cues_left": new.cues,
            "webhook_url": new.webhook_url or None,
            "caller_request_id": new.request_id,
            "labels": dict(new.labels) or None,
            "priority": new.priority,
            "media_s": new.media_s,
            "trace_parent": new.trace_parent or None,
            "parent_job_id": new.parent_job_id,
        }
        try:
            with space_in_database(), self._engine.begin() as connection:
                row["turn"] = enqueue(connection, job_id)
                connection.execute(JOBS.insert().values(row))
        except sa.exc.IntegrityError:
            known = self.find_request(new.tenant, new.request_id)
            if known is None:
                raise
            return known
        return self.get(job_id)

    def find_request(self, tenant: str, request_id: str) -> JobRow | None:
        """Returns the job that the tenant created with `request_id`, if any."""
        return self._one(_C.request_id == _own_id(tenant, request_id))

    def get(self, job_id: str) -> JobRow:
        """Returns the job; raises NotFound."""
        row = self._one(_C.job_id == job_id)
        if row is None:
            raise NotFound("no such job", job_id=job_id)
        return row

    def several(self, job_ids: Sequence[str]) -> list[JobRow]:
        """Returns those of the jobs that exist, in any order."""
        return [JobRow(**row) for row in self._with_ids(_WHOLE, job_ids)]

    def versions(self, job_ids: Sequence[str]) -> dict[str, Version]:
        """Returns the versions of those of the jobs that exist."""
        rows = self._with_ids((_C.job_id, _C.sequence, _C.state), job_ids)
        return {row["job_id"]: (row["sequence"], row["state"]) for row in rows}

    def unfinished(self) -> list[str]:
        """Returns the ids of queued and running jobs, oldest first."""
        query = sa.select(_C.job_id).where(_C.state.in_(UNFINISHED)).order_by(_C.job_id)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def begin(self, job_id: str) -> JobRow | None:
        """Marks the job as running and returns it; returns None if it is already finished."""
        change = {
            "state": "RUNNING",
            "starts": _C.starts + 1,
            "start_time_s": sa.func.coalesce(_C.start_time_s, time.time()),
        }
        return self.get(job_id) if self._change(job_id, change) else None

    def by_state(self) -> dict[str, int]:
        """Returns the number of jobs in each state."""
        query = sa.select(_C.state, sa.func.count()).group_by(_C.state)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def cues_left(self) -> int:
        """Returns the number of cues of all queued and running jobs that are not yet rendered."""
        query = sa.select(sa.func.coalesce(sa.func.sum(_C.cues_left), 0)).where(_C.state.in_(UNFINISHED))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def keep_progress(self, job_id: str, stages: bytes, cues_left: int) -> None:
        """Stores the job's progress, unless the job is finished."""
        self._change(job_id, {"stages": stages, "cues_left": cues_left})

    def finish(
        self, job_id: str, state: str, *, error: bytes | None = None, result: bytes | None = None
    ) -> bool:
        """Ends the job in `state` and announces it; returns False if it was already finished."""
        end = {"state": state, "end_time_s": time.time(), "error": error, "result": result}
        with self._engine.begin() as connection:
            if not _change(connection, job_id, end):
                return False
            query = sa.select(_C.tenant, _C.webhook_url).where(_C.job_id == job_id)
            tenant, webhook_url = connection.execute(query).one()
            self._announce(connection, tenant, job_id, state, webhook_url)
        return True

    def arrive(self, job_id: str, video: bytes, media_s: float, accept: Accept) -> None:
        """Notes the fetched video and the seconds of all variants; the first time, `accept` may refuse it.

        Raises what `accept` raises.
        """
        with self._engine.begin() as connection:
            values = {"video": video, "media_s": media_s, "sequence": _C.sequence + 1}
            new = sa.and_(_C.job_id == job_id, _C.video.is_(None))
            if connection.execute(JOBS.update().where(new).values(values)).rowcount:
                accept(connection)

    def select_variant(self, job_id: str, number: int | None) -> None:
        """Notes the chosen variant of a finished job, None for no choice."""
        values = {"selected_variant": number, "sequence": _C.sequence + 1}
        with self._engine.begin() as connection:
            connection.execute(JOBS.update().where(_C.job_id == job_id).values(values))

    def _change(self, job_id: str, values: Mapping[str, object]) -> bool:
        with self._engine.begin() as connection:
            return _change(connection, job_id, values)

    def _with_ids(
        self, columns: Sequence["sa.ColumnElement[Any]"], job_ids: Sequence[str]
    ) -> Iterator[sa.RowMapping]:
        with self._engine.connect() as connection:
            for some in batched(job_ids):
                query = sa.select(*columns).where(_C.job_id.in_(some))
                yield from connection.execute(query).mappings()

    def _one(self, condition: sa.ColumnElement[bool]) -> JobRow | None:
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(*_WHOLE).where(condition)).mappings().one_or_none()
        return JobRow(**row) if row else None


def _change(connection: sa.Connection, job_id: str, values: Mapping[str, object]) -> bool:
    """Changes the job unless it is finished."""
    unfinished = sa.and_(_C.job_id == job_id, _C.state.in_(UNFINISHED))
    change = JOBS.update().where(unfinished).values({**values, "sequence": _C.sequence + 1})
    return connection.execute(change).rowcount > 0


def _own_id(tenant: str, request_id: str) -> str:
    """The request id, unique among all tenants; that of the default tenant is as it was in release 0.1."""
    if tenant == DEFAULT_TENANT:
        return request_id
    return hashlib.sha256(f"{tenant}\n{request_id}".encode()).hexdigest()


def _new_id() -> str:
    """48 bits of milliseconds, then random: sorts by time (RFC 9562, version 7 without its fixed bits)."""
    digits = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

"""Filters, orders and pages of lists of jobs, in both databases."""

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_gateway.api.listing import listing_of
from etbgm_gateway.store.database import connect
from etbgm_gateway.store.jobs import JOBS, JobStore, NewJob
from etbgm_gateway.store.lists import JobLists

pytestmark = pytest.mark.process

NEW_YEAR_S = 1_767_225_600.0
"""2026-01-01T00:00:00Z; job n is created n hours later."""
JOBS_MADE = (
    ({}, "FAILED", 0),
    ({"channel": "news", "team": "a_b"}, "SUCCEEDED", 5),
    ({"channel": "newsroom"}, "QUEUED", 5),
    ({"channel": 'Sports "live" 100%', "team": "axb"}, "RUNNING", 9),
    ({"channel": ""}, "QUEUED", 0),
)
"""Labels, state and priority of each job."""


def first(_: sa.Connection, __: str) -> int:
    return 1


@pytest.fixture(scope="module")
def database(either_url: str) -> Iterator[sa.Engine]:
    """Holds JOBS_MADE and a job of another tenant; tests only read it."""
    database = connect(either_url)
    fill(database)
    yield database
    database.dispose()


def fill(database: sa.Engine) -> None:
    jobs = JobStore(database)
    for i, (labels, state, priority) in enumerate(JOBS_MADE):
        new = NewJob("default", f"request-{i}", b"", b"", cues=1, labels=labels, priority=priority)
        job = jobs.add(new, first)
        values = {"state": state, "create_time_s": NEW_YEAR_S + 3600 * i}
        values["start_time_s"] = NEW_YEAR_S if state in ("RUNNING", "SUCCEEDED") else None
        with database.begin() as connection:
            connection.execute(JOBS.update().where(JOBS.c.job_id == job.job_id).values(values))
        time.sleep(0.002)
    jobs.add(NewJob("other", "request-0", b"", b"", cues=1), first)


def listed(database: sa.Engine, **request: object) -> str:
    """The numbers of the jobs on all pages of two."""
    numbers, asked = "", pb.ListJobsRequest(page_size=2, **request)
    while True:
        listing = listing_of(asked)
        rows = JobLists(database).page("default", listing.page)
        numbers += "".join(row.own_request_id[-1] for row, _ in rows[:2])
        if len(rows) <= 2:
            return numbers
        asked.page_token = listing.token_after(rows[1][1], rows[1][0].job_id)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "43210"),
        ("state = QUEUED", "42"),
        ("state != STATE_QUEUED", "310"),
        ("NOT state = QUEUED", "310"),
        ("-state=QUEUED", "310"),
        ("labels.channel = news", "1"),
        ("labels.channel = news*", "21"),
        ('labels.channel = "*100%"', "3"),
        ('labels.channel = "Sports \\"live\\" 100%"', "3"),
        ("labels.team = a_b", "1"),
        ("labels.team = *_*", "1"),
        ("labels:channel", "4321"),
        ("labels.channel:*", "4321"),
        ("NOT labels:team", "420"),
        ("labels.channel != news", "4320"),
        ('labels.channel = ""', "40"),
        ("priority >= 5", "321"),
        ("priority < -1", ""),
        ('create_time > "2026-01-01T02:00:00Z"', "43"),
        ('create_time <= "2026-01-01T02:00:00+01:00"', "10"),
        ("start_time:*", "31"),
        ('start_time < "2030-01-01T00:00:00Z"', "31"),
        ('NOT start_time < "2030-01-01T00:00:00Z"', "420"),
        ("request_id = request-3", "3"),
        ("request_id = *-0", "0"),
        ("state = QUEUED OR state = FAILED priority = 0", "40"),
        ("(state = QUEUED AND priority = 5) OR state = FAILED", "20"),
        ("priority = 5 AND NOT (labels.channel = news OR labels:team)", "2"),
    ],
)
def test_filters_find_jobs(database: sa.Engine, text: str, expected: str) -> None:
    assert listed(database, filter=text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("create_time", "01234"),
        ("create_time desc", "43210"),
        ("priority desc, create_time", "31204"),
        ("priority", "40213"),
        ("state, create_time desc", "04231"),
        ("start_time desc", "31420"),
    ],
)
def test_lists_are_sorted(database: sa.Engine, text: str, expected: str) -> None:
    assert listed(database, order_by=text) == expected
    assert listed(database, order_by=text, filter="priority <= 5") == expected.replace("3", "")

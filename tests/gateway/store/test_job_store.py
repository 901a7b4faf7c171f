"""The job store by itself."""

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from etbgm_gateway.store.database import connect
from etbgm_gateway.store.jobs import JobRow, JobStore, NewJob
from etbgm_gateway.store.lists import JobLists
from etbgm_gateway.store.queries import Every, Page
from etbgm_kit.errors import NotFound, StorageFull

pytestmark = pytest.mark.process


def new(request_id: str, request: bytes = b"", summary: bytes = b"", cues: int = 1) -> NewJob:
    return NewJob("default", request_id, request, summary, cues)


def nowhere(_connection: sa.Connection, _job_id: str) -> int:
    """Queues nothing."""
    return 1


@pytest.fixture
def jobs(tmp_path: Path) -> JobStore:
    return JobStore(connect(f"sqlite:///{tmp_path}/jobs.sqlite"))


def test_a_request_id_has_one_job(jobs: JobStore) -> None:
    first = jobs.add(new("request-1", b"one"), nowhere)
    assert jobs.add(new("request-1", b"two"), nowhere) == first
    assert jobs.find_request("default", "request-2") is None


def test_a_job_that_cannot_be_queued_is_not_there(jobs: JobStore) -> None:
    def refuse(_connection: sa.Connection, _job_id: str) -> int:
        raise sa.exc.IntegrityError("", {}, Exception("refused"))

    with pytest.raises(sa.exc.IntegrityError):
        jobs.add(new("request-1"), refuse)
    assert jobs.find_request("default", "request-1") is None
    assert jobs.cues_left() == 0


def test_a_full_disk_of_the_database_is_named(jobs: JobStore) -> None:
    pages = "PRAGMA max_page_count = 1"  # SQLite keeps at least the pages that there are

    @sa.event.listens_for(jobs._engine, "begin")
    def limit(connection: sa.Connection) -> None:
        connection.exec_driver_sql(pages)

    with pytest.raises(StorageFull, match="no space is left in the job store"):
        jobs.add(new("request-1", bytes(1 << 20)), nowhere)
    assert jobs.find_request("default", "request-1") is None


def listed(jobs: JobStore) -> list[JobRow]:
    return [row for row, _ in JobLists(jobs._engine).page("default", Page(Every(()), (), 10))]


def test_ids_sort_by_time(jobs: JobStore) -> None:
    made = []
    for i in range(3):
        made.append(jobs.add(new(f"request-{i}"), nowhere).job_id)
        time.sleep(0.002)
    assert [row.job_id for row in listed(jobs)] == sorted(made, reverse=True)


def test_a_page_has_summaries_and_leaves_out_long_requests_of_earlier_versions(jobs: JobStore) -> None:
    jobs.add(new("request-1", b"whole", b"short"), nowhere)
    for i, request in enumerate((b"old", b"x" * (5 << 20))):
        jobs.add(new(f"request-old-{i}", request, b"-"), nowhere)
    with jobs._engine.begin() as connection:
        connection.execute(sa.text("UPDATE jobs SET summary = NULL WHERE summary = CAST('-' AS BLOB)"))
    assert {row.request_id: row.request for row in listed(jobs)} == {
        "request-1": b"short",
        "request-old-0": b"old",
        "request-old-1": b"",
    }


def test_a_finished_job_stays_as_it_is(jobs: JobStore) -> None:
    job_id = jobs.add(new("request-1"), nowhere).job_id
    begun = jobs.begin(job_id)
    assert begun
    assert (begun.state, begun.starts) == ("RUNNING", 1)
    jobs.finish(job_id, "CANCELLED")
    cancelled = jobs.get(job_id)
    jobs.keep_progress(job_id, b"late", 1)
    jobs.finish(job_id, "SUCCEEDED", result=b"late")
    assert jobs.begin(job_id) is None
    assert jobs.get(job_id) == cancelled


def test_a_job_that_is_taken_up_again_keeps_its_start(jobs: JobStore) -> None:
    job_id = jobs.add(new("request-1"), nowhere).job_id
    first, second = jobs.begin(job_id), jobs.begin(job_id)
    assert first
    assert second
    assert (second.start_time_s, second.starts) == (first.start_time_s, 2)
    assert jobs.unfinished() == [job_id]


def test_cues_of_unfinished_jobs_are_counted(jobs: JobStore) -> None:
    assert jobs.cues_left() == 0
    queued, running, finished = (jobs.add(new(f"request-{i}", cues=4), nowhere).job_id for i in range(3))
    jobs.begin(running)
    jobs.keep_progress(running, b"", 7)
    jobs.finish(finished, "FAILED")
    assert jobs.cues_left() == 4 + 7
    jobs.finish(queued, "CANCELLED")
    assert jobs.cues_left() == 7


def test_a_database_of_before_gets_the_columns_that_are_new(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/jobs.sqlite")
    job_id = JobStore(database).add(new("request-1", cues=4), nowhere).job_id
    with database.begin() as connection:
        connection.execute(sa.text("ALTER TABLE jobs DROP COLUMN cues_left"))
    assert JobStore(database).get(job_id).cues_left == 1


def test_pages_carry_no_results(jobs: JobStore) -> None:
    job_id = jobs.add(new("request-1"), nowhere).job_id
    jobs.finish(job_id, "SUCCEEDED", result=b"big")
    assert [row.result for row in listed(jobs)] == [None]
    assert jobs.get(job_id).result == b"big"


def test_an_unknown_job_is_not_found(jobs: JobStore) -> None:
    with pytest.raises(NotFound):
        jobs.get("x")


def test_a_database_that_was_restarted_is_used_again(postgresql_url: str) -> None:
    database = connect(postgresql_url)
    jobs = JobStore(database)
    job_id = jobs.add(new("request-1"), nowhere).job_id
    # As a restart does: every connection that lies in the pool is dead.
    engine = sa.create_engine(postgresql_url.replace("://", "+psycopg://"), poolclass=sa.NullPool)
    others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
    with engine.connect() as connection:
        connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    jobs.finish(job_id, "SUCCEEDED")
    assert jobs.get(job_id).state == "SUCCEEDED"
    database.dispose()

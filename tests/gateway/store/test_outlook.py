"""Forecasts from the jobs before and the last jobs' pace."""

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from etbgm_gateway.store.database import connect
from etbgm_gateway.store.jobs import JOBS, JobRow, JobStore, NewJob
from etbgm_gateway.store.outlook import Outlook

pytestmark = pytest.mark.process


class Queue:
    """A job store whose jobs are for 10 s of video each."""

    def __init__(self, url: str) -> None:
        self.database = connect(url)
        self.jobs = JobStore(self.database)
        self._made = 0

    def add(
        self, state: str, *, turn: int = 1, ran_s: float = 0.0, tenant: str = "a", remix: bool = False
    ) -> JobRow:
        """A job that has run for so long."""
        self._made += 1
        parent = "parent" if remix else None
        new = NewJob(tenant, f"request-{self._made}", b"", b"", cues=1, media_s=10.0, parent_job_id=parent)
        job_id = self.jobs.add(new, lambda *_: turn).job_id
        now_s = time.time()
        values = {"state": state, "start_time_s": None if state == "QUEUED" else now_s - ran_s}
        values["end_time_s"] = now_s if state == "SUCCEEDED" else None
        with self.database.begin() as connection:
            connection.execute(JOBS.update().where(JOBS.c.job_id == job_id).values(values))
        time.sleep(0.002)
        return self.jobs.get(job_id)


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(f"sqlite:///{tmp_path}/jobs.sqlite")


def test_a_forecast_is_the_work_ahead_by_the_pace(queue: Queue) -> None:
    queue.add("SUCCEEDED", ran_s=20)
    queue.add("SUCCEEDED", ran_s=40)
    queue.add("SUCCEEDED", ran_s=1, remix=True)
    running = queue.add("RUNNING", ran_s=10)
    late, first = queue.add("QUEUED", turn=9), queue.add("QUEUED", turn=5)
    remix = queue.add("QUEUED", turn=5, remix=True)
    outlook, now_s = Outlook(queue.database, slots=1), time.time()
    assert outlook.of(running).end_time_s == pytest.approx(now_s + 20, abs=0.5)
    assert [outlook.of(row).position for row in (first, remix, late)] == [1, 2, 3]
    starts = [outlook.of(row).start_time_s for row in (first, remix, late)]
    assert starts == pytest.approx([now_s + 20, now_s + 50, now_s + 51], abs=0.5)
    assert outlook.of(remix).end_time_s == pytest.approx(now_s + 51, abs=0.5)
    assert outlook.wait_s(turn=5) == pytest.approx(51, abs=0.5)


def test_free_slots_mean_no_wait(queue: Queue) -> None:
    queue.add("SUCCEEDED", ran_s=20)
    queue.add("RUNNING")
    waiting, now_s = queue.add("QUEUED"), time.time()
    assert Outlook(queue.database, slots=2).of(waiting).start_time_s == pytest.approx(now_s, abs=0.5)


def test_without_examples_only_the_place_is_known(queue: Queue) -> None:
    queue.add("RUNNING")
    waiting = queue.add("QUEUED")
    forecast = Outlook(queue.database, slots=1).of(waiting)
    assert (forecast.position, forecast.start_time_s, forecast.end_time_s) == (1, None, None)
    finished = Outlook(queue.database, slots=1).of(queue.add("SUCCEEDED"))
    assert finished.position is None


def test_jobs_are_counted_by_tenant(queue: Queue) -> None:
    oldest = queue.add("QUEUED", tenant="b")
    queue.add("QUEUED", tenant="b")
    queue.add("RUNNING", tenant="a")
    outlook = Outlook(queue.database, slots=1)
    own, everyone = outlook.counts("b"), outlook.counts()
    assert (own.queued, own.running, own.oldest_create_time_s) == (2, 0, oldest.create_time_s)
    assert (everyone.queued, everyone.running) == (2, 1)


def test_it_works_in_postgresql(postgresql_url: str) -> None:
    queue = Queue(postgresql_url)
    with queue.database.begin() as connection:
        connection.execute(sa.delete(JOBS))
    queue.add("SUCCEEDED", ran_s=20)
    queue.add("RUNNING", ran_s=5)
    outlook, waiting = Outlook(queue.database, slots=1), queue.add("QUEUED")
    assert outlook.of(waiting).start_time_s == pytest.approx(time.time() + 15, abs=0.5)
    queue.database.dispose()

"""A backup of the job store, taken while jobs run, and a gateway that goes on from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_gateway.store.database import connect
from tests.deploy.test_backup import backup
from tests.gateway.conftest import FakeServices, Gateway

pytestmark = pytest.mark.drill


@pytest.fixture
def new_url(postgresql_url: str) -> Iterator[str]:
    """A new database of the same server."""
    engine = connect(postgresql_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("CREATE DATABASE restored"))
        yield postgresql_url.rpartition("/")[0] + "/restored"
        connection.execute(sa.text("DROP DATABASE restored WITH (FORCE)"))
    engine.dispose()


async def test_jobs_come_back_and_one_that_ran_goes_on(
    postgresql_url: str, new_url: str, services: FakeServices, tmp_path: Path
) -> None:
    file = str(tmp_path / "jobs.dump")
    gateway = Gateway(tmp_path / "gateway", services, postgresql_url, "one").start()
    async with gateway.api() as api:
        ended = await api.run(await api.video(), variants=1)
        with services.hold("Separate"):
            running = await api.create(await api.video(), variants=1)
            await services.until("Separate", 2)
            assert backup(postgresql_url, "save", file).returncode == 0
            gateway.kill()
    done = backup(new_url, "restore", file)
    assert (done.returncode, done.stderr) == (0, "")
    restored = Gateway(tmp_path / "gateway", services, new_url, "one").start()
    try:
        async with restored.api() as api:
            assert await api.finished(ended.job_id) == ended
            assert (await api.finished(running.job_id)).state == pb.STATE_SUCCEEDED
    finally:
        restored.kill()

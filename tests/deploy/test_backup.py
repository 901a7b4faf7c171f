"""The job store is saved and restored with PostgreSQL's own programs."""

import os
import subprocess
from pathlib import Path

import pytest

from etbgm_gateway.store.database import connect
from etbgm_gateway.store.jobs import JobStore, NewJob
from tests.deploy.conftest import ROOT
from tests.servers import postgres_programs

pytestmark = pytest.mark.drill


def backup(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = f"{postgres_programs()}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [ROOT / "deploy/backup", *arguments],
        env={**os.environ, "PATH": path, "ETBGM_JOB_STORE_URL": url},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_nothing_that_is_there_is_replaced(postgresql_url: str, tmp_path: Path) -> None:
    file = str(tmp_path / "jobs.dump")
    jobs = JobStore(connect(postgresql_url))
    new = NewJob("default", "request-1", b"before", b"before", 1)
    kept = jobs.add(new, lambda _connection, _job_id: 1)
    assert backup(postgresql_url, "save", file).returncode == 0
    jobs.finish(kept.job_id, "CANCELLED")
    done = backup(postgresql_url, "restore", file)
    assert (done.returncode != 0, "already exists" in done.stderr) == (True, True)
    assert jobs.get(kept.job_id).state == "CANCELLED"


def test_a_backup_that_failed_leaves_no_file(tmp_path: Path) -> None:
    postgres_programs()
    done = backup("postgresql://nobody@127.0.0.1:1/none", "save", str(tmp_path / "jobs.dump"))
    assert done.returncode != 0
    assert not (tmp_path / "jobs.dump").exists()


@pytest.mark.parametrize("arguments", [(), ("save",), ("drop", "x")])
def test_other_calls_are_told_the_usage(arguments: tuple[str, ...]) -> None:
    done = backup("postgresql://x", *arguments)
    assert (done.returncode, "deploy/backup save FILE" in done.stderr) == (2, True)

"""What all tests share: the data folder, a store, scratch folders."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import settings

from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.models.folders import installed
from etbgm_kit.serving.settings import default_models_dir
from etbgm_stt.choice import DEFAULT as SPEECH_MODEL
from tests.categories import CATEGORIES, category_of, no_processes
from tests.servers import either_url, postgresql_server, postgresql_url, s3_environment

__all__ = ["either_url", "postgresql_server", "postgresql_url", "s3_environment"]

# Of each worker its own: librosa's compiled functions crash when two processes fill one cache.
os.environ["NUMBA_CACHE_DIR"] = str(
    Path(__file__).parents[1] / "build" / "numba" / os.environ.get("PYTEST_XDIST_WORKER", "main")
)

# On a busy machine, any example may take longer than Hypothesis's 200 ms.
settings.register_profile("etbgm", deadline=None)
settings.load_profile("etbgm")

_PAGE = "tests/browser/"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m CATEGORY` only modules of that category are imported."""
    wanted = config.option.markexpr
    if wanted not in CATEGORIES:
        return None
    if collection_path.match("test_*.py"):
        return category_of(collection_path) != wanted or None
    return (collection_path.name == "full" and wanted != "full") or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test with its module's category and puts the categories in their order."""
    for item in items:
        item.add_marker(category_of(item.path))
    items.sort(key=lambda item: CATEGORIES.index(category_of(item.path)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadfile`, one worker runs all tests of the page: they share a server and its jobs."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _PAGE if nodeid.startswith(_PAGE) else str(super()._split_scope(nodeid))

    return Scheduling(config, log) if config.option.dist == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Unit tests start no processes."""
    if category_of(item.path) != "unit":
        return (yield)
    with no_processes():
        return (yield)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real speech, videos and broken files; tests that need it skip without it."""
    folder = os.environ.get("ETBGM_TEST_DATA")
    if not folder:
        pytest.skip("ETBGM_TEST_DATA is not set: the folder with real media is not here")
    return Path(folder)


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder in which `make test` installs the default model."""
    folder = Path(os.environ.get("ETBGM_MODELS_DIR") or default_models_dir())
    if not installed(folder, SPEECH_MODEL):
        pytest.skip(f"{SPEECH_MODEL} is not installed: etbgm models pull {SPEECH_MODEL}")
    return folder


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """What a test, or a library that it loads, puts into the environment ends with the test."""
    with mock.patch.dict(os.environ):
        yield


TINY_DISK_BYTES = 1 << 20
"""Size of `tiny_disk`."""


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of TINY_DISK_BYTES, which only root may make."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={TINY_DISK_BYTES}", "tmpfs", folder]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def read_only_disk(tiny_disk: Path) -> Path:
    """A folder to which not even root may write."""
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True, capture_output=True)
    return tiny_disk


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """Temporary folders below the test's own."""
    return Scratch(tmp_path / "scratch")


@pytest.fixture
def store(tmp_path: Path, scratch: Scratch) -> ArtifactStore:
    """An empty artifact store in a folder."""
    return ArtifactStore(f"file://{tmp_path}/store", scratch)

"""The whole chain as a user meets it: `etbgm serve` in processes, `etbgm run` against it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

ETBGM = Path(sys.executable).with_name("etbgm")


@dataclass(frozen=True)
class Chain:
    """A running server: its address and the folder that it keeps everything in."""

    address: str
    data: Path

    def run(self, video: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
        """`etbgm run` on this server."""
        command = [ETBGM, "run", video, "-o", output, "--gateway", self.address, *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@contextmanager
def serving(data: Path, *options: str, **environment: str) -> Iterator[Chain]:
    """`etbgm serve` with everything in `data`, while the context lasts."""
    command = [ETBGM, "serve", "--listen", "127.0.0.1:0", "--http", "", "--data", data, *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    ) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            found = re.search(r"listens on (\S+);", line)
            assert found, f"etbgm serve did not start: {line}"
            with mock.patch.dict(os.environ, ETBGM_API_KEY_FILE=str(data / "key")):
                yield Chain(found[1], data)
        finally:
            server.terminate()
            server.wait(60)


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """One server for all tests of the pipeline."""
    with serving(tmp_path_factory.mktemp("chain")) as running:
        yield running


@pytest.fixture(scope="session")
def demo_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The video of `make demo`."""
    video = tmp_path_factory.mktemp("demo") / "input.mp4"
    subprocess.run([sys.executable, Path(__file__).with_name("demo_video.py"), video], check=True)
    return video

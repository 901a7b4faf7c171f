"""Services as processes: forked from a template, or as new interpreters."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from etbgm_cli.forks import Forks
from etbgm_cli.processes import Interpreters, Launcher, Process

pytestmark = pytest.mark.process

SERVICE = """
import os, sys
own = os.getsid(0) == os.getpid()
print(__name__, os.environ["GREETING"], os.environ["FOLDER"], own, sys.argv[1:], flush=True)
sys.stdin.read()
sys.exit(int(os.environ["STATUS"]))
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_service.py").write_text(SERVICE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.setenv("FOLDER", "kept")


@pytest_asyncio.fixture(params=[Forks, Interpreters])
async def launcher(request: pytest.FixtureRequest) -> AsyncIterator[Launcher]:
    async with AsyncExitStack() as stack:
        made = request.param()
        yield await stack.enter_async_context(made) if isinstance(made, Forks) else made


async def started(launcher: Launcher, folder: Path, status: int = 0, module: str = "a_service") -> Process:
    with (folder / "log").open("ab") as log:
        return await launcher.start(module, {"GREETING": "hello", "STATUS": str(status)}, log)


def template() -> psutil.Process:
    (found,) = (p for p in psutil.Process().children() if "etbgm_kit.serving.template" in p.cmdline())
    return found


async def logged(folder: Path, lines: int = 1) -> str:
    """The log, when it has so many lines."""
    async with asyncio.timeout(30):
        while (text := (folder / "log").read_text()).count("\n") < lines:
            await asyncio.sleep(0.02)
    return text


async def test_a_module_runs_with_its_settings_until_it_is_asked_to_stop(
    launcher: Launcher, tmp_path: Path
) -> None:
    process = await started(launcher, tmp_path, status=3)
    assert await logged(tmp_path) == "__main__ hello kept True []\n"
    assert process.returncode is None
    process.stop()
    process.stop()
    assert await asyncio.wait_for(process.wait(), 30) == process.returncode == 3


async def test_a_killed_process_tells_its_signal(launcher: Launcher, tmp_path: Path) -> None:
    one, other = await asyncio.gather(started(launcher, tmp_path), started(launcher, tmp_path))
    await logged(tmp_path, 2)
    one.kill()
    assert await asyncio.wait_for(one.wait(), 30) == -signal.SIGKILL
    one.kill()
    assert other.returncode is None
    other.stop()
    assert await asyncio.wait_for(other.wait(), 30) == 0


async def test_a_module_that_fails_says_why_in_the_log(launcher: Launcher, tmp_path: Path) -> None:
    process = await started(launcher, tmp_path, module="no_such_service")
    assert await asyncio.wait_for(process.wait(), 30) == 1
    assert "no_such_service" in (tmp_path / "log").read_text()


async def test_processes_end_with_their_template_and_a_new_one_forks_again(tmp_path: Path) -> None:
    async with Forks() as forks:
        process = await started(forks, tmp_path)
        await logged(tmp_path)
        template().kill()
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
        again = await started(forks, tmp_path)
        await logged(tmp_path, 2)
        again.stop()
        assert await asyncio.wait_for(again.wait(), 30) == 0


async def test_processes_end_with_their_launcher(tmp_path: Path) -> None:
    async with Forks() as forks:
        process = await started(forks, tmp_path)
        await logged(tmp_path)
        left = [template(), *template().children()]
    assert process.returncode == -signal.SIGKILL
    assert len(left) == 2
    assert psutil.wait_procs(left, timeout=30)[1] == []

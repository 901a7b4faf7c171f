"""Runs ffmpeg and ffprobe on untrusted files.

They run as separate processes, so a crash or hang does not affect the server. They are killed
when the caller leaves or the timeout expires.
"""

import json
import logging
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.artifacts.space import FULL
from etbgm_kit.errors import InvalidField
from etbgm_kit.media.waveform import Samples
from etbgm_mixer.media.commands import SAFELY, Command
from etbgm_mixer.types import OnProgress

log = logging.getLogger(__name__)

PIPE_BYTES = 1 << 20
"""Holds 2.7 s of sound, so that ffmpeg works while the next block is computed; Linux's default is 64 kB."""

TAKEN = "MP4, MOV, 3GP, MKV, WebM, AVI, FLV, MPEG-TS, MPEG-PS, Ogg, WMV, MXF and DV"
"""Names of the containers that are read."""


class Unreadable(InvalidField):
    """The video cannot be read."""

    reason = "UNREADABLE_VIDEO"


def program_sha256() -> str:
    """Returns the program's SHA-256: running it for its version takes 0.1 s. Raises RuntimeError."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise RuntimeError("the program ffmpeg is not installed")
    return sha256_of(Path(program))


def inspect(path: Path, timeout_s: float) -> dict[str, Any]:
    """Returns ffprobe's facts about the container and its streams. Raises Unreadable."""
    listing = ("-print_format", "json", "-show_format", "-show_streams")
    command = ["ffprobe", "-v", "error", *SAFELY, *listing, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise Unreadable("video", f"could not be looked at within {timeout_s:.0f} s") from None
    # A crash may truncate the output, so it is parsed only on success.
    facts: dict[str, Any] = {} if done.returncode else json.loads(done.stdout or b"{}")
    if "format" not in facts:
        raise Unreadable("video", f"is no video that can be read; {TAKEN} are")
    return facts


@contextmanager
def _running(command: Command, timeout_s: float, **pipes: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Yields the process; kills it on an exception or after the timeout (TimeoutError)."""
    with subprocess.Popen(command, **pipes) as process:
        expired = threading.Event()

        def end() -> None:
            expired.set()
            process.kill()

        watchdog = threading.Timer(timeout_s, end)
        watchdog.start()
        try:
            yield process
            process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            watchdog.cancel()
        if expired.is_set():
            raise TimeoutError(f"{command[0]} took longer than {timeout_s:.0f} s")


def lines(command: Command, timeout_s: float) -> Generator[str]:
    """Yields the lines that a program prints. If the program fails, they end. Raises TimeoutError."""
    with _running(command, timeout_s, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for line in process.stdout or ():
            yield line.decode(errors="replace").strip()


def rows(command: Command, timeout_s: float) -> Generator[list[str]]:
    """Yields the rows of comma-separated values that a program prints.

    If the program fails, the rows end. Raises TimeoutError.
    """
    for line in lines(command, timeout_s):
        yield line.strip(",").split(",")


def convert(
    command: Command, duration_s: float, on_progress: OnProgress, timeout_s: float, otherwise: str
) -> int:
    """Runs a command of `commands.writing` to completion and reports the completed share of `duration_s`.

    Returns the number of packets of the first video stream that were written.
    Raises Unreadable with the reason `otherwise` if ffmpeg fails (its output is logged),
    OSError if the disk is full, TimeoutError, and any exception of `on_progress`.
    """
    pictures = 0
    with tempfile.TemporaryFile() as said:
        with _running(command, timeout_s, stdout=subprocess.PIPE, stderr=said) as process:
            for line in process.stdout or ():
                name, _, value = line.decode().strip().partition("=")
                if name == "frame" and value.isdigit():
                    pictures = int(value)
                if name == "out_time_us" and value.isdigit():
                    on_progress(min(1.0, int(value) * 1e-6 / duration_s))
        if process.returncode:
            raise _failure(process.returncode, said, otherwise)
    return pictures


def _failure(exit_status: int, said: IO[bytes], otherwise: str) -> Exception:
    said.seek(max(0, said.seek(0, 2) - 500))
    words = said.read().decode(errors="replace")
    log.warning("ffmpeg failed", extra={"exit_status": exit_status, "said": words})
    for number in FULL:
        if os.strerror(number) in words:
            return OSError(number, os.strerror(number))
    return Unreadable("video", otherwise)


@contextmanager
def fed(command: Command, timeout_s: float, otherwise: str) -> Iterator[Callable[[Samples], None]]:
    """Runs a command of `commands.reading`; yields a function that feeds it blocks of (samples, channels).

    The context ends when the command has. Raises Unreadable, OSError and TimeoutError as `convert` does.
    """
    with tempfile.TemporaryFile() as said:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": said}
        with _running(command, timeout_s, pipesize=PIPE_BYTES, **pipes) as process:
            stdin = process.stdin
            assert stdin is not None
            with suppress(BrokenPipeError):  # ffmpeg has ended: its exit status says more
                yield lambda block: _write(stdin, block)
                stdin.close()
        if process.returncode:
            raise _failure(process.returncode, said, otherwise)


def _write(pipe: IO[bytes], block: Samples) -> None:
    pipe.write(np.ascontiguousarray(block, np.float32).data)


def samples(command: Command, channels: int, block: int, timeout_s: float) -> Iterator[Samples]:
    """Yields what `command` writes to its output as float32, in blocks of at most (block, channels)."""
    with _running(command, timeout_s, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        while data := process.stdout.read(4 * channels * block):
            yield np.frombuffer(data, np.float32).reshape(-1, channels)

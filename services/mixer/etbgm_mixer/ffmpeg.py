"""Runs ffmpeg and ffprobe on untrusted files.

They run as separate processes, so a crash or hang does not affect the server. They read
only local files in known containers (a playlist must not open other files). They are
killed when the caller leaves or the timeout expires.
"""

import json
import logging
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.artifacts.space import FULL
from etbgm_kit.errors import InvalidField
from etbgm_kit.media.waveform import Samples
from etbgm_mixer.types import OnProgress

log = logging.getLogger(__name__)

Command = list[str | Path]

CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "flv", "mpegts", "mpeg", "ogg", "asf", "mpegvideo",
)  # fmt: skip
"""Allowed demuxers, by ffmpeg's names."""

SAFELY = ("-protocol_whitelist", "file,pipe", "-format_whitelist", ",".join(CONTAINERS))
"""Options that precede every untrusted input."""


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
    command: Command = [
        "ffprobe",
        "-v",
        "error",
        *SAFELY,
        "-print_format",
        "json",
        "-show_format",
        "-show_streams",
        path,
    ]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise Unreadable("video", f"could not be looked at within {timeout_s:.0f} s") from None
    # A crash may truncate the output, so it is parsed only on success.
    facts: dict[str, Any] = {} if done.returncode else json.loads(done.stdout or b"{}")
    if "format" not in facts:
        raise Unreadable("video", "is no video that can be read")
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


def rows(command: Command, timeout_s: float) -> Generator[list[str]]:
    """Yields the rows of comma-separated values that a program prints.

    If the program fails, the rows end. Raises TimeoutError.
    """
    with _running(command, timeout_s, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for line in process.stdout or ():
            yield line.decode(errors="replace").strip().strip(",").split(",")


def convert(
    arguments: Command, duration_s: float, on_progress: OnProgress, timeout_s: float, otherwise: str
) -> None:
    """Runs ffmpeg to completion and reports the completed share of `duration_s`.

    Raises Unreadable with the reason `otherwise` if ffmpeg fails (its output is logged),
    OSError if the disk is full, TimeoutError, and any exception of `on_progress`.
    """
    command: Command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-progress", "pipe:1", *arguments]
    with tempfile.TemporaryFile() as said:
        with _running(command, timeout_s, stdout=subprocess.PIPE, stderr=said) as process:
            for line in process.stdout or ():
                name, _, value = line.decode().strip().partition("=")
                if name == "out_time_us" and value.isdigit():
                    on_progress(min(1.0, int(value) * 1e-6 / duration_s))
        if process.returncode:
            said.seek(max(0, said.seek(0, 2) - 500))
            words = said.read().decode(errors="replace")
            log.warning("ffmpeg failed", extra={"exit_status": process.returncode, "said": words})
            for number in FULL:
                if os.strerror(number) in words:
                    raise OSError(number, os.strerror(number))
            raise Unreadable("video", otherwise)


def samples(media: Path, channels: int, sample_rate_hz: int, timeout_s: float) -> Iterator[Samples]:
    """Yields the decoded sound of a trusted file in blocks of about 1 s, (samples, channels) float32."""
    command: Command = ["ffmpeg", "-nostdin", "-v", "error", "-i", media, "-map", "a:0"]
    command = [*command, "-ac", str(channels), "-ar", str(sample_rate_hz), "-f", "f32le", "pipe:1"]
    with _running(command, timeout_s, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        while data := process.stdout.read(4 * channels * sample_rate_hz):
            yield np.frombuffer(data, np.float32).reshape(-1, channels)

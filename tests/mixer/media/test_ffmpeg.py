"""Programs end when time is up or nobody waits for them any more."""

import subprocess
import time
from pathlib import Path

import psutil
import pytest

from etbgm_kit.errors import CallCancelled
from etbgm_mixer.media import commands, ffmpeg

pytestmark = pytest.mark.process

ENDLESS = [
    "ffmpeg",
    "-nostdin",
    "-v",
    "error",
    "-progress",
    "pipe:1",
    "-f",
    "lavfi",
    "-i",
    "sine=440",
    "-f",
    "null",
    "-",
]


def children() -> list[str]:
    return [child.name() for child in psutil.Process().children(recursive=True)]


def test_time_is_up() -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        ffmpeg.convert(ENDLESS, 10, lambda _: None, 1.0, "")
    assert time.monotonic() - started < 5
    assert "ffmpeg" not in children()


def test_a_program_that_says_nothing_is_ended_too() -> None:
    with pytest.raises(TimeoutError):
        list(ffmpeg.rows(["sleep", "30"], 0.5))
    assert "sleep" not in children()


def test_cancelling_ends_the_program() -> None:
    def report(_share: float) -> None:
        raise CallCancelled

    with pytest.raises(CallCancelled):
        ffmpeg.convert(ENDLESS, 10, report, 30, "")
    assert "ffmpeg" not in children()


def test_failures_give_the_reason_and_log_the_rest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = commands.source(tmp_path / "missing.mp4")
    command = commands.writing([source], tmp_path / "out.mp4", {})
    with pytest.raises(ffmpeg.Unreadable, match="video: is odd") as caught:
        ffmpeg.convert(command, 1, lambda _: None, 10, "is odd")
    assert caught.value.facts == {}
    assert "No such file" in caplog.records[0].said


def test_sound_comes_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=2.5:r=48000", path], check=True)
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "2", "-f", "f32le", "pipe:1"]
    lengths = [len(block) for block in ffmpeg.samples(command, 2, 48000, 10)]
    assert lengths == [48000, 48000, 24000]


def test_a_probe_that_crashes_midway_says_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffprobe"
    program.write_text("#!/bin/sh\nprintf '{ \"streams\": ['\nkill -SEGV $$\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ffmpeg.Unreadable, match="is no video"):
        ffmpeg.inspect(tmp_path / "a.mp4", 5.0)

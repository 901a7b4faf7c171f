"""Programs end when time is up or nobody waits for them any more."""

import subprocess
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

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


def test_blocks_become_a_file(tmp_path: Path) -> None:
    """As the same sound from a file does, sample for sample."""
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, (100_000, 2)).astype(np.float32)
    path, expected = tmp_path / "fed.wav", tmp_path / "file.wav"
    with ffmpeg.fed(commands.reading(2, 48000, path, {"c:a": "pcm_f32le"}), 10, "") as feed:
        for first in range(0, len(sound), 30_000):
            feed(sound[first : first + 30_000])
    soundfile.write(expected, sound, 48000, "FLOAT")
    np.testing.assert_array_equal(soundfile.read(path)[0], soundfile.read(expected)[0])


def test_a_coder_that_fails_midway_gives_the_reason() -> None:
    command = ["sh", "-c", "head -c 9 > /dev/null; echo No space left on device >&2; exit 1"]
    with pytest.raises(OSError, match="No space left"), ffmpeg.fed(command, 10, "is odd") as feed:
        for _ in range(100):
            feed(np.zeros((10_000, 2), np.float32))


@pytest.mark.parametrize("seconds", [0.5, 30.0])
def test_a_coder_ends_when_time_is_up_or_nobody_feeds_it(seconds: float) -> None:
    with (
        pytest.raises((TimeoutError, CallCancelled)),
        ffmpeg.fed(["sleep", "40"], seconds, "") as feed,
    ):
        if seconds > 1:
            raise CallCancelled
        while True:
            feed(np.zeros((10_000, 2), np.float32))
    assert "sleep" not in children()

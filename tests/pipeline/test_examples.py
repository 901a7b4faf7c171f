"""The programs in examples/ do what they say, against a real server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.conftest import Chain

pytestmark = pytest.mark.drill

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, EXAMPLES / name, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, **environment}
    )


def test_one_video(chain: Chain, demo_video: Path, tmp_path: Path) -> None:
    done = run("add_music.py", demo_video, tmp_path / "out", chain.address)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "MIX"
    assert {"variant-1.mp4", "variant-2.mp4", "report.json"} <= {p.name for p in (tmp_path / "out").iterdir()}


def test_several_videos_of_which_one_is_broken(chain: Chain, demo_video: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_text("not a video")
    videos = demo_video, tmp_path / "broken.mp4"
    done = run("add_music_to_many.py", tmp_path / "out", *videos, ETBGM_GATEWAY=chain.address)
    assert done.returncode == 0, done.stderr
    failed, succeeded = sorted(done.stdout.splitlines())
    assert failed.startswith("broken.mp4: failed (INVALID_ARGUMENT): ")
    assert succeeded == f"{demo_video.name}: finished, see {tmp_path}/out/{demo_video.stem}"
    assert (tmp_path / "out" / demo_video.stem / "variant-1.mp4").stat().st_size > 0

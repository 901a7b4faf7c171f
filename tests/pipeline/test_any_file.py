"""Whatever is given: a finished job, or a clear refusal within 20 s, and nothing left behind."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.pipeline import measure
from tests.pipeline.conftest import Chain

pytestmark = pytest.mark.drill

LIMIT_S = 20.0
NO_DATA = pytest.param(
    Path("none"), marks=pytest.mark.skip("ETBGM_TEST_DATA is not set: the folder with real media is not here")
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per file where the data are, else one that is skipped."""
    root = os.environ.get("ETBGM_TEST_DATA")
    for folder in ("video/real", "broken"):
        name = folder.replace("/", "_").removeprefix("video_")
        if name in metafunc.fixturenames:
            files = sorted((Path(root) / folder).iterdir()) if root else [NO_DATA]
            metafunc.parametrize(name, files, ids=lambda path: path.name)


def is_turned(video: Path) -> bool:
    command = ["ffprobe", "-v", "error", "-show_entries", "stream_side_data=rotation", "-of", "csv=p=0"]
    return bool(subprocess.run([*command, video], capture_output=True, check=False).stdout.strip())


def check(chain: Chain, video: Path, folder: Path) -> bool:
    """Runs the job; True when it succeeded, False when it was refused as it should be."""
    # Matroska takes any picture, but ffmpeg cannot store a rotation in it.
    output = folder / ("out.mp4" if is_turned(video) else "out.mkv")
    started = time.monotonic()
    done = chain.run(video, output, "--variants", "1")
    took_s = time.monotonic() - started
    assert "Traceback" not in done.stdout + done.stderr
    if done.returncode == 0:
        assert measure.packets(output)
        assert len(measure.sound(output)) > 0
        return True
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: video: ")
    assert took_s < LIMIT_S
    assert list(folder.iterdir()) == []
    return False


def test_real_videos(chain: Chain, real: Path, tmp_path: Path) -> None:
    succeeded = check(chain, real, tmp_path)
    has_picture = bool(measure.packets(real))
    assert succeeded == has_picture


def test_broken_files(chain: Chain, broken: Path, tmp_path: Path) -> None:
    check(chain, broken, tmp_path)

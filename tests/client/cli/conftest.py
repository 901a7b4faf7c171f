"""What the tests of the command share."""

from pathlib import Path

import pytest


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A file that the fake gateway takes for a video."""
    video = tmp_path / "v.mp4"
    video.write_bytes(b"film")
    return video

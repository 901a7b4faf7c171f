"""`etbgm compose` checks its folder before it starts a service."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.client.cli.finishing import etbgm, files

TIMELINE = '{"duration": "60s", "spans": [{"span": {"start": "0s", "end": "60s"}, "emotion": "EMOTION_JOY"}]}'


@pytest.fixture
def timeline(tmp_path: Path) -> Path:
    path = tmp_path / "result/timeline.json"
    path.parent.mkdir()
    path.write_text(TIMELINE)
    return path


def test_a_timeline_is_not_written_over(timeline: Path) -> None:
    result = etbgm("compose", timeline, "-o", timeline.parent)
    assert result.exit_code == 2
    assert f"the input {timeline} lies in {timeline.parent}, which gets the result" in result.stderr


def test_a_folder_that_is_not_ours_is_refused(timeline: Path, tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music/mine.flac").write_bytes(b"mine")
    result = etbgm("compose", timeline, "-o", tmp_path / "music")
    assert result.exit_code == 2
    assert "music is not empty and not a result of etbgm" in result.stderr
    assert files(tmp_path / "music") == {"mine.flac": b"mine"}


def test_a_full_disk_is_refused(timeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    result = etbgm("compose", timeline, "-o", tmp_path / "music", "--stems", "--variants", "2")
    assert result.exit_code == 1
    assert "about 84.0 MB are needed, but 1.0 MB are free; free space on its disk" in result.stderr

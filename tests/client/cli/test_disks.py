"""`etbgm run` on disks that cannot take the result."""

from pathlib import Path

import pytest

from etbgm_cli import requests
from tests.client.cli.finishing import FinishingGateway, etbgm, files, refused, run

pytestmark = pytest.mark.process


def test_a_read_only_disk_is_refused_before_the_upload(video: Path, read_only_disk: Path) -> None:
    said = refused(video, "-o", read_only_disk / "new/out.mp4")
    assert f"cannot write to {read_only_disk}: " in said
    assert "choose another place with -o" in said


def test_a_small_disk_is_refused_before_the_upload(video: Path, tiny_disk: Path) -> None:
    result = etbgm("run", video, "-o", tiny_disk / "out.mp4", "--gateway", "127.0.0.1:1")
    assert result.exit_code == 1
    assert f"error: {tiny_disk}: about 33.6 MB are needed, but" in result.stderr


def test_a_disk_that_runs_full_keeps_the_earlier_result(
    video: Path, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "SOUND_BYTES", 0)
    assert run(video, "-o", tiny_disk / "out.mp4").exit_code == 0
    before = files(tiny_disk)
    result = run(video, "-o", tiny_disk / "out.mp4", gateway=FinishingGateway(blocks=2))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: no space is left in {tiny_disk}")
    assert "free space on its disk, or choose another folder" in result.stderr
    assert files(tiny_disk) == before

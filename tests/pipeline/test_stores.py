"""The main job with its jobs in PostgreSQL and its artifacts in S3, on the real services."""

import json
from pathlib import Path

import pytest

from tests.pipeline import measure
from tests.pipeline.conftest import serving

pytestmark = pytest.mark.drill


def check(output: Path, video: Path) -> None:
    """The job's result is whole."""
    assert [packet[-1] for packet in measure.packets(output)] == [
        packet[-1] for packet in measure.packets(video)
    ]
    assert measure.loudness_lufs(measure.sound(output)) == pytest.approx(-14, abs=0.5)
    timeline = json.loads((output.with_suffix("") / "timeline.json").read_text())["timeline"]
    assert len(timeline["spans"]) >= 3


def test_jobs_in_postgresql(demo_video: Path, postgresql_url: str, tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--job-store-url", postgresql_url) as chain:
        done = chain.run(demo_video, tmp_path / "out.mp4", "--variants", "1")
    assert done.returncode == 0, done.stderr
    check(tmp_path / "out.mp4", demo_video)
    assert not (tmp_path / "data/jobs.sqlite").exists()


def test_artifacts_in_s3(demo_video: Path, s3_environment: dict[str, str], tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--store-url", "s3://artifacts/etbgm", **s3_environment) as chain:
        done = chain.run(demo_video, tmp_path / "out.mp4", "--variants", "1")
    assert done.returncode == 0, done.stderr
    check(tmp_path / "out.mp4", demo_video)
    assert not (tmp_path / "data/store").exists()

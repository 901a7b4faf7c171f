"""Every real video keeps its pictures."""

from pathlib import Path

import pytest

from etbgm_mixer.media import clock, containers, mux
from etbgm_mixer.media.ffmpeg import Unreadable
from etbgm_mixer.media.probe import Limits
from tests.mixer.conftest import noise, write
from tests.pipeline import measure

pytestmark = pytest.mark.drill


def test_all_real_videos_keep_their_pictures(test_data: Path, tmp_path: Path, limits: Limits) -> None:
    """Sound is left aside, as the mixdown is short; what has no picture is refused."""
    for file in sorted([*(test_data / "video/real").iterdir(), *(test_data / "field").glob("*.m*")]):
        try:
            path, facts = clock.steady_facts(file, tmp_path, limits)
        except Unreadable as refused:
            assert "no moving picture" in str(refused) or "limit" in str(refused), file.name
            continue
        container = containers.choose(facts, None)
        mixdown = write(tmp_path / "mix.flac", noise(1))
        output = tmp_path / f"result.{container}"
        mux.mux(path, facts, mixdown, container, output, lambda _: None, 60)
        assert len(measure.packets(output)) == facts.video.packets > 0, file.name

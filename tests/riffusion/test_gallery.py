"""The gallery: all that its page shows is there."""

import re
from pathlib import Path

import pytest
import soundfile

from etbgm_kit.types import Emotion
from tests.riffusion.bench.gallery import write


def test_the_page_plays_and_draws_every_emotion_in_every_style(tmp_path: Path) -> None:
    write(tmp_path, [Emotion.JOY, Emotion.FEAR], ["pop", "jazz"], seed=3, seconds=4.0)
    page = (tmp_path / "index.html").read_text()
    shown = re.findall(r'src="([^"]+)"', page)
    assert len(shown) == len(set(shown)) == 8
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", *shown}
    for name in (name for name in shown if name.endswith(".mp3")):
        assert soundfile.info(tmp_path / name).duration == pytest.approx(4, abs=0.1)

"""Captions of real files: used if they say something that can be read, else the speech is recognised."""

import json
import re
from pathlib import Path

import pytest

from tests.pipeline.conftest import Chain

pytestmark = pytest.mark.drill

ANGRY = "I am so angry about this, it makes me furious I hate this, it is an outrage"
LOVE = "I love this so much really What a wonderful day"


def words(srt: Path) -> str:
    """The text of a transcript without numbers and times."""
    lines = srt.read_text().splitlines()
    return " ".join(line for line in lines if line and not line.isdigit() and "-->" not in line)


@pytest.mark.parametrize(
    ("name", "captions", "said", "noted"),
    [
        ("twosubs.mkv", None, ANGRY, "replaced speech recognition"),
        ("assdraw.mkv", None, LOVE, "replaced speech recognition"),
        ("emptysub.mp4", None, None, "subtitles in the video contain no words"),
        ("rot90.mp4", "blankcap.srt", None, "given captions contain no words"),
    ],
)
def test_captions_of_real_files(
    chain: Chain,
    test_data: Path,
    tmp_path: Path,
    name: str,
    captions: str | None,
    said: str | None,
    noted: str,
) -> None:
    field = test_data / "field"
    options = ("--captions", str(field / captions)) if captions else ()
    done = chain.run(field / name, tmp_path / "out.mp4", "--variants", "1", *options)
    assert done.returncode == 0, done.stderr
    transcript = words(tmp_path / "out" / "transcript.srt")
    notes = json.loads((tmp_path / "out" / "report.json").read_text())["notes"]
    assert any(noted in note for note in notes)
    if said:
        assert transcript == said
    else:
        assert len(re.findall(r"\w+", transcript)) > 5

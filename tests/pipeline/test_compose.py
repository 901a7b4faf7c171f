"""`etbgm compose` as a new user meets it."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.pipeline import measure
from tests.pipeline.conftest import ETBGM, serving

pytestmark = pytest.mark.drill

TIMELINE = {
    "duration": "12s",
    "spans": [
        {"span": {"start": "0s", "end": "6.5s"}, "emotion": "EMOTION_JOY", "probability": 0.9},
        {"span": {"start": "6.5s", "end": "12s"}, "emotion": "EMOTION_SADNESS", "probability": 0.8},
    ],
}
FILES = ["music.flac", "music.mid", "pianoroll.png", "report.json"]


def compose(folder: Path, document: object, *options: str) -> "subprocess.CompletedProcess[str]":
    (folder / "timeline.json").write_text(json.dumps(document))
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    command = [ETBGM, "compose", folder / "timeline.json", "-o", folder / "music", *options]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_compose_writes_sound_score_picture_and_stems(tmp_path: Path) -> None:
    (tmp_path / "speech.json").write_text(json.dumps([{"start": "2s", "end": "4.25s"}]))
    options = ("--style", "calm piano", "--seed", "5", "--variants", "2", "--stems")
    done = compose(tmp_path, TIMELINE, *options, "--speech", str(tmp_path / "speech.json"))
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert "note:" not in done.stdout
    for number in (1, 2):
        folder = tmp_path / f"music/variant-{number}"
        assert sorted(path.name for path in folder.iterdir()) == [*FILES, "stems"]
        music = measure.stem(folder / "music.flac")
        assert len(music) == 12 * measure.SAMPLE_RATE_HZ
        stems = [measure.stem(path) for path in (folder / "stems").iterdir()]
        assert np.std(np.sum(stems, axis=0) - music) < 1e-3 * np.std(music)
        report = json.loads((folder / "report.json").read_text())
        assert report["random_seed"] == 4 + number
        assert [section["emotion"] for section in report["sections"]] == ["EMOTION_JOY", "EMOTION_SADNESS"]
        assert report["sections"][1]["span"]["start"] == "6.500s"
        assert (folder / "music.mid").read_bytes().startswith(b"MThd")
        assert (folder / "pianoroll.png").read_bytes().startswith(b"\x89PNG")


def test_compose_uses_a_given_service(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as chain:
        address = f"unix:{chain.data}/riffusion.sock"
        store_url = (chain.data / "store").resolve().as_uri()
        options = ("--variants", "1", "--riffusion", address, "--store-url", store_url)
        done = compose(tmp_path, {"timeline": TIMELINE}, *options)
    assert done.returncode == 0, done.stderr
    assert soundfile.info(tmp_path / "music/variant-1/music.flac").frames == 12 * measure.SAMPLE_RATE_HZ
    assert not (tmp_path / "cache").exists()


def changed(number: int, **fields: object) -> dict[str, object]:
    spans = [{**old, **(fields if i == number else {})} for i, old in enumerate(TIMELINE["spans"])]
    return {**TIMELINE, "spans": spans}


@pytest.mark.parametrize(
    ("document", "options", "says"),
    [
        ("no timeline", [], "timeline: timeline.json is not an emotion timeline"),
        (changed(0, emotion="HAPPY"), [], "spans[0].emotion"),
        (changed(1, probability=2), [], "timeline.spans[1].probability: must be in [0, 1]"),
        (changed(1, span={"start": "7s", "end": "12s"}), [], "timeline.spans[1]: must start at 6.5"),
        (TIMELINE, ["--style", "calm didgeridoo"], 'style: does not know "didgeridoo"'),
        (TIMELINE, ["--variants", "0"], "variants: must be in [1, 8]"),
        (TIMELINE, ["--seed", "-1"], "seed: must be in [0, "),
        (TIMELINE, ["--speech", "nowhere.json"], "speech: no such file: nowhere.json"),
        (TIMELINE, ["--riffusion", "127.0.0.1:1"], "store-url: must be the artifact store of that service"),
    ],
)
def test_bad_commissions_are_one_clear_line(
    tmp_path: Path, document: object, options: list[str], says: str
) -> None:
    done = compose(tmp_path, document, *options)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "music").exists()

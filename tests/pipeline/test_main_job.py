"""The main job on real vlogs, measured against their ground truth."""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.pipeline import measure
from tests.pipeline.conftest import Chain

pytestmark = pytest.mark.drill

VLOGS = ("vlog_o1_lj_music.mp4", "vlog_o2_vertical_noise.mov", "vlog_o3_multi_vfr_loudmusic.mkv")
MARGIN_S = 0.4
"""Kept away from the edges of speech when pauses are measured: reverberation and ramps."""


@dataclass(frozen=True)
class Finished:
    """A vlog, what is known of it, and what came out."""

    video: Path
    output: Path
    folder: Path
    speech: Path
    background: Path
    spans: list[tuple[float, float]]
    pauses: list[tuple[float, float]]
    report: dict


@pytest.fixture(scope="module", params=VLOGS)
def finished(
    request: pytest.FixtureRequest, chain: Chain, test_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Finished:
    video = test_data / "vlog" / request.param
    output = tmp_path_factory.mktemp(video.stem) / f"out{video.suffix}"
    done = chain.run(video, output, "--variants", "1")
    assert done.returncode == 0, done.stderr
    truth = json.loads(video.with_suffix(".json").read_text())
    spans = [(phrase["speech_start"], phrase["speech_end"]) for phrase in truth["phrases"]]
    pauses = [
        (a[1] + MARGIN_S, b[0] - MARGIN_S)
        for a, b in itertools.pairwise(spans)
        if b[0] - a[1] > 2 * MARGIN_S + 0.2
    ]
    return Finished(
        video, output, output.with_suffix(""), video.with_suffix(".speech.flac"),
        video.with_suffix(".background.flac"), spans, pauses,
        json.loads((output.with_suffix("") / "report.json").read_text()),
    )  # fmt: skip


def test_the_picture_is_copied(finished: Finished) -> None:
    before, after = measure.packets(finished.video), measure.packets(finished.output)
    assert [hash_ for *_, hash_ in after] == [hash_ for *_, hash_ in before]
    first = float(before[0][0]) - float(after[0][0])
    for one, other in zip(before, after, strict=True):
        assert float(one[0]) - float(other[0]) == pytest.approx(first, abs=0.0015)


def test_the_duration_is_kept_within_a_frame(finished: Finished) -> None:
    assert measure.duration_s(finished.output) == pytest.approx(measure.duration_s(finished.video), abs=0.04)


def test_speech_is_in_sync(finished: Finished) -> None:
    truth = measure.stem(finished.speech)
    assert abs(measure.lag_s(measure.stem(finished.folder / "speech.flac"), truth)) < 0.005
    assert abs(measure.lag_s(measure.sound(finished.output), truth)) < 0.005


def test_loudness_and_true_peak(finished: Finished) -> None:
    mixdown = measure.sound(finished.output)
    assert measure.loudness_lufs(mixdown) == pytest.approx(-14, abs=0.5)
    assert measure.true_peak_dbtp(mixdown) <= -1


def test_speech_stands_over_the_music(finished: Finished) -> None:
    music = measure.stem(finished.folder / "variant-1.music.flac")
    mixdown = measure.sound(finished.output)
    length = min(len(music), len(mixdown))
    speech = mixdown[:length] - music[:length]
    over = measure.loudness_lufs(measure.within(speech, finished.spans)) - measure.loudness_lufs(
        measure.within(music, finished.spans)
    )
    assert over >= 11


def test_music_stays_below_speech_in_the_pauses(finished: Finished) -> None:
    music = measure.stem(finished.folder / "variant-1.music.flac")
    mixdown = measure.sound(finished.output)[: len(music)]
    speech_lufs = measure.loudness_lufs(measure.within(mixdown - music[: len(mixdown)], finished.spans))
    momentary_lufs = measure.momentary_lufs(finished.folder / "variant-1.music.flac")
    ends_s = 0.1 * np.arange(1, len(momentary_lufs) + 1)
    in_pauses = [
        momentary_lufs[(start_s <= ends_s) & (ends_s <= end_s)] for start_s, end_s in finished.pauses
    ]
    assert np.max(np.concatenate(in_pauses)) <= speech_lufs - 4


def test_music_rises_little_in_short_pauses(finished: Finished) -> None:
    music = measure.stem(finished.folder / "variant-1.music.flac")
    lift_db = measure.level_db(measure.within(music, finished.pauses)) - measure.level_db(
        measure.within(music, finished.spans)
    )
    assert -1 <= lift_db <= 3, "no pause of these videos is longer than 2.1 s"


def test_the_original_background_is_gone_from_the_pauses(finished: Finished) -> None:
    speech = measure.stem(finished.folder / "speech.flac")
    background = measure.stem(finished.background)
    left = measure.level_db(measure.within(speech, finished.pauses))
    before = measure.level_db(measure.within(background, finished.pauses))
    assert before - left >= 40


def test_the_music_changes_with_the_emotion(finished: Finished) -> None:
    assert finished.report["variants"][0]["boundary_error_s"] <= 0.02


def test_no_clicks_where_gains_and_emotions_change(finished: Finished) -> None:
    music = measure.stem(finished.folder / "variant-1.music.flac")
    sections = finished.report["variants"][0]["sections"]
    joins = [float(section["span"]["start"].removesuffix("s")) for section in sections[1:]]
    anywhere = measure.largest_step(music)
    assert all(measure.largest_step(music, at_s) <= anywhere for at_s in joins)

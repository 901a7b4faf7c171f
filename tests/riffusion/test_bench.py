"""What measures the music, on sounds whose answer is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.midi import to_midi
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.dataset import features
from tests.riffusion.bench import emotions, timelines, variety
from tests.riffusion.bench.pieces import piece_of
from tests.riffusion.bench.table import share

RATE_HZ = features.RATE_HZ


def tones(*pitches: float, length_s: float = 2.0, partials: int = 4) -> NDArray[np.float32]:
    """Tones with partials 1, 1/2, 1/3 … together."""
    time_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    waves = [
        np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * number * time_s) / number
        for pitch in pitches
        for number in range(1, partials + 1)
    ]
    return (0.1 * np.sum(waves, axis=0)).astype(np.float32)


@pytest.mark.parametrize(
    ("chords", "tonic", "mode"),
    [
        (((60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67)), 0, "major"),
        (((57, 60, 64), (62, 65, 69), (64, 68, 71), (57, 60, 64)), 9, "minor"),
    ],
)
def test_a_cadence_tells_its_key(chords: tuple[tuple[int, ...], ...], tonic: int, mode: str) -> None:
    sound = np.concatenate([tones(*chord) for chord in chords])
    found = features.key(features.chroma(sound).mean(axis=1))
    assert found[:2] == (tonic, mode)
    assert (found[2] > 0) == (mode == "major")


@pytest.mark.parametrize("bpm", [72.0, 97.0, 133.0])
def test_clicks_tell_their_tempo(bpm: float) -> None:
    chance = np.random.default_rng(1)
    sound = 0.001 * chance.standard_normal(30 * RATE_HZ).astype(np.float32)
    for beat in np.arange(0.5, 29, 60 / bpm):
        start = round(beat * RATE_HZ)
        sound[start : start + 400] += 0.5 * chance.standard_normal(400) * np.exp(-np.arange(400) / 80)
    envelope = features.onset_strength(features.spectrogram(sound))
    ratio = features.tempo_bpm(envelope) / bpm
    assert min(abs(ratio / octave - 1) for octave in (0.5, 1, 2)) < 0.01
    assert features.onsets_per_s(envelope) == pytest.approx(bpm / 60, rel=0.1)


def test_neighbouring_semitones_are_rough_and_octaves_are_not() -> None:
    rough, smooth = features.roughness(tones(60, 61)), features.roughness(tones(60, 72))
    assert rough > 3 * smooth


def test_register_is_that_of_the_tones_not_of_their_overtones() -> None:
    assert features.register(tones(55, partials=8)) == pytest.approx(55, abs=3)
    assert features.register(tones(79, partials=8)) == pytest.approx(79, abs=3)


def test_a_change_of_chord_is_a_novelty_peak() -> None:
    sound = np.concatenate([tones(57, 60, 64, length_s=5), tones(61, 66, 70, length_s=5, partials=8)])
    curve = timelines.novelty(sound)
    found = timelines.peaks(curve)
    assert found[np.argmax(curve[found])] * timelines.HOP / RATE_HZ == pytest.approx(5, abs=0.05)


def test_bar_lines_follow_meters_and_tempo_changes() -> None:
    score = compose(piece_of(Emotion.JOY, 4, 40.0))
    lines_s = list(timelines.bar_lines_s(to_midi(score)))
    assert lines_s[: len(score.bars)] == pytest.approx([bar.start_s for bar in score.bars], abs=2e-3)


@pytest.mark.parametrize("style", STYLES)
def test_players_hide_no_repeat(style: str) -> None:
    """What is compared must find a bar again in another performance of it."""
    piece = piece_of(Emotion.JOY, 1, 40.0, style)
    one, other = compose(piece), compose(piece, performance_seed=7)
    found = [
        variety.same(variety.written(one, bar), variety.written(other, again))
        for bar, again in zip(one.bars, other.bars, strict=True)
    ]
    assert sum(found) >= 0.95 * len(found)


def test_another_rhythm_is_no_repeat() -> None:
    assert variety.same(((0, 60, 1.0), (0, 62, 1.5)), ((0, 60, 1.05), (0, 62, 1.45)))
    assert not variety.same(((0, 60, 1.0), (0, 62, 1.5)), ((0, 60, 1.0), (0, 62, 1.75)))
    assert not variety.same(((0, 60, 1.0),), ((0, 61, 1.0),))


def test_what_repeats_is_similar_to_itself() -> None:
    chance = np.random.default_rng(2)
    melody = [int(pitch) for pitch in chance.integers(57, 75, 96)]
    beat_s = 0.25
    alike = np.concatenate([tones(pitch, length_s=beat_s) for pitch in melody[:32] * 3])
    other = np.concatenate([tones(pitch, length_s=beat_s) for pitch in melody])
    assert variety.similarity(alike, 240.0) > 0.3 + variety.similarity(other, 240.0)


def test_a_share_counts_what_is_wrong() -> None:
    assert share("all", 4, ["one"], 0.75) == ("all (4)", 0.75, "≥ 75%", True, ["one"])
    assert not share("none", 0, [], 0.5).met


def test_each_side_is_judged_against_the_neutral_piece_of_the_same_random_seed() -> None:
    measured = [
        emotions.Measured(piece_of(emotion, seed, 30.0), 100.0, True, heard(emotion, seed))
        for emotion in Emotion
        for seed in range(8)
    ]
    found = {claim.name: claim for claim in emotions.claims(measured)}
    assert found["sadness: onset rate below neutral (8)"].value == 1
    assert found["fear: onset rate above neutral (8)"].value == 0
    assert not found["fear: onset rate above neutral (8)"].met
    assert found["loudness of the emotions apart"].value == pytest.approx(6)
    assert found["loudness of the styles apart"].value == pytest.approx(7)


def heard(emotion: Emotion, seed: int) -> dict[str, float]:
    """Sadness is slow and soft; everything else is alike, and louder with the random seed."""
    sad = emotion is Emotion.SADNESS
    names = ("tempo", "centroid", "register", "mode", "roughness", "minor", "key")
    return dict.fromkeys(names, 1.0) | {"onset rate": seed - sad, "loudness": seed - 6.0 * sad}

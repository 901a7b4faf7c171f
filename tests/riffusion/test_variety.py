"""What the random seed and the style change."""

import itertools
from collections import Counter
from collections.abc import Callable

import pytest

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.bands import BANDS, ROLES, SEATS
from etbgm_riffusion.composer.chance import turn
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.grooves import DRUMS, HEAVY, fills_of, grooves_of
from etbgm_riffusion.composer.idioms import IDIOMS
from etbgm_riffusion.composer.motif import make_motif
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.composer.textures import TEXTURES, texture_of
from etbgm_riffusion.types import Piece

pytestmark = pytest.mark.process

MakePiece = Callable[..., Piece]

KITS = sorted({style.kit for style in STYLES.values()})


def lead_intervals(score: Score) -> list[int]:
    channels = {voice.channel for voice in score.voices if voice.role == "lead"}
    pitches = [note.pitch for note in score.notes if note.channel in channels]
    return [b - a for a, b in itertools.pairwise(pitches)]


def roots(score: Score) -> list[int]:
    return [bar.chord.root for bar in score.bars]


def shared(one: list[int], other: list[int]) -> float:
    same = [a == b for a, b in zip(one, other, strict=False)]
    return sum(same) / len(same)


def transposed(one: list[int], other: list[int]) -> float:
    """Share of equal roots at the transposition where most are."""
    moves = Counter((a - b) % 12 for a, b in zip(one, other, strict=False))
    return moves.most_common(1)[0][1] / min(len(one), len(other))


@pytest.mark.parametrize("emotion", Emotion)
def test_other_styles_have_other_melodies_and_chords(make_piece: MakePiece, emotion: Emotion) -> None:
    intervals, chords = [], []
    for random_seed in range(4):
        pieces = [
            compose(make_piece(0, 48, emotions=(emotion,), style=style, random_seed=random_seed))
            for style in STYLES
        ]
        pairs = [(a, b) for a, b in itertools.combinations(pieces, 2) if a.bars[0].beats == b.bars[0].beats]
        intervals += [shared(lead_intervals(a), lead_intervals(b)) for a, b in pairs]
        chords += [transposed(roots(a), roots(b)) for a, b in pairs]
    assert sum(intervals) / len(intervals) <= 0.4
    assert sum(chords) / len(chords) <= 0.6


@pytest.mark.parametrize("style", STYLES)
def test_the_random_seed_changes_sounds_texture_groove_and_tempo(make_piece: MakePiece, style: str) -> None:
    pieces = [
        compose(make_piece(0, 30, emotions=(Emotion.JOY,), style=style, random_seed=random_seed))
        for random_seed in range(8)
    ]
    bands = {
        tuple(v.programme for v in score.voices if v.channel in {n.channel for n in score.notes})
        for score in pieces
    }
    assert len(bands) >= 4
    assert len({round(score.sections[0].tempo_bpm) for score in pieces}) >= 3
    drums = [frozenset(n.pitch for n in score.notes if n.channel == 9) for score in pieces]
    assert len(set(drums)) >= 4


def test_neighbouring_random_seeds_take_turns() -> None:
    for first in range(0, 60, 4):
        assert len({turn(first + i, 4, "any") for i in range(4)}) == 4
    assert len({texture_of(random_seed).name for random_seed in range(len(TEXTURES))}) == len(TEXTURES)
    together = Counter((turn(seed, 4, "one"), turn(seed, 4, "other")) for seed in range(0, 64 * 200, 64))
    assert len(together) == 16


@pytest.mark.parametrize("kit", KITS)
@pytest.mark.parametrize("drive", [1, 2, 3, HEAVY])
def test_every_kit_has_six_grooves_for_every_drive(kit: str, drive: int | str) -> None:
    grooves = grooves_of(kit, drive)
    assert len(set(grooves)) == len(grooves) >= 6
    for stroke in itertools.chain.from_iterable(itertools.chain.from_iterable(grooves)):
        assert stroke.drum in DRUMS or stroke.drum in ("timp", "timp5")
        assert 0 <= stroke.beat < 4


@pytest.mark.parametrize("kit", KITS)
def test_every_kit_has_fills_of_a_beat_or_two(kit: str) -> None:
    fills = fills_of(kit)
    assert len({fill for fill, _ in fills}) == len(fills) >= 4
    assert all(max(stroke.beat for stroke in fill) < length <= 2 for fill, length in fills)
    assert {length for _, length in fills} == {1.0, 2.0}


@pytest.mark.parametrize("style", STYLES)
def test_every_style_has_bands_and_an_idiom(style: str) -> None:
    assert len(BANDS[style]) >= 4
    for band in BANDS[style]:
        assert [len(band[role]) for role in ROLES] == [len(set(SEATS[role].values())) for role in ROLES]
        assert all(0 <= programme < 128 for sounds in band.values() for programme in sounds)
    assert {make_motif(seed, 4, style) for seed in range(20)} != {make_motif(0, 4, style)}
    assert IDIOMS[style].openings

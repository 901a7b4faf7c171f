"""How the voices are written: what a composer would mark as wrong, over styles, emotions and random seeds."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.score import Bar, Note, Score
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.types import Piece

pytestmark = pytest.mark.process

MakePiece = Callable[..., Piece]

SEEDS = (3, 40, 2**40 + 7)
LATEST_S = 0.03
"""More than players are late."""
LONGEST_REST_S = 8.0
TOGETHER_BEATS = 1 / 8


Pieces = dict[Emotion, list[Score]]


@pytest.fixture(scope="module", params=STYLES)
def pieces(request: pytest.FixtureRequest, make_piece: MakePiece) -> Pieces:
    """A minute of each emotion in a style, for several random seeds."""
    return {
        emotion: [
            compose(make_piece(0, 60, emotions=(emotion,), random_seed=random_seed, style=request.param))
            for random_seed in SEEDS
        ]
        for emotion in Emotion
    }


def scores(pieces: Pieces, *emotions: Emotion) -> Iterator[Score]:
    for emotion in emotions or Emotion:
        yield from pieces[emotion]


def notes_of(score: Score, *roles: str) -> list[Note]:
    channels = {voice.channel for voice in score.voices if voice.role in roles}
    return [note for note in score.notes if note.channel in channels]


def in_bar(notes: list[Note], bar: Bar) -> list[Note]:
    return [note for note in notes if bar.start_s - 1e-6 <= note.start_s < bar.end_s - 1e-6]


def test_the_lead_never_rests_for_long(pieces: Pieces) -> None:
    for score in scores(pieces):
        lead = notes_of(score, "lead")
        ends = [0.0, *itertools.accumulate((note.end_s for note in lead), max)]
        starts = [*(note.start_s for note in lead), score.duration_s]
        assert max(b - a for a, b in zip(ends, starts, strict=True)) <= LONGEST_REST_S


def test_the_lead_states_its_motif_in_the_first_four_bars(pieces: Pieces) -> None:
    for score in scores(pieces):
        lead = notes_of(score, "lead")
        assert in_bar(lead, score.bars[0])
        assert sum(bool(in_bar(lead, bar)) for bar in score.bars[:4]) >= 3
        assert len({note.pitch for bar in score.bars[:4] for note in in_bar(lead, bar)}) >= 2


def test_the_lead_lies_in_its_range_and_above_the_pad(pieces: Pieces) -> None:
    for score in scores(pieces):
        lead, pad = notes_of(score, "lead"), notes_of(score, "pad")
        assert all(55 <= note.pitch <= 88 for note in lead)
        for note in lead:
            held = [p.pitch for p in pad if p.start_s <= note.start_s + LATEST_S < p.end_s]
            assert not held or note.pitch - max(held) >= 3


@pytest.mark.parametrize("style", STYLES)
def test_under_speech_the_lead_stays_above_the_pad(make_piece: MakePiece, style: str) -> None:
    for emotion in Emotion:
        score = compose(make_piece(0, 24, emotions=(emotion,), style=style, speech=((4, 20),)))
        lead, pad = notes_of(score, "lead"), notes_of(score, "pad")
        for note in (note for note in lead if 5 < note.start_s < 19):
            held = [p.pitch for p in pad if p.start_s <= note.start_s + LATEST_S < p.end_s]
            assert max(held, default=0) + 3 <= note.pitch <= 71


def test_the_left_hand_never_lies_below_the_bass(pieces: Pieces) -> None:
    for score in scores(pieces):
        keys, bass = notes_of(score, "keys", "pad"), notes_of(score, "bass")
        for bar in score.bars:
            lows = in_bar(bass, bar)
            assert not lows or min(n.pitch for n in [*in_bar(keys, bar), *lows]) == min(n.pitch for n in lows)


def test_the_counter_melody_moves(pieces: Pieces) -> None:
    for score in scores(pieces):
        pitches = [note.pitch for note in notes_of(score, "counter")]
        assert sum(a == b for a, b in itertools.pairwise(pitches)) <= 0.15 * len(pitches)


def minor_ninths(score: Score) -> set[int]:
    """Indices of bars in which two pitched notes sound together a semitone apart, in any octaves."""
    notes = notes_of(score, "lead", "counter", "keys", "pad", "bass")
    found, sounding = set[int](), list[Note]()
    for index, bar in enumerate(score.bars):
        least_s = TOGETHER_BEATS * bar.beat_s
        for note in in_bar(notes, bar):
            sounding = [other for other in sounding if other.end_s - note.start_s > least_s]
            if note.end_s - note.start_s > least_s and any(apart(note, other) for other in sounding):
                found.add(index)
            sounding.append(note)
    return found


def apart(one: Note, other: Note) -> bool:
    low, high = sorted((one.pitch, other.pitch))
    return (high - low) % 12 == 1


def test_joy_has_no_minor_ninths(pieces: Pieces) -> None:
    for score in scores(pieces, Emotion.JOY, Emotion.NEUTRAL, Emotion.SURPRISE):
        assert not minor_ninths(score)


def test_fear_and_disgust_have_minor_ninths_only_at_peaks_of_tension(pieces: Pieces) -> None:
    harsh = 0
    for score in scores(pieces, Emotion.FEAR, Emotion.DISGUST):
        found = minor_ninths(score)
        harsh += len(found)
        assert len(found) <= 0.35 * len(score.bars)
        assert all(score.bars[index].tense for index in found)
    assert harsh


def test_drums_vary_and_play_until_the_cadence(pieces: Pieces) -> None:
    for score in scores(pieces):
        played = [
            frozenset((note.pitch, round(4 * bar.beat_at(note.start_s) + 0.2)) for note in in_bar(drums, bar))
            for drums in [notes_of(score, "drums")]
            for bar in score.bars[:-1]
        ]
        if not any(played):
            continue
        first = next(index for index, bar in enumerate(played) if bar)
        assert first <= 4
        assert all(played[first:])
        common, times = Counter(played[first:]).most_common(1)[0]
        assert times <= 0.4 * len(played[first:])
        varied = [index for index, bar in enumerate(played) if len(bar ^ common) >= 3]
        assert max(b - a for a, b in itertools.pairwise([first, *varied, len(played)])) <= 8


def test_anger_is_heavier_than_joy(pieces: Pieces) -> None:
    """Lower, in half time, and with sounds of its own."""
    pairs = zip(scores(pieces, Emotion.ANGER), scores(pieces, Emotion.JOY), strict=True)
    for anger, joy in pairs:
        low, high = (mean_pitch(notes_of(score, "keys", "lead")) for score in (anger, joy))
        assert low <= high - 5
        used = [{note.channel for note in notes_of(score, "keys", "bass")} for score in (anger, joy)]
        assert not used[0] & used[1]


def mean_pitch(notes: list[Note]) -> float:
    return sum(note.pitch for note in notes) / len(notes)

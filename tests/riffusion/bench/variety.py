"""Does the music repeat itself, and do variants differ?"""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import librosa
import numpy as np

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.score import Bar, Score
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.dataset.features import (
    RATE_HZ,
    Array,
    chroma,
    mono,
    onset_strength,
    spectrogram,
    tempo_bpm,
)
from etbgm_riffusion.types import AUTO, Piece
from tests.riffusion.bench.pieces import RATE_HZ as BED_RATE_HZ
from tests.riffusion.bench.pieces import bed_of, piece_of, timeline_of
from tests.riffusion.bench.table import Claim, share

REPEAT_BARS, REPEAT_S = 4, 60.0
WINDOW_BARS = 8
LEAST_WINDOWS = 2
"""Shorter pieces tell nothing of repetition: people's are left out, the composer's made longer."""
VARIANTS = 4
LONGEST_HUMAN_S = 240.0
OTHER_SEED = 10**6
"""Performance seed of the second performance; no piece has it as its own."""

SIMILARITY_S = 60.0
LOOPED = 0.92
"""The most of background music, which returns to its loops: 7 tracks by ACE-Step 1.5 that are long enough
have 0.12, 0.16, 0.50, 0.63, 0.84, 0.91 and 0.92."""

_SPARE_S = 6.0
"""The tempo is fitted to the length, so it may come out slower in a longer piece."""
SAME_BEATS = 1 / 8
"""Onsets as near as this are the same: more than players deviate, less than the shortest notes are apart."""

Written = tuple[tuple[int, int, float], ...]
"""Channel, pitch and beat of the notes that begin in a bar, ordered."""


def repeats(seeds: int, seconds: float) -> Claim:
    """4 bars that come again note for note within 60 s, unless the form names them a reprise."""
    pieces = [
        piece_of(emotion, random_seed, seconds, style)
        for emotion in Emotion
        for style in STYLES
        for random_seed in range(seeds)
    ]
    found = [
        f"{p.timeline.spans[0].emotion} {p.style} {p.random_seed}" for p in pieces if _repeats(compose(p))
    ]
    return share("no 4 bars come again note for note within 60 s", len(pieces), found, 1.0)


def _repeats(score: Score) -> bool:
    """Whether any 4 bars come again within REPEAT_S under another name."""
    bars = [written(score, bar) for bar in score.bars]
    names = [(bar.phrase, bar.number % 4) for bar in score.bars]
    for first, again in itertools.combinations(range(len(bars) - REPEAT_BARS + 1), 2):
        near = score.bars[again].start_s - score.bars[first].start_s <= REPEAT_S
        places = [(first + step, again + step) for step in range(REPEAT_BARS)]
        named = all(names[one] == names[other] for one, other in places)
        silent = not any(bars[one] for one, _ in places)
        if near and not named and not silent and all(same(bars[one], bars[other]) for one, other in places):
            return True
    return False


def written(score: Score, bar: Bar) -> Written:
    """What begins in a bar."""
    inside = [note for note in score.notes if bar.start_s - 1e-9 <= note.start_s < bar.end_s - 1e-9]
    return tuple(sorted((note.channel, note.pitch, bar.beat_at(note.start_s)) for note in inside))


def same(one: Written, other: Written) -> bool:
    """Note for note, however it is played."""
    if len(one) != len(other):
        return False
    pairs = zip(one, other, strict=True)
    return all(a[:2] == b[:2] and abs(a[2] - b[2]) <= SAME_BEATS for a, b in pairs)


def similarity(y: Array, tempo: float, meter: float = 4) -> float:
    """Mean cosine similarity of all pairs of windows of 8 bars of `meter` beats, every 4 bars, by chroma.

    Each beat's chroma has the piece's mean taken away, so that the key alone makes nothing similar.
    """
    classes = chroma(y, hop=512)
    beat = 60 / tempo * RATE_HZ / 512
    edges = np.arange(0, classes.shape[1] - beat, beat)
    beats = np.stack([classes[:, int(edge) : int(edge + beat)].mean(axis=1) for edge in edges])
    beats -= beats.mean(axis=0)
    length = round(WINDOW_BARS * meter)
    starts = range(0, len(beats) - length + 1, length // 2)
    windows = np.stack([beats[start : start + length].ravel() for start in starts])
    windows /= np.linalg.norm(windows, axis=1, keepdims=True)
    return float(np.mean([one @ other for one, other in itertools.combinations(windows, 2)]))


def human_values(folder: Path) -> list[float]:
    """Self-similarity of the pieces that people made, those that are long enough."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix in (".ogg", ".mp3", ".flac", ".wav"):
            y, _ = librosa.load(path, sr=RATE_HZ, duration=LONGEST_HUMAN_S)
            tempo = tempo_bpm(onset_strength(spectrogram(y)))
            if len(y) / RATE_HZ >= _least_s(tempo):
                found.append(similarity(y, tempo))
    return found


def self_similarity(job: tuple[Emotion, int]) -> tuple[str, float]:
    """That of a piece of a minute, or what its tempo needs, with one emotion."""
    emotion, random_seed = job
    piece = piece_of(emotion, random_seed, SIMILARITY_S)
    needed_s = _least_s(compose(piece).sections[0].tempo_bpm)
    if needed_s > SIMILARITY_S:
        piece = piece_of(emotion, random_seed, needed_s + _SPARE_S)
    score = compose(piece)
    heard = mono(bed_of(piece), BED_RATE_HZ)
    found = similarity(heard, score.sections[0].tempo_bpm, score.bars[0].beats)
    return f"{emotion} {piece.style} {random_seed}", found


def _least_s(tempo: float) -> float:
    return LEAST_WINDOWS * WINDOW_BARS * 4 * 60 / tempo


def within(found: Sequence[tuple[str, float]], human: Sequence[float]) -> Claim:
    """Pieces repeat neither less than people's do, nor more than background music does."""
    least, most = min(human), max(*human, LOOPED)
    outside = [f"{name}: {value:.3f}" for name, value in found if not least <= value <= most]
    name = f"8-bar self-similarity within that of people's and background music, {least:.2f} … {most:.2f}"
    return share(name, len(found), outside, 0.95)


def apart(timeline_number: int) -> tuple[str, float]:
    """Least distance of two of four variants against that of two performances of one plan."""
    emotions = list(itertools.islice(itertools.cycle(Emotion), timeline_number, timeline_number + 3))
    timeline = timeline_of(0.0, 17.0, 41.0, 60.0, emotions=emotions)
    pieces = [Piece(timeline, (), 100 * timeline_number + number, AUTO) for number in range(VARIANTS)]
    shapes = [_shape(piece) for piece in pieces]
    between = min(_distance(a, b) for a, b in itertools.combinations(shapes, 2))
    again = [_distance(shape, _shape(piece, OTHER_SEED)) for piece, shape in zip(pieces, shapes, strict=True)]
    return f"timeline {timeline_number}", between / float(np.mean(again))


def variants(found: Sequence[tuple[str, float]]) -> Iterator[Claim]:
    """The least ratio over all timelines."""
    least = min(ratio for _, ratio in found)
    detail = [f"{name}: {ratio:.1f}" for name, ratio in found]
    yield Claim("variants apart, against two performances of one", least, "≥ 5", least >= 5, detail)


def _shape(piece: Piece, performance_seed: int | None = None) -> Array:
    """Chroma and timbre of each half second."""
    y = mono(bed_of(piece, performance_seed), BED_RATE_HZ)
    hop = RATE_HZ // 2 // 512 * 512
    chroma = librosa.feature.chroma_stft(y=y, sr=RATE_HZ, hop_length=hop, n_fft=2 * hop, tuning=0.0)
    classes = librosa.util.normalize(chroma, norm=2, axis=0)
    timbre = librosa.feature.mfcc(y=y, sr=RATE_HZ, hop_length=hop, n_fft=2 * hop, n_mfcc=13)[1:] / 50
    return np.concatenate([classes, timbre])


def _distance(one: Array, other: Array) -> float:
    length = min(one.shape[1], other.shape[1])
    return float(np.linalg.norm(one[:, :length] - other[:, :length], axis=0).mean())

"""Timelines as television has them: is each boundary heard, and on a bar line?"""

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import librosa
import mido
import numpy as np

from etbgm_kit.types import Emotion, EmotionTimeline
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.midi import to_midi
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.dataset.features import RATE_HZ, Array, mono
from etbgm_riffusion.types import Piece
from etbgm_sentiment.meld import Dialogue, read_dialogues
from etbgm_sentiment.smoothing import smooth
from etbgm_sentiment.types import Smoothing
from tests.riffusion.bench.pieces import RATE_HZ as BED_RATE_HZ
from tests.riffusion.bench.pieces import sound_of
from tests.riffusion.bench.table import Claim, share

NEAR_S = 0.12
ON_BAR_S = 0.02
HOP = 256
HALF_S = 0.4
"""Length of what is compared before and after a moment."""

PEAK_QUANTILE = 0.85
"""A novelty peak is the most of HALF_S to both sides, and above this quantile of the piece's curve."""

_SURE = 0.9


@dataclass(frozen=True)
class Boundaries:
    """What was found at a piece's boundaries."""

    name: str
    missed_s: tuple[float, ...]
    off_bar_s: tuple[float, ...]
    count: int
    by_chance: float
    """Share of all moments that have a peak as near."""


def timelines(path: Path) -> Iterator[EmotionTimeline]:
    """Those of MELD's dialogues that have a boundary, from the true emotions, smoothed by the product."""
    for dialogue in read_dialogues(path):
        timeline = _smoothed(dialogue)
        if len(timeline.spans) > 1:
            yield timeline


def _smoothed(dialogue: Dialogue) -> EmotionTimeline:
    others = (1 - _SURE) / (len(Emotion) - 1)
    rows = [[_SURE if emotion == true else others for emotion in Emotion] for true in dialogue.emotions]
    spans = [segment.span for segment in dialogue.transcript.segments]
    return smooth(spans, np.array(rows), dialogue.duration_s, Smoothing.VITERBI)


def measure(job: tuple[int, EmotionTimeline]) -> Boundaries:
    """Composes and renders a timeline and listens at its boundaries."""
    number, timeline = job
    style = tuple(STYLES)[number % len(STYLES)]
    score = compose(Piece(timeline, (), number, style))
    curve = novelty(mono(sound_of(score)[0], BED_RATE_HZ))
    peaks_s = peaks(curve) * HOP / RATE_HZ
    edges_s = [span.span.start_s for span in timeline.spans[1:]]
    near = [bool(len(peaks_s)) and np.abs(peaks_s - edge).min() <= NEAR_S for edge in edges_s]
    moments_s = np.arange(0, timeline.duration_s, 0.05)
    covered = np.abs(moments_s[:, None] - peaks_s).min(axis=1) <= NEAR_S if len(peaks_s) else np.zeros(1)
    return Boundaries(
        f"{style} {number}",
        tuple(edge for edge, hit in zip(edges_s, near, strict=True) if not hit),
        tuple(_off_bar(score, edges_s)),
        len(edges_s),
        float(covered.mean()),
    )


def novelty(y: Array) -> Array:
    """How much harmony and timbre change, at each HOP.

    The difference between means over HALF_S after and before, of chroma and MFCC, each
    standardised: Foote's (2000) kernel on features instead of a matrix.
    """
    chroma = librosa.feature.chroma_stft(y=y, sr=RATE_HZ, hop_length=HOP, n_fft=4096, tuning=0.0)
    mfcc = librosa.feature.mfcc(y=y, sr=RATE_HZ, hop_length=HOP, n_mfcc=13)
    rows = np.concatenate([_standardised(chroma) / 12**0.5, _standardised(mfcc) / 13**0.5])
    half = round(HALF_S * RATE_HZ / HOP)
    sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    means = (sums[:, half:] - sums[:, :-half]) / half
    return np.pad(np.linalg.norm(means[:, half:] - means[:, :-half], axis=0), (half, half - 1))


def peaks(curve: Array) -> Array:
    """Frames of the curve's high local maxima."""
    half = round(HALF_S * RATE_HZ / HOP)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(curve, half), 2 * half + 1)
    return np.flatnonzero((curve == windows.max(axis=1)) & (curve > np.quantile(curve, PEAK_QUANTILE)))


def claims(found: Sequence[Boundaries]) -> list[Claim]:
    """Boundaries are heard, and lie on bar lines."""
    total = sum(piece.count for piece in found)
    missed = [f"{piece.name}: {edge:.2f} s" for piece in found for edge in piece.missed_s]
    off = [f"{piece.name}: {edge:.2f} s" for piece in found for edge in piece.off_bar_s]
    chance = float(np.mean([piece.by_chance for piece in found]))
    return [
        share("a novelty peak within 120 ms of a boundary", total, missed, 0.9),
        Claim("… of any other moment", chance, "for comparison, %", True),
        share("a boundary within 20 ms of a bar line of the MIDI file", total, off, 1.0),
    ]


def _standardised(rows: Array) -> Array:
    spread = rows.std(axis=1, keepdims=True)
    return (rows - rows.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)


def _off_bar(score: Score, edges_s: Sequence[float]) -> Iterator[float]:
    """Boundaries without a bar line of the MIDI file near; its tempo map and meters are followed."""
    lines_s = np.array(list(bar_lines_s(to_midi(score))))
    for edge in edges_s:
        if np.abs(lines_s - edge).min() > ON_BAR_S:
            yield edge


def bar_lines_s(midi: bytes) -> Iterator[float]:
    """When each bar of a MIDI file starts."""
    file = mido.MidiFile(file=io.BytesIO(midi))
    tempo, beats, tick, now_s, next_bar = 500000, 4.0, 0, 0.0, 0.0
    messages = list(
        itertools.accumulate(file.tracks[0], lambda at, m: (at[0] + m.time, m), initial=(0, None))
    )
    for at, message in messages[1:]:
        while next_bar < at:
            now_s += (next_bar - tick) * tempo * 1e-6 / file.ticks_per_beat
            tick = next_bar
            yield now_s
            next_bar += beats * file.ticks_per_beat
        now_s += (at - tick) * tempo * 1e-6 / file.ticks_per_beat
        tick = at
        if message.type == "set_tempo":
            tempo = message.tempo
        if message.type == "time_signature":
            beats = message.numerator * 4 / message.denominator
            next_bar = at

"""Measures the composer: speed, memory, and how each emotion sounds in each style.

usage: python services/riffusion/bench/music.py [SECONDS [RANDOM_SEEDS]]
Needs pyloudnorm (tests/requirements.txt). Prints Markdown.
"""

import resource
import sys
import time
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyloudnorm
import soundfile
from numpy.typing import NDArray

from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.composer.midi import to_midi
from etbgm_riffusion.composer.styles import DRUMS_CHANNEL, STYLES
from etbgm_riffusion.types import CueRequest, Piece

RATE_HZ = 48000
WINDOW = 2048
SPEED_S = 180.0
ONSET_S = 0.03
"""Notes closer than this are heard as one onset."""


def main(seconds: float = 30.0, random_seeds: int = 3) -> None:
    """Prints the two tables."""
    engine = ComposerEngine(None)
    engine.load()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "music.flac"
        speed(engine, path)
        emotions(engine, path, seconds, random_seeds)
        speech(engine, path)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    say(f"\npeak memory of the process: {peak_mb:.0f} MB")


def speed(engine: ComposerEngine, path: Path) -> None:
    """Composing, rendering and writing against the length of the music, in CPU time."""
    say("| style | times real time, one core |\n|---|---|")
    spans = zip(np.arange(0, SPEED_S, 20), (*Emotion, *Emotion), strict=False)
    timeline = EmotionTimeline(SPEED_S, tuple(_span(float(start), 20, emotion) for start, emotion in spans))
    for style in STYLES:
        started = time.process_time()
        piece = Piece(timeline, (), 1, style)
        engine.generate(CueRequest(piece, Span(0, SPEED_S), RATE_HZ), path, _ignore)
        say(f"| {style} | {SPEED_S / (time.process_time() - started):.0f} |")
    started = time.process_time()
    hour = [_span(20.0 * i, 20, emotion) for i, emotion in zip(range(180), cycle(Emotion), strict=False)]
    to_midi(compose(Piece(EmotionTimeline(3600.0, tuple(hour)), (), 1, "cinematic")))
    say(f"\ncomposing an hour: {time.process_time() - started:.1f} s")


def emotions(engine: ComposerEngine, path: Path, seconds: float, random_seeds: int) -> None:
    """What each emotion comes to, over all styles and random seeds."""
    say("\n| emotion | LUFS (least … most) | peak dBFS | centroid Hz | onsets /s | tempo bpm | pitch |")
    say("|---|---|---|---|---|---|---|")
    for emotion in Emotion:
        rows = []
        for style in STYLES:
            for random_seed in range(random_seeds):
                timeline = EmotionTimeline(seconds, (_span(0, seconds, emotion),))
                piece = Piece(timeline, (), random_seed, style)
                engine.generate(CueRequest(piece, Span(0, seconds), RATE_HZ), path, _ignore)
                rows.append((*heard(path), *written(piece)))
        lufs, peak_db, centroid_hz, onsets, tempo_bpm, pitch = np.array(rows).T
        say(
            f"| {emotion} | {lufs.mean():.1f} ({lufs.min():.1f} … {lufs.max():.1f}) "
            f"| {peak_db.max():.1f} | {centroid_hz.mean():.0f} | {onsets.mean():.1f} "
            f"| {tempo_bpm.mean():.0f} | {pitch.mean():.1f} |"
        )


def speech(engine: ComposerEngine, path: Path) -> None:
    """Energy between 1 and 4 kHz under speech against the pauses around it."""
    gains_db = []
    for style in STYLES:
        for emotion in Emotion:
            timeline = EmotionTimeline(32.0, (_span(0, 32, emotion),))
            piece = Piece(timeline, (Span(8, 24),), 2, style)
            engine.generate(CueRequest(piece, Span(0, 32), RATE_HZ), path, _ignore)
            mono = soundfile.read(path)[0].mean(axis=1)
            under, before, after = (mono[a * RATE_HZ : b * RATE_HZ] for a, b in ((9, 23), (2, 7), (25, 30)))
            gains_db.append(10 * np.log10(2 * middle(under) / (middle(before) + middle(after))))
    least, median, most = np.quantile(gains_db, (1, 0.5, 0))
    say(f"\n1-4 kHz under speech: {least:.1f} to {most:.1f} dB, median {median:.1f} dB")


def middle(mono: NDArray[np.float64]) -> float:
    """Mean power between 1 and 4 kHz."""
    frequency_hz = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    band = (frequency_hz > 1000) & (frequency_hz < 4000)
    return float((spectra(mono)[:, band] ** 2).mean())


def spectra(mono: NDArray[np.float64]) -> NDArray[np.float64]:
    """Magnitudes, (windows, frequencies)."""
    frames = np.lib.stride_tricks.sliding_window_view(mono, WINDOW)[::WINDOW]
    return np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1))


def heard(path: Path) -> tuple[float, float, float]:
    """Loudness in LUFS, peak in dBFS and spectral centroid in Hz."""
    sound, _ = soundfile.read(path)
    lufs = pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound)
    mono = sound.mean(axis=1)
    spectrum = spectra(mono).sum(axis=0)
    centroid_hz = (spectrum * np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)).sum() / spectrum.sum()
    return float(lufs), float(20 * np.log10(np.abs(sound).max())), float(centroid_hz)


def written(piece: Piece) -> tuple[float, float, float]:
    """Onsets per second and mean pitch of the pitched voices, tempo in beats per minute."""
    score = compose(piece)
    notes = [note for note in score.notes if note.channel != DRUMS_CHANNEL]
    onsets = len({round(note.start_s / ONSET_S) for note in notes}) / score.duration_s
    return onsets, score.sections[0].tempo_bpm, float(np.mean([note.pitch for note in notes]))


def say(line: str) -> None:
    """Writes one line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _span(start_s: float, length_s: float, emotion: Emotion) -> EmotionSpan:
    return EmotionSpan(Span(start_s, start_s + length_s), emotion, 0.9)


def _ignore(share: float) -> None:
    """Takes progress reports."""


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
